//! Shows the progress of a backfill: bars on a terminal, plain lines elsewhere, nothing with `-q`.

mod bars;
mod limit;
mod lines;
mod meter;

use std::time::Duration;

use console::Term;
use stripe_sync::Snapshot;

use crate::args::Output;
use crate::{number, ui};

use self::bars::Bars;
use self::lines::Lines;

/// How often the progress is refreshed.
pub(crate) const TICK: Duration = Duration::from_millis(150);

/// Shows snapshots of the progress.
pub(crate) struct Display {
    kind: Kind,
    introduced: bool,
}

enum Kind {
    Silent,
    Lines(Lines),
    Bars(Bars),
}

impl Display {
    /// Chooses the kind of progress. With `-v` it is lines, because log messages would interrupt the
    /// bars.
    pub(crate) fn new(output: &Output) -> Display {
        let kind = match Term::stderr().is_term() && output.verbose == 0 {
            _ if output.quiet => Kind::Silent,
            true => Kind::Bars(Bars::new()),
            false => Kind::Lines(Lines::new()),
        };
        Display { kind, introduced: false }
    }

    /// Shows one snapshot.
    pub(crate) fn show(&mut self, snapshot: &Snapshot) {
        if !self.introduced
            && let Some(run) = &snapshot.run
        {
            self.introduced = true;
            if run.continued {
                let started = number::time(run.started_at);
                ui::note(&format!(
                    "resuming run {}, started {started}; to start over, use --fresh",
                    run.run_id
                ));
            }
        }
        match &mut self.kind {
            Kind::Silent => {}
            Kind::Lines(lines) => lines.show(snapshot),
            Kind::Bars(bars) => bars.show(snapshot),
        }
    }

    /// Removes the bars from the screen.
    pub(crate) fn finish(self) {
        if let Kind::Bars(bars) = self.kind {
            bars.finish();
        }
    }
}
