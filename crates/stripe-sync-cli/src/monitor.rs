//! Runs a backfill in the foreground: displays its progress and handles Ctrl-C.

use stripe_sync::{BackfillRequest, Report, StripeSync};

use crate::context::CommandContext;
use crate::failure::Failure;
use crate::progress::{Display, TICK};
use crate::ui;

/// How a backfill in the foreground ended.
pub(crate) enum BackfillOutcome {
    /// It returned a report, also after a request to stop.
    Finished {
        /// How every stream ended.
        report: Report,
        /// An earlier command read a part of the rows.
        continued: bool,
    },
    /// A second signal abandoned the pages in flight. As safe as `kill -9`.
    Aborted,
}

/// Runs a backfill until it ends or is interrupted.
///
/// # Errors
/// The whole run failed.
pub(crate) async fn run_backfill(
    sync: &StripeSync,
    request: &BackfillRequest,
    context: &CommandContext,
) -> Result<BackfillOutcome, Failure> {
    let start = async { Ok(sync.start_backfill(request.clone()).await?) };
    let mut run = context.interrupts.unless(start).await?;
    let canceller = run.canceller();
    let mut display = Display::new(&context.output);
    let mut ticks = tokio::time::interval(TICK);
    let mut signals = 0;
    let outcome = loop {
        tokio::select! {
            result = run.join() => {
                // A run shorter than a tick has not been shown yet.
                let last = run.progress();
                display.show(&last);
                let continued = last.run.is_some_and(|run| run.continued);
                break result
                    .map(|report| BackfillOutcome::Finished { report, continued })
                    .map_err(Failure::from);
            }
            _ = ticks.tick() => display.show(&run.progress()),
            () = context.interrupts.at_least(signals + 1) => {
                signals += 1;
                if signals > 1 {
                    break Ok(BackfillOutcome::Aborted);
                }
                canceller.request();
                ui::line("finishing the pages in flight; press Ctrl-C again to stop immediately");
            }
        }
    };
    display.finish();
    outcome
}
