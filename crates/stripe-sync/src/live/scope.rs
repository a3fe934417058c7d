//! The objects that a read of the feed is limited to. Pure.

use std::collections::HashSet;

use crate::catalog::Table;
use crate::row::ObjectHead;

/// The objects of a backfill: those of some streams, possibly only those created in a range.
#[derive(Debug, Clone)]
pub(crate) struct EventScope {
    tables: HashSet<&'static str>,
    /// The first second of `created`, and the one after the last.
    bounds: (Option<i64>, Option<i64>),
}

impl EventScope {
    pub(crate) fn new(
        streams: &[&'static Table],
        bounds: (Option<i64>, Option<i64>),
    ) -> EventScope {
        let tables = streams.iter().flat_map(|table| table.with_items()).collect();
        EventScope { tables, bounds }
    }

    /// Whether an object of this table belongs to the backfill. The range applies only to lists
    /// that can be filtered by it, as in the backfill itself, and to objects whose creation is
    /// known.
    pub(crate) fn includes(&self, table: &Table, object: Option<&str>) -> bool {
        if !self.tables.contains(table.name.as_str()) {
            return false;
        }
        let time_property = table.list.as_ref().and_then(|list| list.created.as_deref());
        let (Some(time_property), Some(object)) = (time_property, object) else { return true };
        ObjectHead::read(object, time_property).created.is_none_or(|created| {
            let (since, until) = self.bounds;
            since.is_none_or(|since| since <= created) && until.is_none_or(|until| created < until)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn only_objects_of_the_streams_in_the_range_are_included() {
        let table = |name| Catalog::get().table(name).expect("a table");
        let streams = [table("charges"), table("invoices"), table("payment_methods")];
        let scope = EventScope::new(&streams, (Some(10), Some(20)));
        for (name, object, expected) in [
            ("charges", Some(r#"{"created":9}"#), false),
            ("charges", Some(r#"{"created":10}"#), true),
            ("charges", Some(r#"{"created":19}"#), true),
            ("charges", Some(r#"{"created":20}"#), false),
            ("charges", Some("{}"), true),
            ("charges", None, true),
            ("invoice_line_items", None, true),
            ("customers", Some(r#"{"created":10}"#), false),
            // This list has no filter, so it is always read completely.
            ("payment_methods", Some(r#"{"created":1}"#), true),
        ] {
            assert_eq!(scope.includes(table(name), object), expected, "{name} {object:?}");
        }
        let all = EventScope::new(&streams, (None, None));
        assert!(all.includes(table("charges"), Some(r#"{"created":9}"#)));
    }
}
