//! Follows an account's events until a stop is requested.
//!
//! One process per account reads the feed: it holds the lease of the cursor. Others wait and help
//! to fetch the objects in the inbox.

use std::collections::BTreeSet;
use std::time::Duration;

use super::catch_up::{EventReader, FeedReading};
use super::inbox::drain;
use crate::backfill::{Stop, this_process};
use crate::context::AccountContext;
use crate::error::Error;
use crate::postgres::{PostgresError, RetryBudget};

/// The pause between two reads of the feed while events arrive, and while none do.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
const IDLE_PAUSE: Duration = Duration::from_secs(2);
/// How long Stripe keeps events (FACTS 6), minus one day to read them.
pub(super) const EVENTS_KEPT: i64 = 29 * 86_400;
/// Without a backfill, only the events of the last minutes are applied.
const FIRST_LOOK_BACK: i64 = 300;

/// What following has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowProgress {
    /// Whether another process reads the events and this one only fetches objects.
    pub waiting: bool,
    /// Events that were applied.
    pub events: u64,
    /// Those that changed the copy.
    pub changes: u64,
    /// Objects that were fetched.
    pub fetched: u64,
    /// Objects whose rows PostgreSQL refused to write or delete; they are quarantined.
    pub quarantined: u64,
    /// Fetches that failed and will be retried.
    pub failed: u64,
    /// Objects in the inbox that are still to be fetched.
    pub pending: i64,
    /// Objects in the inbox that failed too often and are no longer fetched; a refresh fetches
    /// them.
    pub dead: i64,
    /// Unix second up to which all events have been applied.
    pub cursor: i64,
    /// Seconds between the cursor and the present.
    pub lag: i64,
    /// Whether everything that had happened when this process began has been applied.
    pub caught_up: bool,
    /// Whether the cursor was older than Stripe keeps events: a new backfill is needed to close the
    /// gap.
    pub gap: bool,
}

/// Follows one account.
struct Follower<'f> {
    context: &'f AccountContext,
    revalidate: &'f BTreeSet<String>,
    owner: String,
    /// Where to begin if the account's events have never been read.
    first: i64,
    /// When this process began, in Unix seconds.
    started: i64,
    reader: EventReader,
    progress: FollowProgress,
}

/// Applies events until a stop is requested, or up to the present if `once` is set. `report` is
/// called after each round. Work that a stop interrupts is repeated the next time.
///
/// # Errors
/// Stripe rejects the feed, or Stripe or the database cannot be reached for longer than the limit.
pub(crate) async fn follow(
    context: &AccountContext,
    revalidate: &BTreeSet<String>,
    stop: &Stop,
    once: bool,
    mut report: impl FnMut(&FollowProgress) + Send,
) -> Result<FollowProgress, Error> {
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    let started = context.client.now().unix_seconds();
    let first = database.last_copy_cursor(names, account).await?;
    let mut follower = Follower {
        context,
        revalidate,
        owner: this_process(0),
        first: first.unwrap_or(started - FIRST_LOOK_BACK),
        started,
        reader: EventReader::new(),
        progress: FollowProgress::default(),
    };
    let mut budget = None;
    let result = loop {
        let round = tokio::select! {
            () = stop.requested() => break Ok(()),
            round = follower.round(stop) => round,
        };
        let pause = match round {
            Ok(pause) => {
                budget = None;
                report(&follower.progress);
                if once && follower.progress.caught_up {
                    break Ok(());
                }
                pause
            }
            Err(RoundError::Other(error)) => break Err(error),
            Err(RoundError::Postgres(error)) => {
                let budget = budget.get_or_insert_with(|| RetryBudget::new(database));
                tokio::select! {
                    () = stop.requested() => break Ok(()),
                    retries = budget.wait_before_retry(&error) => match retries {
                        true => continue,
                        false => break Err(error.into()),
                    },
                }
            }
        };
        tokio::select! {
            () = stop.requested() => break Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
    };
    // Otherwise another process waits for the lease to expire.
    if let Err(error) = database.release_event_cursor(names, account, &follower.owner).await {
        tracing::debug!(%error, "the event cursor could not be released");
    }
    result.map(|()| follower.progress)
}

/// Why a round ended early.
enum RoundError {
    /// May be transient.
    Postgres(PostgresError),
    /// Has already been retried.
    Other(Error),
}

impl From<PostgresError> for RoundError {
    fn from(error: PostgresError) -> RoundError {
        RoundError::Postgres(error)
    }
}

impl Follower<'_> {
    /// Reads the feed up to the present, if no other process does, and fetches what is in the
    /// inbox. Returns the pause until the next round.
    async fn round(&mut self, stop: &Stop) -> Result<Duration, RoundError> {
        let Follower { context, owner, progress, .. } = self;
        let (database, names) = (&context.database, context.statements.names());
        let account = context.account.as_str();
        let now = || context.client.now().unix_seconds();
        let mut is_idle = true;
        let leased = database.lease_event_cursor(names, account, owner, self.first);
        match database.within_time_limit(leased).await? {
            Some(cursor) => {
                progress.waiting = false;
                progress.gap |= cursor < now() - EVENTS_KEPT;
                let reading = FeedReading {
                    context,
                    revalidate: self.revalidate,
                    owner: Some(owner),
                    scope: None,
                };
                let caught_up = self.reader.catch_up(reading, cursor).await;
                let (cursor, caught_up) = caught_up.map_err(RoundError::Other)?;
                is_idle = caught_up.events == 0;
                progress.events += caught_up.events;
                progress.changes += caught_up.changes;
                progress.quarantined += caught_up.quarantined;
                progress.cursor = cursor;
                progress.caught_up = true;
            }
            None => {
                progress.waiting = true;
                let cursor =
                    database.within_time_limit(database.event_cursor(names, account)).await?;
                progress.cursor = cursor.unwrap_or(self.first);
                // The other process has read everything that happened before this one began.
                progress.caught_up = progress.cursor >= self.started;
            }
        }
        let counts = drain(context, stop).await?;
        progress.fetched += counts.fetched;
        progress.quarantined += counts.quarantined;
        progress.failed += counts.failed;
        let inbox = database.inbox_counts(names, Some(account));
        let inbox = database.within_time_limit(inbox).await?;
        (progress.pending, progress.dead) = (inbox.waiting, inbox.dead);
        progress.lag = (now() - progress.cursor).max(0);
        Ok(if is_idle { IDLE_PAUSE } else { BUSY_PAUSE })
    }
}
