//! History by lists: plan -> slices -> pages -> rows, each page durable together with the place
//! the reading has reached.

mod commit;
mod fetch;
mod owner;
mod page_size;
mod plan;
mod prepare;
mod progress;
mod range;
mod report;
mod run;
mod waiting;
mod worker;

pub(crate) use fetch::{Probe, first_object};
pub use plan::UnknownObject;
pub(crate) use plan::streams;
pub use progress::{Progress, RunInfo, Snapshot, Stop, StreamProgress};
pub use range::{Range, RangeError};
pub use report::{Report, RunStatus, StreamReport};
pub(crate) use run::backfill;
pub use waiting::{ProcessState, RunProcess};

/// What to copy.
#[derive(Debug, Clone, Default)]
pub struct BackfillRequest {
    /// Objects by any of their names; empty or `all` for every stream.
    pub objects: Vec<String>,
    /// Which part of them.
    pub range: Range,
    /// Start over instead of continuing an unfinished run of the same request.
    pub fresh: bool,
}

impl BackfillRequest {
    /// Checks the names without asking anybody.
    ///
    /// # Errors
    /// Names the object that does not exist, and those that do.
    pub fn check(&self) -> Result<(), UnknownObject> {
        plan::streams(&self.objects).map(|_| ())
    }
}
