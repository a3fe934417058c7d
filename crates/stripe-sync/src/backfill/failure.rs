//! What a failure means for a stream and for its run.

use super::context::{RunContext, retry_transient};
use super::outcome::FetchError;
use crate::availability::{RefusalClass, classify_refusal, describe_refusal};
use crate::catalog::Table;
use crate::error::Error;
use crate::postgres::{ClaimedSlice, StreamEnd, StreamStatus};
use crate::stripe::StripeError;

/// How a stream ended, and the number of requests until its failure.
pub(super) struct StreamFailure {
    pub(super) end: StreamEnd,
    pub(super) requests: i64,
}

impl StreamFailure {
    pub(super) fn failed(
        message: String,
        request_id: Option<String>,
        requests: i64,
    ) -> StreamFailure {
        let end = StreamEnd { status: StreamStatus::Failed, message, request_id };
        StreamFailure { end, requests }
    }
}

/// Decides what it means for the stream that a slice cannot be read further.
///
/// # Errors
/// The failure ends the whole run.
pub(super) async fn reading_failed(
    run: &RunContext,
    table: &Table,
    slice: &ClaimedSlice,
    error: FetchError,
) -> Result<StreamFailure, Error> {
    let stripe: StripeError = match error {
        FetchError::Stripe(error) => error,
        FetchError::Broken { what, request_id, requests } => {
            return Ok(StreamFailure::failed(what, request_id, i64::from(requests)));
        }
    };
    if stripe.would_fail_every_request() {
        return Err(stripe.into());
    }
    let class = match was_read(run, slice).await? {
        // A permission or product that earlier pages had was removed.
        true => RefusalClass::Failed,
        false => classify_refusal(table, &stripe),
    };
    let status = match class {
        RefusalClass::Denied => StreamStatus::Denied,
        RefusalClass::NotAvailable if was_available(run, slice).await? => StreamStatus::Gone,
        RefusalClass::NotAvailable => StreamStatus::Skipped,
        RefusalClass::Failed => StreamStatus::Failed,
    };
    tracing::info!(
        stream = slice.stream,
        slice = slice.id,
        status = status.as_str(),
        error_type = stripe.error_type,
        code = stripe.code,
        request_id = stripe.request_id,
        "the stream cannot be read further"
    );
    let message = match status {
        StreamStatus::Gone => format!(
            "an earlier run could read this list, but Stripe no longer \
         offers it: {stripe}"
        ),
        _ => describe_refusal(class, &stripe),
    };
    let end = StreamEnd { status, message, request_id: stripe.request_id.clone() };
    Ok(StreamFailure { end, requests: i64::from(stripe.requests) })
}

/// Whether this run has read a page of the stream.
async fn was_read(run: &RunContext, slice: &ClaimedSlice) -> Result<bool, Error> {
    if !slice.position.trail.is_empty() || slice.part > 0 {
        return Ok(true);
    }
    let (database, names) = (&run.account.database, run.account.statements.names());
    Ok(retry_transient!(run, database.stream_was_read(names, slice.run_id, &slice.stream))?)
}

/// Whether an earlier run could read the stream.
async fn was_available(run: &RunContext, slice: &ClaimedSlice) -> Result<bool, Error> {
    let (database, names) = (&run.account.database, run.account.statements.names());
    let account = run.account.account.as_str();
    Ok(retry_transient!(run, database.stream_was_available(names, account, &slice.stream))?)
}
