//! How the changes made during a backfill were applied: as text, as JSON, and what this means for the exit
//! code of a run whose streams are complete.

use serde_json::{Value, json};
use stripe_sync::{CatchUpOutcome, CatchUpStatus, Report, RunStatus};

use crate::args::Connection;
use crate::exit::Exit;
use crate::monitor::StopReason;
use crate::next_command;
use crate::number;
use crate::table;

/// Whether the copy has the changes made during the run. A key that is not allowed to read events is
/// accepted, because a copy can also be kept current without them.
pub(super) fn is_current(report: &Report) -> bool {
    let outcome = &report.catch_up;
    let is_applied = matches!(outcome.status, CatchUpStatus::Current | CatchUpStatus::Denied);
    is_applied && (outcome.pending, outcome.dead) == (0, 0) && !report.older_than_events
}

/// The exit code of a run whose streams are complete.
pub(super) fn exit(report: &Report, stopped_by: Option<StopReason>) -> Exit {
    match (report.catch_up.status, stopped_by) {
        (CatchUpStatus::Interrupted, Some(reason)) => reason.exit(),
        _ if is_current(report) => Exit::Complete,
        _ => Exit::Incomplete,
    }
}

/// What was applied, and what is missing.
pub(super) fn as_text(report: &Report, connection: &Connection) -> String {
    let follow = next_command::on_the_same_account(&["follow --once"], connection);
    let missing = "changes made during the run may be missing; to apply them, ";
    let outcome = &report.catch_up;
    let message = outcome.message.as_deref().map(table::clean).unwrap_or_default();
    let mut text = match outcome.status {
        CatchUpStatus::Denied => format!(
            "the key is not allowed to read events: {message}\n{missing}give the key the permission \
             and run: {follow}\n"
        ),
        CatchUpStatus::Failed => {
            format!("events could not be applied: {message}\n{missing}run: {follow}\n")
        }
        CatchUpStatus::Interrupted if report.status == RunStatus::Interrupted => String::new(),
        CatchUpStatus::Interrupted => {
            format!("stopped before all events were applied: {missing}run: {follow}\n")
        }
        _ => format!(
            "changes made during the run: {} applied, {} fetched\n",
            number::quantity(outcome.events, "event"),
            number::quantity(outcome.fetched, "object"),
        ),
    };
    if outcome.pending > 0 {
        text.push_str(&format!(
            "{} still to be fetched; to fetch them, run: {follow}\n",
            number::quantity(outcome.pending, "changed object")
        ));
    }
    if outcome.dead > 0 {
        text.push_str(&format!(
            "{} could not be fetched after many attempts; to see why, run: {}\n",
            number::quantity(outcome.dead, "changed object"),
            next_command::on_the_same_copy(&["status"], connection)
        ));
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The key `catch_up` of the report.
pub(super) fn as_json(outcome: &CatchUpOutcome) -> Value {
    let mut value = json!({
        "status": outcome.status.as_str(),
        "events": outcome.events,
        "fetched": outcome.fetched,
        "pending": outcome.pending,
        "dead": outcome.dead,
    });
    if let Some(message) = &outcome.message {
        value["error"] = message.as_str().into();
    }
    value
}
