//! Events of the last thirty days, each about an object that exists.

use super::{Write, words};
use crate::catalog::{Kind, catalog};
use crate::collection::Key;
use crate::expand::{Expand, NOTHING};
use crate::json;
use crate::view::{Row, View};

/// The types that events of the seed are about.
const ABOUT: [&str; 12] = [
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

pub(super) fn custom(object: &str, name: &str) -> Option<Write> {
    if object != "event" {
        return None;
    }
    Some(match name {
        "type" => |view, row, _, out| {
            out.push('"');
            out.push_str(subject(view, row).map_or("account.updated", |s| s.event));
            out.push('"');
        },
        "data" => data,
        "pending_webhooks" => |_, row, _, out| json::int(out, i64::from(row.draw(1) % 50 == 0)),
        "request" => |_, row, _, out| {
            out.push_str("{\"id\":");
            words::token(out, "req_", row.draw(2));
            out.push_str(",\"idempotency_key\":null}");
        },
        "account" | "context" => |_, _, _, out| out.push_str("null"),
        _ => return None,
    })
}

struct Subject {
    kind: Kind,
    index: u64,
    event: &'static str,
}

fn subject(view: &View<'_>, row: &Row) -> Option<Subject> {
    let catalog = catalog();
    let draw = row.draw(3) as usize;
    let kinds = ABOUT.iter().cycle().skip(draw % ABOUT.len()).take(ABOUT.len());
    let kind = kinds
        .filter_map(|name| catalog.kind(name))
        .find(|kind| view.account.relations.count(*kind) > 0)?;
    // Something happens mostly to what is new: the newest fifth.
    let count = view.account.relations.count(kind);
    let index = count - 1 - row.draw(4) % (count / 5).max(1);
    Some(Subject { kind, index, event: event_type(kind, "updated")? })
}

/// The event type that reports a change of this sort, or the nearest one that the type has.
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

fn data(view: &View<'_>, row: &Row, _: &Expand, out: &mut String) {
    let Some(subject) = subject(view, row) else { return out.push_str("{\"object\":{}}") };
    out.push_str("{\"object\":");
    // The payload is the state at that time: mutations of the test came later.
    view.write_base(Key { collection: subject.kind, index: subject.index, sub: 0 }, &NOTHING, out);
    if subject.event.ends_with(".updated") {
        out.push_str(",\"previous_attributes\":{\"metadata\":{\"order_id\":null}}");
    }
    out.push('}');
}
