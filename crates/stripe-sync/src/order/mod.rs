//! Which of two observations of one object is newer: the constants, the rule, and the rule as SQL.
//!
//! The common path needs no extra request. Observations that are at least [`UNCERTAINTY_WINDOW`]
//! apart are ordered by their stamps alone; closer ones that differ are [`Verdict::Uncertain`], and
//! the caller fetches the object again.
//!
//! The upsert decides in SQL ([`sql`]) which rows it overwrites. Of the rows that it did not
//! overwrite, [`compare_observations`] decides which ones are uncertain.
//! `postgres::write::agreement` tests that both halves agree.
//!
//! What an event does to its object is decided in [`event`], with the row locked.

pub(crate) mod event;
mod rule;
pub(crate) mod sql;
mod stamp;

#[cfg(test)]
pub(crate) use rule::{FUTURE_LIMIT, UNCERTAINTY_WINDOW};
pub(crate) use rule::{REPLICA_LAG, Verdict, compare_observations, stamp_of_answer};
pub use stamp::Stamp;
