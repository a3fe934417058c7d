//! `stripe-sync status`: the latest runs, their streams, and rows that were set aside.

use serde_json::{Map, Value, json};
use stripe_sync::{ColumnName, QuarantinedRow, StatusRow, StripeSync};

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
    let (rows, quarantined, count, left_out) = match database.is_untouched() {
        true => (Vec::new(), Vec::new(), 0, Vec::new()),
        false => {
            let place = database.open_existing().await?;
            let sync = StripeSync::connect(database.config(place.url())).await?;
            let rows = sync.status(args.runs).await?;
            let (quarantined, count) = sync.quarantined(QUARANTINE_SHOWN).await?;
            let left_out = sync.excluded_columns().await?;
            drop(sync);
            place.close().await;
            (rows, quarantined, count, left_out)
        }
    };
    match session.is_json() {
        true => talk::json(&as_json(&rows, &quarantined, count, &left_out))?,
        false => {
            talk::data(&runs(&rows, database.names.schema()))?;
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

fn runs(rows: &[StatusRow], schema: &str) -> String {
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
        let mut columns = Columns::new(&["stream", "rows", "requests", "status"], &[1, 2]);
        for row in run.iter().filter(|row| !is_dull(row)) {
            columns.row([
                &row.stream,
                &number::count(row.rows),
                &number::count(row.requests),
                &row.status,
            ]);
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

fn stream_as_json(row: &StatusRow) -> Value {
    let mut value = json!({
        "status": row.status,
        "synced": row.rows,
        "requests": row.requests,
        "open_slices": row.open_slices,
    });
    if let Some(message) = &row.message {
        value["error"] = message.as_str().into();
    }
    if let Some(id) = &row.request_id {
        value["request_id"] = id.as_str().into();
    }
    value
}
