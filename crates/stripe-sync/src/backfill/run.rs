//! A whole backfill: opens the run, lets workers read its slices until none is left, and reports
//! how every stream ended. Between reading and closing, the caller applies the changes that were
//! made in the meantime.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::claim::read_all;
use super::context::{RunContext, retry_transient};
use super::plan::BackfillRequest;
use super::progress::{Progress, RunInfo};
use super::report::{self, CatchUpOutcome, Report, RunStatus};
use super::stop::Stop;
use super::{owner, plan};
use crate::catalog::{Catalog, Table};
use crate::context::AccountContext;
use crate::error::Error;
use crate::order::Stamp;
use crate::postgres::{Run, StreamState, StreamStatus};

/// Stripe keeps events for 30 days (FACTS 6).
const EVENTS_KEPT: i64 = 30 * 86_400;

/// A run whose lists have been read. Changes made in the meantime are still to be applied.
pub(crate) struct ReadRun {
    context: Arc<RunContext>,
    run: Run,
    streams: Vec<&'static Table>,
    started: Instant,
    requests_before: u64,
}

/// Reads the lists of a run until no slice is left or a stop is requested. An unfinished run whose
/// event cursor is earlier than `not_before` is abandoned instead of resumed.
///
/// # Errors
/// Only errors that end the whole run: the database or Stripe stays unreachable, or the key is
/// revoked. Errors of single streams are in the report.
pub(crate) async fn read(
    account: AccountContext,
    request: &BackfillRequest,
    progress: &Progress,
    stop: &Stop,
    not_before: Option<i64>,
) -> Result<ReadRun, Error> {
    let started = Instant::now();
    let streams = plan::streams(&request.objects).map_err(Error::usage)?;
    let (version, now) = (account.client.version(), account.client.now());
    let new = plan::run(request, &streams, &account.account, version, now);
    let context = Arc::new(RunContext::new(account, progress.clone(), stop.clone()));
    let oldest = if request.fresh { i64::MAX } else { not_before.unwrap_or(i64::MIN) };
    let AccountContext { database, statements, client, .. } = &context.account;
    let names = statements.names();

    let quarantined_before = count_quarantined(&context, &streams).await?;
    context.set_quarantine_in_use(quarantined_before > 0);
    let run = retry_transient!(context, database.open_run(names, &new, oldest))?;
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
    Ok(ReadRun { context, run, streams, started, requests_before })
}

impl ReadRun {
    pub(crate) fn account(&self) -> &AccountContext {
        &self.context.account
    }

    pub(crate) fn streams(&self) -> &[&'static Table] {
        &self.streams
    }

    /// The Unix second from which events say what has changed since the first page.
    pub(crate) fn event_cursor(&self) -> i64 {
        self.run.event_cursor
    }

    /// The first second of `created`, and the one after the last.
    pub(crate) fn bounds(&self) -> (Option<i64>, Option<i64>) {
        (self.run.since, self.run.until)
    }

    /// Whether the lists were read as far as possible, without an interruption by a stop.
    ///
    /// # Errors
    /// The database stays unreachable.
    pub(crate) async fn is_read(&self) -> Result<bool, Error> {
        Ok(self.overall(&self.states().await?, 0) != RunStatus::Interrupted)
    }

    /// The tables of the streams that were read completely by this run.
    ///
    /// # Errors
    /// The database stays unreachable.
    pub(crate) async fn complete_streams(&self) -> Result<HashSet<String>, Error> {
        let states = self.states().await?.into_iter();
        let is_read = |s: &StreamState| s.status == StreamStatus::Complete && s.requests > 0;
        Ok(states.filter(is_read).map(|state| state.stream).collect())
    }

    /// Whether each stream was read completely or is not available on this account.
    ///
    /// # Errors
    /// The database stays unreachable.
    pub(crate) async fn is_complete(&self) -> Result<bool, Error> {
        let quarantined = count_quarantined(&self.context, &self.streams).await?;
        Ok(self.overall(&self.states().await?, quarantined) == RunStatus::Complete)
    }

    /// Builds late indexes, writes how the run ended, and reports it.
    ///
    /// # Errors
    /// The database stays unreachable.
    pub(crate) async fn close(self, catch_up: CatchUpOutcome) -> Result<Report, Error> {
        let ReadRun { context, run, streams, .. } = &self;
        let states = self.states().await?;
        context.progress.update(&states);
        build_late_indexes(context, &states).await?;
        let quarantined = count_quarantined(context, streams).await?;
        let status = self.overall(&states, quarantined);
        if status != RunStatus::Interrupted {
            close(context, run, status, &states).await?;
        }
        let client = &context.account.client;
        Ok(Report {
            run_id: run.id,
            status,
            elapsed: self.started.elapsed(),
            requests: client.stats().requests - self.requests_before,
            streams: report::streams(states),
            quarantined,
            replaced_characters: context.progress.replaced(),
            older_than_events: client.now().unix_seconds() - run.started_at > EVENTS_KEPT,
            catch_up,
        })
    }

    async fn states(&self) -> Result<Vec<StreamState>, Error> {
        let AccountContext { database, statements, .. } = &self.context.account;
        let names = statements.names();
        Ok(retry_transient!(self.context, database.stream_states(names, self.run.id))?)
    }

    fn overall(&self, states: &[StreamState], quarantined: i64) -> RunStatus {
        report::overall(states, quarantined, self.context.is_stop_requested())
    }
}

/// The number of quarantined rows of these streams and their items.
async fn count_quarantined(context: &RunContext, streams: &[&'static Table]) -> Result<i64, Error> {
    let AccountContext { database, statements, account, .. } = &context.account;
    let (names, id) = (statements.names(), account.as_str());
    let tables: Vec<&str> = streams.iter().flat_map(|table| table.with_items()).collect();
    Ok(retry_transient!(context, database.count_quarantined(names, id, &tables))?)
}

/// Builds the indexes of the streams that this run has read.
async fn build_late_indexes(context: &RunContext, states: &[StreamState]) -> Result<(), Error> {
    let (database, names) = (&context.account.database, context.account.statements.names());
    for state in states.iter().filter(|s| s.status == StreamStatus::Complete && s.requests > 0) {
        let Some(table) = Catalog::get().table(&state.stream) else { continue };
        // The rows are stored without the index, and the next run tries again.
        let mut budget = context.retry_budget();
        // No time limit: a large table takes a long time.
        let waits_for = |holder: Option<&str>| match holder {
            Some(_) => context.progress.set_locked_table(&table.name, holder),
            None => context.progress.clear_locked_table(table),
        };
        while let Err(error) = Box::pin(database.build_late_indexes(names, table, &waits_for)).await
        {
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
