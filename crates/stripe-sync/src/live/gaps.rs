//! Events that were lost, because they were not read within the 30 days for which Stripe keeps them.
//!
//! A gap is recorded before the cursor moves over it, for each stream that has been copied
//! completely. It is closed once a run that started after it has listed the stream: objects that
//! the list has not shown are fetched, because they may have been deleted.

use crate::backfill::EVENT_OVERLAP;
use crate::context::AccountContext;
use crate::order::Stamp;
use crate::postgres::{EventGap, PostgresError};

/// How long Stripe keeps events (FACTS 6).
pub(super) const EVENTS_KEPT: i64 = 30 * 86_400;
/// If the cursor is older than this, events can disappear while they are read.
const EVENTS_ARE_SAFE: i64 = 29 * 86_400;

/// Records a gap if events after the cursor are lost. Returns the second from which there are
/// events.
pub(super) async fn record_gap(
    context: &AccountContext,
    cursor: i64,
) -> Result<i64, PostgresError> {
    let (database, names) = (&context.database, context.statements.names());
    let now = context.client.now().unix_seconds();
    if cursor < now - EVENTS_ARE_SAFE {
        let until = now - EVENTS_ARE_SAFE;
        let recorded = database.record_gap(names, context.account.as_str(), until);
        database.within_time_limit(recorded).await?;
    }
    Ok(cursor.max(now - EVENTS_KEPT))
}

/// Closes the gaps of streams that a run has listed, and returns the other gaps.
pub(super) async fn close_listed_gaps(
    context: &AccountContext,
) -> Result<Vec<EventGap>, PostgresError> {
    let AccountContext { database, statements, account, .. } = context;
    let (names, account) = (statements.names(), account.as_str());
    let mut open = Vec::new();
    for gap in database.within_time_limit(database.gaps(names, account)).await? {
        match gap.listed {
            Some(cursor) => {
                let listed_at = Stamp::from_micros((cursor + EVENT_OVERLAP) * 1_000_000);
                let closed = database.close_gap(names, account, gap, listed_at);
                match database.within_time_limit(closed).await {
                    Ok(()) => {}
                    // The other gaps do not wait for this table.
                    Err(error) if error.is_lock_timeout() => {
                        tracing::warn!(table = %gap.table.name, %error, "a gap stays open");
                        open.push(gap);
                    }
                    Err(error) => return Err(error),
                }
            }
            None => open.push(gap),
        }
    }
    Ok(open)
}
