//! Which of two observations of one object is the newer one.
//!
//! The rule is written twice: as [`judge`] here, for people and tests, and in SQL in
//! `postgres/statements.rs`, where it decides; a test compares the two.
//!
//! The common path needs no extra request: observations further apart than
//! [`CLOSE`] are ordered by their stamps alone. Closer ones that differ are
//! [`Verdict::Uncertain`], and the caller asks Stripe again.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant on Stripe's clock in microseconds since 1970.
///
/// The stamp of a page or a single read is the moment its request was sent, so the state that
/// came back is at least that new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

impl Stamp {
    /// A stamp at `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Stamp {
        Stamp(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The smallest later stamp.
    pub(crate) const fn next(self) -> Stamp {
        Stamp(self.0.saturating_add(1))
    }

    /// The stamp of a time on the system's scale, to the microsecond.
    pub(crate) fn from_system(time: SystemTime) -> Stamp {
        let micros = |d: Duration| i64::try_from(d.as_micros()).unwrap_or(i64::MAX);
        Stamp(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => micros(after),
            Err(before) => -micros(before.duration()),
        })
    }

    /// The inverse of [`Stamp::from_system`].
    pub(crate) fn to_system(self) -> SystemTime {
        let distance = Duration::from_micros(self.0.unsigned_abs());
        match self.0 {
            0.. => UNIX_EPOCH + distance,
            _ => UNIX_EPOCH - distance,
        }
    }

    /// Whole seconds since 1970, the resolution of Stripe's own `created`.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// Observations nearer than this may have been read by processes whose offsets to Stripe's clock
/// differ, or have crossed on the wire: their stamps alone do not order them.
pub(crate) const CLOSE_MICROS: i64 = 2_000_000;

/// A stored stamp this far ahead of the database's clock says nothing: a wrong `Date` or a wrong clock
/// made it, and without asking, nothing older would ever replace its row.
pub(crate) const AHEAD_MICROS: i64 = 60_000_000;

/// How long a replica of Stripe's may lag behind a list (FACTS 5): a 404 that lasts longer is believed.
pub(crate) const REPLICA_LAG: Duration = Duration::from_secs(3);

/// What to do with an observation, given the stamp of the stored row.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Store it.
    Newer,
    /// Drop it: the stored row is newer.
    Older,
    /// Only asking Stripe again can tell.
    Uncertain,
}

/// Orders an observation against the stored row of the same object.
///
/// `same_content` is whether both show the same state: then no question arises, and the later
/// stamp is kept. `now` is the moment of the comparison.
#[cfg(test)]
pub(crate) fn judge(stored: Stamp, seen: Stamp, same_content: bool, now: Stamp) -> Verdict {
    let apart = seen.0 - stored.0;
    if apart < 0 && stored.0 - now.0 > AHEAD_MICROS && !same_content {
        return Verdict::Uncertain;
    }
    if apart.abs() >= CLOSE_MICROS || same_content {
        return if apart > 0 { Verdict::Newer } else { Verdict::Older };
    }
    Verdict::Uncertain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_apart_stamps_decide_alone() {
        let stored = Stamp::from_micros(100_000_000);
        let now = Stamp::from_micros(150_000_000);
        let newer = Stamp::from_micros(102_000_000);
        assert_eq!(judge(stored, newer, false, now), Verdict::Newer);
        assert_eq!(judge(newer, stored, false, now), Verdict::Older);
    }

    #[test]
    fn close_stamps_decide_only_between_equal_contents() {
        let stored = Stamp::from_micros(100_000_000);
        let now = Stamp::from_micros(150_000_000);
        let close = Stamp::from_micros(101_999_999);
        assert_eq!(judge(stored, close, false, now), Verdict::Uncertain);
        assert_eq!(judge(close, stored, false, now), Verdict::Uncertain);
        assert_eq!(judge(stored, stored, false, now), Verdict::Uncertain);
        assert_eq!(judge(stored, close, true, now), Verdict::Newer);
        assert_eq!(judge(close, stored, true, now), Verdict::Older);
    }

    #[test]
    fn a_stamp_that_is_still_to_come_decides_nothing() {
        let now = Stamp::from_micros(100_000_000);
        let stored = Stamp::from_micros(now.micros() + AHEAD_MICROS + 1);
        assert_eq!(judge(stored, now, false, now), Verdict::Uncertain);
        assert_eq!(judge(stored, now, true, now), Verdict::Older);
        assert_eq!(judge(now, stored, false, now), Verdict::Newer);
        let near = Stamp::from_micros(now.micros() + AHEAD_MICROS);
        assert_eq!(judge(near, now, false, now), Verdict::Older);
    }

    #[test]
    fn seconds_round_down_also_before_1970() {
        assert_eq!(Stamp::from_micros(1_999_999).unix_seconds(), 1);
        assert_eq!(Stamp::from_micros(-1).unix_seconds(), -1);
    }
}
