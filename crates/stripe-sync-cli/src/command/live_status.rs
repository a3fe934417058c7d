//! The part of `stripe-sync status` about events: how far they have been applied, the objects that are still
//! to be fetched, and the events that stored nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sync::{DeadObject, InboxStatus, LiveStatus, UnstoredEvents};

use crate::args::Connection;
use crate::next_command;
use crate::number;
use crate::table::{self, TextTable};
use crate::ui::BOLD;

pub(super) fn as_text(status: &LiveStatus, connection: &Connection) -> String {
    let mut text = String::new();
    for feed in &status.feeds {
        let reader = if feed.is_followed { "" } else { "; no process follows the account" };
        let lag = Duration::from_secs(feed.lag.unsigned_abs());
        text.push_str(&format!(
            "\n{BOLD}events{BOLD:#}: applied up to {} for account {}, {} behind{reader}\n",
            number::time(feed.cursor),
            feed.account,
            number::duration(lag)
        ));
    }
    text.push_str(&inbox(&status.inbox, connection));
    text.push_str(&unstored(&status.unstored));
    text
}

fn inbox(inbox: &InboxStatus, connection: &Connection) -> String {
    let mut text = String::new();
    if inbox.waiting > 0 {
        let oldest = inbox.oldest.map(|oldest| number::time(number::unix_seconds(oldest)));
        text.push_str(&format!(
            "\n{BOLD}{} still to be fetched{BOLD:#}, the oldest since {}\nto fetch them, run: {}\n",
            number::quantity(inbox.waiting, "changed object"),
            oldest.unwrap_or_default(),
            next_command::on_the_same_account(&["follow --once"], connection)
        ));
    }
    if inbox.dead > 0 {
        let mut table = TextTable::new(&["table", "id", "attempts", "last error"], &[2]);
        for object in &inbox.dead_objects {
            let error = object.error.as_deref().unwrap_or_default();
            table.row([&object.table, &object.id, &number::count(object.attempts), error]);
        }
        text.push_str(&format!(
            "\n{BOLD}{} could not be fetched{BOLD:#} after many attempts\n{}",
            number::quantity(inbox.dead, "changed object"),
            table.finish()
        ));
        text.push_str(&table::more_rows(inbox.dead, inbox.dead_objects.len()));
        let refresh = next_command::on_the_same_account(&["refresh --failed"], connection);
        text.push_str(&format!("to retry all of them, run: {refresh}\n"));
    }
    text
}

fn unstored(events: &[UnstoredEvents]) -> String {
    if events.is_empty() {
        return String::new();
    }
    let mut by_reason: BTreeMap<&str, (i64, Vec<&str>)> = BTreeMap::new();
    for event in events {
        let (count, types) = by_reason.entry(&event.reason).or_default();
        *count += event.count;
        types.push(&event.event_type);
    }
    let mut table = TextTable::new(&["reason", "events", "types"], &[1]);
    for (reason, (count, types)) in by_reason {
        const SHOWN: usize = 3;
        let mut names = types.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        if types.len() > SHOWN {
            names.push_str(&format!(" and {} more", types.len() - SHOWN));
        }
        table.row([reason, &number::count(count), &names]);
    }
    format!("\n{BOLD}events that stored nothing{BOLD:#}\n{}", table.finish())
}

/// The keys of the status about events.
pub(super) fn add_to(value: &mut Value, status: &LiveStatus) {
    let feeds = status.feeds.iter().map(|feed| {
        json!({
            "account": feed.account,
            "cursor": feed.cursor,
            "lag_seconds": feed.lag,
            "is_followed": feed.is_followed,
        })
    });
    value["events"] = feeds.collect();
    value["inbox"] = json!({
        "waiting": status.inbox.waiting,
        "oldest": status.inbox.oldest.map(number::iso_time),
        "dead": {
            "count": status.inbox.dead,
            "objects": status.inbox.dead_objects.iter().map(dead_as_json).collect::<Vec<_>>(),
        },
    });
    let unstored = status.unstored.iter().map(|event| {
        json!({
            "account": event.account,
            "type": event.event_type,
            "reason": event.reason,
            "count": event.count,
            "last_id": event.last_id,
        })
    });
    value["unstored_events"] = unstored.collect();
}

fn dead_as_json(object: &DeadObject) -> Value {
    json!({
        "account": object.account,
        "table": object.table,
        "id": object.id,
        "attempts": object.attempts,
        "error": object.error.as_deref().map(table::clean),
    })
}
