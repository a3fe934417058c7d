//! Generates the engine's list of event types: what each one carries, and what it means for the copy.

use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt::Write as _;

/// One line per event type: its name, its meaning, and the types of the objects that it carries.
///
/// The meaning of a type that Stripe marks as a deletion is `delete`. The others are `upsert`,
/// except those whose payload is not an object with a row.
///
/// # Errors
/// If the facts have another form.
pub(super) fn generate(events: &Value) -> Result<String> {
    let mut out = String::new();
    for (name, event) in events["events"].as_object().context("events")? {
        let mut objects: Vec<&str> = event["data_object"]
            .as_array()
            .context("data_object")?
            .iter()
            .filter_map(Value::as_str)
            .collect();
        // The SDK's type of these payloads lists accounts, which stopped being sources long ago.
        if name.starts_with("customer.source.") {
            objects.retain(|object| *object != "account");
        }
        let meaning = match name.as_str() {
            // An invoice that does not exist yet: it has no id.
            "invoice.upcoming" => "none",
            // A discount has no row of its own; it is a property of the customer and the subscription.
            _ if name.starts_with("customer.discount.") => "fetch",
            // A refund of a fee is an item of the fee's list.
            "application_fee.refund.updated" => "fetch",
            // The payload contains only the first entitlements of one customer.
            "entitlements.active_entitlement_summary.updated" => "none",
            _ if event["deletion"] == "deleted" => "delete",
            _ => "upsert",
        };
        writeln!(out, "{name} {meaning} {}", objects.join(","))?;
    }
    Ok(out)
}
