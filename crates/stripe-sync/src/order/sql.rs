//! The ordering rule as SQL predicates. Pure text: `postgres/write` puts them into its statements.
//!
//! Arguments are SQL expressions of type `timestamptz`.

use std::time::Duration;

use super::rule::{
    FUTURE_LIMIT, REAPPEAR_AFTER_DELETION, REUSE_AFTER_DELETION, UNCERTAINTY_WINDOW,
};

/// Whether the stored row is certainly older than the observation: [`super::Verdict::Newer`] for
/// content that differs.
pub(crate) fn is_newer(stored: &str, observed: &str) -> String {
    format!("{stored} <= {observed} - {}", interval(UNCERTAINTY_WINDOW))
}

/// The same for an item of a nested list. Items follow their parent, whose order has been decided.
pub(crate) fn item_is_newer(stored: &str, observed: &str) -> String {
    format!("{stored} <= {observed}")
}

/// The deletion recorded in a tombstone still covers the observation.
pub(crate) fn tombstone_covers(deleted_at: &str, observed: &str, custom_ids: bool) -> String {
    let silence = match custom_ids {
        true => REUSE_AFTER_DELETION,
        false => REAPPEAR_AFTER_DELETION,
    };
    format!("({deleted_at}) + {} > {observed}", interval(silence))
}

/// A deletion observed at `deleted_at` applies to the stored row. An id that a user chose may be in
/// use again. An id that Stripe assigned stays deleted, regardless of the clocks of the processes
/// that wrote the row and observed its deletion.
pub(crate) fn deletion_applies(stored: &str, deleted_at: &str, custom_ids: bool) -> String {
    match custom_ids {
        true => format!(
            "({stored} is null or {stored} <= {deleted_at} + {})",
            interval(UNCERTAINTY_WINDOW)
        ),
        false => format!("{deleted_at} is not null"),
    }
}

/// How far a stored stamp may be ahead of the database's clock.
pub(crate) fn future_limit() -> String {
    interval(FUTURE_LIMIT)
}

/// A stored time, or the database's current time if it is too far in the future to be valid.
pub(crate) fn not_in_future(stored: &str) -> String {
    let limit = future_limit();
    format!("case when {stored} > now() + {limit} then now() else {stored} end")
}

fn interval(duration: Duration) -> String {
    format!("interval '{} microseconds'", duration.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predicates_name_their_constants() {
        assert_eq!(is_newer("a", "b"), "a <= b - interval '5000000 microseconds'");
        assert_eq!(tombstone_covers("d", "s", true), "(d) + interval '1000000 microseconds' > s");
        assert!(tombstone_covers("d", "s", false).contains("60000000"));
    }
}
