//! What a failure means for a stream and for its run.

use super::context::{RunContext, retry_transient};
use super::fetch::FetchError;
use crate::availability::{self, Refusal};
use crate::catalog::Table;
use crate::error::Error;
use crate::object::nested::NestedError;
use crate::object::refetch::RefetchError;
use crate::object::retrieve::RetrieveError;
use crate::postgres::{ClaimedSlice, StreamEnd, StreamStatus};
use crate::stripe::{StripeError, StripeErrorKind};

/// The end of a stream, and the requests that its failure took.
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

/// What it means that a slice cannot be read on.
///
/// # Errors
/// The failure ends the whole run.
pub(super) async fn reading_failed(
    run: &RunContext,
    table: &Table,
    slice: &ClaimedSlice,
    error: FetchError,
) -> Result<StreamFailure, Error> {
    let message = error.to_string();
    // A refused nested list says nothing about the availability of the stream.
    let own_list = matches!(error, FetchError::Stripe(_));
    let stripe: StripeError = match error {
        FetchError::Stripe(error) => error,
        FetchError::Nested(NestedError::Stripe { source, .. }) => source,
        FetchError::Nested(NestedError::Broken { request_id, requests, .. })
        | FetchError::Broken { request_id, requests, .. } => {
            return Ok(StreamFailure::failed(message, request_id, i64::from(requests)));
        }
        FetchError::Nested(NestedError::WriterClosed) => {
            return Ok(StreamFailure::failed(message, None, 0));
        }
    };
    if ends_run(&stripe) {
        return Err(stripe.into());
    }
    let first_page = own_list && slice.position.trail.is_empty() && slice.part == 0;
    let mut refusal = availability::judge_first_page(table, &stripe);
    // A stream that could be read before is not unavailable now.
    if refusal == Refusal::NotAvailable && (!first_page || was_available(run, slice).await?) {
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
    Ok(StreamFailure { end, requests: i64::from(stripe.requests) })
}

async fn was_available(run: &RunContext, slice: &ClaimedSlice) -> Result<bool, Error> {
    let (database, names) = (&run.account.database, run.account.statements.names());
    let account = run.account.account.as_str();
    Ok(retry_transient!(run, database.stream_was_available(names, account, &slice.stream))?)
}

/// What it means that an uncertain object cannot be fetched or its lists not be read.
///
/// # Errors
/// The failure ends the whole run.
pub(super) fn refetch_failed(error: RefetchError) -> Result<StreamFailure, Error> {
    let message = error.to_string();
    let (mut status, mut request_id) = (StreamStatus::Failed, None);
    match error {
        RefetchError::Postgres(error) => return Err(error.into()),
        RefetchError::Retrieve(RetrieveError::Stripe(error))
        | RefetchError::Nested(NestedError::Stripe { source: error, .. }) => {
            if ends_run(&error) {
                return Err(error.into());
            }
            if matches!(error.kind, StripeErrorKind::Denied { .. }) {
                status = StreamStatus::Denied;
            }
            request_id = error.request_id.clone();
        }
        RefetchError::Nested(NestedError::Broken { request_id: broken, .. }) => request_id = broken,
        RefetchError::Retrieve(RetrieveError::Another { request_id: other, .. }) => {
            request_id = other;
        }
        RefetchError::Nested(NestedError::WriterClosed)
        | RefetchError::Retrieve(_)
        | RefetchError::KeepsChanging { .. } => {}
    }
    Ok(StreamFailure { end: StreamEnd { status, message, request_id }, requests: 0 })
}

/// Whether an answer concerns every stream.
fn ends_run(error: &StripeError) -> bool {
    matches!(error.kind, StripeErrorKind::Unreachable | StripeErrorKind::Unauthorized { .. })
}
