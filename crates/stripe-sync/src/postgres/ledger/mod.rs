//! The ledger: runs, their streams and slices, and the processes that work on them.

mod leases;
mod processes;
mod runs;
pub(in crate::postgres) mod slices;
mod status;
mod streams;

pub(crate) use processes::RunOwner;
pub(crate) use runs::{NewRun, PlannedStream, Run};
pub(crate) use slices::{ClaimedSlice, OpenSlice, Position};
pub use status::{QuarantinedRow, StatusRow};
pub(crate) use streams::{StreamEnd, StreamState, StreamStatus};
