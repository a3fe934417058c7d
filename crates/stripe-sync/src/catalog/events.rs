//! What an event means for the copy, by its type.
//!
//! The table of a payload follows from its own property `object`, so that a type that this version
//! does not know is handled like the ones it knows. The list of types adds what a payload does not
//! show: that an object was deleted, or that the payload is not an object of its own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::catalog_file::Catalog;
use super::table::Table;

/// What an event says about the object that it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EventMeaning {
    /// The payload is the state of the object, even if the state is final, such as a canceled
    /// subscription or a detached payment method.
    Upsert,
    /// The object was deleted; the payload is its last state.
    Delete,
    /// The payload does not show what is stored. The object, or the one that the payload belongs
    /// to, is fetched.
    Fetch,
    /// The payload is not an object that can be stored.
    None,
}

/// One of the types that Stripe documents.
#[derive(Debug)]
pub(crate) struct EventType {
    pub(crate) name: &'static str,
    pub(crate) meaning: EventMeaning,
    /// The types of the objects that such events carry.
    pub(crate) objects: Vec<&'static str>,
}

impl EventType {
    /// Whether such an event changes a table.
    pub(crate) fn is_stored(&self) -> bool {
        match self.meaning {
            EventMeaning::Upsert | EventMeaning::Delete => {
                self.objects.iter().any(|object| Catalog::get().table_of_object(object).is_some())
            }
            EventMeaning::Fetch => true,
            EventMeaning::None => false,
        }
    }
}

/// All documented types by name.
pub(crate) fn event_types() -> &'static BTreeMap<&'static str, EventType> {
    static TYPES: OnceLock<BTreeMap<&'static str, EventType>> = OnceLock::new();
    TYPES.get_or_init(|| {
        let lines = include_str!("events.txt").lines();
        lines
            .map(|line| parse(line).expect("the checked-in list is valid; a test reads it"))
            .collect()
    })
}

/// The names of the types that change a table.
pub(crate) fn stored_event_types() -> impl Iterator<Item = &'static str> {
    event_types().values().filter(|event| event.is_stored()).map(|event| event.name)
}

/// The names of the types that report that an object of one of these tables was deleted.
pub(crate) fn deletion_types(tables: &[&Table]) -> Vec<&'static str> {
    let concerns = |event: &&EventType| {
        event.meaning == EventMeaning::Delete
            && event.objects.iter().any(|object| tables.iter().any(|t| t.object == *object))
    };
    event_types().values().filter(concerns).map(|event| event.name).collect()
}

fn parse(line: &'static str) -> Option<(&'static str, EventType)> {
    let mut words = line.split(' ');
    let (name, meaning, objects) = (words.next()?, words.next()?, words.next()?);
    let meaning = match meaning {
        "upsert" => EventMeaning::Upsert,
        "delete" => EventMeaning::Delete,
        "fetch" => EventMeaning::Fetch,
        "none" => EventMeaning::None,
        _ => return None,
    };
    Some((name, EventType { name, meaning, objects: objects.split(',').collect() }))
}

/// The meaning of a type. A type that Stripe added later is an upsert of what it carries, unless
/// its name says that it reports a deletion.
pub(crate) fn meaning_of(event_type: &str) -> EventMeaning {
    match event_types().get(event_type) {
        Some(known) => known.meaning,
        None if event_type.ends_with(".deleted") => EventMeaning::Fetch,
        None => EventMeaning::Upsert,
    }
}

impl Catalog {
    /// Whether Stripe reports changes to a table's objects by events.
    pub(crate) fn has_events(&self, table: &Table) -> bool {
        let carries = |event: &EventType| {
            event.meaning != EventMeaning::None && event.objects.contains(&table.object.as_str())
        };
        event_types().values().any(carries)
    }

    /// The table of the objects of a type, as in their property `object`.
    pub(crate) fn table_of_object(&self, object: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.object == object && table.parent.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_can_ask_for_all_deletions() {
        let all: Vec<&Table> = Catalog::get().streams().collect();
        assert!((1..=20).contains(&deletion_types(&all).len()));
        let table = |name| Catalog::get().table(name).expect("a table");
        assert_eq!(deletion_types(&[table("products"), table("charges")]), ["product.deleted"]);
        assert!(deletion_types(&[table("charges")]).is_empty());
    }

    #[test]
    fn the_meaning_of_every_event_type() {
        let line = |event: &EventType| {
            let tables = event.objects.iter().filter_map(|o| Catalog::get().table_of_object(o));
            let tables: Vec<&str> = tables.map(|table| table.name.as_str()).collect();
            format!("{} {:?} {}", event.name, event.meaning, tables.join(","))
        };
        let all: Vec<String> = event_types().values().map(line).collect();
        assert_eq!(all.len(), 265);
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn a_source_of_a_customer_is_not_an_account() {
        let event = &event_types()["customer.source.updated"];
        assert!(!event.objects.contains(&"account") && !event.is_stored());
    }

    #[test]
    fn misleading_event_names_have_the_right_meaning() {
        let of = |name: &str| {
            let event = &event_types()[name];
            (event.meaning, event.objects.clone())
        };
        assert_eq!(of("charge.refund.updated"), (EventMeaning::Upsert, vec!["refund"]));
        assert_eq!(
            of("customer.subscription.deleted"),
            (EventMeaning::Upsert, vec!["subscription"])
        );
        assert_eq!(of("payment_method.detached"), (EventMeaning::Upsert, vec!["payment_method"]));
        assert_eq!(of("invoice.upcoming").0, EventMeaning::None);
        assert_eq!(of("customer.discount.created").0, EventMeaning::Fetch);
        let deletions = event_types().values().filter(|e| e.meaning == EventMeaning::Delete);
        assert_eq!(deletions.count(), 12, "13 types, minus that of discounts");
    }

    /// The types that the TypeScript engines handle, if their objects have a table.
    #[test]
    fn the_types_of_the_typescript_engines_are_stored() {
        for name in [
            "charge.captured",
            "charge.dispute.created",
            "checkout.session.completed",
            "credit_note.voided",
            "customer.deleted",
            "customer.subscription.updated",
            "customer.tax_id.deleted",
            "invoice.finalized",
            "invoice.overdue",
            "invoice.overpaid",
            "invoice.will_be_due",
            "invoice_payment.paid",
            "payment_intent.succeeded",
            "payment_method.attached",
            "plan.deleted",
            "price.updated",
            "product.created",
            "radar.early_fraud_warning.created",
            "refund.failed",
            "review.closed",
            "setup_intent.canceled",
            "subscription_schedule.released",
        ] {
            assert!(event_types()[name].is_stored(), "{name}");
        }
    }

    #[test]
    fn types_of_later_versions_are_handled_like_the_known_ones() {
        assert_eq!(meaning_of("invoice.sorted"), EventMeaning::Upsert);
        assert_eq!(meaning_of("invoice.archive.deleted"), EventMeaning::Fetch);
    }
}
