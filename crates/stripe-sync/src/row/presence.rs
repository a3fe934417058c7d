//! Which columns an object has a value for. The payload of an event can lack properties, such as
//! those that have to be expanded. Absent means unknown, so the stored values stay; null means
//! null.

use std::collections::HashSet;

use super::escape::unescape;
use super::jsonb::for_jsonb;
use super::object::Object;
use crate::catalog::Table;

/// The properties that an object has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    /// One bit per column of the table, as PostgreSQL's `get_bit` counts them.
    pub(crate) columns: Vec<u8>,
    /// The keys of all properties, as a JSON array.
    pub(crate) keys: String,
}

impl Presence {
    /// A column is present if any of the properties that its value can come from is present.
    pub(crate) fn of(table: &Table, object: Object<'_>) -> Presence {
        let mut names = HashSet::new();
        let mut keys = String::from("[");
        for (key, _) in object.fields() {
            if keys.len() > 1 {
                keys.push(',');
            }
            keys.push('"');
            keys.push_str(key);
            keys.push('"');
            names.insert(unescape(key).text);
        }
        keys.push(']');
        let mut columns = vec![0; table.columns.len().div_ceil(8)];
        for (place, column) in table.columns.iter().enumerate() {
            let mut properties = column.from.iter().filter_map(|source| source.property());
            if properties.any(|property| names.contains(property)) {
                columns[place / 8] |= 1 << (place % 8);
            }
        }
        Presence { columns, keys: for_jsonb(&keys).text.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    fn present(table: &str, json: &str) -> Vec<String> {
        let table = Catalog::get().table(table).expect("a table");
        let presence = Presence::of(table, json.into());
        let is_present = |place: usize| presence.columns[place / 8] & (1 << (place % 8)) != 0;
        let columns = table.columns.iter().enumerate();
        columns.filter(|(place, _)| is_present(*place)).map(|(_, c)| c.name.clone()).collect()
    }

    #[test]
    fn null_is_present_and_an_absent_property_is_not() {
        let json = r#"{"id":"cs_1","\u0063ustomer":null,"new":1}"#;
        assert_eq!(present("checkout_sessions", json), ["id", "customer"].map(String::from));
        let table = Catalog::get().table("checkout_sessions").expect("a table");
        assert_eq!(Presence::of(table, json.into()).keys, r#"["id","\u0063ustomer","new"]"#);
        assert_eq!(Presence::of(table, "{}".into()).keys, "[]");
    }

    #[test]
    fn a_column_with_several_sources_is_present_with_any_of_them() {
        let with = |json| present("invoices", json).contains(&"subscription".to_owned());
        assert!(with(r#"{"parent":null}"#));
        assert!(with(r#"{"subscription":"sub_1"}"#));
        assert!(!with(r#"{"customer":"cus_1"}"#));
    }
}
