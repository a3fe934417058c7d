//! One object from Stripe to rows.
//!
//! [`retrieve`] fetches it, [`nested`] reads its lists to their end, [`batches`] turns objects and
//! their items into the batches of a write, and [`refetch`] does all of it for a single object. The
//! reading half never writes: items of long lists go through a channel to the writer.

pub(crate) mod batches;
pub(crate) mod nested;
pub(crate) mod refetch;
pub(crate) mod retrieve;
