//! One worker: reads a slice to its end, fetching and committing concurrently.

use tokio::sync::mpsc;

use super::commit::{CommitOutcome, commit};
use super::context::{SliceContext, retry_transient};
use super::failure::{StreamFailure, reading_failed};
use super::fetch::fetch;
use super::outcome::FetchOutcome;
use crate::error::Error;
use crate::postgres::ClaimedSlice;
use crate::slice::CursorRow;

/// Pages between the reading and the writing half.
const PAGES_AHEAD: usize = 4;
/// How often a slice is read again from its start because its cursors no longer exist.
const MAX_RESTARTS: i32 = 5;

/// How the work on a slice ended.
pub(super) enum SliceOutcome {
    /// Its last page is durable.
    Finished,
    /// Another owner has the slice.
    Lost,
    /// The run is stopping; the slice has been released.
    Stopped,
    /// Its stream cannot be read further.
    StreamFailed(StreamFailure),
}

/// Reads `slice` to its end, or until it cannot be read further.
///
/// # Errors
/// Errors that end the whole run.
pub(super) async fn read_slice(
    context: &SliceContext<'_>,
    mut slice: ClaimedSlice,
) -> Result<SliceOutcome, Error> {
    let account = &context.run.account;
    loop {
        context.held.start_from(slice.position.bounds);
        let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
        let (fetched, committed) = tokio::join!(
            fetch(context, &slice.position, sender),
            commit(context, &slice, receiver),
        );
        slice.position = match committed? {
            CommitOutcome::Open(position) => position,
            CommitOutcome::Finished => return Ok(SliceOutcome::Finished),
            CommitOutcome::Lost => return Ok(SliceOutcome::Lost),
            CommitOutcome::Failed(failure) => return Ok(SliceOutcome::StreamFailed(failure)),
        };
        let inside = |row: &CursorRow| slice.position.bounds.hold(row.created);
        let rewound = match fetched {
            FetchOutcome::Stopped => {
                let names = account.statements.names();
                retry_transient!(context.run, account.database.release(names, &slice))?;
                return Ok(SliceOutcome::Stopped);
            }
            // The ledger has the position from which to continue.
            FetchOutcome::End | FetchOutcome::Closed => None,
            FetchOutcome::BoundsMoved if slice.position.trail.iter().any(inside) => None,
            // No cursor is left inside the bounds: read the rest of the slice from its start.
            FetchOutcome::BoundsMoved => rewind(context, &mut slice, Vec::new(), 0).await?,
            FetchOutcome::CursorMissing { requests } => {
                let mut trail = slice.position.trail.clone();
                trail.pop();
                rewind(context, &mut slice, trail, requests).await?
            }
            FetchOutcome::Failed(error) => {
                let failure = reading_failed(context.run, context.target, &slice, error).await?;
                return Ok(SliceOutcome::StreamFailed(failure));
            }
        };
        if let Some(outcome) = rewound {
            return Ok(outcome);
        }
    }
}

/// Moves the cursor back to the last row of `trail`, or to the start of the slice if `trail` is
/// empty. `Some` if that was tried too often, or another owner has the slice.
async fn rewind(
    context: &SliceContext<'_>,
    slice: &mut ClaimedSlice,
    trail: Vec<CursorRow>,
    requests: i64,
) -> Result<Option<SliceOutcome>, Error> {
    if trail.is_empty() {
        slice.restarts += 1;
        if slice.restarts > MAX_RESTARTS {
            let message = format!(
                "Stripe rejected the cursor of a slice {MAX_RESTARTS} times; run again to continue"
            );
            let failure = StreamFailure::failed(message, None, requests);
            return Ok(Some(SliceOutcome::StreamFailed(failure)));
        }
    }
    let (run, account) = (context.run, &context.run.account);
    let (database, names) = (&account.database, account.statements.names());
    let (seq, restarts) = (slice.position.seq, slice.restarts);
    retry_transient!(run, database.rewind(names, slice, seq, &trail, restarts))?;
    // The answer may have been lost, or another owner may have claimed the slice. The ledger shows
    // it.
    match retry_transient!(run, database.reread(names, slice))? {
        Some(position) => slice.position = position,
        None => return Ok(Some(SliceOutcome::Lost)),
    }
    Ok(None)
}
