//! Why the reading half of a worker ended.

use crate::stripe::{Page, StripeError};

/// Why reading ended.
pub(super) enum FetchOutcome {
    /// The last page has been handed over.
    End,
    /// The writing half accepts no more pages.
    Closed,
    /// The run is stopping.
    Stopped,
    /// The cursor's object no longer exists or no longer matches the filter.
    CursorMissing { requests: i64 },
    /// None of the rows read so far are inside the bounds any more.
    BoundsMoved,
    /// The stream cannot be read further.
    Failed(FetchError),
}

/// Why a stream cannot be read further.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Stripe(#[from] StripeError),
    #[error("{what}")]
    Broken { what: String, request_id: Option<String>, requests: u32 },
}

impl FetchOutcome {
    /// The list is inconsistent at this page.
    pub(super) fn broken(what: impl Into<String>, page: &Page) -> FetchOutcome {
        let (what, request_id) = (what.into(), page.request_id.clone());
        FetchOutcome::Failed(FetchError::Broken { what, request_id, requests: page.requests })
    }
}
