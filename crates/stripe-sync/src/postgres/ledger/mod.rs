//! The ledger: runs, their streams and slices, the processes that work on them, and what has been
//! done with events.

pub(in crate::postgres) mod events;
pub(in crate::postgres) mod inbox;
mod leases;
mod listings;
mod live_status;
mod processes;
mod runs;
pub(in crate::postgres) mod slices;
mod status;
mod streams;

pub use events::UnstoredEvents;
pub(crate) use events::{EventCursor, UnstoredEvent};
pub use inbox::InboxCounts;
pub(crate) use inbox::{InboxEntry, InboxReason, LeasedEntry};
pub(crate) use listings::{EventGap, LastListing};
pub use live_status::{DeadObject, FeedStatus, InboxStatus, LiveStatus};
pub(crate) use processes::RunOwner;
pub(crate) use runs::{NewRun, PlannedStream, Run};
pub(crate) use slices::{ClaimedSlice, OpenSlice, Position};
pub use status::{QuarantinedRow, StatusRow};
pub(crate) use streams::{LastReading, QuarantinedOfParent, StreamEnd, StreamState, StreamStatus};
