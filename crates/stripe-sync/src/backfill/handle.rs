//! The handle of a run that is under way.

use tokio::task::JoinSet;

use super::progress::{Progress, ProgressUpdates, Snapshot};
use super::report::Report;
use super::stop::Stop;
use crate::error::{Error, ErrorKind};

/// A backfill that is under way. A terminal, a server or a script can watch the same run.
///
/// Dropping the handle ends the run with the effect of `kill -9`: the same request resumes it.
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

    /// How far the run is at this moment.
    pub fn progress(&self) -> Snapshot {
        self.progress.snapshot()
    }

    /// Follows the run. Any number of subscribers can.
    pub fn subscribe(&self) -> ProgressUpdates {
        self.progress.subscribe()
    }

    /// Asks the run to finish what is in flight and stop. Pages in flight are still committed, and
    /// nothing new is started. [`BackfillRun::join`] then returns a report.
    pub fn cancel(&self) {
        self.stop.request();
    }

    /// A way to cancel the run from elsewhere, also while another task joins it.
    pub fn canceller(&self) -> Stop {
        self.stop.clone()
    }

    /// Waits for the end of the run. Cancel-safe: the run continues if this call is dropped.
    ///
    /// # Errors
    /// What ended the whole run. Everything committed before is safe, and the same request resumes it.
    ///
    /// # Panics
    /// If a call of it has returned before.
    pub async fn join(&mut self) -> Result<Report, Error> {
        match self.task.join_next().await.expect("the run has been joined before") {
            Ok(result) => result,
            // The panic's own text may quote a row.
            Err(_) => Err(Error::new(
                ErrorKind::Internal,
                "the run panicked; this is a bug in stripe-sync",
            )
            .with_hint("run the same command again to resume")),
        }
    }
}

/// Tells subscribers that the run has ended, however it ended.
struct EndOfRun(Progress);

impl Drop for EndOfRun {
    fn drop(&mut self) {
        self.0.end();
    }
}
