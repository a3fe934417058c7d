//! A backfill under way: its progress shown, Ctrl-C understood.

use stripe_sync::{BackfillRequest, Progress, Report, Stop, StripeSync};

use crate::failure::Failure;
use crate::progress::{Display, TICK};
use crate::session::Session;
use crate::talk;

/// How a watched backfill ended.
pub(crate) enum Copied {
    /// With a report, also when somebody asked to stop.
    Report {
        /// How every stream ended.
        report: Report,
        /// Earlier commands read a part of the rows.
        continued: bool,
    },
    /// Left at once, pages in flight and all. Safe like `kill -9`.
    Left,
}

/// Runs a backfill to its end, or to the user's.
///
/// # Errors
/// What ends the whole run.
pub(crate) async fn watched(
    sync: &StripeSync,
    request: &BackfillRequest,
    session: &Session,
) -> Result<Copied, Failure> {
    let (progress, stop) = (Progress::new(), Stop::new());
    let mut display = Display::new(&session.output);
    let mut backfill = std::pin::pin!(sync.backfill(request, &progress, &stop));
    let mut ticks = tokio::time::interval(TICK);
    let mut signals = 0;
    let copied = loop {
        tokio::select! {
            result = &mut backfill => {
                // What happened since the last tick, such as a short run that was continued.
                let last = progress.snapshot();
                display.show(&last);
                let continued = last.run.is_some_and(|run| run.continued);
                break result.map(|report| Copied::Report { report, continued }).map_err(Failure::from);
            }
            _ = ticks.tick() => display.show(&progress.snapshot()),
            () = session.interrupts.at_least(signals + 1) => {
                signals += 1;
                if signals > 1 {
                    break Ok(Copied::Left);
                }
                stop.ask();
                talk::line("finishing the pages in flight; press Ctrl-C again to stop at once");
            }
        }
    };
    display.finish();
    copied
}
