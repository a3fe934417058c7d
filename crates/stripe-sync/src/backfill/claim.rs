//! How workers get their slices: each claims a free one, or splits the slice with the most left to
//! read.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::context::{RunContext, SliceContext, retry_transient};
use super::held::HeldSlice;
use super::parents_to_read::ParentsPart;
use super::slice_part::SlicePart;
use super::split::{WORKERS, split_one};
use super::worker::{SliceOutcome, read_slice};
use super::{heartbeat, owner};
use crate::error::{Error, ErrorKind};
use crate::postgres::ClaimedSlice;

/// How often a worker without a slice looks again without being notified.
const IDLE_POLL: Duration = Duration::from_millis(500);
/// Pause before the next claim while another worker is claiming the free slice.
const CLAIM_RETRY: Duration = Duration::from_millis(20);

/// Lets workers read until no slice is left, or the run is stopping.
///
/// # Errors
/// The first error that ends the run. Everything committed before it is safe.
pub(super) async fn read_all(run: &Arc<RunContext>, run_id: i64) -> Result<(), Error> {
    let owner: Arc<str> = owner::this_process(run_id.unsigned_abs()).into();
    // The set ends with this call, even if this call is dropped.
    let mut heartbeats = heartbeat::start(run, run_id, &owner).await;
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let (run, owner) = (Arc::clone(run), Arc::clone(&owner));
        workers.spawn(async move { work(&run, run_id, &owner).await });
    }
    let mut first_error = None;
    while let Some(ended) = workers.join_next().await {
        let result = ended.unwrap_or_else(|_| {
            // The panic message may quote a row.
            let message = "a worker panicked; this is a bug in stripe-sync";
            Err(Error::new(ErrorKind::Internal, message))
        });
        if let Err(error) = result
            && first_error.is_none()
        {
            run.stop_workers();
            first_error = Some(error);
        }
    }
    heartbeats.shutdown().await;
    heartbeat::remove_wait_reason(run, run_id, &owner).await;
    match first_error {
        Some(error) => Err(error
            .and_hint("everything committed so far is safe; run the same command again to resume")),
        None => Ok(()),
    }
}

/// One worker.
async fn work(run: &RunContext, run_id: i64, owner: &str) -> Result<(), Error> {
    let (database, names) = (&run.account.database, run.account.statements.names());
    loop {
        if run.is_stopping() {
            return Ok(());
        }
        if let Some(slice) = retry_transient!(run, database.claim(names, run_id, owner))? {
            run.progress.set_waiting(false);
            // If more can be split, the next idle worker does it.
            run.idle.notify_one();
            let id = slice.id;
            let held = run.held_slices.insert(&slice);
            let result = read(run, slice, &held).await;
            run.held_slices.remove(id, &held);
            result?;
            continue;
        }
        let (left, free) = retry_transient!(run, database.slices_left(names, run_id))?;
        if left == 0 {
            run.idle.notify_waiters();
            return Ok(());
        }
        if free > 0 {
            tokio::time::sleep(CLAIM_RETRY).await;
            continue;
        }
        if split_one(run, run_id).await? {
            continue;
        }
        run.progress.set_waiting(run.held_slices.count() == 0);
        tokio::select! {
            () = run.idle.notified() => {}
            () = tokio::time::sleep(IDLE_POLL) => {}
            () = run.stopping() => {}
        }
    }
}

async fn read(run: &RunContext, slice: ClaimedSlice, held: &HeldSlice) -> Result<(), Error> {
    let SlicePart { target, table, list, part, parent_lists } = part_of(&slice)?;
    let parents = parent_lists.map(|lists| ParentsPart { lists, run_id: slice.run_id });
    let context = SliceContext { run, target, table, list, part, parents, held };
    let (database, names) = (&run.account.database, run.account.statements.names());
    let claimed = slice.clone();
    // Boxed: this future is large, and each worker would hold it from its start.
    let outcome = match Box::pin(read_slice(&context, slice)).await {
        Ok(outcome) => outcome,
        Err(error) => {
            // Otherwise the next command would wait for the lease to expire.
            if let Err(error) = database.release(names, &claimed).await {
                tracing::debug!(%error, "a slice could not be released");
            }
            return Err(error);
        }
    };
    let stream = claimed.stream.as_str();
    match outcome {
        SliceOutcome::Finished | SliceOutcome::Lost | SliceOutcome::Stopped => {}
        SliceOutcome::StreamFailed(failure) => {
            let (end, requests) = (&failure.end, failure.requests);
            tracing::debug!(stream, status = end.status.as_str(), "a stream ended");
            run.progress.clear_locked_table(target);
            if retry_transient!(run, database.end_stream(names, &claimed, end, requests))? {
                run.progress.set_status(stream, end.status);
            }
            retry_transient!(run, database.release(names, &claimed))?;
        }
    }
    Ok(())
}

fn part_of(slice: &ClaimedSlice) -> Result<SlicePart, Error> {
    SlicePart::of(&slice.stream, slice.part).ok_or_else(|| {
        let message = format!(
            "the unfinished run contains the stream {}, which this version does not know",
            slice.stream
        );
        Error::new(ErrorKind::Database, message).with_hint(
            "another version started this run; resume it with that version, or start over with \
             --fresh",
        )
    })
}
