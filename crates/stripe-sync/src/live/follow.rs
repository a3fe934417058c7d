//! Follows an account's events until a stop is requested.
//!
//! One process per account reads the feed: it holds the lease of the cursor. Others wait and help
//! to fetch the objects in the inbox. The same process lists streams again (`listings.rs`).

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::catch_up::{EventReader, FeedReading};
use super::gaps::record_gap;
use super::inbox::FetchCounts;
use super::inbox_task::InboxTask;
use super::listings::Listings;
use crate::backfill::{Stop, this_process};
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::postgres::{PostgresError, RetryBudget};

/// The pause between two reads of the feed while events arrive, and while none do.
const BUSY_PAUSE: Duration = Duration::from_millis(500);
const IDLE_PAUSE: Duration = Duration::from_secs(2);
/// The pause after Stripe failed to return the feed.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Without a backfill, only the events of the last minutes are applied.
const FIRST_LOOK_BACK: i64 = 300;

/// What following has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FollowProgress {
    /// Whether another process is reading the events and this one only fetches objects.
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
    /// Objects that were listed again: those without events, and those whose events were lost.
    pub listed: u64,
    /// Whether events were lost, because the last ones were read more than 30 days ago. The streams
    /// are listed again to close the gap.
    pub gap: bool,
    /// Why streams could not be listed again. They are retried while the account is followed.
    pub unlisted: Option<String>,
}

/// Follows one account.
struct Follower<'f> {
    context: &'f AccountContext,
    revalidate: &'f BTreeSet<String>,
    owner: &'f str,
    /// Where to begin if the account's events have never been read.
    first: i64,
    /// When this process began, in Unix seconds.
    started: i64,
    reader: EventReader,
    inbox: InboxTask,
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
    let first = database.first_copy_cursor(names, account).await?;
    let owner = this_process(0);
    let listings = Listings::new(context.with_backfill_priority(), &owner);
    let mut follower = Follower {
        context,
        revalidate,
        owner: &owner,
        first: first.unwrap_or(started - FIRST_LOOK_BACK),
        started,
        reader: EventReader::new(),
        inbox: InboxTask::new(),
        progress: FollowProgress::default(),
    };
    let result = {
        let rounds = follower.follow(stop, once, &listings, &mut report);
        tokio::select! {
            result = rounds => result,
            // Never ends. With `once`, the lists are read after the events instead.
            () = listings.run(stop), if !once => Ok(()),
        }
    };
    if once && result.is_ok() && follower.progress.caught_up {
        follower.finish(&listings, stop).await?;
    }
    // Otherwise another process waits for the lease to expire.
    if let Err(error) = database.release_event_cursor(names, account, &owner).await {
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
    /// Repeats rounds until a stop is requested, or until everything has been applied if `once` is
    /// set.
    async fn follow(
        &mut self,
        stop: &Stop,
        once: bool,
        listings: &Listings<'_>,
        report: &mut (impl FnMut(&FollowProgress) + Send),
    ) -> Result<(), Error> {
        let database = &self.context.database;
        let (mut budget, mut failing_since) = (None, None::<Instant>);
        loop {
            let round = tokio::select! {
                () = stop.requested() => return Ok(()),
                round = self.round(stop) => round,
            };
            self.progress.listed = listings.listed();
            self.progress.unlisted = listings.failure();
            let pause = match round {
                Ok(pause) => {
                    (budget, failing_since) = (None, None);
                    report(&self.progress);
                    if once && self.progress.caught_up {
                        return Ok(());
                    }
                    pause
                }
                // Stripe fails for longer than a request is retried.
                Err(RoundError::Other(error)) if error.kind() == ErrorKind::Stripe && !once => {
                    let since = *failing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= database.max_outage() {
                        return Err(error);
                    }
                    tracing::warn!(%error, "the events could not be read");
                    PAUSE_AFTER_FAILURE
                }
                Err(RoundError::Other(error)) => return Err(error),
                Err(RoundError::Postgres(error)) => {
                    let budget = budget.get_or_insert_with(|| RetryBudget::new(database));
                    tokio::select! {
                        () = stop.requested() => return Ok(()),
                        retries = budget.wait_before_retry(&error) => match retries {
                            true => continue,
                            false => return Err(error.into()),
                        },
                    }
                }
            };
            tokio::select! {
                () = stop.requested() => return Ok(()),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reads the feed up to the present, if no other process does, and fetches a part of the
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
                let cursor = record_gap(context, cursor).await?;
                let reading = FeedReading {
                    context,
                    revalidate: self.revalidate,
                    owner: Some(*owner),
                    scope: None,
                    types: &[],
                    until: None,
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
        let gaps = database.within_time_limit(database.gaps(names, account)).await?;
        progress.gap = !gaps.is_empty();
        progress.lag = (now() - progress.cursor).max(0);
        let has_more = self.fetch_part(stop).await?;
        Ok(match is_idle {
            _ if has_more => Duration::ZERO,
            true => IDLE_PAUSE,
            false => BUSY_PAUSE,
        })
    }

    /// Fetches a part of the inbox. Returns whether more objects can be due.
    async fn fetch_part(&mut self, stop: &Stop) -> Result<bool, PostgresError> {
        let part = self.inbox.fetch_part(self.context, stop).await?;
        let (counts, has_more) = part.unwrap_or_default();
        self.count_fetched(counts).await?;
        Ok(has_more)
    }

    async fn count_fetched(&mut self, counts: FetchCounts) -> Result<(), PostgresError> {
        let Follower { context, progress, .. } = self;
        let (database, names) = (&context.database, context.statements.names());
        progress.fetched += counts.fetched;
        progress.quarantined += counts.quarantined;
        progress.failed += counts.failed;
        let inbox = database.inbox_counts(names, Some(context.account.as_str()));
        let inbox = database.within_time_limit(inbox).await?;
        (progress.pending, progress.dead) = (inbox.waiting, inbox.dead);
        Ok(())
    }

    /// After all events have been applied once, lists streams again, unless another process does,
    /// and fetches the rest of the inbox. If a stop is requested, this process has not caught up.
    async fn finish(&mut self, listings: &Listings<'_>, stop: &Stop) -> Result<(), Error> {
        if !self.progress.waiting {
            let AccountContext { database, statements, account, .. } = self.context;
            let result = tokio::select! {
                () = stop.requested() => Ok(()),
                listed = listings.list_due(0, stop) => listed,
            };
            self.progress.unlisted = result.err().map(|error| error.to_string());
            self.progress.listed = listings.listed();
            let gaps = database.gaps(statements.names(), account.as_str());
            self.progress.gap = !database.within_time_limit(gaps).await?.is_empty();
        }
        let counts = self.inbox.fetch_rest(self.context, stop).await?;
        self.count_fetched(counts).await?;
        self.progress.caught_up = !stop.is_requested();
        Ok(())
    }
}
