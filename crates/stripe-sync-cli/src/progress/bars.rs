//! Progress on a terminal: a line for each stream that moves, and one for all of them.

use std::collections::HashMap;
use std::time::Instant;

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};
use stripe_sync::{Snapshot, StreamProgress};

use super::limit;
use super::meter::Meter;
use crate::number;
use crate::talk::{self, BOLD, DIM};

/// More lines than this are no overview any more.
const MOST: usize = 12;

/// The lines on the screen, the last one for all.
pub(super) struct Bars {
    lines: Vec<ProgressBar>,
    total: ProgressBar,
    meters: HashMap<String, Meter>,
    rows: Meter,
    requests: Meter,
    begun: Instant,
    widest: usize,
}

impl Bars {
    pub(super) fn new() -> Bars {
        let total = talk::bars().add(text_line());
        Bars {
            lines: Vec::new(),
            total,
            meters: HashMap::new(),
            rows: Meter::default(),
            requests: Meter::default(),
            begun: Instant::now(),
            widest: 0,
        }
    }

    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let now = Instant::now();
        if snapshot.run.is_none() {
            self.total.set_message("making ready");
            return;
        }
        let (rows, requests) = limit::totals(snapshot);
        self.rows.read(now, rows as f64);
        self.requests.read(now, requests as f64);
        for stream in &snapshot.streams {
            self.meters.entry(stream.table.clone()).or_default().read(now, stream.rows as f64);
        }
        let moving = self.moving(snapshot);
        self.fit(moving.len());
        for (bar, stream) in self.lines.iter().zip(&moving) {
            let rate = self.meters.get(&stream.table).map_or(0.0, Meter::rate);
            bar.set_message(stream_line(stream, rate, self.widest));
        }
        let summary = self.summary(snapshot, rows, requests);
        self.total.set_message(summary);
    }

    pub(super) fn finish(self) {
        for bar in self.lines.iter().chain([&self.total]) {
            bar.finish_and_clear();
            talk::bars().remove(bar);
        }
    }

    /// The streams to show: being read and with rows, the fullest if there are too many, in the
    /// order of their names so that lines keep their places.
    fn moving<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a StreamProgress> {
        let height = usize::from(Term::stderr().size().0);
        let room = MOST.min(height.saturating_sub(3));
        let mut moving: Vec<_> =
            snapshot.streams.iter().filter(|s| s.status == "running" && s.rows > 0).collect();
        moving.sort_by_key(|stream| std::cmp::Reverse(stream.rows));
        moving.truncate(room);
        moving.sort_by_key(|stream| &stream.table);
        moving
    }

    /// Has as many lines on the screen as there are streams to show.
    fn fit(&mut self, number: usize) {
        while self.lines.len() < number {
            self.lines.push(talk::bars().insert_before(&self.total, text_line()));
        }
        for bar in self.lines.drain(number..) {
            bar.finish_and_clear();
            talk::bars().remove(&bar);
        }
    }

    fn summary(&mut self, snapshot: &Snapshot, rows: i64, requests: u64) -> String {
        let names = snapshot.streams.iter().filter(|s| s.rows > 0).map(|s| s.table.len());
        self.widest = names.max().unwrap_or(0).max(self.widest);
        let done = snapshot.streams.iter().filter(|s| s.status != "running").count();
        let mut text = format!(
            "{BOLD}{}{BOLD:#} {} · {} {} · {done} of {} streams · {}",
            number::of(rows, "row"),
            number::per_second(self.rows.rate()),
            number::of(requests, "request"),
            number::per_second(self.requests.rate()),
            snapshot.streams.len(),
            number::duration(self.begun.elapsed()),
        );
        if let Some(words) = limit::words(snapshot) {
            text.push_str(&format!(" · {words}"));
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

/// A line that consists of its message, cut at the terminal's edge.
fn text_line() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}").expect("the template is well-formed");
    ProgressBar::new_spinner().with_style(style)
}

/// Bars go to the terminal directly, past the stream that takes colours out.
fn plain_unless_colored(text: String) -> String {
    match talk::is_colored() {
        true => text,
        false => anstream::adapter::strip_str(&text).to_string(),
    }
}
