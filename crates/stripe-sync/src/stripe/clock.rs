//! Stripe's clock, estimated from the `Date` headers of its responses.
//!
//! A stamp must never be later than the moment it represents: a read with a stamp that is too late
//! would overwrite later changes. So all rounding is downward.
//!
//! `Date` is truncated to the second and written before the response is sent, so `Date` minus the
//! local time of receipt is a lower bound for the difference between Stripe's clock and the local
//! one. The largest such value is the best bound. It only rises, so a request that this process
//! sends later never gets an earlier stamp, unless the `Date` of its own response proves that it
//! should.
//!
//! One wrong `Date` must not keep rows from being updated. A date before Stripe existed is ignored.
//! A date that differs from the estimate by more than [`TOLERANCE`] is ignored until
//! [`CONFIRMATIONS`] responses in a row agree; then the estimate moves, forward or back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::order::Stamp;

const SECOND: i64 = 1_000_000;
/// How far a `Date` may be from the estimate, in microseconds. Longer than any request takes.
const TOLERANCE: i64 = 120 * SECOND;
/// Responses in a row that move the estimate by more than that.
const CONFIRMATIONS: u32 = 3;
/// The start of 2011, Stripe's first public year, in Unix seconds. An earlier `Date` is wrong.
const FIRST_DATE: i64 = 1_293_840_000;

/// The local monotonic clock, and how far Stripe's clock is ahead of it.
#[derive(Debug)]
pub(super) struct StripeClock {
    start: Instant,
    offset: Offset,
}

impl StripeClock {
    pub(super) fn new() -> StripeClock {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        StripeClock {
            start: Instant::now(),
            offset: Offset::from_system_clock(to_micros(since_1970.as_micros())),
        }
    }

    /// The local clock, which never goes back.
    pub(super) fn local(&self) -> LocalInstant {
        LocalInstant(to_micros(self.start.elapsed().as_micros()))
    }

    /// The current time on Stripe's clock; the system's clock until Stripe has responded.
    pub(super) fn now(&self) -> Stamp {
        Stamp::of_read(self.offset.stamp(self.local(), None).micros())
    }

    /// Learns from a response that carries no object. `date` is its `Date` header in Unix seconds,
    /// `received` the moment at which the headers had arrived.
    pub(super) fn learn(&self, received: LocalInstant, date: i64) {
        self.offset.learn(received, date);
    }

    /// Learns from a response and returns the stamp of its request. `date` is the `Date` header
    /// in Unix seconds, `received` the moment at which the headers had arrived.
    pub(super) fn stamp(
        &self,
        sent: LocalInstant,
        received: LocalInstant,
        date: Option<i64>,
    ) -> Stamp {
        let date = date.filter(|date| self.offset.learn(received, *date));
        Stamp::of_read(self.offset.stamp(sent, date).micros())
    }
}

/// A moment on the local clock, in microseconds since the clock was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LocalInstant(i64);

/// What to add to a [`LocalInstant`] for a [`Stamp`], in microseconds.
#[derive(Debug)]
struct Offset {
    by_system_clock: i64,
    by_responses: Mutex<Estimate>,
}

/// What the responses have shown.
#[derive(Debug, Default)]
struct Estimate {
    offset: Option<i64>,
    /// The offset of the latest responses if it is outside the tolerance, and how many agree.
    outlier: Option<(i64, u32)>,
}

impl Offset {
    fn from_system_clock(micros: i64) -> Offset {
        Offset { by_system_clock: micros, by_responses: Mutex::default() }
    }

    /// Learns from the `Date` of a response. False if that date is ignored.
    fn learn(&self, received: LocalInstant, date: i64) -> bool {
        if date < FIRST_DATE {
            return false;
        }
        let ahead = date.saturating_mul(SECOND).saturating_sub(received.0);
        let is_near = |offset: i64| ahead.saturating_sub(offset).saturating_abs() <= TOLERANCE;
        let mut estimate = self.estimate();
        match (estimate.offset, estimate.outlier) {
            (None, _) => estimate.offset = Some(ahead),
            (Some(offset), _) if is_near(offset) => {
                estimate.offset = Some(offset.max(ahead));
                estimate.outlier = None;
            }
            (Some(_), outlier) => {
                let agreeing = outlier.filter(|(offset, _)| is_near(*offset));
                let (lowest, count) = agreeing.unwrap_or((ahead, 0));
                // The lowest of them is used, because a stamp must never be too late.
                let (lowest, count) = (lowest.min(ahead), count + 1);
                if count < CONFIRMATIONS {
                    estimate.outlier = Some((lowest, count));
                    return false;
                }
                *estimate = Estimate { offset: Some(lowest), outlier: None };
            }
        }
        true
    }

    fn estimate(&self) -> MutexGuard<'_, Estimate> {
        self.by_responses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stamp of a request sent at `sent`, limited to the end of the second of the response's
    /// own `Date`. The limit matters when the machine slept between sending and receiving, while
    /// the local clock stood still.
    fn stamp(&self, sent: LocalInstant, date: Option<i64>) -> Stamp {
        let offset = self.estimate().offset.unwrap_or(self.by_system_clock);
        let sent = sent.0.saturating_add(offset);
        let latest =
            date.map_or(i64::MAX, |date| date.saturating_mul(SECOND).saturating_add(SECOND - 1));
        Stamp::from_micros(sent.min(latest))
    }
}

fn to_micros(micros: u128) -> i64 {
    i64::try_from(micros).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn at(seconds: f64) -> LocalInstant {
        LocalInstant((seconds * 1e6) as i64)
    }

    /// A stamp, in microseconds after [`START`].
    fn micros(stamp: Stamp) -> i64 {
        stamp.micros() - START * SECOND
    }

    /// A time after Stripe's first year, in Unix seconds.
    const START: i64 = 1_700_000_000;

    #[test]
    fn the_system_clock_is_used_until_stripe_has_responded() {
        let offset = Offset::from_system_clock((START + 5_000) * SECOND);
        assert_eq!(micros(offset.stamp(at(2.0), None)), 5_002 * SECOND);
        // Stripe's clock counts even if it is far behind the system's.
        assert!(offset.learn(at(2.5), START + 1_000));
        assert_eq!(micros(offset.stamp(at(2.0), None)), 999_500_000);
    }

    #[test]
    fn the_offset_only_rises() {
        let offset = Offset::from_system_clock(0);
        offset.learn(at(1.9), START + 1_001);
        assert_eq!(micros(offset.stamp(at(0.0), None)), 999_100_000);
        offset.learn(at(2.1), START + 1_002);
        assert_eq!(micros(offset.stamp(at(0.0), None)), 999_900_000);
        offset.learn(at(3.9), START + 1_003);
        assert_eq!(micros(offset.stamp(at(0.0), None)), 999_900_000);
    }

    #[test]
    fn system_suspend_during_a_request_does_not_make_the_stamp_newer() {
        let offset = Offset::from_system_clock(0);
        offset.learn(at(1.0), START + 1_001);
        // The machine slept for an hour with the local clock stopped; other responses show it.
        for _ in 0..CONFIRMATIONS {
            offset.learn(at(2.0), START + 4_602);
        }
        let stamp = offset.stamp(at(1.5), Some(START + 1_001));
        assert_eq!(micros(stamp), 1_001_999_999);
        assert_eq!(micros(offset.stamp(at(2.0), None)), 4_602 * SECOND);
    }

    #[test]
    fn one_wrong_date_is_ignored() {
        let offset = Offset::from_system_clock(0);
        assert!(offset.learn(at(1.0), START + 1_001));
        for wrong in [START + 4_600, 0, -5, START - 86_400, i64::MAX] {
            assert!(!offset.learn(at(2.0), wrong), "{wrong}");
            assert_eq!(micros(offset.stamp(at(2.0), None)), 1_002 * SECOND, "{wrong}");
            assert!(offset.learn(at(2.0), START + 1_002));
        }
    }

    #[test]
    fn a_first_date_that_was_wrong_is_corrected_by_the_following_ones() {
        let offset = Offset::from_system_clock(0);
        assert!(offset.learn(at(1.0), START + 3_600));
        assert!(!offset.learn(at(2.0), START + 2));
        assert!(!offset.learn(at(3.0), START + 3));
        assert!(offset.learn(at(4.0), START + 4));
        assert_eq!(micros(offset.stamp(at(5.0), None)), 5 * SECOND);
    }

    #[test]
    fn the_clock_advances() {
        let clock = StripeClock::new();
        let sent = clock.local();
        let stamp = clock.stamp(sent, clock.local(), Some(START + 1_000));
        assert!(micros(stamp) <= 1_000_999_999, "{stamp:?}");
        assert!(clock.now() >= stamp);
    }

    proptest! {
        /// For any number of responses with any delays, a stamp is never ahead of Stripe's clock,
        /// and behind it by at most the delay of the quickest response and one second.
        #[test]
        fn a_stamp_is_never_later_than_its_request(
            ahead in -2_000_000_000i64..2_000_000_000,
            trips in prop::collection::vec((0i64..5_000_000, 0i64..500_000, 0i64..500_000), 1..30),
        ) {
            let offset = Offset::from_system_clock(0);
            let mut now = 0;
            let mut least_error = i64::MAX;
            for (pause, there, back) in trips {
                let sent = now + pause;
                let date = START + (sent + there + ahead).div_euclid(SECOND);
                now = sent + there + back;
                offset.learn(LocalInstant(now), date);
                least_error = least_error.min(back + (sent + there + ahead).rem_euclid(SECOND));
                let stamp = micros(offset.stamp(LocalInstant(sent), Some(date)));
                prop_assert!(stamp <= sent + ahead);
                prop_assert!(stamp >= sent + ahead - least_error);
            }
        }
    }
}
