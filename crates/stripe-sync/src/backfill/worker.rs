//! One worker: reads a slice to its end, fetching and committing side by side.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

use super::commit::{CommitOutcome, commit};
use super::fetch::{FetchError, FetchOutcome, fetch};
use super::page_size::PageSizes;
use super::progress::{Progress, Stop};
use crate::availability::{self, Refusal};
use crate::catalog::{List, Table};
use crate::error::Error;
use crate::memory::Memory;
use crate::object::nested::NestedError;
use crate::object::retrieve::AccountContext;
use crate::postgres::{
    ClaimedSlice, ErrorClass, PostgresError, RetryBudget, StreamEnd, StreamStatus,
};
use crate::slice::CursorRow;
use crate::stripe::{StripeError, StripeErrorKind};

/// Pages between the fetching and the committing half.
const AHEAD: usize = 4;
/// How often a slice is begun anew because its cursors were gone.
const RESTARTS: i32 = 5;

/// What the workers of a run share.
pub(super) struct RunContext {
    pub(super) link: AccountContext,
    pub(super) progress: Progress,
    pub(super) stop: Stop,
    pub(super) memory: Memory,
    pub(super) sizes: PageSizes,
    pub(super) quarantine_in_use: AtomicBool,
    /// The slices that workers hold at this moment: only their leases are extended.
    pub(super) held: Mutex<HashSet<i64>>,
    /// Told whenever there may be something to claim or to split.
    pub(super) idle: Notify,
}

/// One stream's part as seen by a worker.
pub(super) struct Reader<'c> {
    pub(super) crew: &'c RunContext,
    pub(super) link: &'c AccountContext,
    pub(super) stop: &'c Stop,
    pub(super) memory: &'c Memory,
    pub(super) table: &'static Table,
    pub(super) list: &'static List,
    pub(super) part: usize,
}

/// How the work on a slice ended.
pub(super) enum SliceOutcome {
    /// Its last page is durable.
    Finished,
    /// It belongs to somebody else.
    Lost,
    /// Somebody asked to stop; the slice has been given back.
    Stopped,
    /// Its stream cannot be read on.
    Stream { end: StreamEnd, requests: i64 },
}

/// Reads `slice` until it ends one way or another.
pub(super) async fn work(
    reader: &Reader<'_>,
    mut slice: ClaimedSlice,
) -> Result<SliceOutcome, Error> {
    let link = reader.link;
    loop {
        let bounds = Mutex::new(slice.position.bounds);
        let (sender, receiver) = mpsc::channel(AHEAD);
        let (fetched, progressed) = tokio::join!(
            fetch(reader, &slice.position, &bounds, sender),
            commit(reader, &slice, &bounds, receiver),
        );
        slice.position = match progressed? {
            CommitOutcome::Open(position) => position,
            CommitOutcome::Finished => return Ok(SliceOutcome::Finished),
            CommitOutcome::Lost => return Ok(SliceOutcome::Lost),
            CommitOutcome::Failed(end) => return Ok(SliceOutcome::Stream { end, requests: 0 }),
        };
        let inside = |row: &CursorRow| slice.position.bounds.hold(row.created);
        match fetched {
            FetchOutcome::Stopped => {
                retry_transient!(
                    reader.crew,
                    link.database.release(link.statements.names(), &slice)
                )?;
                return Ok(SliceOutcome::Stopped);
            }
            // The ledger has the position from which to read on.
            FetchOutcome::End | FetchOutcome::Closed => {}
            FetchOutcome::BoundsMoved if slice.position.trail.iter().any(inside) => {}
            // No cursor is left that its filter would show: from the start of what is left.
            FetchOutcome::BoundsMoved => {
                if let Some(ending) = rewind(reader, &mut slice, Vec::new(), 0).await? {
                    return Ok(ending);
                }
            }
            FetchOutcome::CursorMissing { requests } => {
                let mut trail = slice.position.trail.clone();
                trail.pop();
                if let Some(ending) = rewind(reader, &mut slice, trail, requests).await? {
                    return Ok(ending);
                }
            }
            FetchOutcome::Failed(error) => {
                return judge_failure(reader, &slice, error).await;
            }
        }
    }
}

/// Goes back behind `trail`: to the row before the cursor, or with none to the slice's start.
/// `Some` if that has been tried too often, or the slice belongs to somebody else.
async fn rewind(
    reader: &Reader<'_>,
    slice: &mut ClaimedSlice,
    trail: Vec<CursorRow>,
    requests: i64,
) -> Result<Option<SliceOutcome>, Error> {
    if trail.is_empty() {
        slice.restarts += 1;
        if slice.restarts > RESTARTS {
            let end = StreamEnd {
                status: StreamStatus::Failed,
                message: format!(
                    "stripe refused the cursor of a slice {RESTARTS} times; run again to go on"
                ),
                request_id: None,
            };
            return Ok(Some(SliceOutcome::Stream { end, requests }));
        }
    }
    let (link, seq, restarts) = (reader.link, slice.position.seq, slice.restarts);
    let names = link.statements.names();
    retry_transient!(reader.crew, link.database.rewind(names, slice, seq, &trail, restarts))?;
    // An answer may have been lost, or the slice taken over: the ledger tells.
    match retry_transient!(reader.crew, link.database.reread(names, slice))? {
        Some(position) => slice.position = position,
        None => return Ok(Some(SliceOutcome::Lost)),
    }
    Ok(None)
}

async fn judge_failure(
    reader: &Reader<'_>,
    slice: &ClaimedSlice,
    error: FetchError,
) -> Result<SliceOutcome, Error> {
    let message = error.to_string();
    // What a nested list refuses says nothing of the stream's availability.
    let own_list = matches!(error, FetchError::Stripe(_));
    let stripe: StripeError = match error {
        FetchError::Stripe(error) => error,
        FetchError::Nested(NestedError::Postgres(error)) => return Err(error.into()),
        FetchError::Nested(NestedError::Stripe { source, .. }) => source,
        FetchError::Nested(NestedError::Broken { request_id, requests, .. })
        | FetchError::Broken { request_id, requests, .. } => {
            let end = StreamEnd { status: StreamStatus::Failed, message, request_id };
            return Ok(SliceOutcome::Stream { end, requests: i64::from(requests) });
        }
    };
    if ends_run(&stripe) {
        return Err(stripe.into());
    }
    let link = reader.link;
    let first_page = own_list && slice.position.trail.is_empty() && slice.part == 0;
    let mut refusal = availability::judge_first_page(reader.table, &stripe);
    // What was there before is not unavailable now.
    if refusal == Refusal::NotAvailable
        && (!first_page
            || retry_transient!(
                reader.crew,
                link.database.stream_was_available(
                    link.statements.names(),
                    link.account.as_str(),
                    &slice.stream,
                )
            )?)
    {
        refusal = Refusal::Failed;
    }
    let status = match refusal {
        Refusal::Denied => StreamStatus::Denied,
        Refusal::NotAvailable => StreamStatus::Skipped,
        Refusal::Failed => StreamStatus::Failed,
    };
    tracing::info!(
        stream = slice.stream,
        slice = slice.id,
        status = status.as_str(),
        error_type = stripe.error_type,
        code = stripe.code,
        request_id = stripe.request_id,
        "the stream cannot be read on"
    );
    let message = if own_list { availability::explain(refusal, &stripe) } else { message };
    let end = StreamEnd { status, message, request_id: stripe.request_id.clone() };
    Ok(SliceOutcome::Stream { end, requests: i64::from(stripe.requests) })
}

/// Whether an answer is not a matter of one stream.
pub(super) fn ends_run(error: &StripeError) -> bool {
    matches!(error.kind, StripeErrorKind::Unreachable | StripeErrorKind::Unauthorized { .. })
}

impl Reader<'_> {
    /// Rows of a part that repeats an earlier one have been counted.
    pub(super) fn counts_rows(&self) -> bool {
        let parts = &self.list.parts;
        !parts[..self.part.min(parts.len())].contains(&parts[self.part.min(parts.len() - 1)])
    }

    pub(super) fn quarantine_in_use(&self) -> bool {
        self.crew.quarantine_in_use.load(Ordering::Relaxed)
    }

    pub(super) fn found_quarantine(&self) {
        self.crew.quarantine_in_use.store(true, Ordering::Relaxed);
    }

    pub(super) fn committed(
        &self,
        stream: &str,
        rows: i64,
        requests: i64,
        replaced: u64,
        quarantined: u64,
    ) {
        self.crew.progress.add(stream, rows, requests);
        self.crew.progress.count_repairs(replaced, quarantined);
        if quarantined > 0 {
            self.found_quarantine();
        }
        self.crew.idle.notify_one();
    }
}

/// Repeats an operation on the database that a deadlock or an outage interrupted, the latter for
/// as long as the configuration's patience lasts. The operation must bear repetition.
macro_rules! retry_transient {
    ($crew:expr, $operation:expr) => {{
        let mut patience = $crew.patience();
        loop {
            match $operation.await {
                Err(error) if $crew.wait_before_retry(&mut patience, &error).await => {}
                other => break other,
            }
        }
    }};
}
pub(super) use retry_transient;

impl RunContext {
    pub(super) fn patience(&self) -> RetryBudget {
        RetryBudget::new(self.link.database.max_outage())
    }

    /// [`RetryBudget::wait_before_retry`], shown to whoever watches.
    pub(super) async fn wait_before_retry(
        &self,
        patience: &mut RetryBudget,
        error: &PostgresError,
    ) -> bool {
        self.progress.set_database_outage(error.class == ErrorClass::Unreachable);
        let wait_before_retry = patience.wait_before_retry(error).await;
        self.progress.set_database_outage(false);
        wait_before_retry
    }

    pub(super) fn held(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
