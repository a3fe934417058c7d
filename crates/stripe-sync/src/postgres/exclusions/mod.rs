//! Columns that are excluded for good: the list that every writer obeys, and clearing the values
//! that are already stored.

mod clear;
mod clear_table;
pub(in crate::postgres) mod list;
