//! The result of reading the nested lists of an object.

use crate::memory::ListMemory;
use crate::postgres::CompleteList;
use crate::stripe::StripeError;

/// An object with its nested lists read to the end.
#[derive(Debug, Default)]
pub(crate) struct CompletedObject {
    /// The object with complete lists, if a list had to be completed.
    pub(crate) json: Option<String>,
    /// Lists whose items were sent to the writer.
    pub(crate) sent_lists: Vec<CompleteList>,
    /// HTTP requests, retries included.
    pub(crate) requests: u32,
    /// The object was deleted while its lists were read: there is nothing to store.
    pub(crate) gone: bool,
    /// The first list that could not be read to its end. The rest of it is missing from the object.
    pub(crate) problem: Option<ListProblem>,
    /// The memory that `json` takes.
    pub(crate) memory: ListMemory,
}

/// Why a nested list was not read to its end.
#[derive(Debug, Clone)]
pub(crate) struct ListProblem {
    /// Names the list, and says what failed.
    pub(crate) reason: String,
    pub(crate) request_id: Option<String>,
}

/// Why reading nested lists was aborted. A problem of a single object is a [`ListProblem`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum NestedError {
    /// Stripe cannot be reached, or rejects the key.
    #[error("{0}")]
    Stripe(#[from] StripeError),
    /// The writer accepts no more items. Its own error gives the reason.
    #[error("the items could not be written")]
    WriterClosed,
}
