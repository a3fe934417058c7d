//! What a backfill waits for, in words.

use stripe_sync::{Limit, Snapshot};

use crate::number;

/// `None` when nothing on either end holds it back.
pub(super) fn words(snapshot: &Snapshot) -> Option<String> {
    if snapshot.database_outage {
        return Some("waiting: the database cannot be reached".to_owned());
    }
    if snapshot.waits_for_other {
        return Some("waiting for another process that reads the rest of this run".to_owned());
    }
    match &snapshot.stats.as_ref()?.limit {
        Limit::GlobalRate => Some("limited by the account's rate".to_owned()),
        Limit::EndpointRate(path) => Some(format!("limited by the rate of {path}")),
        Limit::Concurrency => Some("limited by concurrency".to_owned()),
        Limit::Outage { since } => {
            Some(format!("waiting: Stripe cannot be reached since {}", number::duration(*since)))
        }
        Limit::Retrying => Some("waiting for Stripe to answer again".to_owned()),
        _ => None,
    }
}

/// Rows and requests of all streams together.
pub(super) fn totals(snapshot: &Snapshot) -> (i64, u64) {
    let rows = snapshot.streams.iter().map(|stream| stream.rows).sum();
    (rows, snapshot.stats.as_ref().map_or(0, |stats| stats.requests))
}
