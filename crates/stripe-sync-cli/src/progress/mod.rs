//! A running backfill, shown: bars on a terminal, plain lines elsewhere, nothing with `-q`.

mod bars;
mod limit;
mod lines;
mod meter;

use std::time::Duration;

use console::Term;
use stripe_sync::Snapshot;

use crate::args::Output;
use crate::{number, talk};

use self::bars::Bars;
use self::lines::Lines;

/// How often to look.
pub(crate) const TICK: Duration = Duration::from_millis(150);

/// Shows snapshots.
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
    /// What fits the output. With `-v` the log would tear bars apart, so there are lines.
    pub(crate) fn new(output: &Output) -> Display {
        let kind = match Term::stderr().is_term() && output.verbose == 0 {
            _ if output.quiet => Kind::Silent,
            true => Kind::Bars(Bars::new()),
            false => Kind::Lines(Lines::new()),
        };
        Display { kind, introduced: false }
    }

    /// Shows where things stand.
    pub(crate) fn show(&mut self, snapshot: &Snapshot) {
        if !self.introduced
            && let Some(run) = &snapshot.run
        {
            self.introduced = true;
            if run.continued {
                let begun = number::time(run.started_at);
                talk::note(&format!(
                    "continuing run {}, begun {begun}: --fresh starts over",
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

    /// Takes everything off the screen that moves.
    pub(crate) fn finish(self) {
        if let Kind::Bars(bars) = self.kind {
            bars.finish();
        }
    }
}
