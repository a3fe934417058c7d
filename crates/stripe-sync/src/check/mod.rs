//! Finds what would stop a backfill before it runs: the key, the account, the permissions of each
//! stream, and the database. Writes nothing, and continues after each finding.
//!
//! Requests one object of each stream, with the parameters of a backfill's first page, and one item
//! of each list that this object contains. This shows permissions and availability, but neither
//! whether later pages can be read nor anything about the lists inside the objects of an empty
//! stream.

mod inspect;
mod probe;
mod report;

use self::inspect::inspect;
use self::probe::StripeProbe;
pub use self::report::{
    CheckReport, DatabaseCheck, KeyCheck, ServerCheck, StreamAccess, StreamCheck, StripeCheck,
};
use crate::backfill;
use crate::config::Config;
use crate::error::Error;

/// What to check.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Objects by any of their names; empty or `all` for every stream.
    pub objects: Vec<String>,
    /// Whether to check the key, the account and the streams.
    pub stripe: bool,
    /// Whether to check the configured database.
    pub database: bool,
}

impl Default for CheckRequest {
    fn default() -> CheckRequest {
        CheckRequest { objects: Vec::new(), stripe: true, database: true }
    }
}

/// Checks everything that a backfill with this configuration needs. Changes nothing.
///
/// # Errors
/// A name that is not an object. Everything else that is wrong is in the report.
pub async fn check(config: &Config, request: &CheckRequest) -> Result<CheckReport, Error> {
    let streams = backfill::streams(&request.objects).map_err(Error::usage)?;
    let (mut probe, mut inspected) = tokio::join!(
        async {
            match request.stripe {
                true => Some(StripeProbe::run(config, &streams).await),
                false => None,
            }
        },
        async {
            match request.database {
                true => Some(inspect(config).await),
                false => None,
            }
        },
    );
    if let (Some(probe), Some((database_check, database))) = (&mut probe, &mut inspected) {
        database_check.check_mode(config, probe.check.key.as_ref());
        probe.fail_streams_with_rows(config, database_check, database.as_ref()).await;
    }
    Ok(CheckReport {
        stripe: probe.map(|probe| probe.check),
        database: inspected.map(|(check, _)| check),
    })
}
