//! The tables of a copy: their DDL, migrating a schema to them, and inspecting what a schema holds.

pub(in crate::postgres) mod comments;
pub(in crate::postgres) mod ddl;
pub(in crate::postgres) mod engine_tables;
mod index_build;
mod inspect;
#[cfg(test)]
mod late_index_tests;
mod late_indexes;
pub(in crate::postgres) mod migrate;
mod mode;
mod obstacles;
mod privileges;
pub(in crate::postgres) mod revision;
pub(in crate::postgres) mod shape;
mod write_comments;

pub(crate) use inspect::Inspection;
pub use inspect::SchemaState;
pub(crate) use migrate::Migrated;
