//! A whole backfill: opens the run, lets workers read its slices until none is left, and reports
//! how every stream ended.

use std::sync::Arc;

use tokio::time::Instant;

use super::claim::read_all;
use super::context::{RunContext, retry_transient};
use super::plan::BackfillRequest;
use super::progress::{Progress, RunInfo};
use super::report::{self, Report, RunStatus};
use super::stop::Stop;
use super::{owner, plan};
use crate::catalog::Catalog;
use crate::context::AccountContext;
use crate::error::Error;
use crate::order::Stamp;
use crate::postgres::{Run, StreamState, StreamStatus};

/// Stripe keeps events for 30 days (FACTS 6).
const EVENTS_KEPT: i64 = 30 * 86_400;

/// Runs a backfill.
///
/// # Errors
/// Only errors that end the whole run: the database or Stripe stays unreachable, or the key is
/// revoked. Errors of single streams are in the report.
pub(crate) async fn backfill(
    account: AccountContext,
    request: &BackfillRequest,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report, Error> {
    let started = Instant::now();
    let streams = plan::streams(&request.objects).map_err(Error::usage)?;
    let (version, now) = (account.client.version(), account.client.now());
    let new = plan::run(request, &streams, &account.account, version, now);
    let tables: Vec<&str> = streams.iter().flat_map(|table| table.with_items()).collect();
    let context = Arc::new(RunContext::new(account, progress.clone(), stop.clone()));
    let AccountContext { database, statements, client, .. } = &context.account;
    let (names, id) = (statements.names(), context.account.account.as_str());

    let quarantined_before =
        retry_transient!(context, database.count_quarantined(names, id, &tables))?;
    context.set_quarantine_in_use(quarantined_before > 0);
    let run = retry_transient!(context, database.open_run(names, &new, request.fresh))?;
    if run.continued {
        retry_transient!(context, database.release_dead(names, run.id, owner::is_dead))?;
    }
    let states = retry_transient!(context, database.stream_states(names, run.id))?;
    context.set_began(match run.continued {
        true => Stamp::from_micros((run.event_cursor + plan::EVENT_OVERLAP) * 1_000_000),
        false => now,
    });
    let info = RunInfo { run_id: run.id, continued: run.continued, started_at: run.started_at };
    progress.begin(info, client.clone(), &states);
    let requests_before = client.stats().requests;

    read_all(&context, run.id).await?;

    let states = retry_transient!(context, database.stream_states(names, run.id))?;
    progress.update(&states);
    build_late_indexes(&context, &states).await?;
    let quarantined = retry_transient!(context, database.count_quarantined(names, id, &tables))?;
    let status = report::overall(&states, quarantined, context.is_stop_requested());
    if status != RunStatus::Interrupted {
        close(&context, &run, status, &states).await?;
    }
    Ok(Report {
        run_id: run.id,
        status,
        elapsed: started.elapsed(),
        requests: client.stats().requests - requests_before,
        streams: report::streams(states),
        quarantined,
        replaced_characters: progress.replaced(),
        older_than_events: client.now().unix_seconds() - run.started_at > EVENTS_KEPT,
    })
}

/// Builds the indexes of the streams that this run has read.
async fn build_late_indexes(context: &RunContext, states: &[StreamState]) -> Result<(), Error> {
    let (database, names) = (&context.account.database, context.account.statements.names());
    for state in states.iter().filter(|s| s.status == StreamStatus::Complete && s.requests > 0) {
        let Some(table) = Catalog::get().table(&state.stream) else { continue };
        // The rows are stored without the index, and the next run tries again.
        let mut budget = context.retry_budget();
        // No time limit: a large table takes long.
        while let Err(error) = database.build_late_indexes(names, table).await {
            if !context.wait_before_retry(&mut budget, &error).await {
                tracing::warn!(%error, "an index could not be built");
                break;
            }
        }
    }
    Ok(())
}

async fn close(
    context: &RunContext,
    run: &Run,
    status: RunStatus,
    states: &[StreamState],
) -> Result<(), Error> {
    let (database, names) = (&context.account.database, context.account.statements.names());
    let unfinished =
        |s: &StreamState| matches!(s.status, StreamStatus::Failed | StreamStatus::Running);
    let stored = match status {
        RunStatus::Failed => "unavailable",
        // The same command resumes it.
        _ if states.iter().any(unfinished) => "failed",
        status => status.as_str(),
    };
    Ok(retry_transient!(context, database.close_run(names, run.id, stored))?)
}
