//! Progress without a terminal: prints a line every few seconds.

use std::time::{Duration, Instant};

use stripe_sync::Snapshot;

use super::limit;
use super::meter::Meter;
use crate::number;
use crate::ui;

const EVERY: Duration = Duration::from_secs(5);
const NAMES: usize = 3;

/// The time of the last line, and the rates.
pub(super) struct Lines {
    rows: Meter,
    requests: Meter,
    last: Instant,
}

impl Lines {
    pub(super) fn new() -> Lines {
        Lines { rows: Meter::default(), requests: Meter::default(), last: Instant::now() }
    }

    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let now = Instant::now();
        let (rows, requests) = limit::totals(snapshot);
        if snapshot.run.is_some() {
            self.rows.read(now, rows as f64);
            self.requests.read(now, requests as f64);
        }
        if now.duration_since(self.last) < EVERY {
            return;
        }
        self.last = now;
        ui::note(&line(snapshot, self.rows.rate(), self.requests.rate()));
    }
}

fn line(snapshot: &Snapshot, row_rate: f64, request_rate: f64) -> String {
    if snapshot.run.is_none() {
        return "preparing".to_owned();
    }
    let (rows, requests) = limit::totals(snapshot);
    let mut line = format!(
        "{} ({}), {} ({})",
        number::quantity(rows, "row"),
        number::per_second(row_rate),
        number::quantity(requests, "request"),
        number::per_second(request_rate),
    );
    let mut running: Vec<_> = snapshot.streams.iter().filter(|s| s.status == "running").collect();
    if !running.is_empty() {
        running.sort_by_key(|stream| std::cmp::Reverse(stream.rows));
        let names: Vec<&str> = running.iter().take(NAMES).map(|s| s.table.as_str()).collect();
        line.push_str(&format!("; reading {}", names.join(", ")));
        if running.len() > NAMES {
            line.push_str(&format!(" and {} more", running.len() - NAMES));
        }
    }
    if let Some(limit) = limit::description(snapshot) {
        line.push_str(&format!("; {limit}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use stripe_sync::{RunInfo, StreamProgress};

    use super::*;

    #[test]
    fn a_line_names_the_largest_streams_and_the_wait_reason() {
        let stream = |table: &str, rows, status| {
            let mut stream = StreamProgress::default();
            (stream.table, stream.rows, stream.status) = (table.into(), rows, status);
            stream
        };
        let mut snapshot = Snapshot::default();
        assert_eq!(line(&snapshot, 0.0, 0.0), "preparing");
        snapshot.run = Some(RunInfo::default());
        snapshot.streams = vec![
            stream("charges", 1, "running"),
            stream("coupons", 9_000, "complete"),
            stream("customers", 3_000, "running"),
            stream("invoices", 2, "running"),
            stream("plans", 0, "running"),
        ];
        snapshot.database_outage = true;
        assert_eq!(
            line(&snapshot, 2450.0, 2.0),
            "12,003 rows (2,450/s), 0 requests (2.0/s); reading customers, invoices, charges and \
             1 more; waiting: the database is unavailable"
        );
    }
}
