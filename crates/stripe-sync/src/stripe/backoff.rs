//! How long to wait before asking again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

/// A longer `Retry-After` is taken for this.
pub(super) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(600);

/// Pauses that double, up to a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Backoff {
    /// Upper end of the first pause.
    first: Duration,
    /// Upper end of any later one.
    longest: Duration,
}

impl Backoff {
    /// Between repetitions of one request, as in Stripe's own libraries.
    pub(super) const OF_REQUESTS: Backoff =
        Backoff { first: Duration::from_millis(500), longest: Duration::from_secs(5) };

    /// Between attempts to reach Stripe at all.
    pub(super) const OF_KNOCKS: Backoff =
        Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(15) };

    /// For tests that have a server to wait for, and so cannot use virtual time.
    #[cfg(test)]
    pub(super) const HURRIED: Backoff =
        Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(10) };

    /// The pause after the `failed`-th failure in a row (from 1): anywhere between nothing and the
    /// doubled bound of the one before ("full jitter"), so that workers that failed together do
    /// not come back together. Never less than `retry_after`, which is bounded to ten minutes.
    pub(super) fn pause(self, failed: u32, retry_after: Option<Duration>) -> Duration {
        let doublings = failed.saturating_sub(1).min(16);
        let bound = self.first.saturating_mul(1 << doublings).min(self.longest);
        let jittered = bound.mul_f64(random_share());
        match retry_after {
            // The order is obeyed, and workers that got the same one spread after it.
            Some(asked) => asked.min(LONGEST_RETRY_AFTER) + jittered.min(self.first),
            None => jittered,
        }
    }
}

/// A number in `[0, 1)`. Its quality matters only for spreading; the standard library's hasher is
/// seeded by the system.
fn random_share() -> f64 {
    let random = RandomState::new().build_hasher().finish();
    (random >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_five_seconds() {
        for (failed, bound) in [(0, 500), (1, 500), (2, 1_000), (4, 4_000), (5, 5_000), (99, 5_000)]
        {
            let longest =
                (0..2_000).map(|_| Backoff::OF_REQUESTS.pause(failed, None)).max().unwrap();
            let bound = Duration::from_millis(bound);
            assert!(longest <= bound && longest > bound.mul_f64(0.9), "{failed}: {longest:?}");
        }
    }

    #[test]
    fn pauses_spread_over_their_whole_range() {
        let low = (0..2_000)
            .filter(|_| Backoff::OF_REQUESTS.pause(1, None) < Duration::from_millis(125))
            .count();
        assert!((350..650).contains(&low), "{low}");
    }

    #[test]
    fn retry_after_is_obeyed_up_to_ten_minutes() {
        for (asked, least) in [(0, 0), (7, 7), (600, 600), (86_400, 600)] {
            let pause = Backoff::OF_REQUESTS.pause(1, Some(Duration::from_secs(asked)));
            let least = Duration::from_secs(least);
            assert!(
                pause >= least && pause <= least + Backoff::OF_REQUESTS.first,
                "{asked}: {pause:?}"
            );
        }
    }
}
