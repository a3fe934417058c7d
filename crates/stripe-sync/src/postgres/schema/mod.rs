//! The tables of a copy: their DDL, how a schema is brought to it, and what a schema holds.

pub(in crate::postgres) mod ddl;
mod inspect;
pub(in crate::postgres) mod migrate;
pub(in crate::postgres) mod shape;

pub(crate) use inspect::Inspection;
pub use inspect::SchemaState;
pub(crate) use migrate::Migrated;
