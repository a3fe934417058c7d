//! What the engine knows of Stripe's API: one entry per table, read from the generated
//! `catalog.json` (`cargo xtask catalog`).
//!
//! Everything else in the engine is generic over these entries. Knows nothing of SQL beyond the
//! names of column types, and nothing of HTTP beyond paths.

mod column_name;
mod exclusions;
mod names;
mod source;

use std::sync::OnceLock;

use serde::Deserialize;

pub use column_name::{ColumnError, ColumnName, columns_of, tables};
pub(crate) use exclusions::{Exclusions, Place, Step};
pub(crate) use source::{Each, Source};

/// All tables, with the API version whose shapes they have.
#[derive(Debug, Deserialize)]
pub(crate) struct Catalog {
    pub(crate) api_version: String,
    revision: u32,
    pub(crate) tables: Vec<Table>,
}

/// One table: a stream of its own, the items of a nested list, or both ends of a parent.
#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    #[serde(rename = "table")]
    pub(crate) name: String,
    pub(crate) object: String,
    /// How Stripe lists it. `None`: the rows come from a nested list or with a parent only.
    pub(crate) list: Option<List>,
    /// With `{id}` in it.
    pub(crate) retrieve_path: Option<String>,
    pub(crate) id_prefixes: Vec<String>,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Properties that Stripe leaves out unless they are expanded.
    #[serde(default)]
    pub(crate) expand: Vec<String>,
    /// Columns with an index of their own, built after the first backfill.
    #[serde(default)]
    pub(crate) indexes: Vec<String>,
    /// What the list never shows (FACTS 4), for people.
    #[serde(default)]
    pub(crate) not_shown: Vec<String>,
    /// A deleted object stays as a row with `deleted = true`.
    #[serde(default)]
    pub(crate) keep_deleted: bool,
    /// Ids can be chosen by the user, so one can come back after a deletion; other ids never do.
    #[serde(default)]
    pub(crate) custom_ids: bool,
    #[serde(default)]
    pub(crate) nested: Vec<Nested>,
    pub(crate) parent: Option<Parent>,
    pub(crate) columns: Vec<Column>,
}

/// A list endpoint.
#[derive(Debug, Deserialize)]
pub(crate) struct List {
    pub(crate) path: String,
    /// Fixed query parameters, one set per part. Parts are read one after the other; most lists
    /// have one part without parameters.
    pub(crate) parts: Vec<Vec<(String, String)>>,
    /// The property that `created[gte]` and `created[lt]` filter by; `None` if the list takes no
    /// such filter.
    pub(crate) created: Option<String>,
    /// Objects can lack that property; which filters show those is not documented.
    #[serde(default)]
    pub(crate) created_optional: bool,
    /// Whether the list takes `limit` and `starting_after`.
    pub(crate) paged: bool,
}

/// A list embedded in the objects of a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct Nested {
    /// Dotted path of the property.
    pub(crate) path: String,
    /// Where to read on, with `{parent}` in it or in `params`, if the list carries no url.
    pub(crate) list_path: String,
    #[serde(default)]
    pub(crate) params: Vec<(String, String)>,
    /// The table of its items; `None` keeps the items inside the parent's column.
    pub(crate) table: Option<String>,
}

/// The other end of [`Nested::table`].
#[derive(Debug, Deserialize)]
pub(crate) struct Parent {
    /// The column that holds the parent's id.
    pub(crate) column: String,
    pub(crate) removed: Removed,
}

/// What happens to the row of an item that has left its parent's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Removed {
    /// The row is deleted.
    Delete,
    /// The row stays with `deleted = true`.
    Mark,
}

/// One column and where its value comes from.
#[derive(Debug, Deserialize)]
#[serde(from = "RawColumn")]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) sql: SqlType,
    pub(crate) json: JsonKind,
    /// Tried in order; the first value that is not null wins.
    pub(crate) from: Vec<Source>,
}

/// The column types in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SqlType {
    Text,
    Bigint,
    Boolean,
    Numeric,
    #[serde(rename = "double precision")]
    Double,
    Jsonb,
}

/// What Stripe documents for the property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JsonKind {
    String,
    /// An id that `expand[]` turns into the object.
    Id,
    Integer,
    Number,
    Boolean,
    Json,
}

#[derive(Deserialize)]
struct RawColumn {
    name: String,
    sql: SqlType,
    json: JsonKind,
    from: Option<Vec<Source>>,
}

impl From<RawColumn> for Column {
    fn from(raw: RawColumn) -> Column {
        let from = raw.from.unwrap_or_else(|| vec![Source::Path(vec![raw.name.clone()])]);
        Column { name: raw.name, sql: raw.sql, json: raw.json, from }
    }
}

impl List {
    /// Whether the list can be read in parts by time: every object is in exactly one of them.
    pub(crate) fn can_be_cut(&self) -> bool {
        self.created.is_some() && !self.created_optional
    }
}

impl SqlType {
    /// As written in DDL.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            SqlType::Text => "text",
            SqlType::Bigint => "bigint",
            SqlType::Boolean => "boolean",
            SqlType::Numeric => "numeric",
            SqlType::Double => "double precision",
            SqlType::Jsonb => "jsonb",
        }
    }
}

impl Catalog {
    /// The catalog this build carries.
    pub(crate) fn get() -> &'static Catalog {
        static CATALOG: OnceLock<Catalog> = OnceLock::new();
        CATALOG.get_or_init(|| {
            serde_json::from_str(include_str!("catalog.json"))
                .expect("the checked-in catalog is valid; a test loads it")
        })
    }

    /// Names the shapes of this catalog; a run continues only under the version it began with.
    pub(crate) fn version(&self) -> String {
        format!("{}/{}", self.api_version, self.revision)
    }

    /// Tables that are read by a list of their own.
    pub(crate) fn streams(&self) -> impl Iterator<Item = &Table> {
        self.tables.iter().filter(|t| t.list.is_some())
    }

    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }
}

impl Table {
    /// Its own name and those of the tables that hold the items of its nested lists.
    pub(crate) fn with_items(&self) -> impl Iterator<Item = &str> {
        self.nested.iter().filter_map(|n| n.table.as_deref()).chain([self.name.as_str()])
    }

    /// A deleted object's row stays, marked: its own, or as an item that left its parent's list.
    pub(crate) fn marks_deleted(&self) -> bool {
        let marked = |parent: &Parent| parent.removed == Removed::Mark;
        self.keep_deleted || self.parent.as_ref().is_some_and(marked)
    }

    /// The table of the objects whose nested list this table holds.
    pub(crate) fn holder(&self) -> Option<&'static Table> {
        self.parent.as_ref()?;
        let holds = |t: &&Table| t.nested.iter().any(|n| n.table.as_ref() == Some(&self.name));
        Catalog::get().tables.iter().find(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_all_streams_and_their_nested_tables() {
        let catalog = Catalog::get();
        assert_eq!(catalog.streams().count(), 74);
        for table in &catalog.tables {
            assert!(table.columns.iter().any(|c| c.name == "id"), "{}", table.name);
            for nested in table.nested.iter().filter_map(|n| n.table.as_deref()) {
                let child = catalog.table(nested).expect("the table of a nested list");
                let parent = child.parent.as_ref().expect("a nested table names its parent");
                assert!(child.columns.iter().any(|c| c.name == parent.column));
            }
            for index in &table.indexes {
                assert!(table.columns.iter().any(|c| c.name == *index), "{}.{index}", table.name);
            }
        }
    }

    #[test]
    fn lists_are_cut_only_where_every_object_has_a_time() {
        let cut = |name: &str| {
            let list = Catalog::get().table(name).and_then(|t| t.list.as_ref());
            list.expect("a stream").can_be_cut()
        };
        assert!(cut("customers") && cut("invoiceitems"));
        assert!(!cut("payment_methods"), "no filter");
        assert!(!cut("accounts"), "`created` is optional");
    }

    #[test]
    fn moved_columns_keep_a_source() {
        let invoices = Catalog::get().table("invoices").expect("invoices");
        let subscription = invoices.columns.iter().find(|c| c.name == "subscription");
        assert_eq!(
            subscription.expect("column").from,
            [
                Source::parse("subscription").expect("path"),
                Source::parse("parent.subscription_details.subscription").expect("path"),
            ]
        );
    }
}
