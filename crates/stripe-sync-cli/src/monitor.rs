//! Runs a backfill in the foreground: displays its progress, and handles Ctrl-C and the deadline.

use std::time::Duration;

use stripe_sync::{BackfillRequest, Report, StripeSync};
use tokio::time::Instant;

use crate::context::CommandContext;
use crate::deadline::{self, Deadline};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::progress::{Display, TICK};
use crate::ui;

/// How long the pages in flight may take after the deadline.
const GRACE: Duration = Duration::from_secs(20);
/// How long they may take after a signal. The limit is short because a person is waiting, but a page
/// takes less unless Stripe or the database delays it.
pub(crate) const SIGNAL_GRACE: Duration = Duration::from_secs(4);

/// How a backfill in the foreground ended.
pub(crate) enum BackfillOutcome {
    /// It returned a report, possibly after a request to stop.
    Finished {
        /// How every stream ended.
        report: Report,
        /// An earlier command read some of the rows.
        continued: bool,
        /// Why the run was asked to stop, if it was.
        stopped_by: Option<StopReason>,
    },
    /// The pages in flight were abandoned, by a second signal or because they took too long after
    /// the first one or the deadline. This is as safe as `kill -9`.
    Aborted(StopReason),
}

/// Why a run was asked to stop.
#[derive(Clone, Copy)]
pub(crate) enum StopReason {
    /// Ctrl-C or SIGTERM.
    Signal,
    /// `--deadline`.
    Deadline,
}

impl StopReason {
    /// The end of a run that has no report.
    pub(crate) fn failure(self, text: &str) -> Failure {
        match self {
            StopReason::Signal => Failure::interrupted_because(text),
            StopReason::Deadline => Failure::deadline_passed(text),
        }
    }

    /// The exit code of an interrupted run.
    pub(crate) fn exit(self) -> Exit {
        match self {
            StopReason::Signal => Exit::Interrupted,
            StopReason::Deadline => Exit::DeadlinePassed,
        }
    }
}

/// Runs a backfill until it ends or is interrupted.
///
/// # Errors
/// The whole run failed, or was stopped before it started.
pub(crate) async fn run_backfill(
    sync: &StripeSync,
    request: &BackfillRequest,
    deadline: Option<&Deadline>,
    context: &CommandContext,
) -> Result<BackfillOutcome, Failure> {
    let start = async { Ok(sync.start_backfill(request.clone()).await?) };
    let mut run = context.interrupts.unless(deadline::until(deadline, start)).await?;
    let canceller = run.canceller();
    let mut display = Display::new(&context.output);
    let mut ticks = tokio::time::interval(TICK);
    let mut signals = 0;
    let mut stopped_by = None;
    let mut signaled_at: Option<Instant> = None;
    let outcome = loop {
        // The deadline first stops the run, and then abandons what is still in flight.
        let grace = if stopped_by.is_some() { GRACE } else { Duration::ZERO };
        let deadline_passed = async {
            match deadline {
                Some(deadline) => deadline.passed(grace).await,
                None => std::future::pending().await,
            }
        };
        let signal_grace_passed = async {
            match signaled_at {
                Some(at) => tokio::time::sleep_until(at + SIGNAL_GRACE).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            result = run.join() => {
                // A run shorter than a tick has not been shown yet.
                let last = run.progress();
                display.show(&last);
                let continued = last.run.is_some_and(|run| run.continued);
                break result
                    .map(|report| BackfillOutcome::Finished { report, continued, stopped_by })
                    .map_err(Failure::from);
            }
            _ = ticks.tick() => display.show(&run.progress()),
            () = context.interrupts.at_least(signals + 1) => {
                signals += 1;
                if signals > 1 {
                    break Ok(BackfillOutcome::Aborted(StopReason::Signal));
                }
                stopped_by = stopped_by.or(Some(StopReason::Signal));
                signaled_at = Some(Instant::now());
                canceller.request();
                ui::line("finishing the pages in flight; press Ctrl-C again to stop immediately");
            }
            () = signal_grace_passed => break Ok(BackfillOutcome::Aborted(StopReason::Signal)),
            () = deadline_passed => {
                if let Some(reason) = stopped_by {
                    break Ok(BackfillOutcome::Aborted(reason));
                }
                stopped_by = Some(StopReason::Deadline);
                canceller.request();
                let text = deadline.map_or("", |deadline| &deadline.text);
                ui::note(&format!(
                    "the deadline of {text} has passed; finishing the pages in flight"
                ));
            }
        }
    };
    display.finish();
    outcome
}
