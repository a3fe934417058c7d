//! Ends a backfill: applies the events since its first page, lists again the newest objects that
//! have no events, and fetches what is in the inbox.
//!
//! Only events of the run's streams and range are applied, so that a backfill of one stream does not
//! store rows of others. The account's cursor covers all objects; it moves only after a complete run
//! of everything, which therefore applies all events since the cursor.

use std::collections::BTreeSet;

use super::catch_up::{EventReader, FeedReading};
use super::gaps::{EVENTS_KEPT, close_listed_gaps, record_gap};
use super::inbox::fetch_inbox;
use super::list_again::list_again;
use super::listings::{LOOK_BACK, without_events};
use super::scope::EventScope;
use crate::backfill::{CatchUpOutcome, CatchUpStatus, EVENT_OVERLAP, ReadRun, Stop};
use crate::catalog::{Catalog, deletion_types};
use crate::context::AccountContext;
use crate::error::Error;
use crate::slice::Bounds;

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
        read = async {
            let listed = list_again_without_events(run).await;
            apply_events(run, revalidate, &mut outcome).await.and(listed)
        } => read,
    };
    let context = context(run);
    let fetched = fetch_inbox(&context, false, usize::MAX, stop).await.map(|inbox| {
        outcome.fetched = inbox.fetched;
        (outcome.pending, outcome.dead) = (inbox.pending, inbox.dead);
    });
    outcome.status = CatchUpStatus::Current;
    if let Err(error) = read.and(fetched.map_err(Error::from)) {
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

/// What another session has locked is not waited for: its objects stay in the inbox, and its streams
/// are reported.
fn context(run: &ReadRun) -> AccountContext {
    run.account().clone().without_waiting_for_locks().with_live_priority()
}

/// Lists again those streams of the run that have no events, if their lists can be filtered.
async fn list_again_without_events(run: &ReadRun) -> Result<(), Error> {
    let (since, until) = run.bounds();
    let from = run.event_cursor() - (LOOK_BACK - EVENT_OVERLAP);
    let bounds = Bounds { from: Some(since.map_or(from, |since| since.max(from))), to: until };
    if until.is_some_and(|until| until <= from) {
        return Ok(());
    }
    let complete = run.complete_streams().await?;
    let context = run.account().clone().without_waiting_for_locks();
    let mut result = Ok(());
    for table in without_events().filter(|table| complete.contains(&table.name)) {
        if table.list.as_ref().is_some_and(|list| list.created.is_some()) {
            // A failure of one stream does not stop the others.
            result = result.and(list_again(&context, table, bounds).await.map(drop));
        }
    }
    result
}

/// Applies the events since the run's first page, and the deletions since the events were last
/// applied: the lists do not show them.
async fn apply_events(
    run: &ReadRun,
    revalidate: &BTreeSet<String>,
    outcome: &mut CatchUpOutcome,
) -> Result<(), Error> {
    let context = &context(run);
    let (database, names) = (&context.database, context.statements.names());
    let account = context.account.as_str();
    let cursor = database.within_time_limit(database.event_cursor(names, account)).await?;
    let first_copy = database.within_time_limit(database.first_copy_cursor(names, account)).await?;
    // All events before it have been applied to the rows of this run and of earlier ones.
    let applied = cursor.or(first_copy).unwrap_or(run.event_cursor());
    let all =
        FeedReading { context, revalidate, owner: None, scope: None, types: &[], until: None };
    if is_whole(run) && run.is_complete().await? {
        let first = record_gap(context, applied).await?;
        close_listed_gaps(context).await?;
        let (until, caught_up) = EventReader::new().catch_up(all, first).await?;
        outcome.events = caught_up.events;
        let advanced = database.advance_event_cursor(names, account, until);
        return Ok(database.within_time_limit(advanced).await?);
    }
    let scope = EventScope::new(run.streams(), run.bounds());
    let kept_since = context.client.now().unix_seconds() - EVENTS_KEPT;
    let first = run.event_cursor().max(applied).max(kept_since);
    let deletions = deletion_types(run.streams());
    if applied < run.event_cursor() && !deletions.is_empty() {
        let until = Some(first);
        let reading = FeedReading { scope: Some(&scope), types: &deletions, until, ..all };
        let (_, deleted) = EventReader::new().catch_up(reading, applied.max(kept_since)).await?;
        outcome.events += deleted.events;
    }
    let reading = FeedReading { scope: Some(&scope), ..all };
    let (_, caught_up) = EventReader::new().catch_up(reading, first).await?;
    outcome.events += caught_up.events;
    Ok(())
}

/// Whether a run reads everything.
fn is_whole(run: &ReadRun) -> bool {
    run.streams().len() == Catalog::get().streams().count() && run.bounds() == (None, None)
}
