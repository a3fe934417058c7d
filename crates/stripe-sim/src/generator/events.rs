//! Events of the last 30 days, each about an existing object.

use super::{WriteValue, text};
use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::{Expand, NO_EXPANSION};
use crate::json;
use crate::view::{ObjectSeed, View};

/// The types of the objects that generated events are about.
const SUBJECTS: [&str; 12] = [
    "charge",
    "payment_intent",
    "invoice",
    "customer",
    "subscription",
    "payment_method",
    "product",
    "price",
    "refund",
    "payout",
    "checkout.session",
    "coupon",
];

pub(super) fn custom(object: &str, name: &str) -> Option<WriteValue> {
    if object != "event" {
        return None;
    }
    Some(match name {
        "type" => |view, seed, _, out| {
            out.push('"');
            out.push_str(subject(view, seed).map_or("account.updated", |s| s.event));
            out.push('"');
        },
        "data" => data,
        "pending_webhooks" => |_, seed, _, out| json::int(out, i64::from(seed.draw(1) % 50 == 0)),
        "request" => |_, seed, _, out| {
            out.push_str("{\"id\":");
            text::token(out, "req_", seed.draw(2));
            out.push_str(",\"idempotency_key\":null}");
        },
        "account" | "context" => |_, _, _, out| out.push_str("null"),
        _ => return None,
    })
}

/// The object that an event is about.
struct Subject {
    kind: Kind,
    index: u64,
    event: &'static str,
}

fn subject(view: &View<'_>, seed: &ObjectSeed) -> Option<Subject> {
    let catalog = catalog();
    let draw = seed.draw(3) as usize;
    let kinds = SUBJECTS.iter().cycle().skip(draw % SUBJECTS.len()).take(SUBJECTS.len());
    let kind = kinds
        .filter_map(|name| catalog.kind(name))
        .find(|kind| view.account.relations.count(*kind) > 0)?;
    // Events are about the newest fifth of the objects of a type.
    let count = view.account.relations.count(kind);
    let index = count - 1 - seed.draw(4) % (count / 5).max(1);
    Some(Subject { kind, index, event: event_type(kind, "updated")? })
}

/// The event type that reports a change (`created`, `updated`, `deleted`) of an object, or the most
/// similar event type that the object type has.
pub(crate) fn event_type(kind: Kind, change: &str) -> Option<&'static str> {
    let types = &catalog().object(kind).events;
    let ending = |ending: &str| {
        types.iter().find(|t| t.rsplit('.').next() == Some(ending)).map(String::as_str)
    };
    match change {
        "created" => ending("created")
            .or_else(|| ending("succeeded"))
            .or_else(|| ending("attached"))
            .or_else(|| ending("opened")),
        "deleted" => ending("deleted"),
        _ => ending("updated")
            .or_else(|| ending("succeeded"))
            .or_else(|| ending("completed"))
            .or_else(|| ending("created")),
    }
}

fn data(view: &View<'_>, seed: &ObjectSeed, _: &Expand, out: &mut String) {
    let Some(subject) = subject(view, seed) else { return out.push_str("{\"object\":{}}") };
    out.push_str("{\"object\":");
    // The event contains the state at its time. Changes by tests were made later.
    view.write_base(
        Key { collection: subject.kind, index: subject.index, sub: 0 },
        &NO_EXPANSION,
        out,
    );
    if subject.event.ends_with(".updated") {
        out.push_str(",\"previous_attributes\":{\"metadata\":{\"order_id\":null}}");
    }
    out.push('}');
}
