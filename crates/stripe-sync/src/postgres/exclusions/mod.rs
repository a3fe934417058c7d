//! Columns that are permanently excluded: the list that every writer applies, and clearing the
//! values that are already stored.

mod clear;
mod clear_table;
pub(in crate::postgres) mod list;
