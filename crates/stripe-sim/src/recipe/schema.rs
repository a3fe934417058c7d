//! Generators for properties that nothing but their schema describes.

use super::lists::Embedded;
use super::{Make, Property, Scene, Write, billing, catalogue, events, money, payments, people};
use crate::catalog::{self, Kind, catalog};
use crate::collection::collections;
use crate::relation::Step;
use crate::seed::of_text;

/// Chooses the generator of one property.
pub(crate) fn property(
    kind: Kind,
    name: &str,
    schema: &catalog::Property,
    scene: &Scene<'_>,
) -> Property {
    let object = catalog().name(kind);
    let made = |make, null, absent| finish(name, make, null, absent);
    if let Some(write) = custom(object, name) {
        return made(Make::Custom(write), 0, 0);
    }
    if let Some(text) = fixed(object, name, scene) {
        return made(Make::Text(text.into()), 0, 0);
    }
    if schema.kind == "list" {
        if let Some(list) = Embedded::new(kind, name) {
            return made(Make::List(list), 0, 0);
        }
        return made(Make::Text("null".into()), 0, 0);
    }
    if let Some(steps) = scene.relations.path(kind, name) {
        return made(Make::Reference { steps: steps.to_vec() }, 0, 0);
    }
    if let Some(parent) = parent(kind, name, schema) {
        return made(Make::Parent(parent), 0, 0);
    }
    let absent = if schema.optional { 40 } else { 0 };
    let null = if schema.nullable { 35 } else { 0 };
    if let Some(target) = reference(kind, name, schema, scene) {
        return made(Make::Reference { steps: vec![Step::Up(target)] }, null, absent);
    }
    if !schema.expandable.is_empty() || unrelated(name) {
        let text = if schema.nullable { "null".to_owned() } else { made_up_id(schema, scene) };
        return made(Make::Text(text.into()), 0, if schema.nullable { 0 } else { absent });
    }
    if !schema.resource.is_empty() {
        let target = catalog().kind(&schema.resource[0]);
        return match target {
            Some(target) if !schema.nullable && !schema.optional => made(Make::Whole(target), 0, 0),
            _ if schema.nullable => made(Make::Text("null".into()), 0, 0),
            _ => made(Make::Text("{}".into()), 0, 100),
        };
    }
    made(by_type(name, schema, scene), null, absent)
}

fn finish(name: &str, make: Make, null: u8, absent: u8) -> Property {
    Property {
        name: name.into(),
        label: format!("\"{name}\":").into(),
        salt: of_text(name),
        null,
        absent,
        make,
    }
}

fn custom(object: &str, name: &str) -> Option<Write> {
    people::custom(object, name)
        .or_else(|| catalogue::custom(object, name))
        .or_else(|| billing::custom(object, name))
        .or_else(|| payments::custom(object, name))
        .or_else(|| money::custom(object, name))
        .or_else(|| events::custom(object, name))
}

fn fixed(object: &str, name: &str, scene: &Scene<'_>) -> Option<String> {
    Some(match name {
        "object" => format!("\"{object}\""),
        "livemode" => scene.live.to_string(),
        "currency" | "presentment_currency" => "\"usd\"".to_owned(),
        "api_version" => format!("\"{}\"", scene.version),
        "country" | "account_country" => "\"US\"".to_owned(),
        "timezone" => "\"Etc/UTC\"".to_owned(),
        _ => return None,
    })
}

/// Properties that stay null since nothing in a simulated account needs them.
fn unrelated(name: &str) -> bool {
    matches!(
        name,
        "customer_account"
            | "test_clock"
            | "application"
            | "latest_revision"
            | "original_payout"
            | "reversed_by"
            | "replaced_by"
            | "replacement_for"
            | "source_transfer"
            | "on_behalf_of"
            | "default_source"
    ) || name.starts_with("failure_")
}

fn parent(kind: Kind, name: &str, schema: &catalog::Property) -> Option<Kind> {
    let all = collections();
    all.of_kind(kind).find_map(|id| {
        let shape = all.get(id);
        let parent = shape.parent?;
        let short = catalog().name(parent).rsplit('.').next()?;
        let named = name == shape.parent_param || name == short;
        let points = schema.expandable.iter().any(|e| catalog().kind(e) == Some(parent));
        // Children that are also listed alone (tax ids) or have parents of two types have no one parent to name.
        let only = all.of_kind(kind).filter(|c| all.get(*c).parent.is_some()).count() == 1;
        (schema.kind == "string" && (named || points) && only).then_some(parent)
    })
}

/// The type that a property refers to, if the account has objects of it.
fn reference(
    kind: Kind,
    name: &str,
    schema: &catalog::Property,
    scene: &Scene<'_>,
) -> Option<Kind> {
    if schema.kind != "string" || !schema.values.is_empty() || unrelated(name) {
        return None;
    }
    let by_name = [name.to_owned()];
    let targets = if schema.expandable.is_empty() { &by_name[..] } else { &schema.expandable[..] };
    targets
        .iter()
        .filter_map(|t| catalog().kind(t))
        .find(|t| *t != kind && scene.relations.count(*t) > 0)
}

fn made_up_id(schema: &catalog::Property, scene: &Scene<'_>) -> String {
    let target = schema.expandable.first().and_then(|t| catalog().kind(t));
    match target {
        Some(kind) if catalog().name(kind) == "account" => format!("\"{}\"", scene.own_account),
        Some(kind) => {
            let prefix = catalog().object(kind).prefixes.first().map_or("obj_", String::as_str);
            format!("\"{prefix}1SSimulatedElsewhere00\"")
        }
        None => "\"obj_1SSimulatedElsewhere00\"".to_owned(),
    }
}

fn by_type(name: &str, schema: &catalog::Property, scene: &Scene<'_>) -> Make {
    match schema.kind.as_str() {
        "boolean" => Make::Bool,
        "integer" if schema.format.as_deref() == Some("unix-time") => Make::After(90 * 86_400),
        "integer" => Make::Int(small(name)),
        "number" => {
            Make::OneOf(["0.5", "1.25", "7.7", "12.5", "19", "20.0"].map(Into::into).to_vec())
        }
        "array" => match schema.items.as_deref() {
            Some(items) if items.resource.is_empty() && items.expandable.is_empty() => {
                Make::Array(Box::new(by_type(name, items, scene)))
            }
            _ => Make::Text("[]".into()),
        },
        "object" if schema.properties.is_empty() => Make::Text("{}".into()),
        "object" => {
            Make::Members(schema.properties.iter().map(|member| untyped(member, scene)).collect())
        }
        _ => text(name, schema),
    }
}

fn small(name: &str) -> u64 {
    match name {
        n if n.contains("amount") || n.contains("total") => 100_000,
        n if n.contains("month") => 12,
        n if n.contains("day") => 28,
        _ => 1_000,
    }
}

fn text(name: &str, schema: &catalog::Property) -> Make {
    let values: Vec<Box<str>> = schema
        .values
        .iter()
        .filter(|v| !v.is_empty() && *v != "custom")
        .map(|v| format!("\"{v}\"").into())
        .collect();
    if !values.is_empty() {
        return Make::OneOf(values);
    }
    if schema.format.as_deref() == Some("decimal") {
        return Make::OneOf(
            ["\"0.01\"", "\"12.345678\"", "\"100\"", "\"2000\""].map(Into::into).to_vec(),
        );
    }
    if name == "description"
        || name.ends_with("name")
        || name == "title"
        || name == "memo"
        || name == "nickname"
    {
        return Make::Phrase;
    }
    let status: &[&str] = match name {
        "status" => &["\"succeeded\"", "\"pending\""],
        "last4" => &["\"4242\"", "\"0005\"", "\"4444\"", "\"1881\""],
        "email" => return Make::Text("\"someone@example.com\"".into()),
        "phone" | "phone_number" => &["\"+15555550100\"", "\"+15555550199\""],
        "reason" => &["\"general\"", "\"requested\"", "\"rule\""],
        n if n.ends_with("url") || n == "pdf" => {
            return Make::Token("https://files.example.com/".into());
        }
        _ => return Make::Token(format!("{}_", name.split('_').next().unwrap_or(name)).into()),
    };
    Make::OneOf(status.iter().map(|s| (*s).into()).collect())
}

/// A member of an object whose schema names its members but not their types.
fn untyped(name: &str, scene: &Scene<'_>) -> Property {
    let make = match name {
        n if n.ends_with("_at")
            || n == "created"
            || n.ends_with("_date")
            || n.ends_with("_timestamp") =>
        {
            Make::After(60 * 86_400)
        }
        n if n.contains("amount")
            || n == "quantity"
            || n.ends_with("_count")
            || n == "percentage" =>
        {
            Make::Int(10_000)
        }
        "enabled" | "required" | "paid" | "active" | "past_due" | "has_evidence" => Make::Bool,
        "currency" => Make::Text("\"usd\"".into()),
        "country" => Make::Text("\"US\"".into()),
        "type" => Make::Text("\"none\"".into()),
        "metadata" => Make::Text("{}".into()),
        "account" => Make::Text(format!("\"{}\"", scene.own_account).into()),
        "status" => Make::OneOf(["\"active\"", "\"inactive\""].map(Into::into).to_vec()),
        _ => Make::Token(format!("{}_", name.split('_').next().unwrap_or(name)).into()),
    };
    finish(name, make, 50, 0)
}
