//! The findings of a check as JSON.

use serde_json::{Map, Value, json};
use stripe_sync::{AccountSource, SchemaState, StreamCheck};

use super::findings::Findings;
use crate::exit::Exit;
use crate::failure::Failure;

pub(super) fn as_json(findings: &Findings, skip_denied: bool) -> Value {
    let status = match findings.exit(skip_denied) {
        Exit::Complete => "ok",
        Exit::Incomplete => "incomplete",
        _ => "failed",
    };
    let mut value = json!({ "status": status });
    if let Some(stripe) = &findings.stripe {
        value["key"] = match &stripe.key {
            Some(key) => json!({
                "kind": key.hint,
                "restricted": key.restricted,
                "mode": key.mode.as_str(),
                "accepted": stripe.accepted,
            }),
            None => Value::Null,
        };
        value["account"] = match &stripe.account {
            Some((account, source)) => json!({
                "id": account.as_str(),
                "found_by": match source {
                    AccountSource::Stripe => "stripe",
                    AccountSource::Refusal => "refusal",
                    AccountSource::Configuration => "configuration",
                },
            }),
            None => Value::Null,
        };
        value["api"] = json!({ "base": stripe.api_base, "version": stripe.api_version });
        value["requests"] = stripe.requests.into();
    }
    value["database"] = database_as_json(findings);
    let streams: Map<String, Value> =
        findings.streams().iter().map(|s| (s.table.clone(), stream_as_json(s))).collect();
    value["streams"] = streams.into();
    let problem = |about: &str, failure: &Failure| json!({ "about": about, "error": failure.message(), "hint": failure.hint() });
    let stripe = findings.stripe_failures.iter().map(|f| problem("stripe", f));
    let database = findings.database_failures.iter().map(|f| problem("database", f));
    value["problems"] = stripe.chain(database).collect();
    value
}

fn database_as_json(findings: &Findings) -> Value {
    let mut value = json!({});
    if let Some(private) = &findings.private {
        value["private"] = json!({
            "directory": private.dir.to_string_lossy(),
            "exists": private.exists,
            "programs": private.binaries.as_ref().map(|b| b.dir.to_string_lossy()),
        });
    }
    if let Some(server) = findings.database.as_ref().and_then(|database| database.server.as_ref()) {
        value["version"] = server.version.as_str().into();
        value["encoding"] = server.encoding.as_str().into();
        value["name"] = server.database.as_str().into();
        value["user"] = server.user.as_str().into();
    }
    if let Some((schema, state)) = findings.schema.as_ref().zip(findings.schema_state()) {
        let mut described = json!({ "name": schema });
        described["state"] = match state {
            SchemaState::Missing => "missing",
            SchemaState::Empty => "empty",
            SchemaState::Foreign(_) => "foreign",
            SchemaState::Migrated { current: true, .. } => "migrated",
            SchemaState::Migrated { current: false, .. } => "other_version",
            _ => "unknown",
        }
        .into();
        if let SchemaState::Migrated { mode, .. } = state {
            described["mode"] = mode.map(stripe_sync::Mode::as_str).into();
        }
        if let SchemaState::Foreign(tables) = state {
            described["tables"] = tables.clone().into();
        }
        value["schema"] = described;
    }
    value
}

fn stream_as_json(stream: &StreamCheck) -> Value {
    let mut value = json!({ "status": stream.access.as_str() });
    if let Some(permission) = &stream.missing_permission {
        value["missing_permission"] = permission.as_str().into();
    }
    if let Some(message) = &stream.message {
        value["error"] = message.as_str().into();
    }
    if let Some(id) = &stream.request_id {
        value["request_id"] = id.as_str().into();
    }
    value
}
