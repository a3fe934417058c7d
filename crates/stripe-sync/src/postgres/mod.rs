//! All SQL of the engine. Does not use HTTP.

mod adopt;
mod advice;
mod connection;
mod error;
mod error_chain;
mod error_class;
mod exclusions;
mod ledger;
mod meta_keys;
mod names;
mod query;
mod query_json;
#[cfg(test)]
mod round_trip;
mod schema;
mod write;

pub use adopt::{Adoption, AdoptionTable, KeptForeignKey};
pub use connection::DatabaseUrlError;
pub(crate) use connection::{
    Database, DatabaseOptions, RetryBudget, check_url, ignored_options, place,
};
pub(crate) use error::PostgresError;
pub(crate) use error_class::ErrorClass;
pub(crate) use ledger::{
    ClaimedSlice, EventCursor, EventGap, InboxEntry, InboxReason, LastListing, LastReading,
    LeasedEntry, NewRun, OpenSlice, PlannedStream, Position, QuarantinedOfParent, Run, RunOwner,
    StreamEnd, StreamState, StreamStatus, UnstoredEvent,
};
pub use ledger::{
    DeadObject, FeedStatus, InboxCounts, InboxStatus, LiveStatus, QuarantinedRow, StatusRow,
    UnstoredEvents,
};
pub use names::{BadName, Names};
pub use query::{QueryPart, QueryResult};
pub use schema::SchemaState;
pub(crate) use schema::{Inspection, Migrated};
pub(crate) use write::{
    Batch, Committed, CompleteList, Deletion, EventChange, ObjectNotes, PositionCommit,
    QuarantineEntry, Refusal, Replacement, SeenRow, SliceProgress, Statements, StoredState,
    UncertainRow, WriteOutcome, WriteRequest,
};
