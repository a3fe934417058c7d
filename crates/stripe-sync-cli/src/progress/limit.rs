//! Describes what a backfill is waiting for.

use stripe_sync::{Limit, Snapshot};

use crate::number;

/// `None` if nothing slows the backfill down.
pub(super) fn description(snapshot: &Snapshot) -> Option<String> {
    if snapshot.database_outage {
        return Some("waiting: the database is unavailable".to_owned());
    }
    if let Some(table) = &snapshot.locked_table {
        return Some(format!("waiting for {table}"));
    }
    if snapshot.waits_for_other {
        return Some("waiting for another process that is reading the rest of this run".to_owned());
    }
    match &snapshot.stats.as_ref()?.limit {
        Limit::GlobalRate => Some("limited by the account's rate limit".to_owned()),
        Limit::EndpointRate(path) => Some(format!("limited by the rate limit of {path}")),
        Limit::Concurrency => Some("limited by concurrency".to_owned()),
        Limit::Outage { since } => {
            Some(format!("waiting: Stripe has been unreachable for {}", number::duration(*since)))
        }
        Limit::Retrying => Some("waiting to retry a failed request".to_owned()),
        _ => None,
    }
}

/// The rows and requests of all streams.
pub(super) fn totals(snapshot: &Snapshot) -> (i64, u64) {
    let rows = snapshot.streams.iter().map(|stream| stream.rows).sum();
    (rows, snapshot.stats.as_ref().map_or(0, |stats| stats.requests))
}
