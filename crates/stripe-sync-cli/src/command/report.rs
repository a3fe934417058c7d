//! The end of a backfill: every stream that has something to say, what lists never show, and one
//! line for the whole with what to type next.

use serde_json::{Map, Value, json};
use stripe_sync::{Report, RunStatus, StreamReport};

use crate::number;
use crate::settings::Database;
use crate::table::{self, Columns};
use crate::talk::{BOLD, DIM};

/// What the last lines depend on besides the report.
pub(crate) struct Closing<'a> {
    pub(crate) database: &'a Database,
    pub(crate) skip_denied: bool,
    /// Earlier commands read a part of the rows, so that rows and time do not make a speed.
    pub(crate) continued: bool,
}

/// For people.
pub(crate) fn as_text(report: &Report, closing: &Closing<'_>) -> String {
    let mut text = streams(&report.streams);
    text.push_str(&messages(&report.streams));
    text.push_str(&never_shown(&report.streams));
    text.push_str(&repairs(report));
    text.push_str(&closing.text(report));
    text
}

fn streams(streams: &[StreamReport]) -> String {
    let is_dull = |s: &&StreamReport| s.status == "complete" && s.synced == 0;
    let mut columns = Columns::new(&["stream", "rows", "requests", "status"], &[1, 2]);
    // What is not available on the account has its line, with Stripe's words, below the table.
    let told_below = |s: &&StreamReport| s.status == "skipped" && s.synced == 0;
    let listed: Vec<_> = streams.iter().filter(|s| !is_dull(s) && !told_below(s)).collect();
    for stream in &listed {
        columns.row([
            stream.table.as_str(),
            &number::count(stream.synced),
            &number::count(stream.requests),
            stream.status,
        ]);
    }
    let dull: Vec<_> = streams.iter().filter(is_dull).collect();
    let mut text = if listed.is_empty() { String::new() } else { columns.finish() };
    if let [one] = dull.as_slice() {
        text.push_str(&format!("{} is empty\n", one.table));
    } else if !dull.is_empty() {
        text.push_str(&format!("{} streams are empty\n", dull.len()));
    }
    text
}

fn messages(streams: &[StreamReport]) -> String {
    let mut text = String::new();
    for stream in streams {
        let Some(message) = &stream.message else { continue };
        let request = stream.request_id.as_ref().map(|id| format!(" (request {id})"));
        text.push_str(&format!(
            "{} {}: {}{}\n",
            stream.table,
            stream.status,
            table::clean(message),
            request.unwrap_or_default(),
        ));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn never_shown(streams: &[StreamReport]) -> String {
    let mut text = String::new();
    for stream in streams.iter().filter(|s| s.synced > 0 && !s.not_shown.is_empty()) {
        text.push_str(&format!("  {}: {}\n", stream.table, stream.not_shown.join("; ")));
    }
    match text.is_empty() {
        true => text,
        false => format!("\n{DIM}Stripe's lists never show:\n{text}{DIM:#}"),
    }
}

fn repairs(report: &Report) -> String {
    let mut text = String::new();
    if report.quarantined > 0 {
        text.push_str(&format!(
            "{} in quarantine, refused by PostgreSQL; see why: stripe-sync status\n",
            number::of(report.quarantined, "row")
        ));
    }
    if report.replaced_characters > 0 {
        text.push_str(&format!(
            "{} that PostgreSQL cannot hold became U+FFFD\n",
            number::of(report.replaced_characters, "character")
        ));
    }
    if report.older_than_events {
        text.push_str(
            "this run began more than 30 days ago, longer than Stripe keeps events: rows that \
             were read early may be old; read them again with --fresh\n",
        );
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

impl Closing<'_> {
    fn text(&self, report: &Report) -> String {
        let accepted = self.skip_denied && report.only_denied();
        let (word, next) = match report.status {
            RunStatus::Complete => ("complete", self.next_query(report)),
            RunStatus::Incomplete if accepted => {
                ("complete but for what the key may not read", self.next_query(report))
            }
            RunStatus::Incomplete if report.only_denied() => (
                "incomplete",
                "next: give the key the permissions named above and run the same command again, \
                 or accept their absence with --skip-denied"
                    .to_owned(),
            ),
            RunStatus::Incomplete if only_permissions(report) => (
                "incomplete",
                "next: give the key the permissions named above and run the same command again"
                    .to_owned(),
            ),
            RunStatus::Incomplete if report.streams.iter().any(unfinished) => {
                ("incomplete", "next: run the same command again; it goes on from here".to_owned())
            }
            RunStatus::Incomplete => {
                ("incomplete", "next: stripe-sync status shows what was set aside".to_owned())
            }
            RunStatus::Failed => {
                ("failed", "none of these streams is available on this account".to_owned())
            }
            RunStatus::Interrupted => (
                "interrupted",
                "everything counted above is safe; the same command goes on from here".to_owned(),
            ),
        };
        format!("\n{BOLD}{word}{BOLD:#}: {}\n{next}\n", self.numbers(report))
    }

    fn numbers(&self, report: &Report) -> String {
        let rows: i64 = report.streams.iter().map(|stream| stream.synced).sum();
        let (count, time) = (number::of(rows, "row"), number::duration(report.elapsed));
        let requests = number::of(report.requests, "request");
        match self.continued {
            true => format!("{count}; this command took {time} and {requests}"),
            false => {
                format!("{count} in {time} ({}), {requests}", number::rate(rows, report.elapsed))
            }
        }
    }

    /// A query of the fullest table.
    fn next_query(&self, report: &Report) -> String {
        let fullest = report.streams.iter().max_by_key(|stream| stream.synced);
        let table = fullest.map_or("customers", |stream| &stream.table);
        let table = self.database.table(table);
        format!("next: stripe-sync query 'select * from {table} limit 3'")
    }
}

/// Whether more permissions are all that is missing.
fn only_permissions(report: &Report) -> bool {
    let any = |status| report.streams.iter().any(|s| s.status == status);
    any("denied") && !any("failed") && !any("running")
}

fn unfinished(stream: &StreamReport) -> bool {
    matches!(stream.status, "failed" | "running" | "denied")
}

/// For programs.
pub(crate) fn as_json(report: &Report) -> Value {
    let streams: Map<String, Value> =
        report.streams.iter().map(|s| (s.table.clone(), stream_as_json(s))).collect();
    json!({
        "run_id": report.run_id,
        "status": report.status.as_str(),
        "elapsed_seconds": report.elapsed.as_secs_f64(),
        "requests": report.requests,
        "streams": streams,
        "quarantined": report.quarantined,
        "replaced_characters": report.replaced_characters,
    })
}

fn stream_as_json(stream: &StreamReport) -> Value {
    let mut value = json!({
        "status": stream.status,
        "synced": stream.synced,
        "requests": stream.requests,
    });
    add_message(&mut value, stream.status, stream.message.as_deref());
    if let Some(id) = &stream.request_id {
        value["request_id"] = id.as_str().into();
    }
    if stream.unfiltered {
        value["unfiltered"] = true.into();
    }
    value
}

/// Why a stream is not complete is an `error`; what is said of a complete one, such as when it was
/// read, is a `note`.
pub(super) fn add_message(stream: &mut Value, status: &str, message: Option<&str>) {
    let key = if status == "complete" { "note" } else { "error" };
    if let Some(message) = message {
        stream[key] = message.into();
    }
}
