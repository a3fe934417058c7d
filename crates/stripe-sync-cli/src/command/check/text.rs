//! What a check found, for people: facts, problems, what is denied or fails, and a number for
//! the streams that can be read.

use stripe_sync::{AccountSource, SchemaState, StreamAccess, StreamCheck};

use super::found::{Checked, PrivatePlace};
use crate::exit::Exit;
use crate::number;
use crate::table::{self, Columns};
use crate::talk::{self, BOLD, DIM};

/// For people; `all` lists the streams that can be read too.
pub(super) fn as_text(checked: &Checked, skip_denied: bool, all: bool) -> String {
    let mut text = String::new();
    for (name, value) in facts(checked) {
        text.push_str(&format!("{name:<8}  {}\n", table::clean(&value)));
    }
    for failure in checked.stripe_failures.iter().chain(&checked.database_failures) {
        text.push_str(&format!("\n{BOLD}problem{BOLD:#}: {}\n", table::clean(failure.message())));
        if let Some(advice) = failure.advice() {
            text.push_str(&format!("  next: {}\n", advice.replace('\n', "\n        ")));
        }
    }
    text.push_str(&streams(checked, all));
    text.push_str(&closing(checked, skip_denied));
    text
}

fn facts(checked: &Checked) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(stripe) = &checked.stripe {
        if let Some(key) = &stripe.key {
            let kind = if key.restricted { "restricted, " } else { "" };
            let accepted = if stripe.accepted { "accepted" } else { "not usable" };
            facts.push(("key", format!("{} ({kind}{} data), {accepted}", key.hint, key.mode)));
        }
        if let Some((account, source)) = &stripe.account {
            let how = match source {
                AccountSource::Stripe => "as Stripe says",
                AccountSource::Refusal => "named in Stripe's refusal of GET /v1/account",
                AccountSource::Configuration => "as you say; Stripe does not tell this key",
            };
            facts.push(("account", format!("{account}, {how}")));
        }
        facts.push(("api", format!("{}, version {}", stripe.api_base, stripe.api_version)));
    }
    if let Some(private) = &checked.private {
        facts.push(("database", private.as_text()));
    }
    if let Some(server) = checked.database.as_ref().and_then(|database| database.server.as_ref()) {
        let name = if checked.private.is_some() { "server" } else { "database" };
        facts.push((
            name,
            format!(
                "PostgreSQL {}, {}, database {} as user {}",
                server.version, server.encoding, server.database, server.user
            ),
        ));
    }
    if let Some((schema, state)) = checked.schema.as_ref().zip(checked.schema_state()) {
        facts.push(("schema", format!("{schema}: {}", schema_words(state))));
    }
    facts
}

fn schema_words(state: &SchemaState) -> String {
    match state {
        SchemaState::Missing => "not there yet; a backfill makes it".to_owned(),
        SchemaState::Empty => "no tables of ours yet; a backfill makes them".to_owned(),
        SchemaState::Foreign(tables) => {
            format!("{} of another program", number::of(tables.len(), "table"))
        }
        SchemaState::Migrated { current, mode } => {
            let shape = match current {
                true => "migrated",
                false => "migrated, but something is missing, which a backfill adds",
            };
            match mode {
                Some(mode) => format!("{shape}, {mode} data"),
                None => format!("{shape}, not used yet"),
            }
        }
        _ => "unknown".to_owned(),
    }
}

impl PrivatePlace {
    fn as_text(&self) -> String {
        let dir = self.dir.display();
        match (&self.binaries, self.exists) {
            (_, true) => format!("the private PostgreSQL in {dir}, as DATABASE_URL is not set"),
            (Some(binaries), false) => format!(
                "as DATABASE_URL is not set, a backfill would make a private PostgreSQL {} in \
                 {dir}, with the programs in {}",
                binaries.major,
                binaries.dir.display()
            ),
            (None, false) => {
                format!("as DATABASE_URL is not set, it would be a private PostgreSQL in {dir}")
            }
        }
    }
}

fn streams(checked: &Checked, all: bool) -> String {
    let mut text = String::new();
    let mut columns = Columns::new(&["stream", "status", "why"], &[]);
    let mut listed = 0;
    let mut order = vec![StreamAccess::Denied, StreamAccess::Failed];
    if all {
        order.extend([StreamAccess::Skipped, StreamAccess::Readable]);
    }
    for access in order {
        for stream in checked.with(access) {
            columns.row([stream.table.as_str(), access.as_str(), &why(stream)]);
            listed += 1;
        }
    }
    if listed > 0 {
        text.push_str(&format!("\n{}", columns.finish()));
    }
    let skipped: Vec<&str> =
        checked.with(StreamAccess::Skipped).map(|stream| stream.table.as_str()).collect();
    if !all && !skipped.is_empty() {
        text.push_str(&format!(
            "\n{DIM}not available on this account, and skipped by a backfill:\n{}{DIM:#}\n",
            talk::wrapped(&skipped)
        ));
    }
    text
}

fn why(stream: &StreamCheck) -> String {
    let message = stream.message.clone().unwrap_or_default();
    match &stream.request_id {
        // Most messages of failures name it already.
        Some(id) if !message.contains(id.as_str()) => format!("{message} (request {id})"),
        _ => message,
    }
}

fn closing(checked: &Checked, skip_denied: bool) -> String {
    let count = |access| checked.with(access).count();
    let (denied, failed) = (count(StreamAccess::Denied), count(StreamAccess::Failed));
    let mut text = String::new();
    if !checked.streams().is_empty() {
        text.push_str(&format!(
            "\n{} of {} can be read",
            count(StreamAccess::Readable),
            number::of(checked.streams().len(), "stream")
        ));
        for (count, word) in
            [(denied, "denied"), (failed, "failed"), (count(StreamAccess::Skipped), "skipped")]
        {
            if count > 0 {
                text.push_str(&format!(", {count} {word}"));
            }
        }
        text.push('\n');
    }
    let problems = checked.stripe_failures.len() + checked.database_failures.len();
    let (word, next) = match checked.exit(skip_denied) {
        _ if problems > 0 => {
            ("a backfill could not run", format!("see {} above", number::of(problems, "problem")))
        }
        Exit::Complete if denied > 0 => {
            ("ready but for what the key may not read", "stripe-sync backfill --skip-denied".into())
        }
        Exit::Complete => ("ready", "stripe-sync backfill".to_owned()),
        Exit::Incomplete if count(StreamAccess::Readable) == 0 && failed == 0 => {
            ("a backfill would copy nothing", "give the key the permissions named above".to_owned())
        }
        Exit::Incomplete if failed == 0 => (
            "a backfill would be incomplete",
            "give the key the permissions named above, or accept their absence with --skip-denied"
                .to_owned(),
        ),
        Exit::Incomplete => (
            "a backfill would be incomplete",
            "see above why streams fail; a failure that passes may be gone the next time"
                .to_owned(),
        ),
        _ => (
            "a backfill would fail",
            "none of these streams is available on this account".to_owned(),
        ),
    };
    format!("{text}{}{BOLD}{word}{BOLD:#}: {next}\n", if text.is_empty() { "\n" } else { "" })
}
