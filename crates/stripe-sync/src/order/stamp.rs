//! The instant whose state an observation shows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An instant on Stripe's clock in microseconds since 1970.
///
/// The stamp of a page or a single read is the moment its request was sent, so the returned state
/// is at least that new. The stamp of an event is its `created`, a whole second. A read never has a
/// stamp at a whole second, so the two kinds can be distinguished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(i64);

/// Microseconds.
const SECOND: i64 = 1_000_000;

impl Stamp {
    /// A stamp at `micros` microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Stamp {
        Stamp(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The stamp of a read that was sent at this instant.
    pub(crate) const fn of_read(micros: i64) -> Stamp {
        match micros.rem_euclid(SECOND) {
            // One microsecond later, because whole seconds are reserved for the stamps of events.
            0 => Stamp(micros.saturating_add(1)),
            _ => Stamp(micros),
        }
    }

    /// The stamp of an event that was created in this Unix second.
    pub(crate) const fn of_event(created: i64) -> Stamp {
        Stamp(created.saturating_mul(SECOND))
    }

    /// Whether this is the stamp of an event.
    pub(crate) const fn is_event(self) -> bool {
        self.0.rem_euclid(SECOND) == 0
    }

    /// The smallest later stamp of a read.
    pub(crate) const fn next(self) -> Stamp {
        Stamp::of_read(self.0.saturating_add(1))
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
        self.0.div_euclid(SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_down_also_before_1970() {
        assert_eq!(Stamp::from_micros(1_999_999).unix_seconds(), 1);
        assert_eq!(Stamp::from_micros(-1).unix_seconds(), -1);
    }

    #[test]
    fn stamps_of_reads_and_events_are_distinguishable() {
        for micros in [-1_000_001, -1_000_000, -1, 0, 1, 999_999, 1_000_000] {
            assert!(!Stamp::of_read(micros).is_event(), "{micros}");
            assert!(!Stamp::from_micros(micros).next().is_event(), "{micros}");
            assert!(Stamp::from_micros(micros) < Stamp::from_micros(micros).next());
            assert!(Stamp::of_event(micros).is_event(), "{micros}");
        }
        assert_eq!(Stamp::of_event(7).unix_seconds(), 7);
    }
}
