//! The ordering rule and its constants. Pure.

use std::time::Duration;

use super::stamp::Stamp;

/// Two reads, or a read and an event, that are closer than this are not ordered by their stamps
/// alone: the processes' offsets to Stripe's clock differ, requests cross on the wire, and a read
/// can show the state before an event that was created earlier (FACTS 5).
pub(crate) const UNCERTAINTY_WINDOW: Duration = Duration::from_secs(5);

/// A stored stamp this far ahead of the database's clock is ignored. Such a stamp comes from a
/// wrong `Date` header or a wrong clock. If it counted, no observation with a correct stamp could
/// replace its row.
pub(crate) const FUTURE_LIMIT: Duration = Duration::from_secs(60);

/// How long one of Stripe's replicas may lag behind a list (FACTS 5). A 404 that lasts longer is
/// accepted.
pub(crate) const REPLICA_LAG: Duration = Duration::from_secs(3);

/// How much later than its deletion an object must be observed to count as existing again, for ids
/// that users choose. Such an id can be used again.
pub(super) const REUSE_AFTER_DELETION: Duration = Duration::from_secs(1);

/// The same for ids that Stripe assigns and never uses again. It corrects a 404 that was
/// temporarily wrong (FACTS 5).
pub(super) const REAPPEAR_AFTER_DELETION: Duration = Duration::from_secs(60);

/// What to do with an observation, given the stored row of the same object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Store it.
    Newer,
    /// Drop it: the stored row is newer.
    Older,
    /// The stamps do not order the two; the object has to be fetched again.
    Uncertain,
}

/// Orders an observation against the stored row of the same object.
///
/// `same_content` tells whether both show the same state. Then there is nothing to decide, and the
/// later stamp is kept. `now` is the database's clock at the comparison.
pub(crate) fn compare_observations(
    stored: Stamp,
    observed: Stamp,
    same_content: bool,
    now: Stamp,
) -> Verdict {
    let apart = observed.micros() - stored.micros();
    let stored_in_future = stored.micros() - now.micros() > micros(FUTURE_LIMIT);
    if apart < 0 && stored_in_future && !same_content {
        return Verdict::Uncertain;
    }
    if apart.abs() >= micros(UNCERTAINTY_WINDOW) || same_content {
        return if apart > 0 { Verdict::Newer } else { Verdict::Older };
    }
    Verdict::Uncertain
}

/// The stamp of an answer to a request that was sent after `known` had been read from the database.
/// It is later than `known` even if the process that wrote `known` has a clock that runs ahead,
/// unless `known` is too far in the future to be valid.
pub(crate) fn stamp_of_answer(sent: Stamp, known: Option<Stamp>) -> Stamp {
    let known = known.filter(|known| known.micros() - sent.micros() <= micros(FUTURE_LIMIT));
    known.map_or(sent, |known| sent.max(known.next()))
}

pub(super) const fn micros(duration: Duration) -> i64 {
    // The constants above are seconds; the cast cannot truncate.
    duration.as_micros() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: i64 = micros(UNCERTAINTY_WINDOW);

    fn at(micros: i64) -> Stamp {
        Stamp::from_micros(micros)
    }

    #[test]
    fn distant_stamps_decide_regardless_of_content() {
        let (stored, now) = (at(100_000_000), at(150_000_000));
        let newer = at(100_000_000 + WINDOW);
        assert_eq!(compare_observations(stored, newer, false, now), Verdict::Newer);
        assert_eq!(compare_observations(newer, stored, false, now), Verdict::Older);
    }

    #[test]
    fn close_stamps_decide_only_for_equal_contents() {
        let (stored, now) = (at(100_000_000), at(150_000_000));
        let close = at(100_000_000 + WINDOW - 1);
        assert_eq!(compare_observations(stored, close, false, now), Verdict::Uncertain);
        assert_eq!(compare_observations(close, stored, false, now), Verdict::Uncertain);
        assert_eq!(compare_observations(stored, stored, false, now), Verdict::Uncertain);
        assert_eq!(compare_observations(stored, close, true, now), Verdict::Newer);
        assert_eq!(compare_observations(close, stored, true, now), Verdict::Older);
    }

    #[test]
    fn a_stored_stamp_in_the_future_does_not_decide() {
        let now = at(100_000_000);
        let limit = micros(FUTURE_LIMIT);
        let stored = at(now.micros() + limit + 1);
        assert_eq!(compare_observations(stored, now, false, now), Verdict::Uncertain);
        assert_eq!(compare_observations(stored, now, true, now), Verdict::Older);
        assert_eq!(compare_observations(now, stored, false, now), Verdict::Newer);
        let near = at(now.micros() + limit);
        assert_eq!(compare_observations(near, now, false, now), Verdict::Older);
    }

    #[test]
    fn a_response_is_newer_than_what_was_known_before_the_request() {
        assert_eq!(stamp_of_answer(at(5), None), at(5));
        assert_eq!(stamp_of_answer(at(5), Some(at(3))), at(5));
        assert_eq!(stamp_of_answer(at(5), Some(at(5))), at(6));
        assert_eq!(stamp_of_answer(at(5), Some(at(9))), at(10));
        let future = at(5 + micros(FUTURE_LIMIT) + 1);
        assert_eq!(stamp_of_answer(at(5), Some(future)), at(5), "a stamp in the future is ignored");
    }
}
