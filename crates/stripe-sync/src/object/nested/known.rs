//! Which lists an object has: those of the catalog, and those that only the object itself shows.

use crate::catalog::{Catalog, Nested, Table};
use crate::row::{Object, get, string};

/// A list inside an object, and how to read it.
pub(super) struct KnownList {
    /// Where it is in the object.
    pub(super) path: Vec<String>,
    /// The table of its items; without one they stay in their object.
    pub(super) table: Option<&'static Table>,
    /// Its address, with `{parent}`-style placeholders; `None` if only the list's own url is known.
    pub(super) address: Option<&'static Nested>,
}

impl KnownList {
    pub(super) fn of(nested: &'static Nested) -> KnownList {
        KnownList {
            path: nested.path.split('.').map(str::to_owned).collect(),
            table: nested.table.as_deref().and_then(|table| Catalog::get().table(table)),
            address: Some(nested),
        }
    }

    /// As in messages: `lines`, `items.data`.
    pub(super) fn name(&self) -> String {
        self.path.join(".")
    }
}

/// Cut-off lists at the top of an object that the catalog does not know, such as
/// `payment_intents.charges` of API versions before 2022-11-15.
pub(super) fn unknown_lists<'j>(
    table: &'static Table,
    object: Object<'j>,
) -> impl Iterator<Item = KnownList> + use<'j> {
    let is_known = |key: &str| table.nested.iter().any(|nested| nested.path == key);
    object
        .fields()
        .filter(move |(key, raw)| !is_known(key) && is_cut_off_list(raw))
        .map(|(key, _)| KnownList { path: vec![key.to_owned()], table: None, address: None })
}

fn is_cut_off_list(raw: &str) -> bool {
    raw.starts_with('{')
        && raw.contains("\"has_more\"")
        && get(raw, "has_more") == Some("true")
        && get(raw, "object").and_then(string).as_deref() == Some("list")
}
