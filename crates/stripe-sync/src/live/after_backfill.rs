//! Ends a backfill: applies the events since its first page, and fetches what is in the inbox.
//!
//! Only events of the run's streams and range are applied, so that a backfill of one stream does not
//! store rows of others. The account's cursor covers all objects; it moves only after a complete run
//! of everything.

use std::collections::BTreeSet;

use super::catch_up::{EventReader, FeedReading};
use super::follow::EVENTS_KEPT;
use super::inbox::drain;
use super::scope::EventScope;
use crate::backfill::{CatchUpOutcome, CatchUpStatus, ReadRun, Stop};
use crate::catalog::Catalog;
use crate::error::Error;

/// The code of an error that a missing permission causes.
const DENIED: &str = "stripe_permission_denied";

/// Makes the rows of a run current. A failure is part of the outcome, because the rows from the
/// lists are stored even if events cannot be read.
///
/// # Errors
/// The ledger cannot be read.
pub(crate) async fn catch_up_with_run(
    run: &ReadRun,
    revalidate: &BTreeSet<String>,
    stop: &Stop,
) -> Result<CatchUpOutcome, Error> {
    if stop.is_requested() || !run.is_read().await? {
        return Ok(CatchUpOutcome::default());
    }
    let mut outcome = CatchUpOutcome::default();
    let read = tokio::select! {
        () = stop.requested() => return Ok(outcome),
        read = apply_events(run, revalidate, &mut outcome) => read,
    };
    let fetched = fetch_inbox(run, stop, &mut outcome).await;
    outcome.status = CatchUpStatus::Current;
    if let Err(error) = read.and(fetched) {
        tracing::warn!(%error, "the changes during the run could not be applied");
        outcome.status = match error.code() {
            DENIED => CatchUpStatus::Denied,
            _ => CatchUpStatus::Failed,
        };
        outcome.message = Some(error.to_string());
    } else if stop.is_requested() {
        outcome.status = CatchUpStatus::Interrupted;
    }
    Ok(outcome)
}

async fn apply_events(
    run: &ReadRun,
    revalidate: &BTreeSet<String>,
    outcome: &mut CatchUpOutcome,
) -> Result<(), Error> {
    let context = run.account();
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    let scope = EventScope::new(run.streams(), run.bounds());
    // A process that follows the account has applied the events before its cursor.
    let cursor = database.within_time_limit(database.event_cursor(names, account)).await?;
    let kept_since = context.client.now().unix_seconds() - EVENTS_KEPT;
    let first = run.event_cursor().max(cursor.unwrap_or(0)).max(kept_since);
    let reading = FeedReading { context, revalidate, owner: None, scope: Some(&scope) };
    let (until, caught_up) = EventReader::new().catch_up(reading, first).await?;
    outcome.events = caught_up.events;
    let is_whole = run.streams().len() == Catalog::get().streams().count()
        && run.bounds() == (None, None)
        && first == run.event_cursor().max(cursor.unwrap_or(0));
    if is_whole && run.is_complete().await? {
        let advanced = database.advance_event_cursor(names, account, until);
        database.within_time_limit(advanced).await?;
    }
    Ok(())
}

async fn fetch_inbox(
    run: &ReadRun,
    stop: &Stop,
    outcome: &mut CatchUpOutcome,
) -> Result<(), Error> {
    let context = run.account();
    let (database, names) = (&context.database, context.statements.names());
    outcome.fetched = drain(context, stop).await?.fetched;
    let counts = database.inbox_counts(names, Some(context.account.as_str()));
    let counts = database.within_time_limit(counts).await?;
    (outcome.pending, outcome.dead) = (counts.waiting, counts.dead);
    Ok(())
}
