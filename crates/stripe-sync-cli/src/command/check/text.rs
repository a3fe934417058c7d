//! The findings of a check as text: facts, problems, streams that are denied or failing, and a
//! conclusion.

use stripe_sync::{AccountSource, SchemaState, StreamAccess, StreamCheck};

use super::findings::{Findings, PrivateDatabase};
use crate::exit::Exit;
use crate::number;
use crate::table::{self, TextTable};
use crate::ui::{self, BOLD, DIM};

/// The findings as text. With `all`, streams that can be read are also listed.
///
/// `backfill` is the command to suggest.
pub(super) fn as_text(findings: &Findings, skip_denied: bool, all: bool, backfill: &str) -> String {
    let mut text = String::new();
    for (name, value) in facts(findings) {
        text.push_str(&format!("{name:<8}  {}\n", table::clean(&value)));
    }
    for failure in findings.stripe_failures.iter().chain(&findings.database_failures) {
        text.push_str(&format!("\n{BOLD}problem{BOLD:#}: {}\n", table::clean(failure.message())));
        if let Some(hint) = failure.hint() {
            text.push_str(&format!("  hint: {}\n", hint.replace('\n', "\n        ")));
        }
    }
    text.push_str(&streams(findings, all));
    text.push_str(&conclusion(findings, skip_denied, backfill));
    text
}

fn facts(findings: &Findings) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(stripe) = &findings.stripe {
        if let Some(key) = &stripe.key {
            let kind = if key.restricted { "restricted, " } else { "" };
            let accepted = if stripe.accepted { "accepted" } else { "not verified" };
            facts.push(("key", format!("{} ({kind}{} data), {accepted}", key.hint, key.mode)));
        }
        if let Some((account, source)) = &stripe.account {
            let how = match source {
                AccountSource::Stripe => "reported by Stripe",
                AccountSource::Refusal => "named in Stripe's error response to GET /v1/account",
                AccountSource::Configuration => {
                    "as configured; this key is not allowed to read its own account"
                }
            };
            facts.push(("account", format!("{account}, {how}")));
        }
        facts.push(("api", format!("{}, version {}", stripe.api_base, stripe.api_version)));
    }
    if let Some(private) = &findings.private {
        facts.push(("database", private.as_text()));
    }
    if let Some(server) = findings.database.as_ref().and_then(|database| database.server.as_ref()) {
        let name = if findings.private.is_some() { "server" } else { "database" };
        facts.push((
            name,
            format!(
                "PostgreSQL {}, {}, database {} as user {}",
                server.version, server.encoding, server.database, server.user
            ),
        ));
    }
    if let Some((schema, state)) = findings.schema.as_ref().zip(findings.schema_state()) {
        facts.push(("schema", format!("{schema}: {}", schema_text(state))));
    }
    facts
}

fn schema_text(state: &SchemaState) -> String {
    match state {
        SchemaState::Missing => "does not exist yet; a backfill creates it".to_owned(),
        SchemaState::Empty => {
            "contains no tables of stripe-sync yet; a backfill creates them".to_owned()
        }
        SchemaState::Foreign(tables) => {
            format!("contains {} of another program", number::quantity(tables.len(), "table"))
        }
        SchemaState::Migrated { current, mode } => {
            let addition = match current {
                true => "",
                false => "; a backfill adds the missing tables and columns",
            };
            match mode {
                Some(mode) => format!("migrated, {mode} data{addition}"),
                None => format!("migrated, not used yet{addition}"),
            }
        }
        _ => "unknown".to_owned(),
    }
}

impl PrivateDatabase {
    fn as_text(&self) -> String {
        let dir = self.dir.display();
        match (&self.binaries, self.exists) {
            (_, true) => {
                format!("the private PostgreSQL in {dir}, because DATABASE_URL is not set")
            }
            (Some(binaries), false) => format!(
                "a backfill would create a private PostgreSQL {} in {dir} with the programs in {}, \
                 because DATABASE_URL is not set",
                binaries.major,
                binaries.dir.display()
            ),
            (None, false) => {
                format!("DATABASE_URL is not set, and there is no private PostgreSQL in {dir} yet")
            }
        }
    }
}

fn streams(findings: &Findings, all: bool) -> String {
    let mut text = String::new();
    let mut table = TextTable::new(&["stream", "status", "reason"], &[]);
    let mut listed = 0;
    let mut order = vec![StreamAccess::Denied, StreamAccess::Failed];
    if all {
        order.extend([StreamAccess::Skipped, StreamAccess::Readable]);
    }
    for access in order {
        for stream in findings.with(access) {
            table.row([stream.table.as_str(), access.as_str(), &reason(stream)]);
            listed += 1;
        }
    }
    if listed > 0 {
        text.push_str(&format!("\n{}", table.finish()));
    }
    let skipped: Vec<&str> =
        findings.with(StreamAccess::Skipped).map(|stream| stream.table.as_str()).collect();
    if !all && !skipped.is_empty() {
        text.push_str(&format!(
            "\n{DIM}not available on this account; a backfill skips them:\n{}{DIM:#}\n",
            ui::wrapped(&skipped)
        ));
    }
    text
}

fn reason(stream: &StreamCheck) -> String {
    let message = stream.message.clone().unwrap_or_default();
    match &stream.request_id {
        // Most failure messages already contain the request ID.
        Some(id) if !message.contains(id.as_str()) => format!("{message} (request {id})"),
        _ => message,
    }
}

/// Whether missing permissions are the only problem of the streams.
fn only_permissions(findings: &Findings) -> bool {
    findings.with(StreamAccess::Failed).all(|stream| stream.missing_permission.is_some())
}

fn conclusion(findings: &Findings, skip_denied: bool, backfill: &str) -> String {
    let count = |access| findings.with(access).count();
    let (denied, failed) = (count(StreamAccess::Denied), count(StreamAccess::Failed));
    let mut text = String::new();
    if !findings.streams().is_empty() {
        text.push_str(&format!(
            "\n{} of {} can be read",
            count(StreamAccess::Readable),
            number::quantity(findings.streams().len(), "stream")
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
    let problems = findings.stripe_failures.len() + findings.database_failures.len();
    let (word, hint) = match findings.exit(skip_denied) {
        _ if problems > 0 => match problems {
            1 => ("a backfill cannot run", "fix the problem above".to_owned()),
            _ => ("a backfill cannot run", format!("fix the {problems} problems above")),
        },
        Exit::Complete if denied > 0 => (
            "ready, except for streams that the key is not allowed to read",
            format!("run `{backfill} --skip-denied`"),
        ),
        Exit::Complete => ("ready", format!("run `{backfill}`")),
        Exit::Incomplete if count(StreamAccess::Readable) == 0 && failed == 0 => {
            ("a backfill would copy nothing", "give the key the permissions named above".to_owned())
        }
        Exit::Incomplete if failed == 0 => (
            "a backfill would be incomplete",
            "give the key the permissions named above, or accept the missing streams with \
             --skip-denied"
                .to_owned(),
        ),
        Exit::Incomplete if only_permissions(findings) => (
            "a backfill would be incomplete",
            "give the key the permissions named above".to_owned(),
        ),
        Exit::Incomplete => (
            "a backfill would be incomplete",
            "see the reasons above; if a failure may be temporary, check again".to_owned(),
        ),
        _ => (
            "a backfill would fail",
            "none of these streams is available on this account".to_owned(),
        ),
    };
    format!("{text}{}{BOLD}{word}{BOLD:#}: {hint}\n", if text.is_empty() { "\n" } else { "" })
}
