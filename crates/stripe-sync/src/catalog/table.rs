//! A table of the catalog: how Stripe lists its objects, and where its columns come from.

use serde::Deserialize;

use super::source::Source;

/// One table: the objects of a stream, or the items of a nested list.
#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    #[serde(rename = "table")]
    pub(crate) name: String,
    pub(crate) object: String,
    /// The list endpoint. `None` if the rows only come with a parent object.
    pub(crate) list: Option<List>,
    /// The path of a single object; contains `{id}`.
    pub(crate) retrieve_path: Option<String>,
    pub(crate) id_prefixes: Vec<String>,
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    /// Properties that Stripe only sends when they are expanded.
    #[serde(default)]
    pub(crate) expand: Vec<String>,
    /// The same, for properties that the engine omits if Stripe refuses to expand them.
    #[serde(default)]
    pub(crate) optional_expand: Vec<String>,
    /// Columns with an index that is built after the first backfill.
    #[serde(default)]
    pub(crate) indexes: Vec<String>,
    /// Objects that the list never contains (FACTS 4), as texts for the user.
    #[serde(default)]
    pub(crate) not_shown: Vec<String>,
    /// The row of a deleted object is kept with `deleted = true`.
    #[serde(default)]
    pub(crate) keep_deleted: bool,
    /// Users can choose ids, so an id can be used again after a deletion. Other ids are never
    /// reused.
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
    /// Fixed query parameters, one set per part. Parts are read one after the other. Most lists
    /// have one part without parameters.
    pub(crate) parts: Vec<Vec<(String, String)>>,
    /// The property that `created[gte]` and `created[lt]` filter by. `None` if the list has no such
    /// filter.
    pub(crate) created: Option<String>,
    /// Objects can lack that property. Stripe does not document which filters match those.
    #[serde(default)]
    pub(crate) created_optional: bool,
    /// Whether the list takes `limit` and `starting_after`.
    pub(crate) paged: bool,
    /// Where earlier API versions show objects that this list does not.
    pub(crate) parent_lists: Option<ParentLists>,
}

/// The lists of parent objects, each of which shows the objects of one parent.
#[derive(Debug, Deserialize)]
pub(crate) struct ParentLists {
    /// The table of the parents, which is that of a stream.
    pub(crate) table: String,
    /// The list of one parent. Contains `{parent}`.
    pub(crate) path: String,
    /// The property that names the parent.
    pub(crate) property: String,
    /// The date of the first API version whose own list is documented to show everything.
    pub(crate) complete_from: String,
    /// Types of events that report a change to a parent or to its list.
    pub(crate) events: Vec<String>,
}

/// A list embedded in the objects of a stream.
#[derive(Debug, Deserialize)]
pub(crate) struct Nested {
    /// Dotted path of the property.
    pub(crate) path: String,
    /// The endpoint of the list if it has no URL of its own. `{parent}` is in it or in `params`.
    pub(crate) list_path: String,
    #[serde(default)]
    pub(crate) params: Vec<(String, String)>,
    /// The table of its items. `None` keeps the items only in the parent's column.
    pub(crate) table: Option<String>,
}

/// The parent of the items in a [`Nested::table`].
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
    /// The lists of parents that also have to be read with this API version, unless its own list
    /// turns out to show the same objects.
    pub(crate) fn parent_lists_of(&self, api_version: &str) -> Option<&ParentLists> {
        self.parent_lists.as_ref().filter(|lists| *api_version < *lists.complete_from)
    }

    /// Whether the list can be read in ranges of `created` so that every object is in exactly one
    /// range.
    pub(crate) fn can_be_split(&self) -> bool {
        self.created.is_some() && !self.created_optional
    }
}

impl SqlType {
    /// The type in DDL.
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

impl Table {
    /// The names of the tables of its nested lists, then its own.
    pub(crate) fn with_items(&self) -> impl Iterator<Item = &str> {
        self.nested.iter().filter_map(|n| n.table.as_deref()).chain([self.name.as_str()])
    }

    /// Whether rows are kept with `deleted = true`, after a deletion or when an item left its
    /// parent's list.
    pub(crate) fn marks_deleted(&self) -> bool {
        let marked = |parent: &Parent| parent.removed == Removed::Mark;
        self.keep_deleted || self.parent.as_ref().is_some_and(marked)
    }
}
