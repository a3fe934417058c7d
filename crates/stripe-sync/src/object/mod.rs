//! One object from Stripe to rows: retrieved, completed with its nested lists, and written.

pub(crate) mod nested;
pub(crate) mod refetch;
pub(crate) mod retrieve;
