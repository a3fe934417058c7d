//! A backfill under way: its progress shown, Ctrl-C understood.

use stripe_sync::{BackfillRequest, Report, StripeSync};

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
    let start = async { Ok(sync.start_backfill(request.clone()).await?) };
    let mut run = session.interrupts.unless(start).await?;
    let canceller = run.canceller();
    let mut display = Display::new(&session.output);
    let mut ticks = tokio::time::interval(TICK);
    let mut signals = 0;
    let copied = loop {
        tokio::select! {
            result = run.join() => {
                // What happened since the last tick, such as a short run that was continued.
                let last = run.progress();
                display.show(&last);
                let continued = last.run.is_some_and(|run| run.continued);
                break result.map(|report| Copied::Report { report, continued }).map_err(Failure::from);
            }
            _ = ticks.tick() => display.show(&run.progress()),
            () = session.interrupts.at_least(signals + 1) => {
                signals += 1;
                if signals > 1 {
                    break Ok(Copied::Left);
                }
                canceller.request();
                talk::line("finishing the pages in flight; press Ctrl-C again to stop at once");
            }
        }
    };
    display.finish();
    copied
}
