//! Everything a check found, and the exit code that results from it.

use std::path::PathBuf;

use private_postgres::Binaries;
use stripe_sync::{DatabaseCheck, SchemaState, StreamAccess, StreamCheck, StripeCheck};

use crate::exit::Exit;
use crate::failure::Failure;

/// All findings.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) schema: Option<String>,
    pub(super) stripe: Option<StripeCheck>,
    pub(super) stripe_failures: Vec<Failure>,
    pub(super) database: Option<DatabaseCheck>,
    pub(super) database_failures: Vec<Failure>,
    /// Set if there is no database URL.
    pub(super) private: Option<PrivateDatabase>,
}

/// The private PostgreSQL as it is, or as a backfill would create it.
pub(super) struct PrivateDatabase {
    pub(super) dir: PathBuf,
    pub(super) exists: bool,
    pub(super) binaries: Option<Binaries>,
}

impl Findings {
    /// The exit code of the worst finding.
    pub(super) fn exit(&self, skip_denied: bool) -> Exit {
        let failures = || self.stripe_failures.iter().chain(&self.database_failures);
        if failures().any(|failure| failure.exit() != Exit::Usage) {
            return Exit::Failed;
        }
        if failures().next().is_some() {
            return Exit::Usage;
        }
        let count = |access| self.streams().iter().filter(|s| s.access == access).count();
        let (denied, failed) = (count(StreamAccess::Denied), count(StreamAccess::Failed));
        match (denied, failed) {
            _ if count(StreamAccess::Skipped) == self.streams().len() => Exit::Failed,
            (0, 0) => Exit::Complete,
            (_, 0) if skip_denied && count(StreamAccess::Readable) > 0 => Exit::Complete,
            _ => Exit::Incomplete,
        }
    }

    pub(super) fn streams(&self) -> &[StreamCheck] {
        self.stripe.as_ref().map_or(&[], |stripe| &stripe.streams)
    }

    pub(super) fn schema_state(&self) -> Option<&SchemaState> {
        self.database.as_ref()?.schema.as_ref()
    }

    pub(super) fn with(&self, access: StreamAccess) -> impl Iterator<Item = &StreamCheck> {
        self.streams().iter().filter(move |stream| stream.access == access)
    }
}
