//! A whole backfill: opens the run, lets workers read its slices until none is left, and says
//! how every stream ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::fetch::BUDGET;
use super::page_size::PageSizes;
use super::progress::{Progress, RunInfo, Stop};
use super::report::{self, Report, RunStatus};
use super::worker::{Reader, RunContext, SliceOutcome, retry_transient, work};
use super::{BackfillRequest, owner, plan, waiting};
use crate::catalog::{Catalog, Table};
use crate::error::{Error, ErrorKind};
use crate::memory::Memory;
use crate::object::retrieve::AccountContext;
use crate::postgres::{ClaimedSlice, Names, OpenSlice, Run, StreamStatus};
use crate::slice::cut;

/// Slices read at once. More than the limiter lets through at usual latencies.
const WORKERS: usize = 32;
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often it is looked whether something is waited for.
const LOOK_AROUND: Duration = Duration::from_secs(2);
/// How often a worker without a slice looks again when nobody tells it to.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// Between two tries to claim what another worker is just claiming.
const CLAIM_AGAIN: Duration = Duration::from_millis(20);
/// Stripe keeps events for 30 days (FACTS 6).
const EVENTS_KEPT: i64 = 30 * 86_400;

/// Copies what `request` asks for.
///
/// # Errors
/// Only what ends the whole run: the database or Stripe is gone for good, the key is revoked.
/// What concerns one stream is in the report.
pub(crate) async fn backfill(
    link: AccountContext,
    request: &BackfillRequest,
    progress: &Progress,
    stop: &Stop,
) -> Result<Report, Error> {
    let began = Instant::now();
    let streams = plan::streams(&request.objects).map_err(Error::usage)?;
    let (version, now) = (link.client.version(), link.client.now());
    let new = plan::run(request, &streams, &link.account, version, now);
    let crew = Arc::new(RunContext {
        progress: progress.clone(),
        stop: stop.clone(),
        memory: Memory::new(BUDGET),
        sizes: PageSizes::default(),
        quarantine_in_use: AtomicBool::new(true),
        held: Mutex::default(),
        idle: Notify::new(),
        link,
    });
    let names = crew.link.statements.names().clone();
    let database = crew.link.database.clone();
    let account = crew.link.account.to_string();
    let tables: Vec<&str> = streams.iter().flat_map(|table| table.with_items()).collect();
    let count = || database.count_quarantined(&names, &account, &tables);
    let quarantined_before = retry_transient!(crew, count())?;
    crew.quarantine_in_use.store(quarantined_before > 0, Ordering::Relaxed);
    let run = retry_transient!(crew, database.open_run(&names, &new, request.fresh))?;
    if run.continued {
        database.release_dead(&names, run.id, owner::is_dead).await?;
    }
    let states = database.stream_states(&names, run.id).await?;
    let info = RunInfo { run_id: run.id, continued: run.continued, started_at: run.started_at };
    progress.begin(info, crew.link.client.clone(), &states);
    let requests_before = crew.link.client.stats().requests;

    read_all(&crew, &names, &run).await?;

    let states = retry_transient!(crew, database.stream_states(&names, run.id))?;
    progress.update(&states);
    for state in states.iter().filter(|s| s.status == StreamStatus::Complete && s.requests > 0) {
        if let Some(table) = Catalog::get().table(&state.stream) {
            if crew.quarantine_in_use.load(Ordering::Relaxed) {
                let tables: Vec<&str> = table.with_items().collect();
                retry_transient!(crew, database.clear_unnamed(&names, run.id, &tables))?;
            }
            // The rows are there without them; the next run tries again.
            if let Err(error) = retry_transient!(crew, database.build_late_indexes(&names, table)) {
                tracing::warn!(%error, "an index could not be built");
            }
        }
    }
    let quarantined = retry_transient!(crew, count())?;
    let status = report::overall(&states, quarantined, stop.is_asked());
    let unfinished = |s: &crate::postgres::StreamState| {
        matches!(s.status, StreamStatus::Failed | StreamStatus::Running)
    };
    if status != RunStatus::Interrupted {
        let word = match states.iter().any(unfinished) {
            // Unfinished: the same command goes on with it.
            true => "failed",
            false => status.as_str(),
        };
        let word = if status == RunStatus::Failed { "unavailable" } else { word };
        retry_transient!(crew, database.close_run(&names, run.id, word))?;
    }
    Ok(Report {
        run_id: run.id,
        status,
        elapsed: began.elapsed(),
        requests: crew.link.client.stats().requests - requests_before,
        streams: report::streams(states),
        quarantined,
        replaced_characters: progress.replaced(),
        older_than_events: crew.link.client.now().unix_seconds() - run.started_at > EVENTS_KEPT,
    })
}

/// Lets workers read until no slice is left, or somebody asks to stop.
async fn read_all(crew: &Arc<RunContext>, names: &Names, run: &Run) -> Result<(), Error> {
    let owner: Arc<str> = owner::this_process(run.id.unsigned_abs()).into();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (crew, names, owner, run_id) =
            (Arc::clone(crew), names.clone(), Arc::clone(&owner), run.id);
        workers.spawn(async move { claim_and_work(&crew, &names, run_id, &owner).await });
    }
    // A set of one: it ends with this call, also when this call is dropped.
    let mut heart = JoinSet::new();
    {
        let (crew, names, owner) = (Arc::clone(crew), names.clone(), Arc::clone(&owner));
        heart.spawn(async move { beat(&crew, &names, &owner).await });
    }
    {
        let (crew, names, owner, run_id) =
            (Arc::clone(crew), names.clone(), Arc::clone(&owner), run.id);
        heart.spawn(async move { note(&crew, &names, run_id, &owner).await });
    }
    let mut first_error = None;
    while let Some(ended) = workers.join_next().await {
        let result = ended.unwrap_or_else(|_| {
            // The panic's own text may quote what it worked on.
            Err(Error::new(
                ErrorKind::Stripe,
                "a worker broke down; this is a defect of stripe-sync",
            ))
        });
        if let Err(error) = result
            && first_error.is_none()
        {
            // The others finish what is in flight.
            crew.stop.ask();
            first_error = Some(error);
        }
    }
    heart.shutdown().await;
    // Nobody waits any more; an outage of the database leaves a note that grows old.
    if let Err(error) = crew.link.database.note_waiting(names, run.id, &owner, None).await {
        tracing::debug!(%error, "a note could not be taken away");
    }
    match first_error {
        Some(error) => Err(error.and_hint(
            "everything committed so far is safe; run the same command again to go on from there",
        )),
        None => Ok(()),
    }
}

async fn beat(crew: &RunContext, names: &Names, owner: &str) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let held: Vec<i64> = crew.held().iter().copied().collect();
        if let Err(error) = crew.link.database.extend_leases(names, &held, owner).await {
            // Commits extend leases as well; a lost lease costs a page, not a row.
            tracing::warn!(%error, "leases could not be extended");
        }
    }
}

/// Keeps a note in the database of what this process waits for.
async fn note(crew: &RunContext, names: &Names, run_id: i64, owner: &str) {
    let mut noted: Option<(String, Instant)> = None;
    loop {
        tokio::time::sleep(LOOK_AROUND).await;
        let waits_for = waiting::waits_for(&crew.progress.snapshot());
        let is_noted = match (&noted, &waits_for) {
            (Some((noted, at)), Some(now)) => noted == now && at.elapsed() < HEARTBEAT,
            (None, None) => true,
            _ => false,
        };
        if is_noted {
            continue;
        }
        let database = &crew.link.database;
        match database.note_waiting(names, run_id, owner, waits_for.as_deref()).await {
            Ok(()) => noted = waits_for.map(|what| (what, Instant::now())),
            Err(error) => tracing::debug!(%error, "a note could not be left"),
        }
    }
}

async fn claim_and_work(
    crew: &RunContext,
    names: &Names,
    run_id: i64,
    owner: &str,
) -> Result<(), Error> {
    let database = &crew.link.database;
    loop {
        if crew.stop.is_asked() {
            return Ok(());
        }
        if let Some(slice) = retry_transient!(crew, database.claim(names, run_id, owner))? {
            crew.progress.set_waiting(false);
            let id = slice.id;
            crew.held().insert(id);
            let result = read(crew, names, run_id, slice).await;
            crew.held().remove(&id);
            result?;
            crew.idle.notify_waiters();
            continue;
        }
        let (left, free) = retry_transient!(crew, database.slices_left(names, run_id))?;
        if left == 0 {
            crew.idle.notify_waiters();
            return Ok(());
        }
        if free > 0 {
            // Somebody is about to have it.
            tokio::time::sleep(CLAIM_AGAIN).await;
            continue;
        }
        if split_one(crew, names, run_id).await? {
            continue;
        }
        crew.progress.set_waiting(crew.held().is_empty());
        tokio::select! {
            () = crew.idle.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = crew.stop.asked() => {}
        }
    }
}

/// Cuts the slice with the most left to read. False if none is worth it.
async fn split_one(crew: &RunContext, names: &Names, run_id: i64) -> Result<bool, Error> {
    let database = &crew.link.database;
    let open = retry_transient!(crew, database.open_slices(names, run_id))?;
    let filters = |slice: &&OpenSlice| {
        let list = Catalog::get().table(&slice.stream).and_then(|t| t.list.as_ref());
        list.is_some_and(crate::catalog::List::can_be_cut)
    };
    let best = open
        .iter()
        .filter(filters)
        .filter_map(|slice| cut(&slice.split).map(|(mid, pages)| (slice, mid, pages)))
        .max_by(|a, b| a.2.total_cmp(&b.2));
    match best {
        Some((slice, mid, _)) => Ok(retry_transient!(crew, database.split(names, slice, mid))?),
        None => Ok(false),
    }
}

async fn read(
    crew: &RunContext,
    names: &Names,
    run_id: i64,
    slice: ClaimedSlice,
) -> Result<(), Error> {
    let stream = slice.stream.clone();
    let Some((table, list)) = table_of(&stream) else {
        return Err(Error::new(
            ErrorKind::Database,
            format!("the ledger names the stream {stream}, which this build does not know"),
        )
        .with_hint(
            "the run was begun by another version; use that one, or begin anew with --fresh",
        ));
    };
    let part = usize::try_from(slice.part).unwrap_or(0);
    let reader = Reader {
        crew,
        link: &crew.link,
        stop: &crew.stop,
        memory: &crew.memory,
        table,
        list,
        part,
    };
    let database = &crew.link.database;
    let claimed = slice.clone();
    let ending = match work(&reader, slice).await {
        Ok(ending) => ending,
        Err(error) => {
            // The next command need not wait for the lease to end.
            if let Err(error) = database.release(names, &claimed).await {
                tracing::debug!(%error, "a slice could not be given back");
            }
            return Err(error);
        }
    };
    match ending {
        SliceOutcome::Finished => {
            let done = retry_transient!(crew, database.is_complete(names, run_id, &stream))?;
            if done {
                crew.progress.set_status(&stream, StreamStatus::Complete);
            }
        }
        SliceOutcome::Lost | SliceOutcome::Stopped => {}
        SliceOutcome::Stream { end, requests } => {
            tracing::debug!(stream, status = end.status.as_str(), "a stream ended");
            if retry_transient!(crew, database.end_stream(names, &claimed, &end, requests))? {
                crew.progress.set_status(&stream, end.status);
            }
            retry_transient!(crew, database.release(names, &claimed))?;
        }
    }
    Ok(())
}

fn table_of(stream: &str) -> Option<(&'static Table, &'static crate::catalog::List)> {
    let table = Catalog::get().table(stream)?;
    Some((table, table.list.as_ref()?))
}
