//! Selects the generators of properties: the hand-written one if there is one, otherwise one
//! derived from the schema.

use super::lists::EmbeddedList;
use super::{
    GeneratorContext, PropertyGenerator, ValueGenerator, WriteValue, balance, billing, customers,
    events, payments, products,
};
use crate::catalog::{self, Kind, catalog};
use crate::collection::collections;
use crate::relation::Step;
use crate::seed::of_text;

/// Selects the generator of one property.
pub(crate) fn property(
    kind: Kind,
    name: &str,
    schema: &catalog::Property,
    context: &GeneratorContext<'_>,
) -> PropertyGenerator {
    let object = catalog().name(kind);
    let generator = |value, null, absent| named_generator(name, value, null, absent);
    if let Some(write) = custom(object, name) {
        return generator(ValueGenerator::Custom(write), 0, 0);
    }
    if let Some(text) = fixed(object, name, context) {
        return generator(ValueGenerator::Text(text.into()), 0, 0);
    }
    if schema.kind == "list" {
        if let Some(list) = EmbeddedList::new(kind, name) {
            return generator(ValueGenerator::List(list), 0, 0);
        }
        return generator(ValueGenerator::Text("null".into()), 0, 0);
    }
    if let Some(steps) = context.relations.path(kind, name) {
        return generator(ValueGenerator::Reference { steps: steps.to_vec() }, 0, 0);
    }
    if let Some(parent) = parent(kind, name, schema) {
        return generator(ValueGenerator::Parent(parent), 0, 0);
    }
    let absent = if schema.optional { 40 } else { 0 };
    let null = if schema.nullable { 35 } else { 0 };
    if let Some(target) = reference(kind, name, schema, context) {
        return generator(
            ValueGenerator::Reference { steps: vec![Step::Up(target)] },
            null,
            absent,
        );
    }
    if !schema.expandable.is_empty() || is_unused(name) {
        let text =
            if schema.nullable { "null".to_owned() } else { placeholder_id(schema, context) };
        return generator(
            ValueGenerator::Text(text.into()),
            0,
            if schema.nullable { 0 } else { absent },
        );
    }
    if !schema.resource.is_empty() {
        let target = catalog().kind(&schema.resource[0]);
        return match target {
            Some(target) if !schema.nullable && !schema.optional => {
                generator(ValueGenerator::Object(target), 0, 0)
            }
            _ if schema.nullable => generator(ValueGenerator::Text("null".into()), 0, 0),
            _ => generator(ValueGenerator::Text("{}".into()), 0, 100),
        };
    }
    generator(by_type(name, schema, context), null, absent)
}

fn named_generator(name: &str, value: ValueGenerator, null: u8, absent: u8) -> PropertyGenerator {
    PropertyGenerator {
        name: name.into(),
        label: format!("\"{name}\":").into(),
        salt: of_text(name),
        null,
        absent,
        value,
    }
}

/// The hand-written generator of a property.
fn custom(object: &str, name: &str) -> Option<WriteValue> {
    customers::custom(object, name)
        .or_else(|| products::custom(object, name))
        .or_else(|| billing::custom(object, name))
        .or_else(|| payments::custom(object, name))
        .or_else(|| balance::custom(object, name))
        .or_else(|| events::custom(object, name))
}

/// The JSON text of a property that has the same value in all objects of the account.
fn fixed(object: &str, name: &str, context: &GeneratorContext<'_>) -> Option<String> {
    Some(match name {
        "object" => format!("\"{object}\""),
        "livemode" => context.live.to_string(),
        "currency" | "presentment_currency" => "\"usd\"".to_owned(),
        "api_version" => format!("\"{}\"", context.version),
        "country" | "account_country" => "\"US\"".to_owned(),
        "timezone" => "\"Etc/UTC\"".to_owned(),
        _ => return None,
    })
}

/// Whether a simulated account does not use a property. The property is then null, or contains a
/// placeholder id if it is not nullable.
fn is_unused(name: &str) -> bool {
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
        let collection = all.get(id);
        let parent = collection.parent?;
        let short_name = catalog().name(parent).rsplit('.').next()?;
        let named = name == collection.parent_param || name == short_name;
        let expands = schema.expandable.iter().any(|e| catalog().kind(e) == Some(parent));
        // Children that are also listed without a parent (tax ids) or have parents of two types do
        // not have a single parent type.
        let only = all.of_kind(kind).filter(|c| all.get(*c).parent.is_some()).count() == 1;
        (schema.kind == "string" && (named || expands) && only).then_some(parent)
    })
}

/// The type that a property refers to, if the account has objects of this type.
fn reference(
    kind: Kind,
    name: &str,
    schema: &catalog::Property,
    context: &GeneratorContext<'_>,
) -> Option<Kind> {
    if schema.kind != "string" || !schema.values.is_empty() || is_unused(name) {
        return None;
    }
    let by_name = [name.to_owned()];
    let targets = if schema.expandable.is_empty() { &by_name[..] } else { &schema.expandable[..] };
    targets
        .iter()
        .filter_map(|t| catalog().kind(t))
        .find(|t| *t != kind && context.relations.count(*t) > 0)
}

/// The JSON text of an id that names no object of the account.
fn placeholder_id(schema: &catalog::Property, context: &GeneratorContext<'_>) -> String {
    let target = schema.expandable.first().and_then(|t| catalog().kind(t));
    match target {
        Some(kind) if catalog().name(kind) == "account" => format!("\"{}\"", context.own_account),
        Some(kind) => {
            let prefix = catalog().object(kind).prefixes.first().map_or("obj_", String::as_str);
            format!("\"{prefix}1SSimulatedElsewhere00\"")
        }
        None => "\"obj_1SSimulatedElsewhere00\"".to_owned(),
    }
}

fn by_type(
    name: &str,
    schema: &catalog::Property,
    context: &GeneratorContext<'_>,
) -> ValueGenerator {
    match schema.kind.as_str() {
        "boolean" => ValueGenerator::Bool,
        "integer" if schema.format.as_deref() == Some("unix-time") => {
            ValueGenerator::After(90 * 86_400)
        }
        "integer" => ValueGenerator::Int(integer_bound(name)),
        "number" => ValueGenerator::OneOf(
            ["0.5", "1.25", "7.7", "12.5", "19", "20.0"].map(Into::into).to_vec(),
        ),
        "array" => match schema.items.as_deref() {
            Some(items) if items.resource.is_empty() && items.expandable.is_empty() => {
                ValueGenerator::Array(Box::new(by_type(name, items, context)))
            }
            _ => ValueGenerator::Text("[]".into()),
        },
        "object" if schema.properties.is_empty() => ValueGenerator::Text("{}".into()),
        "object" => ValueGenerator::Members(
            schema.properties.iter().map(|member| untyped(member, context)).collect(),
        ),
        _ => text(name, schema),
    }
}

/// The exclusive upper bound of an integer property.
fn integer_bound(name: &str) -> u64 {
    match name {
        n if n.contains("amount") || n.contains("total") => 100_000,
        n if n.contains("month") => 12,
        n if n.contains("day") => 28,
        _ => 1_000,
    }
}

fn text(name: &str, schema: &catalog::Property) -> ValueGenerator {
    let values: Vec<Box<str>> = schema
        .values
        .iter()
        .filter(|v| !v.is_empty() && *v != "custom")
        .map(|v| format!("\"{v}\"").into())
        .collect();
    if !values.is_empty() {
        return ValueGenerator::OneOf(values);
    }
    if schema.format.as_deref() == Some("decimal") {
        return ValueGenerator::OneOf(
            ["\"0.01\"", "\"12.345678\"", "\"100\"", "\"2000\""].map(Into::into).to_vec(),
        );
    }
    if name == "description"
        || name.ends_with("name")
        || name == "title"
        || name == "memo"
        || name == "nickname"
    {
        return ValueGenerator::Phrase;
    }
    let texts: &[&str] = match name {
        "status" => &["\"succeeded\"", "\"pending\""],
        "last4" => &["\"4242\"", "\"0005\"", "\"4444\"", "\"1881\""],
        "email" => return ValueGenerator::Text("\"someone@example.com\"".into()),
        "phone" | "phone_number" => &["\"+15555550100\"", "\"+15555550199\""],
        "reason" => &["\"general\"", "\"requested\"", "\"rule\""],
        n if n.ends_with("url") || n == "pdf" => {
            return ValueGenerator::Token("https://files.example.com/".into());
        }
        _ => {
            return ValueGenerator::Token(
                format!("{}_", name.split('_').next().unwrap_or(name)).into(),
            );
        }
    };
    ValueGenerator::OneOf(texts.iter().map(|s| (*s).into()).collect())
}

/// The generator of a member of an object whose schema does not contain the types of its members.
fn untyped(name: &str, context: &GeneratorContext<'_>) -> PropertyGenerator {
    let value = match name {
        n if n.ends_with("_at")
            || n == "created"
            || n.ends_with("_date")
            || n.ends_with("_timestamp") =>
        {
            ValueGenerator::After(60 * 86_400)
        }
        n if n.contains("amount")
            || n == "quantity"
            || n.ends_with("_count")
            || n == "percentage" =>
        {
            ValueGenerator::Int(10_000)
        }
        "enabled" | "required" | "paid" | "active" | "past_due" | "has_evidence" => {
            ValueGenerator::Bool
        }
        "currency" => ValueGenerator::Text("\"usd\"".into()),
        "country" => ValueGenerator::Text("\"US\"".into()),
        "type" => ValueGenerator::Text("\"none\"".into()),
        "metadata" => ValueGenerator::Text("{}".into()),
        "account" => ValueGenerator::Text(format!("\"{}\"", context.own_account).into()),
        "status" => ValueGenerator::OneOf(["\"active\"", "\"inactive\""].map(Into::into).to_vec()),
        _ => ValueGenerator::Token(format!("{}_", name.split('_').next().unwrap_or(name)).into()),
    };
    named_generator(name, value, 50, 0)
}
