//! The engine's knowledge of Stripe's API: one entry per table, generated into `catalog.json` by
//! `cargo xtask catalog`.
//!
//! Everything else in the engine is generic over these entries. This module contains no SQL except
//! the names of column types, and no HTTP except paths.

mod catalog_file;
mod column_name;
mod events;
mod exclusions;
mod lookup;
mod source;
mod table;

pub(crate) use catalog_file::Catalog;
pub use column_name::{ColumnError, ColumnName, columns_of, tables};
pub(crate) use events::{EventMeaning, deletion_types, meaning_of, stored_event_types};
pub(crate) use exclusions::{Exclusions, Step, ValuePath};
pub(crate) use source::{Each, Source};
pub(crate) use table::{Column, JsonKind, List, Nested, ParentLists, Removed, SqlType, Table};
