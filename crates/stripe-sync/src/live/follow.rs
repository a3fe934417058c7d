//! Follows an account's events until a stop is requested.
//!
//! One process per account reads the feed: it holds the lease of the cursor. Others wait and help to fetch
//! the objects in the inbox.

use std::collections::BTreeSet;
use std::time::Duration;

use super::catch_up::EventReader;
use super::inbox::drain;
use crate::backfill::{Stop, this_process};
use crate::context::AccountContext;
use crate::error::Error;

/// The pause between two readings while events arrive, and while none do.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
const IDLE_PAUSE: Duration = Duration::from_secs(2);
/// How long Stripe keeps events (FACTS 6), less a day for the reading.
const EVENTS_KEPT: i64 = 29 * 86_400;
/// Without a backfill there is nothing to catch up with: the events of the last minutes are applied.
const FIRST_LOOK_BACK: i64 = 300;

/// What following has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowProgress {
    /// Another process reads the events; this one fetches objects.
    pub waiting: bool,
    /// Events that were applied.
    pub events: u64,
    /// Those that changed the copy.
    pub changes: u64,
    /// Objects that were fetched.
    pub fetched: u64,
    /// Fetches that failed and are tried again.
    pub failed: u64,
    /// Unix second up to which all events have been applied.
    pub cursor: i64,
    /// Seconds between the cursor and the present.
    pub lag: i64,
    /// The cursor was older than Stripe keeps events: a new backfill is needed to close the gap.
    pub gap: bool,
}

/// Applies events until a stop is requested. `report` is called after each round.
///
/// # Errors
/// Stripe refuses the feed, or Stripe or the database cannot be reached for longer than the limit.
pub(crate) async fn follow(
    context: &AccountContext,
    revalidate: &BTreeSet<String>,
    stop: &Stop,
    once: bool,
    mut report: impl FnMut(&FollowProgress) + Send,
) -> Result<FollowProgress, Error> {
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    let owner = this_process(0);
    let mut reader = EventReader::new();
    let mut progress = FollowProgress::default();
    let now = || context.client.now().unix_seconds();
    let first = match database.last_run_cursor(names, account).await? {
        Some(cursor) => cursor,
        None => now() - FIRST_LOOK_BACK,
    };
    let result = loop {
        let leased = database.lease_event_cursor(names, account, &owner, first).await;
        let mut is_idle = true;
        match leased {
            Err(error) => break Err(error.into()),
            Ok(None) => progress.waiting = true,
            Ok(Some(cursor)) => {
                progress.waiting = false;
                progress.gap |= cursor < now() - EVENTS_KEPT;
                match reader.catch_up(context, revalidate, cursor, &owner, stop).await {
                    Err(error) => break Err(error),
                    Ok((cursor, caught_up)) => {
                        is_idle = caught_up.events == 0;
                        progress.events += caught_up.events;
                        progress.changes += caught_up.changes;
                        progress.cursor = cursor;
                    }
                }
            }
        }
        match drain(context, stop).await {
            Err(error) => break Err(error.into()),
            Ok(drained) => {
                progress.fetched += drained.fetched;
                progress.failed += drained.failed;
            }
        }
        progress.lag = (now() - progress.cursor).max(0);
        report(&progress);
        if once && !progress.waiting {
            break Ok(());
        }
        let pause = if is_idle { IDLE_PAUSE } else { BUSY_PAUSE };
        tokio::select! {
            () = stop.requested() => break Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    };
    // Another process can continue at once; without this it waits for the lease to expire.
    if let Err(error) = database.release_event_cursor(names, account, &owner).await {
        tracing::debug!(%error, "the event cursor could not be released");
    }
    result.map(|()| progress)
}
