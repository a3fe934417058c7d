//! The engine's memory in the database: runs, their streams and slices, and the processes that work
//! on them.

mod processes;
mod runs;
pub(in crate::postgres) mod slices;
mod status;

pub(crate) use processes::RunOwner;
pub(crate) use runs::{NewRun, PlannedStream, Run, StreamEnd, StreamState, StreamStatus};
pub(crate) use slices::{ClaimedSlice, OpenSlice, Position};
pub use status::{QuarantinedRow, StatusRow};
