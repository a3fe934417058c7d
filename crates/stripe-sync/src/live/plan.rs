//! Decides how an event is applied. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::event::{Event, Payload};
use super::revalidation::is_revalidated;
use super::scope::EventScope;
use crate::catalog::{Catalog, EventMeaning, Table, meaning_of};
use crate::object::nested::has_cut_off_list;
use crate::order::Stamp;
use crate::order::event::EventContent;
use crate::postgres::InboxReason;
use crate::row::{Object, ObjectHead, get, id_of, string};

/// The account whose events are applied, and how they are applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventTarget<'a> {
    pub(crate) account: &'a str,
    pub(crate) livemode: bool,
    /// The API version of the copy's requests.
    pub(crate) api_version: &'a str,
    /// Objects or tables that are always fetched.
    pub(crate) revalidate: &'a BTreeSet<String>,
    /// Unix second: an older event inserts no row, because the object may have been deleted since.
    /// `None` where the deletion is certain to follow, as in the feed.
    pub(crate) inserts_since: Option<i64>,
    /// The objects that events are applied to; `None` for all.
    pub(crate) scope: Option<&'a EventScope>,
}

/// How an event is applied.
#[derive(Debug)]
pub(crate) enum EventPlan<'a> {
    /// Apply the payload, if the row is older.
    Change(ObjectChange<'a>),
    /// Fetch objects.
    Fetch(Vec<(&'static Table, String)>, InboxReason),
    /// Nothing, for this reason.
    Unstored(&'static str),
    /// Nothing: its object is outside the scope.
    OutOfScope,
}

/// What the payload of an event contains of an object.
#[derive(Debug)]
pub(crate) struct ObjectChange<'a> {
    pub(crate) table: &'static Table,
    pub(crate) id: Cow<'a, str>,
    /// The object as it is stored.
    pub(crate) json: Cow<'a, str>,
    pub(crate) stamp: Stamp,
    pub(crate) content: EventContent,
}

/// Decides how an event is applied.
pub(crate) fn plan<'a>(event: &'a Event<'a>, target: EventTarget<'_>) -> EventPlan<'a> {
    let plan = plan_of_any(event, target);
    let Some(scope) = target.scope else { return plan };
    match plan {
        EventPlan::Change(change) if scope.includes(change.table, Some(&change.json)) => {
            EventPlan::Change(change)
        }
        EventPlan::Fetch(mut objects, reason) => {
            let payload = match &event.payload {
                Payload::Object(object) => Some(*object),
                Payload::Related(_) | Payload::None => None,
            };
            objects.retain(|(table, id)| {
                let is_own = payload.and_then(id_of).is_some_and(|own| own == id.as_str());
                scope.includes(table, payload.filter(|_| is_own))
            });
            match objects.is_empty() {
                true => EventPlan::OutOfScope,
                false => EventPlan::Fetch(objects, reason),
            }
        }
        EventPlan::Change(_) | EventPlan::Unstored(_) | EventPlan::OutOfScope => {
            EventPlan::OutOfScope
        }
    }
}

fn plan_of_any<'a>(event: &'a Event<'a>, target: EventTarget<'_>) -> EventPlan<'a> {
    if event.account.as_deref().is_some_and(|account| account != target.account) {
        return EventPlan::Unstored("another account");
    }
    if event.livemode.is_some_and(|livemode| livemode != target.livemode) {
        return EventPlan::Unstored("the other mode");
    }
    let meaning = meaning_of(&event.event_type);
    let object = match &event.payload {
        Payload::Object(object) => *object,
        Payload::Related(id) => {
            return match Catalog::get().table_by_id(id) {
                Some(table) => fetch(table, id, InboxReason::Incomplete),
                None => EventPlan::Unstored("no table for its object"),
            };
        }
        Payload::None => return EventPlan::Unstored("no object"),
    };
    if meaning == EventMeaning::None {
        return EventPlan::Unstored("no object that can be stored");
    }
    let head = ObjectHead::read(object, "created");
    let table = head.object.as_deref().and_then(|object| Catalog::get().table_of_object(object));
    let (Some(table), Some(id)) = (table, head.id.filter(|id| !id.is_empty())) else {
        return match meaning {
            EventMeaning::Fetch => fetch_owners(object),
            _ => EventPlan::Unstored("no table for its object"),
        };
    };
    let reason = if meaning == EventMeaning::Fetch {
        Some(InboxReason::Incomplete)
    } else if meaning == EventMeaning::Delete || head.deleted {
        None
    } else if is_revalidated(table, target.revalidate) {
        Some(InboxReason::Revalidation)
    } else if event.api_version.as_deref() != Some(target.api_version) {
        Some(InboxReason::OtherVersion)
    } else if has_cut_off_list(table, Object::from(object)) {
        Some(InboxReason::Incomplete)
    } else {
        None
    };
    if let Some(reason) = reason {
        return fetch(table, &id, reason);
    }
    let (json, content) = match meaning == EventMeaning::Delete || head.deleted {
        true => (marked_deleted(object), EventContent::Deletion),
        false => {
            let has = |property: &String| get(object, property).is_some();
            let is_recent = target.inserts_since.is_none_or(|since| event.created >= since);
            let whole = is_recent && table.expand.iter().all(has);
            (Cow::Borrowed(object), EventContent::State { whole })
        }
    };
    let stamp = Stamp::of_event(event.created);
    EventPlan::Change(ObjectChange { table, id, json, stamp, content })
}

fn fetch(table: &'static Table, id: &str, reason: InboxReason) -> EventPlan<'static> {
    match table.retrieve_path {
        Some(_) => EventPlan::Fetch(vec![(table, id.to_owned())], reason),
        None => EventPlan::Unstored("an object that cannot be fetched"),
    }
}

/// The objects that contain the payload and have a row, such as those of a discount.
fn fetch_owners(object: &str) -> EventPlan<'static> {
    let owner = |property: &str| {
        let id = string(get(object, property)?)?;
        let table = Catalog::get().table_by_id(&id)?;
        table.retrieve_path.as_ref()?;
        Some((table, id.into_owned()))
    };
    let owners: Vec<_> =
        ["customer", "subscription", "fee"].into_iter().filter_map(owner).collect();
    match owners.is_empty() {
        true => EventPlan::Unstored("no table for its object"),
        false => EventPlan::Fetch(owners, InboxReason::Incomplete),
    }
}

/// The last state of a deleted object, marked as deleted.
fn marked_deleted(object: &str) -> Cow<'_, str> {
    match get(object, "deleted") == Some("true") {
        true => Cow::Borrowed(object),
        // The last of several equal keys is used, so the mark is appended at the end.
        false => {
            let object = object.trim_end();
            let fields = object.strip_suffix('}').unwrap_or(object).trim_end();
            let comma = if fields.ends_with('{') { "" } else { "," };
            Cow::Owned(format!("{fields}{comma}\"deleted\":true}}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: &str = "2026-07-29.dahlia";

    /// The plan of an event, as text.
    fn planned(event_type: &str, object: &str, rest: &str) -> String {
        let json = format!(
            r#"{{"id":"evt_1","object":"event","type":"{event_type}","created":7,
                "api_version":"{VERSION}","livemode":false,"data":{{"object":{object}}}{rest}}}"#
        );
        let event = Event::read(&json).expect("an event");
        let revalidate = BTreeSet::from(["dispute".to_owned()]);
        let target = EventTarget {
            account: "acct_1",
            livemode: false,
            api_version: VERSION,
            revalidate: &revalidate,
            inserts_since: Some(7),
            scope: None,
        };
        match plan(&event, target) {
            EventPlan::Change(change) => {
                assert_eq!(change.stamp, Stamp::of_event(event.created));
                let what = match change.content {
                    EventContent::State { whole: true } => "state",
                    EventContent::State { whole: false } => "part",
                    EventContent::Deletion => "deletion",
                };
                format!("{what} {}/{}", change.table.name, change.id)
            }
            EventPlan::Fetch(objects, reason) => {
                let objects = objects.iter().map(|(table, id)| format!("{}/{id}", table.name));
                format!("{reason:?} {}", objects.collect::<Vec<_>>().join(" "))
            }
            EventPlan::Unstored(reason) => reason.to_owned(),
            EventPlan::OutOfScope => "out of scope".to_owned(),
        }
    }

    #[test]
    fn the_table_follows_from_the_type_of_the_payload() {
        for (event_type, object, expected) in [
            ("charge.updated", r#"{"id":"ch_1","object":"charge"}"#, "state charges/ch_1"),
            ("charge.refund.updated", r#"{"id":"re_1","object":"refund"}"#, "state refunds/re_1"),
            (
                "customer.subscription.deleted",
                r#"{"id":"sub_1","object":"subscription","status":"canceled"}"#,
                "state subscriptions/sub_1",
            ),
            ("a.later.type", r#"{"id":"ch_1","object":"charge"}"#, "state charges/ch_1"),
            (
                "customer.source.created",
                r#"{"id":"card_1","object":"card"}"#,
                "no table for its object",
            ),
            ("invoice.upcoming", r#"{"object":"invoice"}"#, "no object that can be stored"),
            ("invoice.updated", r#"{"object":"invoice"}"#, "no table for its object"),
            ("a.later.type", r#"{"id":"x_1","object":"unicorn"}"#, "no table for its object"),
            ("balance.available", r#"{"object":"balance"}"#, "no table for its object"),
        ] {
            assert_eq!(planned(event_type, object, ""), expected, "{event_type} {object}");
        }
    }

    #[test]
    fn deletions_are_recognized_by_event_type_or_object() {
        let product = r#"{"id":"gold","object":"product"}"#;
        assert_eq!(planned("product.deleted", product, ""), "deletion products/gold");
        let customer = r#"{"id":"cus_1","object":"customer","deleted":true}"#;
        assert_eq!(planned("customer.updated", customer, ""), "deletion customers/cus_1");
        assert_eq!(planned("a.later.deleted", product, ""), "Incomplete products/gold");
    }

    #[test]
    fn the_last_state_of_a_deleted_object_is_marked() {
        for (object, expected) in [
            (r#"{"id":"a"}"#, r#"{"id":"a","deleted":true}"#),
            ("{ }", r#"{"deleted":true}"#),
            (r#"{"deleted":false} "#, r#"{"deleted":false,"deleted":true}"#),
            (r#"{"deleted":true}"#, r#"{"deleted":true}"#),
            (r#"{"a":{}}"#, r#"{"a":{},"deleted":true}"#),
        ] {
            assert_eq!(marked_deleted(object), expected);
        }
    }

    #[test]
    fn incomplete_payloads_are_fetched() {
        for (event_type, object, expected) in [
            (
                "invoice.created",
                r#"{"id":"in_1","object":"invoice","lines":{"object":"list","data":[],"has_more":true}}"#,
                "Incomplete invoices/in_1",
            ),
            (
                "checkout.session.completed",
                r#"{"id":"cs_1","object":"checkout.session"}"#,
                "part checkout_sessions/cs_1",
            ),
            (
                "charge.dispute.closed",
                r#"{"id":"dp_1","object":"dispute"}"#,
                "Revalidation disputes/dp_1",
            ),
            (
                "customer.discount.deleted",
                r#"{"id":"di_1","object":"discount","customer":"cus_1","subscription":"sub_1"}"#,
                "Incomplete customers/cus_1 subscriptions/sub_1",
            ),
        ] {
            assert_eq!(planned(event_type, object, ""), expected, "{event_type}");
        }
        let charge = r#"{"id":"ch_1","object":"charge"}"#;
        assert_eq!(planned("charge.updated", charge, r#","created":6"#), "part charges/ch_1");
        let older = r#","api_version":"2020-08-27""#;
        assert_eq!(planned("charge.updated", charge, older), "OtherVersion charges/ch_1");
        let thin = r#","data":null,"related_object":{"id":"cus_1","type":"customer"}"#;
        assert_eq!(planned("v1.customer.created", "{}", thin), "Incomplete customers/cus_1");
        let thin = r#","data":null,"related_object":{"id":"unknown_1"}"#;
        assert_eq!(planned("v2.core.account.created", "{}", thin), "no table for its object");
    }

    #[test]
    fn events_of_other_accounts_and_of_the_other_mode_are_not_stored() {
        let charge = r#"{"id":"ch_1","object":"charge"}"#;
        let of = |rest| planned("charge.updated", charge, rest);
        assert_eq!(of(r#","account":"acct_2""#), "another account");
        assert_eq!(of(r#","account":"acct_1""#), "state charges/ch_1");
        assert_eq!(of(r#","livemode":true"#), "the other mode");
        assert_eq!(of(r#","data":{}"#), "no object");
    }
}
