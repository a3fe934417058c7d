//! `stripe-sync status`: shows the latest runs, their streams, quarantined rows, and how current the copy is.

use serde_json::{Map, Value, json};
use stripe_sync::{
    ColumnName, LiveStatus, ProcessState, QuarantinedRow, RunProcess, StatusRow, StripeSync,
};

use super::{live_status, report};
use crate::args::{Connection, Status};
use crate::columns;
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::next_command;
use crate::number;
use crate::settings::DatabaseSettings;
use crate::table::{self, TextTable};
use crate::ui::{self, BOLD};

/// The number of quarantined rows that are listed; the others are only counted.
const QUARANTINE_LISTED: u32 = 20;

pub(super) async fn run(args: &Status, context: &CommandContext) -> Result<Exit, Failure> {
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let (mut rows, processes, quarantined, count, excluded, foreign, live) =
        match database.target.is_uncreated() {
            true => {
                let live = LiveStatus::default();
                (Vec::new(), Vec::new(), Vec::new(), 0, Vec::new(), false, live)
            }
            false => {
                let open = database.target.open_existing().await?;
                let sync = StripeSync::connect(database.config(open.url())).await?;
                let rows = sync.status(args.runs).await?;
                let processes = sync.processes(args.runs).await?;
                let (quarantined, count) = sync.quarantined(QUARANTINE_LISTED).await?;
                let excluded = sync.excluded_columns().await?;
                let live = sync.live_status().await?;
                // An error here means that adoption is not possible; the tables are foreign as well.
                let foreign = rows.is_empty() && !matches!(sync.adoption().await, Ok(None));
                drop(sync);
                open.close(&context.interrupts).await;
                (rows, processes, quarantined, count, excluded, foreign, live)
            }
        };
    mark_interrupted(&mut rows, &processes);
    let connection = &context.connection;
    match context.is_json() {
        true => {
            let mut value = as_json(&rows, &processes, &quarantined, count, &excluded);
            live_status::add_to(&mut value, &live);
            ui::json(&value)?;
        }
        false if foreign => ui::data(&format!(
            "schema {} contains tables that stripe-sync did not create; if they belong to a \
             TypeScript stripe-sync-engine, `{}` adopts them with every row\n",
            database.names.schema(),
            next_command::on_the_same_copy(&["migrate"], connection)
        ))?,
        false => {
            ui::styled(&runs(&rows, &processes, database.names.schema(), connection))?;
            ui::styled(&quarantine(&quarantined, count, connection))?;
            ui::styled(&live_status::as_text(&live, connection))?;
            if !excluded.is_empty() {
                ui::styled(&format!(
                    "\n{BOLD}excluded columns{BOLD:#}: {}\nto store a column again, run: {}\n",
                    columns::list(&excluded),
                    next_command::on_the_same_account(
                        &["backfill", "--include-column <table.column>"],
                        connection
                    )
                ))?;
            }
        }
    }
    Ok(Exit::Complete)
}

/// A run is `running` in the ledger until it ends. Without a process that works on it, it is interrupted.
fn mark_interrupted(rows: &mut [StatusRow], processes: &[RunProcess]) {
    let is_active =
        |run: i64| processes.iter().any(|p| p.run_id == run && p.state == ProcessState::Alive);
    for row in rows.iter_mut().filter(|row| row.finished_at.is_none() && !is_active(row.run_id)) {
        for status in [&mut row.run_status, &mut row.status] {
            if status == "running" {
                "interrupted".clone_into(status);
            }
        }
    }
}

fn runs(
    rows: &[StatusRow],
    processes: &[RunProcess],
    schema: &str,
    connection: &Connection,
) -> String {
    if rows.is_empty() {
        return format!(
            "nothing has been copied into schema {schema} yet; to start, run: {}\n",
            next_command::on_the_same_account(&["backfill"], connection)
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
            text.push_str(&active_processes(run, &its));
        }
    }
    text
}

/// The processes that work on a run and what they wait for.
fn active_processes(run: &[StatusRow], processes: &[&RunProcess]) -> String {
    let mut text = String::new();
    for process in processes {
        let who = format!("process {} on {}", process.pid, table::clean(&process.host));
        let slices = number::quantity(process.slices, "slice");
        text.push_str(&match (process.state, &process.waits_for) {
            (ProcessState::Alive, None) => format!("{who} is reading {slices}\n"),
            (ProcessState::Alive, Some(what)) if process.slices == 0 => {
                format!("{who} is waiting for {}\n", table::clean(what))
            }
            (ProcessState::Alive, Some(what)) => {
                format!("{who} is reading {slices} and waiting for {}\n", table::clean(what))
            }
            (ProcessState::Dead, _) => format!("{who} has exited with {slices} unfinished\n"),
            (ProcessState::Unresponsive, _) => {
                format!("{who} stopped responding with {slices} unfinished\n")
            }
        });
    }
    if !processes.iter().any(|process| process.state == ProcessState::Alive) {
        text.push_str("no process is working on this run; run the same command to resume it\n");
        return text;
    }
    let waiting: Vec<&str> = run
        .iter()
        .filter(|row| row.status == "running" && row.open_slices > 0 && !row.is_held)
        .map(|row| row.stream.as_str())
        .collect();
    if !waiting.is_empty() {
        text.push_str(&format!("streams waiting for a worker:\n{}\n", ui::wrapped(&waiting)));
    }
    text
}

fn heading(run: &StatusRow) -> String {
    let started = number::time(number::unix_seconds(run.started_at));
    let took = run.finished_at.and_then(|end| end.duration_since(run.started_at).ok());
    let took = took.map(|took| format!(", took {}", number::duration(took))).unwrap_or_default();
    format!(
        "{BOLD}run {}: {}{BOLD:#} ({}, account {}, started {started}{took})\n",
        run.run_id,
        run.run_status,
        table::clean(&run.range),
        run.account
    )
}

fn streams(run: &[StatusRow]) -> String {
    let is_empty = |row: &&StatusRow| row.status == "complete" && row.rows == 0;
    let empty = run.iter().filter(is_empty).count();
    let mut text = String::new();
    if empty < run.len() {
        let is_active = run[0].finished_at.is_none();
        let headings = ["stream", "rows", "requests", "slices", "status"];
        // A finished run has no open slices.
        let shown = |cell: usize| is_active || cell != 3;
        let headings: Vec<&str> =
            headings.into_iter().enumerate().filter(|(i, _)| shown(*i)).map(|(_, h)| h).collect();
        let right: &[usize] = if is_active { &[1, 2, 3] } else { &[1, 2] };
        let mut table = TextTable::new(&headings, right);
        for row in run.iter().filter(|row| !is_empty(row)) {
            let cells = [
                row.stream.clone(),
                number::count(row.rows),
                number::count(row.requests),
                number::count(row.open_slices),
                row.status.clone(),
            ];
            table.row(cells.iter().enumerate().filter(|(i, _)| shown(*i)).map(|(_, cell)| cell));
        }
        text.push_str(&table.finish());
    }
    if empty > 0 {
        text.push_str(&format!("{} without rows\n", number::quantity(empty, "complete stream")));
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

fn quarantine(rows: &[QuarantinedRow], count: i64, connection: &Connection) -> String {
    if count == 0 {
        return String::new();
    }
    let mut table = TextTable::new(&["table", "id", "request", "reason"], &[]);
    for row in rows {
        let request = row.request_id.as_deref().unwrap_or_default();
        table.row([row.table.as_str(), &row.id, request, &row.reason]);
    }
    let verb = if count == 1 { "is" } else { "are" };
    let mut text = format!(
        "\n{BOLD}{} {verb} in quarantine{BOLD:#}: not stored as Stripe has them\n{}",
        number::quantity(count, "row"),
        table.finish()
    );
    text.push_str(&table::more_rows(count, rows.len()));
    let refresh = next_command::on_the_same_account(&["refresh <id>"], connection);
    text.push_str(&format!("to retry a row, run: {refresh}\n"));
    text
}

fn as_json(
    rows: &[StatusRow],
    processes: &[RunProcess],
    quarantined: &[QuarantinedRow],
    count: i64,
    excluded: &[ColumnName],
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
        "excluded_columns": excluded.iter().map(ToString::to_string).collect::<Vec<_>>(),
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
