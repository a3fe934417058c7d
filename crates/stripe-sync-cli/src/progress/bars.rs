//! Progress on a terminal: one line for each running stream, and one for the total.

use std::collections::HashMap;
use std::time::Instant;

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use stripe_sync::{Snapshot, StreamProgress};

use super::limit;
use super::meter::Meter;
use crate::number;
use crate::ui::{self, BOLD, DIM};

/// The maximum number of streams shown at once.
const MAX_STREAMS: usize = 12;

/// The lines on the screen; the last one shows the total.
pub(super) struct Bars {
    lines: Vec<ProgressBar>,
    total: ProgressBar,
    meters: HashMap<String, Meter>,
    rows: Meter,
    requests: Meter,
    started: Instant,
    widest: usize,
}

impl Bars {
    pub(super) fn new() -> Bars {
        let total = ui::bars().add(text_line());
        Bars {
            lines: Vec::new(),
            total,
            meters: HashMap::new(),
            rows: Meter::default(),
            requests: Meter::default(),
            started: Instant::now(),
            widest: 0,
        }
    }

    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let now = Instant::now();
        if snapshot.run.is_none() {
            self.total.set_message("preparing");
            return;
        }
        let (rows, requests) = limit::totals(snapshot);
        self.rows.read(now, rows as f64);
        self.requests.read(now, requests as f64);
        for stream in &snapshot.streams {
            self.meters.entry(stream.table.clone()).or_default().read(now, stream.rows as f64);
        }
        let shown = self.shown(snapshot);
        self.resize(shown.len());
        for (bar, stream) in self.lines.iter().zip(&shown) {
            let rate = self.meters.get(&stream.table).map_or(0.0, Meter::rate);
            bar.set_message(stream_line(stream, rate, self.widest));
        }
        let summary = self.summary(snapshot, rows, requests);
        self.total.set_message(summary);
    }

    pub(super) fn finish(self) {
        for bar in self.lines.iter().chain([&self.total]) {
            bar.finish_and_clear();
            ui::bars().remove(bar);
        }
    }

    /// The streams to show: those that are running and have rows; if there are too many, those with
    /// the most rows. They are sorted by name, so that lines keep their positions.
    fn shown<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a StreamProgress> {
        let height = usize::from(Term::stderr().size().0);
        let room = MAX_STREAMS.min(height.saturating_sub(3));
        let mut shown: Vec<_> =
            snapshot.streams.iter().filter(|s| s.status == "running" && s.rows > 0).collect();
        shown.sort_by_key(|stream| std::cmp::Reverse(stream.rows));
        shown.truncate(room);
        shown.sort_by_key(|stream| &stream.table);
        shown
    }

    /// Adds or removes lines so that there are `number` of them.
    fn resize(&mut self, number: usize) {
        while self.lines.len() < number {
            self.lines.push(ui::bars().insert_before(&self.total, text_line()));
        }
        for bar in self.lines.drain(number..) {
            bar.finish_and_clear();
            ui::bars().remove(&bar);
        }
    }

    fn summary(&mut self, snapshot: &Snapshot, rows: i64, requests: u64) -> String {
        let names = snapshot.streams.iter().filter(|s| s.rows > 0).map(|s| s.table.len());
        self.widest = names.max().unwrap_or(0).max(self.widest);
        let done = snapshot.streams.iter().filter(|s| s.status != "running").count();
        let mut text = format!(
            "{BOLD}{}{BOLD:#} {} · {} {} · {done} of {} streams · {}",
            number::quantity(rows, "row"),
            number::per_second(self.rows.rate()),
            number::quantity(requests, "request"),
            number::per_second(self.requests.rate()),
            snapshot.streams.len(),
            number::duration(self.started.elapsed()),
        );
        if let Some(limit) = limit::description(snapshot) {
            text.push_str(&format!(" · {limit}"));
        }
        plain_unless_colored(text)
    }
}

fn stream_line(stream: &StreamProgress, rate: f64, widest: usize) -> String {
    let rows = number::count(stream.rows);
    let rate = number::per_second(rate);
    plain_unless_colored(format!(
        "  {:<widest$}  {rows:>11} rows  {DIM}{rate:>10}{DIM:#}",
        stream.table
    ))
}

/// A line that shows only its message, truncated to the width of the terminal.
fn text_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}").expect("the template is well-formed");
    ProgressBar::new_spinner().with_style(style)
}

/// Bars bypass the output stream that removes colors.
fn plain_unless_colored(text: String) -> String {
    match ui::is_colored() {
        true => text,
        false => anstream::adapter::strip_str(&text).to_string(),
    }
}
