//! The lists of an object: those of the catalog, and those that only the object itself contains.

use std::borrow::Cow;

use super::embedded::EmbeddedList;
use crate::catalog::{Catalog, Nested, Table};
use crate::row::{Object, get_each, get_path, key_is, string};

/// A list inside an object, and how to read it.
pub(super) struct KnownList {
    /// Where it is in the object.
    pub(super) path: Vec<Cow<'static, str>>,
    /// The table of its items; without one they stay in their object.
    pub(super) table: Option<&'static Table>,
    /// Its path, with `{parent}`-style placeholders; `None` if only the URL in the list is known.
    pub(super) address: Option<&'static Nested>,
}

impl KnownList {
    pub(super) fn of(nested: &'static Nested) -> KnownList {
        KnownList {
            path: nested.path.split('.').map(Cow::Borrowed).collect(),
            table: nested.table.as_deref().and_then(|table| Catalog::get().table(table)),
            address: Some(nested),
        }
    }

    /// As in messages: `lines`, `items.data`.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Whether an object may have a truncated list. False for most objects: [`super::complete`] would
/// not change them.
pub(crate) fn has_cut_off_list(table: &Table, object: Object<'_>) -> bool {
    object.fields().filter(|(_, raw)| raw.starts_with('{')).any(|(key, raw)| {
        let is_known = table.nested.iter().any(|nested| nested.path == key);
        let mut below = table.nested.iter().filter(|nested| {
            let top = nested.path.split('.').next();
            top.is_some_and(|top| key_is(key, top))
        });
        let is_cut_off = |nested: &Nested| {
            let list = get_path(raw, nested.path.split('.').skip(1));
            list.and_then(EmbeddedList::read).is_some_and(|list| list.has_more)
        };
        below.any(is_cut_off) || (!is_known && is_cut_off_list(raw))
    })
}

/// Truncated lists at the top level of an object that the catalog does not know, such as
/// `payment_intents.charges` of API versions before 2022-11-15.
pub(super) fn unknown_lists<'j>(
    table: &'static Table,
    object: Object<'j>,
) -> impl Iterator<Item = KnownList> + use<'j> {
    let is_known = |key: &str| table.nested.iter().any(|nested| nested.path == key);
    object
        .fields()
        .filter(move |(key, raw)| !is_known(key) && is_cut_off_list(raw))
        .map(|(key, _)| KnownList { path: vec![key.to_owned().into()], table: None, address: None })
}

fn is_cut_off_list(raw: &str) -> bool {
    if !raw.starts_with('{') || !raw.contains("\"has_more\"") {
        return false;
    }
    let [has_more, object] = get_each(raw, ["has_more", "object"]);
    has_more == Some("true") && object.and_then(string).as_deref() == Some("list")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_cut_off(table: &str, json: &str) -> bool {
        has_cut_off_list(Catalog::get().table(table).expect("a table"), json.into())
    }

    #[test]
    fn cut_off_lists_are_detected() {
        for (table, list) in [
            ("invoices", r#"{"lines":{"data":[],"has_more":true}}"#),
            ("invoices", r#"{"lines":{"data":[]}}"#),
            ("invoices", r#"{"lines":{"object":"list"}}"#),
            ("invoices", r#"{"l\u0069nes":{"data":[],"has_more":true}}"#),
            ("invoices", r#"{"lines":null,"old":{"object":"list","data":[],"has_more":true}}"#),
            ("quotes", r#"{"computed":{"upfront":{"line_items":{"data":[],"has_more":true}}}}"#),
        ] {
            assert!(is_cut_off(table, list), "{list}");
        }
        for (table, list) in [
            ("invoices", "{}"),
            ("invoices", "null"),
            ("invoices", r#"{"lines":null,"has_more":true}"#),
            (
                "invoices",
                r#"{"lines":{"object":"list","data":[{"has_more":true}],"has_more":false}}"#,
            ),
            ("invoices", r#"{"old":{"object":"list","data":[],"has_more":false}}"#),
            ("invoices", r#"{"old":{"object":"list","data":[]}}"#),
            ("invoices", r#"{"metadata":{"has_more":"true"}}"#),
            ("quotes", r#"{"computed":{"upfront":null,"line_items":{"data":[],"has_more":true}}}"#),
        ] {
            assert!(!is_cut_off(table, list), "{list}");
        }
    }
}
