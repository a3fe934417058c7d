//! Copies history from lists: plan -> slices -> pages -> rows. Each page becomes durable together
//! with the position after it.

mod claim;
mod commit;
mod context;
mod counted;
mod crowded_second;
mod end_of_list;
mod expansions;
mod failure;
mod fetch;
mod handle;
mod heartbeat;
mod outcome;
mod owner;
mod page;
mod page_size;
mod parents;
mod parents_to_read;
mod piece;
mod plan;
mod prepare;
mod progress;
mod range;
mod recent_ids;
mod refused_rows;
mod report;
mod request;
mod run;
mod stop;
mod unread_lists;
mod waiting;
mod worker;

pub use handle::BackfillRun;
pub(crate) use owner::this_process;
pub(crate) use plan::streams;
pub use plan::{BackfillRequest, UnknownObject};
pub use progress::{LockedTable, ProgressUpdates, RunInfo, Snapshot, StreamProgress};
pub use range::{Range, RangeError};
pub use report::{CatchUpOutcome, CatchUpStatus, Report, RunStatus, StreamReport};
pub(crate) use request::{FirstPage, request_first_object};
pub(crate) use run::{ReadRun, read};
pub use stop::Stop;
pub use waiting::{ProcessState, RunProcess};
