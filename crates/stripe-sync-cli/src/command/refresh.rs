//! `stripe-sync refresh`: fetches and stores single objects by their IDs.

use serde_json::{Value, json};
use stripe_sync::{InboxOutcome, RefreshOutcome, RefreshResult, Stop};

use super::connect::connect;
use crate::args::{Connection, Refresh};
use crate::columns::{self, ColumnChanges};
use crate::context::CommandContext;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::next_command;
use crate::number;
use crate::settings::{DatabaseSettings, StripeSettings};
use crate::table::{self, TextTable};
use crate::ui;

/// How many of the objects that events have named are fetched as well.
const INBOX_PART: usize = 100;

pub(super) async fn run(args: &Refresh, context: &CommandContext) -> Result<Exit, Failure> {
    if !args.ids.is_empty() {
        stripe_sync::check_ids(&args.ids)?;
    }
    let columns = ColumnChanges::resolve(&args.columns, &context.environment)?;
    let stripe = StripeSettings::resolve(&context.connection, &context.environment)?;
    let database = DatabaseSettings::resolve(&context.connection, &context.environment)?;
    let (sync, open) = connect(&stripe, &database, Some(&columns)).await?;
    if !columns.is_empty() {
        columns::report_exclusions(&sync.prepare().await?.excluded);
        columns.include(&sync).await?;
    }
    let results = match args.ids.is_empty() {
        true => Vec::new(),
        false => sync.refresh(&args.ids).await?,
    };
    // Shown before the other objects are fetched, which can take longer.
    let shown = match context.is_json() || results.is_empty() {
        true => Ok(()),
        false => ui::styled(&as_text(&results, &context.connection)),
    };
    let inbox = match args.failed {
        true => sync.fetch_inbox(true, &Stop::new()).await?,
        false => sync.fetch_from_inbox(INBOX_PART, &Stop::new()).await?,
    };
    drop(sync);
    open.close(&context.interrupts).await;
    shown?;
    match context.is_json() {
        true => ui::json(&json!({
            "objects": results.iter().map(as_json).collect::<Vec<_>>(),
            "inbox": inbox_as_json(&inbox),
        }))?,
        false => ui::data(&inbox_as_text(&inbox, args.failed))?,
    }
    match exit(results.iter().map(|result| &result.outcome)) {
        Exit::Complete if args.failed && inbox.dead > 0 => Ok(Exit::Failed),
        exit => Ok(exit),
    }
}

/// What became of the objects that events had named, if there were any.
fn inbox_as_text(inbox: &InboxOutcome, retried: bool) -> String {
    let mut text = String::new();
    if inbox.fetched > 0 || retried {
        let fetched = number::quantity(inbox.fetched, "changed object");
        text.push_str(&format!("{fetched} fetched because of earlier events\n"));
    }
    if inbox.pending > 0 {
        let pending = number::quantity(inbox.pending, "changed object");
        text.push_str(&format!("{pending} still to be fetched; they will be retried\n"));
    }
    if inbox.dead > 0 {
        let dead = number::quantity(inbox.dead, "changed object");
        text.push_str(&format!(
            "{dead} could not be fetched after many attempts; to see why, run: stripe-sync status\n"
        ));
    }
    text
}

fn inbox_as_json(inbox: &InboxOutcome) -> Value {
    json!({
        "fetched": inbox.fetched,
        "quarantined": inbox.quarantined,
        "pending": inbox.pending,
        "dead": inbox.dead,
    })
}

/// The exit code of the worst outcome.
fn exit<'o>(outcomes: impl Iterator<Item = &'o RefreshOutcome> + Clone) -> Exit {
    let any = |wanted: fn(&RefreshOutcome) -> bool| outcomes.clone().any(wanted);
    if any(|o| matches!(o, RefreshOutcome::Failed(_))) {
        Exit::Failed
    } else if any(|o| matches!(o, RefreshOutcome::NotFound | RefreshOutcome::Quarantined)) {
        Exit::Incomplete
    } else {
        Exit::Complete
    }
}

fn as_text(results: &[RefreshResult], connection: &Connection) -> String {
    let mut table = TextTable::new(&["id", "table", "outcome"], &[]);
    let mut reasons = String::new();
    for result in results {
        table.row([&result.id, &result.table, &result.outcome.as_str().replace('_', " ")]);
        if let RefreshOutcome::Failed(reason) = &result.outcome {
            reasons.push_str(&format!("{}: {}\n", table::clean(&result.id), table::clean(reason)));
        }
    }
    let quarantined = results.iter().any(|result| result.outcome == RefreshOutcome::Quarantined);
    if quarantined {
        let status = next_command::on_the_same_copy(&["status"], connection);
        reasons.push_str(&format!("to see why rows are in quarantine, run: {status}\n"));
    }
    format!("{}{reasons}", table.finish())
}

fn as_json(result: &RefreshResult) -> Value {
    let mut value =
        json!({ "id": result.id, "table": result.table, "outcome": result.outcome.as_str() });
    if let RefreshOutcome::Failed(reason) = &result.outcome {
        value["error"] = reason.as_str().into();
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_outcome_decides_the_exit_code() {
        use RefreshOutcome::{Deleted, Failed, NotFound, Quarantined, Stored};
        for (outcomes, expected) in [
            (vec![Stored, Deleted], Exit::Complete),
            (vec![Stored, NotFound], Exit::Incomplete),
            (vec![Quarantined], Exit::Incomplete),
            (vec![NotFound, Failed("why".into()), Stored], Exit::Failed),
        ] {
            assert_eq!(exit(outcomes.iter()), expected, "{outcomes:?}");
        }
    }
}
