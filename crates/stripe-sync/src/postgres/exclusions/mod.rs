//! Columns that are excluded for good: the list that every writer obeys, and the removal of values
//! that are stored already.

mod clear;
pub(in crate::postgres) mod list;
