//! The findings of a check.

use crate::account::{AccountId, Mode};
use crate::availability::{RefusalClass, describe_refusal};
use crate::catalog::Table;
use crate::error::Error;
use crate::object::nested::RefusedList;
use crate::postgres::SchemaState;
use crate::stripe::{AccountSource, StripeError};

/// Everything that a check found.
#[derive(Debug)]
#[non_exhaustive]
pub struct CheckReport {
    /// `None` if it was not requested.
    pub stripe: Option<StripeCheck>,
    /// `None` if it was not requested.
    pub database: Option<DatabaseCheck>,
}

/// The key, the account and the streams.
#[derive(Debug)]
#[non_exhaustive]
pub struct StripeCheck {
    /// `None` if the configuration has no key.
    pub key: Option<KeyCheck>,
    /// Whether Stripe responded and accepted the key.
    pub accepted: bool,
    /// The account of the key, and how it is known.
    pub account: Option<(AccountId, AccountSource)>,
    /// Where the requests were sent.
    pub api_base: String,
    /// The API version of the requests.
    pub api_version: String,
    /// One for each stream; none if the key cannot be used.
    pub streams: Vec<StreamCheck>,
    /// HTTP requests that were sent.
    pub requests: u64,
    /// What makes a backfill impossible.
    pub problems: Vec<Error>,
}

/// What the text of a key shows, without a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyCheck {
    /// Its kind, such as `rk_test_...`; safe to print.
    pub hint: String,
    /// Whether it is a restricted key (`rk_`), which reads only what its permissions allow.
    pub restricted: bool,
    /// Live or test data.
    pub mode: Mode,
}

/// The server and the schema.
#[derive(Debug)]
#[non_exhaustive]
pub struct DatabaseCheck {
    /// `None` if it could not be reached.
    pub server: Option<ServerCheck>,
    /// The state of the schema; `None` if it could not be read.
    pub schema: Option<SchemaState>,
    /// What makes a backfill impossible.
    pub problems: Vec<Error>,
}

/// The server, and the user of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerCheck {
    /// As the server reports it: `15.13 (Debian 15.13-0+deb12u1)`.
    pub version: String,
    /// The encoding of the database; `UTF8` is required.
    pub encoding: String,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamCheck {
    /// The object type, as Stripe names it.
    pub object: String,
    /// Its table.
    pub table: String,
    /// Whether it can be read.
    pub access: StreamAccess,
    /// The `rak_...` permission that the key lacks, if Stripe names it.
    pub missing_permission: Option<String>,
    /// Why it cannot be read.
    pub message: Option<String>,
    /// Stripe's ID of the request.
    pub request_id: Option<String>,
}

/// Whether a stream can be read, as a backfill would report it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamAccess {
    /// It can be read.
    Readable,
    /// The key lacks a permission.
    Denied,
    /// Not available on this account; a backfill would skip it.
    Skipped,
    /// Any other failure, including lists inside its objects that cannot be read.
    Failed,
}

impl StreamAccess {
    /// `ok`, `denied`, `skipped` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            StreamAccess::Readable => "ok",
            StreamAccess::Denied => "denied",
            StreamAccess::Skipped => "skipped",
            StreamAccess::Failed => "failed",
        }
    }
}

impl StreamCheck {
    pub(super) fn readable(table: &Table) -> StreamCheck {
        StreamCheck {
            object: table.object.clone(),
            table: table.name.clone(),
            access: StreamAccess::Readable,
            missing_permission: None,
            message: None,
            request_id: None,
        }
    }

    /// The stream can be read, but not all of the lists inside its objects. A backfill quarantines
    /// the objects whose lists it cannot read, even with `--skip-denied`.
    pub(super) fn with_refused_lists(table: &Table, refused: &[RefusedList]) -> StreamCheck {
        let Some(first) = refused.first() else { return StreamCheck::readable(table) };
        let reason = |list: &RefusedList| {
            let class = match list.error.is_denied() {
                true => RefusalClass::Denied,
                false => RefusalClass::Failed,
            };
            format!("{}: {}", list.name, describe_refusal(class, &list.error))
        };
        let reasons: Vec<String> = refused.iter().map(reason).collect();
        let permission = refused.iter().find_map(|list| list.error.missing_permission());
        StreamCheck {
            access: StreamAccess::Failed,
            missing_permission: permission.map(str::to_owned),
            message: Some(format!(
                "its objects can be read, but not the lists inside them: {}",
                reasons.join("; ")
            )),
            request_id: first.error.request_id.clone(),
            ..StreamCheck::readable(table)
        }
    }

    pub(super) fn refused(table: &Table, class: RefusalClass, error: &StripeError) -> StreamCheck {
        StreamCheck {
            access: match class {
                RefusalClass::Denied => StreamAccess::Denied,
                RefusalClass::NotAvailable => StreamAccess::Skipped,
                RefusalClass::Failed => StreamAccess::Failed,
            },
            missing_permission: error.missing_permission().map(str::to_owned),
            message: Some(describe_refusal(class, error)),
            request_id: error.request_id.clone(),
            ..StreamCheck::readable(table)
        }
    }
}
