//! A second with more rows than a page: the rule by which two passes, one from each end, prove that
//! it was read completely. Pure.
//!
//! The order within a second is not documented. A cursor in the middle of a second can therefore skip
//! rows without any sign of it. If a downward pass and an upward pass show the same rows in the
//! same order where they overlap, no row between the two ends is missing.

use std::collections::HashSet;

/// Rows that both passes must show in the same order, or all rows if there are fewer. A shorter
/// overlap could be a coincidence in an order that changes with each request.
const MIN_OVERLAP: usize = 10;

/// The rows of the second from the first row of `down` on, if the two passes together contain them
/// all.
///
/// Both are ids in the order of the list. `down` was read from its first row towards the oldest row, and
/// `up` from the oldest row towards the newest one. Each may have ended too early. They are connected if
/// the shared part is the end of `down` and lies in `up` without gaps.
pub(crate) fn whole_second(down: &[String], up: &[String]) -> Option<Vec<String>> {
    let (down, up) = (without_repetitions(down), without_repetitions(up));
    let required = MIN_OVERLAP.min(down.len());
    let (first_down, first_up) = (down.first()?, up.first()?);
    let (before, shared, rest) = match down.iter().position(|id| id == first_up) {
        Some(at) => (&down[..at], &down[at..], &up[..]),
        // `up` went beyond the first row of `down`.
        None => (&[][..], &down[..], &up[up.iter().position(|id| id == first_down)?..]),
    };
    let is_connected = shared.len() >= required && rest.starts_with(shared);
    is_connected.then(|| before.iter().chain(rest).map(|id| (*id).to_owned()).collect())
}

/// An object can be listed twice.
fn without_repetitions(ids: &[String]) -> Vec<&str> {
    let mut seen = HashSet::new();
    ids.iter().map(String::as_str).filter(|id| seen.insert(*id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(range: std::ops::Range<u32>) -> Vec<String> {
        range.map(|n| n.to_string()).collect()
    }

    #[test]
    fn two_readings_are_whole_if_they_agree_where_they_overlap() {
        for (down, up, whole) in [
            (ids(0..150), ids(0..150), true),
            // The downward pass ended too early, and the upward pass shows the rest.
            (ids(0..100), ids(50..150), true),
            (ids(0..100), ids(100..200), false),
            (ids(0..100), ids(99..199), false),
            // The upward pass ended too early.
            (ids(0..150), ids(100..150), true),
            (ids(0..2), ids(0..2), true),
            (ids(0..100), ids(99..100), false),
            (ids(0..150), vec![], false),
            (vec![], ids(0..150), false),
            // Rows are missing in one of them.
            (ids(0..150), ids(0..140), false),
            ([ids(0..60), ids(70..150)].concat(), ids(0..150), false),
            (ids(0..150), [ids(0..60), ids(70..150)].concat(), false),
            // The same rows in a different order.
            (ids(0..20), ids(0..20).into_iter().rev().collect(), false),
            ([ids(0..20), ids(5..10)].concat(), ids(0..20), true),
        ] {
            let expected =
                whole.then(|| without_repetitions(&[down.clone(), up.clone()].concat()).len());
            let read = whole_second(&down, &up);
            let first = read.as_ref().and_then(|rows| rows.first());
            assert_eq!(read.as_ref().map(Vec::len), expected, "{down:?} {up:?}");
            assert!(first.is_none_or(|first| *first == down[0]), "{down:?} {up:?}");
        }
    }
}
