//! Fetches the objects in the inbox. Entries are leased, so several processes share the work, and
//! an object that cannot be fetched waits longer each time without delaying the others.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use super::apply::concerns_a_row;
use crate::backfill::Stop;
use crate::catalog::Table;
use crate::context::AccountContext;
use crate::object::refetch::{RefetchError, RefetchOutcome, refetch};
use crate::postgres::{LeasedEntry, PostgresError};

/// Objects that are fetched concurrently.
const CONCURRENT: usize = 8;
/// Objects that are leased together.
const BATCH: usize = 4 * CONCURRENT;
/// The pause after the first failure. It doubles after each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(6 * 3600);
/// How often a caller checks whether another process has fetched its object.
const POLL: Duration = Duration::from_millis(50);

/// What was fetched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FetchCounts {
    pub(crate) fetched: u64,
    /// Those whose rows are quarantined.
    pub(crate) quarantined: u64,
    pub(crate) failed: u64,
}

impl std::ops::Add for FetchCounts {
    type Output = FetchCounts;

    fn add(self, other: FetchCounts) -> FetchCounts {
        FetchCounts {
            fetched: self.fetched + other.fetched,
            quarantined: self.quarantined + other.quarantined,
            failed: self.failed + other.failed,
        }
    }
}

/// What fetching the objects in the inbox did, and what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxOutcome {
    /// Objects that were fetched.
    pub fetched: u64,
    /// Those whose rows PostgreSQL refused; they are quarantined.
    pub quarantined: u64,
    /// Objects that are still to be fetched.
    pub pending: i64,
    /// Objects that failed too often and are no longer fetched.
    pub dead: i64,
}

/// Fetches at most `limit` of the objects in the inbox that are due. With `retry_dead`, also tries
/// once more those that have failed too often.
///
/// # Errors
/// The database cannot be reached.
pub(crate) async fn fetch_inbox(
    context: &AccountContext,
    retry_dead: bool,
    limit: usize,
    stop: &Stop,
) -> Result<InboxOutcome, PostgresError> {
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    if retry_dead {
        database.within_time_limit(database.revive_inbox(names, account)).await?;
    }
    let done = fetch_due(context, limit, stop).await?;
    let counts = database.inbox_counts(names, Some(account));
    let counts = database.within_time_limit(counts).await?;
    Ok(InboxOutcome {
        fetched: done.fetched,
        quarantined: done.quarantined,
        pending: counts.waiting,
        dead: counts.dead,
    })
}

/// Fetches objects until no entry is due, `limit` entries have been taken, or a stop is requested.
///
/// # Errors
/// The database cannot be reached. If Stripe fails, the entry is postponed.
pub(crate) async fn fetch_due(
    context: &AccountContext,
    limit: usize,
    stop: &Stop,
) -> Result<FetchCounts, PostgresError> {
    let (database, names) = (&context.database, context.statements.names());
    let mut counts = FetchCounts::default();
    let mut left = limit;
    while left > 0 && !stop.is_requested() {
        let account = context.account.as_str();
        let entries = database.lease_inbox(names, account, left.min(BATCH));
        let entries = database.within_time_limit(entries).await?;
        left -= entries.len();
        if entries.is_empty() {
            break;
        }
        let fetches = entries.into_iter().map(|entry| async move { fetch(context, &entry).await });
        let results: Vec<_> = stream::iter(fetches).buffer_unordered(CONCURRENT).collect().await;
        for result in results {
            match result {
                Ok(outcome) => {
                    counts.fetched += 1;
                    counts.quarantined += u64::from(outcome == RefetchOutcome::Quarantined);
                }
                Err(FetchError::Postponed(_)) => counts.failed += 1,
                Err(FetchError::Database(error)) => return Err(error),
            }
        }
    }
    Ok(counts)
}

/// Why an entry is still in the inbox.
#[derive(Debug)]
pub(crate) enum FetchError {
    /// The object could not be fetched or written.
    Postponed(String),
    /// The inbox itself cannot be written to.
    Database(PostgresError),
}

impl From<PostgresError> for FetchError {
    fn from(error: PostgresError) -> FetchError {
        FetchError::Database(error)
    }
}

/// Fetches one object now, or waits until another process has. `None` if the time limit ends first;
/// the fetch continues, so that its lease does not delay the next delivery of the event.
///
/// # Errors
/// The object could not be fetched. Its entry stays in the inbox.
pub(crate) async fn fetch_or_wait(
    context: &AccountContext,
    table: &'static Table,
    id: &str,
    until: Instant,
) -> Result<Option<RefetchOutcome>, FetchError> {
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    loop {
        let leased = database.lease_inbox_entry(names, account, table, id).await?;
        if let Some(entry) = leased {
            let context = context.clone();
            let fetching = tokio::spawn(async move { fetch(&context, &entry).await });
            return match tokio::time::timeout_at(until, fetching).await {
                Ok(Ok(result)) => result.map(Some),
                Ok(Err(_)) => {
                    Err(FetchError::Postponed("the fetch stopped unexpectedly".to_owned()))
                }
                Err(_) => Ok(None),
            };
        }
        if !database.is_in_inbox(names, account, table, id).await? {
            return Ok(Some(RefetchOutcome::Written));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn fetch(
    context: &AccountContext,
    entry: &LeasedEntry,
) -> Result<RefetchOutcome, FetchError> {
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    let error = match refetch(context, entry.table, &entry.id).await {
        Ok(outcome) => {
            let finished = database.finish_inbox_entry(names, account, entry);
            database.within_time_limit(finished).await?;
            return Ok(outcome);
        }
        // The database cannot be written to, which affects every object.
        Err(RefetchError::Postgres(error))
            if !concerns_a_row(&error) && error.locked_table.is_none() =>
        {
            return Err(error.into());
        }
        Err(error) => error.to_string(),
    };
    let pause = pause_after(entry.attempts);
    tracing::warn!(table = %entry.table.name, id = %entry.id, %error, ?pause, "an object could not be fetched");
    let postponed = database.postpone_inbox_entry(names, account, entry, pause, &error);
    database.within_time_limit(postponed).await?;
    Err(FetchError::Postponed(error))
}

fn pause_after(attempts: i32) -> Duration {
    let doublings = u32::try_from(attempts).unwrap_or(0).min(20);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_six_hours() {
        assert_eq!(pause_after(0), Duration::from_secs(5));
        assert_eq!(pause_after(3), Duration::from_secs(40));
        assert_eq!(pause_after(1000), LONGEST_PAUSE);
    }
}
