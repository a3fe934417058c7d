//! How long to wait before a retry.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A longer `Retry-After` is shortened to this.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Pauses that double, up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// Upper end of the first pause.
    first: Duration,
    /// Upper end of any later one.
    longest: Duration,
}

impl Backoff {
    /// Between attempts of one request, as in Stripe's own libraries.
    pub(super) const REQUESTS: Backoff =
        Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(5) };

    /// After a 429. Does not grow: the limiter decides when the next request is sent.
    pub(super) const RATE_LIMITED: Backoff =
        Backoff { first: Duration::from_millis(200), longest: Duration::from_millis(200) };

    /// Between probes during an outage.
    pub(super) const PROBES: Backoff =
        Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(15) };

    /// For tests with a real server, which cannot use virtual time.
    #[cfg(test)]
    pub(super) const SHORT: Backoff =
        Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(10) };

    /// The pause after the n-th consecutive failure, counted from 1: a random time up to a bound
    /// that doubles with each failure ("full jitter"), so that requests that failed together do not
    /// retry together. Never less than `retry_after`, which is limited to ten minutes.
    pub(super) fn pause(self, failures: u32, retry_after: Option<Duration>) -> Duration {
        let doublings = failures.saturating_sub(1).min(16);
        let bound = self.first.saturating_mul(1 << doublings).min(self.longest);
        let jittered = bound.mul_f64(random_fraction());
        match retry_after {
            // Spreads requests that received the same `Retry-After`.
            Some(requested) => requested.min(MAX_RETRY_AFTER) + jittered.min(self.first),
            None => jittered,
        }
    }
}

/// A number in `[0, 1)`. It only has to spread requests, so the standard library's randomly seeded
/// hasher is good enough.
fn random_fraction() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        for (failures, bound) in
            [(0, 500), (1, 500), (2, 1_000), (4, 4_000), (5, 5_000), (99, 5_000)]
        {
            let longest =
                (0..2_000).map(|_| Backoff::REQUESTS.pause(failures, None)).max().unwrap();
            let bound = Duration::from_millis(bound);
            assert!(longest <= bound && longest > bound.mul_f64(0.9), "{failures}: {longest:?}");
        }
    }

    #[test]
    fn pauses_spread_over_their_whole_range() {
        let low = (0..2_000)
            .filter(|_| Backoff::REQUESTS.pause(1, None) < Duration::from_millis(125))
            .count();
        assert!((350..650).contains(&low), "{low}");
    }

    #[test]
    fn retry_after_is_honored_up_to_ten_minutes() {
        for (seconds, minimum) in [(0, 0), (7, 7), (600, 600), (86_400, 600)] {
            let pause = Backoff::REQUESTS.pause(1, Some(Duration::from_secs(seconds)));
            let minimum = Duration::from_secs(minimum);
            assert!(
                pause >= minimum && pause <= minimum + Backoff::REQUESTS.first,
                "{seconds}: {pause:?}"
            );
        }
    }
}
