//! The report of a backfill: the streams with rows or messages, what Stripe's lists never include,
//! and a summary with a hint.

use serde_json::{Map, Value, json};
use stripe_sync::{Report, RunStatus, StreamReport};

use super::catch_up;
use crate::args::Connection;
use crate::next_command;
use crate::number;
use crate::settings::DatabaseSettings;
use crate::table::{self, TextTable};
use crate::ui::{BOLD, DIM};

/// What the summary depends on besides the report.
pub(crate) struct Summary<'a> {
    pub(crate) database: &'a DatabaseSettings,
    /// The options of the command.
    pub(crate) connection: &'a Connection,
    pub(crate) skip_denied: bool,
    /// Earlier commands read some of the rows, so no rate can be computed.
    pub(crate) continued: bool,
    /// Only a range of creation times was requested.
    pub(crate) has_range: bool,
}

/// The report as text.
pub(crate) fn as_text(report: &Report, summary: &Summary<'_>) -> String {
    let mut text = streams(&report.streams, summary.has_range);
    text.push_str(&never_listed(&report.streams));
    text.push_str(&catch_up::as_text(report, summary.connection));
    text.push_str(&messages(&report.streams));
    text.push_str(&data_warnings(report, summary.connection));
    text.push_str(&summary.text(report));
    text
}

fn streams(streams: &[StreamReport], has_range: bool) -> String {
    let is_empty = |s: &&StreamReport| s.status == "complete" && s.synced == 0;
    let mut table = TextTable::new(&["stream", "rows", "requests", "status"], &[1, 2]);
    // A stream that is not available on the account is explained below the table.
    let explained_below = |s: &&StreamReport| s.status == "skipped" && s.synced == 0;
    let listed: Vec<_> = streams.iter().filter(|s| !is_empty(s) && !explained_below(s)).collect();
    for stream in &listed {
        table.row([
            stream.table.as_str(),
            &number::count(stream.synced),
            &number::count(stream.requests),
            stream.status,
        ]);
    }
    let mut text = if listed.is_empty() { String::new() } else { table.finish() };
    // Only a list that was read in full is known to be empty.
    let (in_range, whole): (Vec<_>, Vec<_>) =
        streams.iter().filter(is_empty).partition(|stream| has_range && !stream.unfiltered);
    match in_range.as_slice() {
        [] => {}
        [one] => text.push_str(&format!("{} has no objects in this range\n", one.table)),
        more => text.push_str(&format!("{} streams have no objects in this range\n", more.len())),
    }
    match whole.as_slice() {
        [] => {}
        [one] => text.push_str(&format!("{} is empty\n", one.table)),
        more => text.push_str(&format!("{} streams are empty\n", more.len())),
    }
    text
}

/// The messages of the streams, problems last. Streams with the same message share a line.
fn messages(streams: &[StreamReport]) -> String {
    type Group<'a> = (&'a str, &'a str, Vec<&'a StreamReport>);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for stream in streams {
        let Some(message) = &stream.message else { continue };
        match groups
            .iter_mut()
            .find(|(status, text, _)| (*status, *text) == (stream.status, message))
        {
            Some((_, _, streams)) => streams.push(stream),
            None => groups.push((stream.status, message, vec![stream])),
        }
    }
    let severity = |status: &str| {
        ["complete", "skipped", "running", "gone", "denied", "failed"]
            .iter()
            .position(|known| *known == status)
    };
    groups.sort_by_key(|(status, _, _)| severity(status));
    let mut text = String::new();
    for (status, message, streams) in &groups {
        let tables: Vec<&str> = streams.iter().map(|stream| stream.table.as_str()).collect();
        text.push_str(&format!(
            "{} {status}: {}{}\n",
            tables.join(", "),
            table::clean(message),
            requests(streams),
        ));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// Stripe's id of the first failed request, and how many others there are.
fn requests(streams: &[&StreamReport]) -> String {
    let ids: Vec<&str> = streams.iter().filter_map(|s| s.request_id.as_deref()).collect();
    match ids.as_slice() {
        [] => String::new(),
        [id] => format!(" (request {id})"),
        [first, others @ ..] => format!(" (request {first} and {} more)", others.len()),
    }
}

fn never_listed(streams: &[StreamReport]) -> String {
    let mut text = String::new();
    for stream in streams.iter().filter(|s| has_hidden_objects(s)) {
        text.push_str(&format!("  {}: {}\n", stream.table, stream.not_shown.join("; ")));
    }
    match text.is_empty() {
        true => text,
        false => format!("\n{DIM}Stripe's lists never include:\n{text}{DIM:#}"),
    }
}

/// Whether the stream was read, and its list does not show everything. This includes empty streams.
fn has_hidden_objects(stream: &StreamReport) -> bool {
    let is_read = stream.synced > 0 || matches!(stream.status, "complete" | "running" | "failed");
    is_read && !stream.not_shown.is_empty()
}

fn data_warnings(report: &Report, connection: &Connection) -> String {
    let mut text = String::new();
    if report.quarantined > 0 {
        text.push_str(&format!(
            "{} in quarantine; to see why, run: {}\n",
            number::quantity(report.quarantined, "row"),
            next_command::on_the_same_copy(&["status"], connection)
        ));
    }
    if report.replaced_characters > 0 {
        text.push_str(&format!(
            "{} replaced with U+FFFD: PostgreSQL cannot store the original\n",
            number::quantity(report.replaced_characters, "character")
        ));
    }
    if report.older_than_events {
        text.push_str(
            "this run started more than 30 days ago, and Stripe keeps events for 30 days: rows that \
             were read early may be outdated; to read them again, use --fresh\n",
        );
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

impl Summary<'_> {
    fn text(&self, report: &Report) -> String {
        let accepted = self.skip_denied && report.only_denied();
        let is_current = catch_up::is_current(report);
        let (word, hint) = match report.status {
            RunStatus::Complete if is_current => ("complete", self.query_hint(report)),
            RunStatus::Complete => {
                ("complete, except for changes made during the run", self.query_hint(report))
            }
            RunStatus::Incomplete if accepted && is_current => (
                "complete, except for streams that the key is not allowed to read",
                self.query_hint(report),
            ),
            RunStatus::Incomplete if accepted => (
                "complete, except for streams that the key is not allowed to read and changes made \
                 during the run",
                self.query_hint(report),
            ),
            RunStatus::Incomplete if report.only_denied() => (
                "incomplete",
                Some(
                    "give the key the permissions named above and run the same command again, or \
                     accept the missing streams with --skip-denied"
                        .to_owned(),
                ),
            ),
            RunStatus::Incomplete if only_permissions(report) => (
                "incomplete",
                Some(
                    "give the key the permissions named above and run the same command again"
                        .to_owned(),
                ),
            ),
            RunStatus::Incomplete if report.streams.iter().any(unfinished) => {
                ("incomplete", Some("run the same command again to resume".to_owned()))
            }
            RunStatus::Incomplete => {
                let status = next_command::on_the_same_copy(&["status"], self.connection);
                ("incomplete", Some(format!("to see the quarantined rows, run: {status}")))
            }
            RunStatus::Failed => {
                ("failed", Some("none of these streams is available on this account".to_owned()))
            }
            RunStatus::Interrupted => (
                "interrupted",
                Some(
                    "run the same command again to resume; the rows counted above are safe"
                        .to_owned(),
                ),
            ),
        };
        let hint = hint.map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
        format!("\n{BOLD}{word}{BOLD:#}: {}\n{hint}", self.numbers(report))
    }

    fn numbers(&self, report: &Report) -> String {
        let rows: i64 = report.streams.iter().map(|stream| stream.synced).sum();
        let (count, time) = (number::quantity(rows, "row"), number::duration(report.elapsed));
        let requests = number::quantity(report.requests, "request");
        match self.continued {
            true => format!("{count}; this command took {time} and made {requests}"),
            false => {
                format!("{count} in {time} ({}), {requests}", number::rate(rows, report.elapsed))
            }
        }
    }

    /// A query of the table with the most rows; none if all tables are empty.
    fn query_hint(&self, report: &Report) -> Option<String> {
        let largest = report.streams.iter().max_by_key(|stream| stream.synced)?;
        if largest.synced == 0 {
            return None;
        }
        let columns = shown_columns(&largest.table).join(", ");
        let table = self.database.table(&largest.table);
        let sql = next_command::shell_quote(&format!("select {columns} from {table} limit 3"));
        let query = next_command::on_the_same_copy(&["query", &sql], self.connection);
        Some(format!("to look at the rows, run: {query}"))
    }
}

/// The id and the first few columns of a table that are short and informative.
fn shown_columns(table: &str) -> Vec<&'static str> {
    const SHORT: [&str; 9] = [
        "email",
        "name",
        "status",
        "amount",
        "total",
        "currency",
        "type",
        "customer",
        "description",
    ];
    let columns = stripe_sync::columns_of(table).unwrap_or_default();
    let known = SHORT.into_iter().filter(|name| columns.contains(name));
    std::iter::once("id").chain(known.take(3)).collect()
}

/// Whether missing permissions are the only problem.
fn only_permissions(report: &Report) -> bool {
    let any = |status| report.streams.iter().any(|s| s.status == status);
    any("denied") && !any("failed") && !any("running")
}

fn unfinished(stream: &StreamReport) -> bool {
    matches!(stream.status, "failed" | "running" | "denied" | "gone")
}

/// The report as JSON.
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
        "older_than_events": report.older_than_events,
        "catch_up": catch_up::as_json(&report.catch_up),
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
    if has_hidden_objects(stream) {
        value["not_shown"] = stream.not_shown.clone().into();
    }
    value
}

/// The message of an incomplete stream is an `error`. That of a complete one, such as when it was
/// read, is a `note`.
pub(super) fn add_message(stream: &mut Value, status: &str, message: Option<&str>) {
    let key = if status == "complete" { "note" } else { "error" };
    if let Some(message) = message {
        stream[key] = message.into();
    }
}
