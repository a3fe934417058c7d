//! The handle of a running backfill.

use tokio::task::JoinSet;

use super::progress::{Progress, ProgressUpdates, Snapshot};
use super::report::Report;
use super::stop::Stop;
use crate::error::{Error, ErrorKind};

/// A running backfill. A terminal, a server or a script can observe the same run.
///
/// Dropping the handle stops the run like `kill -9`: the same request resumes it.
pub struct BackfillRun {
    progress: Progress,
    stop: Stop,
    /// Holds one task, which ends when the set is dropped.
    task: JoinSet<Result<Report, Error>>,
}

impl BackfillRun {
    pub(crate) fn spawn<F>(start: impl FnOnce(Progress, Stop) -> F) -> BackfillRun
    where
        F: Future<Output = Result<Report, Error>> + Send + 'static,
    {
        let (progress, stop) = (Progress::new(), Stop::new());
        let mut task = JoinSet::new();
        let work = start(progress.clone(), stop.clone());
        let ended = EndOfRun(progress.clone());
        task.spawn(async move {
            let _ended = ended;
            work.await
        });
        BackfillRun { progress, stop, task }
    }

    /// The current progress of the run.
    pub fn progress(&self) -> Snapshot {
        self.progress.snapshot()
    }

    /// Subscribes to the changes of the run. Any number of subscribers is possible.
    pub fn subscribe(&self) -> ProgressUpdates {
        self.progress.subscribe()
    }

    /// Asks the run to finish what is in flight and stop. Pages in flight are still committed, and
    /// nothing new is started. [`BackfillRun::join`] then returns a report.
    pub fn cancel(&self) {
        self.stop.request();
    }

    /// A handle to cancel the run from elsewhere, even while another task joins it.
    pub fn canceller(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits for the end of the run. Cancel-safe: the run continues if this call is dropped.
    ///
    /// # Errors
    /// The error that ended the whole run. Everything committed before it is safe, and the same
    /// request resumes the run.
    ///
    /// # Panics
    /// If an earlier call has returned.
    pub async fn join(&mut self) -> Result<Report, Error> {
        match self.task.join_next().await.expect("the run has already been joined") {
            Ok(result) => result,
            // The panic message may quote a row.
            Err(_) => Err(Error::new(
                ErrorKind::Internal,
                "the run panicked; this is a bug in stripe-sync",
            )
            .with_hint("run the same command again to resume")),
        }
    }
}

/// Tells subscribers that the run has ended, for whatever reason.
struct EndOfRun(Progress);

impl Drop for EndOfRun {
    fn drop(&mut self) {
        self.0.end();
    }
}
