//! `stripe-sync status`: the latest runs, their streams, and rows that were set aside.

use serde_json::{Map, Value, json};
use stripe_sync::{ColumnName, ProcessState, QuarantinedRow, RunProcess, StatusRow, StripeSync};

use super::report;
use crate::args::Status;
use crate::columns;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::number;
use crate::session::Session;
use crate::settings::Database;
use crate::table::{self, Columns};
use crate::talk::{self, BOLD};

/// Rows of the quarantine that are shown; the number tells about the others.
const QUARANTINE_SHOWN: u32 = 20;

pub(super) async fn run(args: &Status, session: &Session) -> Result<Exit, Failure> {
    let database = Database::resolve(&session.connection, &session.environment)?;
    let (rows, processes, quarantined, count, left_out, foreign) = match database.is_untouched() {
        true => (Vec::new(), Vec::new(), Vec::new(), 0, Vec::new(), false),
        false => {
            let place = database.open_existing().await?;
            let sync = StripeSync::connect(database.config(place.url())).await?;
            let rows = sync.status(args.runs).await?;
            let processes = sync.processes(args.runs).await?;
            let (quarantined, count) = sync.quarantined(QUARANTINE_SHOWN).await?;
            let left_out = sync.excluded_columns().await?;
            // Tables in whose way something stands are tables of another program all the same.
            let foreign = rows.is_empty() && !matches!(sync.adoption().await, Ok(None));
            drop(sync);
            place.close().await;
            (rows, processes, quarantined, count, left_out, foreign)
        }
    };
    match session.is_json() {
        true => talk::json(&as_json(&rows, &processes, &quarantined, count, &left_out))?,
        false if foreign => talk::data(&format!(
            "schema {} holds tables that stripe-sync did not make; if a TypeScript \
             stripe-sync-engine made them, `stripe-sync migrate` takes them over with every row\n",
            database.names.schema()
        ))?,
        false => {
            talk::data(&runs(&rows, &processes, database.names.schema()))?;
            talk::data(&quarantine(&quarantined, count))?;
            if !left_out.is_empty() {
                talk::data(&format!(
                    "\n{BOLD}left out{BOLD:#}: {}\nstore a column again: stripe-sync backfill \
                     --include-column <table.column>\n",
                    columns::listed(&left_out)
                ))?;
            }
        }
    }
    Ok(Exit::Complete)
}

fn runs(rows: &[StatusRow], processes: &[RunProcess], schema: &str) -> String {
    if rows.is_empty() {
        return format!(
            "nothing has been copied into schema {schema} yet; begin with: stripe-sync backfill\n"
        );
    }
    let mut text = String::new();
    for run in rows.chunk_by(|a, b| a.run_id == b.run_id) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&heading(&run[0]));
        text.push_str(&streams(run));
        if run[0].finished_at.is_none() {
            let its = |process: &&RunProcess| process.run_id == run[0].run_id;
            let its: Vec<&RunProcess> = processes.iter().filter(its).collect();
            text.push_str(&under_way(run, &its));
        }
    }
    text
}

/// Who reads, and what waits for what.
fn under_way(run: &[StatusRow], processes: &[&RunProcess]) -> String {
    let mut text = String::new();
    for process in processes {
        let who = format!("process {} on {}", process.pid, table::clean(&process.host));
        let slices = number::of(process.slices, "slice");
        text.push_str(&match (process.state, &process.waits_for) {
            (ProcessState::Alive, None) => format!("{who} reads {slices}\n"),
            (ProcessState::Alive, Some(what)) if process.slices == 0 => {
                format!("{who} waits for {}\n", table::clean(what))
            }
            (ProcessState::Alive, Some(what)) => {
                format!("{who} reads {slices} and waits for {}\n", table::clean(what))
            }
            (ProcessState::Dead, _) => format!("{who} is gone and left {slices}\n"),
            (ProcessState::Unresponsive, _) => {
                format!("{who} left {slices} without a sign of life\n")
            }
        });
    }
    if !processes.iter().any(|process| process.state == ProcessState::Alive) {
        text.push_str("nobody reads this run; the same command goes on with it\n");
        return text;
    }
    let waiting: Vec<&str> = run
        .iter()
        .filter(|row| row.status == "running" && row.open_slices > 0 && !row.is_held)
        .map(|row| row.stream.as_str())
        .collect();
    if !waiting.is_empty() {
        text.push_str(&format!("waiting for a free worker:\n{}\n", talk::wrapped(&waiting)));
    }
    text
}

fn heading(run: &StatusRow) -> String {
    let begun = number::time(number::unix_seconds(run.started_at));
    let took = run.finished_at.and_then(|end| end.duration_since(run.started_at).ok());
    let took = took.map(|took| format!(", took {}", number::duration(took))).unwrap_or_default();
    format!(
        "{BOLD}run {}: {}{BOLD:#} ({}, account {}, begun {begun}{took})\n",
        run.run_id,
        run.run_status,
        table::clean(&run.range),
        run.account
    )
}

fn streams(run: &[StatusRow]) -> String {
    let is_dull = |row: &&StatusRow| row.status == "complete" && row.rows == 0;
    let dull = run.iter().filter(is_dull).count();
    let mut text = String::new();
    if dull < run.len() {
        let under_way = run[0].finished_at.is_none();
        let headings = ["stream", "rows", "requests", "slices", "status"];
        // A finished run has none that anybody would read.
        let shown = |cell: usize| under_way || cell != 3;
        let headings: Vec<&str> =
            headings.into_iter().enumerate().filter(|(i, _)| shown(*i)).map(|(_, h)| h).collect();
        let right: &[usize] = if under_way { &[1, 2, 3] } else { &[1, 2] };
        let mut columns = Columns::new(&headings, right);
        for row in run.iter().filter(|row| !is_dull(row)) {
            let cells = [
                row.stream.clone(),
                number::count(row.rows),
                number::count(row.requests),
                number::count(row.open_slices),
                row.status.clone(),
            ];
            columns.row(cells.iter().enumerate().filter(|(i, _)| shown(*i)).map(|(_, cell)| cell));
        }
        text.push_str(&columns.finish());
    }
    if dull > 0 {
        text.push_str(&format!("{} without rows\n", number::of(dull, "complete stream")));
    }
    for row in run {
        if let Some(message) = &row.message {
            let request = row.request_id.as_ref().map(|id| format!(" (request {id})"));
            text.push_str(&format!(
                "{}: {}{}\n",
                row.stream,
                table::clean(message),
                request.unwrap_or_default()
            ));
        }
    }
    text
}

fn quarantine(rows: &[QuarantinedRow], count: i64) -> String {
    if count == 0 {
        return String::new();
    }
    let mut columns = Columns::new(&["table", "id", "request", "reason"], &[]);
    for row in rows {
        let request = row.request_id.as_deref().unwrap_or_default();
        columns.row([row.table.as_str(), &row.id, request, &row.reason]);
    }
    let verb = if count == 1 { "is" } else { "are" };
    let mut text = format!(
        "\n{BOLD}{} {verb} in quarantine{BOLD:#}: PostgreSQL refused them\n{}",
        number::of(count, "row"),
        columns.finish()
    );
    let hidden = usize::try_from(count).unwrap_or(0).saturating_sub(rows.len());
    if hidden > 0 {
        text.push_str(&format!("and {} more\n", number::count(hidden)));
    }
    text.push_str("try them again: stripe-sync refresh <id>\n");
    text
}

fn as_json(
    rows: &[StatusRow],
    processes: &[RunProcess],
    quarantined: &[QuarantinedRow],
    count: i64,
    left_out: &[ColumnName],
) -> Value {
    let runs: Vec<Value> = rows
        .chunk_by(|a, b| a.run_id == b.run_id)
        .map(|run| {
            let first = &run[0];
            let streams: Map<String, Value> =
                run.iter().map(|row| (row.stream.clone(), stream_as_json(row))).collect();
            json!({
                "run_id": first.run_id,
                "account": first.account,
                "status": first.run_status,
                "range": first.range,
                "started_at": number::iso_time(first.started_at),
                "finished_at": first.finished_at.map(number::iso_time),
                "processes": processes
                    .iter()
                    .filter(|process| process.run_id == first.run_id)
                    .map(process_as_json)
                    .collect::<Vec<_>>(),
                "streams": streams,
            })
        })
        .collect();
    let quarantined: Vec<Value> = quarantined
        .iter()
        .map(|row| {
            json!({
                "table": row.table,
                "id": row.id,
                "reason": row.reason,
                "request_id": row.request_id,
            })
        })
        .collect();
    json!({
        "runs": runs,
        "quarantined": { "count": count, "rows": quarantined },
        "excluded_columns": left_out.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn process_as_json(process: &RunProcess) -> Value {
    json!({
        "host": process.host,
        "pid": process.pid,
        "slices": process.slices,
        "state": process.state.as_str(),
        "waits_for": process.waits_for,
    })
}

fn stream_as_json(row: &StatusRow) -> Value {
    let mut value = json!({
        "status": row.status,
        "synced": row.rows,
        "requests": row.requests,
        "open_slices": row.open_slices,
        "is_held": row.is_held,
    });
    report::add_message(&mut value, &row.status, row.message.as_deref());
    if let Some(id) = &row.request_id {
        value["request_id"] = id.as_str().into();
    }
    value
}
