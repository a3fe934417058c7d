//! One rate: a token bucket that learns from 429s. Pure; the caller says what time it is.
//!
//! It halves on a 429 and grows back by a twentieth of its ceiling per second, as long as answers
//! succeed. Its burst is small, because Stripe counts within single seconds: in no second does it
//! let pass more than rate + burst.

use std::time::Duration;

use tokio::time::Instant;

/// No rate falls below this, in requests per second, unless its ceiling is lower.
const FLOOR: f64 = 0.25;
/// What a rate gains per second, as a part of its ceiling.
const GROWTH_PER_SECOND: f64 = 0.05;
/// What a rate without a ceiling starts from and gains per second at least: a few early requests
/// do not show what is possible.
const LEAST_START: f64 = 4.0;
const LEAST_GROWTH: f64 = 1.0;
const CUT: f64 = 0.5;
/// 429s within this time of the last cut tell of the same excess.
const BETWEEN_CUTS: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Bucket {
    /// Requests per second; infinite without a limit.
    rate: f64,
    ceiling: f64,
    /// What the rate gains in one second.
    growth: f64,
    tokens: f64,
    filled: Instant,
    grown: Instant,
    cut: Option<Instant>,
    paused_until: Option<Instant>,
    meter: Meter,
}

impl Bucket {
    /// A full bucket. An infinite rate means no limit before the first cut.
    pub(super) fn new(rate: f64, now: Instant) -> Bucket {
        Bucket {
            rate,
            ceiling: rate,
            growth: rate * GROWTH_PER_SECOND,
            tokens: burst(rate),
            filled: now,
            grown: now,
            cut: None,
            paused_until: None,
            meter: Meter { second: now, count: 0, last: 0 },
        }
    }

    /// When the next request may leave if no other does before; `now` or earlier means at once.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let tokens = self.tokens_at(now);
        // A wait is rounded to nanoseconds; the missing sliver of a token is not worth another.
        let filled = if tokens >= 1.0 - 1e-6 {
            now
        } else {
            now + Duration::from_secs_f64((1.0 - tokens) / self.rate)
        };
        self.paused_until.map_or(filled, |until| filled.max(until))
    }

    /// One request leaves.
    pub(super) fn take(&mut self, now: Instant) {
        self.fill(now);
        self.tokens -= 1.0;
        self.meter.count(now);
    }

    /// A success: the rate grows by the time since it last did, at most a second's worth.
    pub(super) fn grow(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.grown).min(BETWEEN_CUTS);
        self.grown = now;
        if self.rate < self.ceiling {
            self.fill(now);
            self.rate = (self.rate + self.growth * elapsed.as_secs_f64()).min(self.ceiling);
        }
    }

    /// A 429 for a request that left at `left`. True if the rate was lowered.
    pub(super) fn cut(&mut self, left: Instant, now: Instant) -> bool {
        let known = self.cut.is_some_and(|cut| left <= cut || now < cut + BETWEEN_CUTS);
        if known {
            return false;
        }
        self.fill(now);
        if self.rate.is_infinite() {
            self.rate = self.meter.rate(now).max(LEAST_START);
            self.growth = (self.rate * GROWTH_PER_SECOND).max(LEAST_GROWTH);
        }
        self.rate = (self.rate * CUT).max(FLOOR.min(self.ceiling));
        self.tokens = self.tokens.min(0.0);
        self.cut = Some(now);
        self.grown = now;
        true
    }

    /// Nothing leaves before `until`.
    pub(super) fn pause_until(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        if self.rate.is_infinite() {
            return f64::INFINITY;
        }
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + elapsed * self.rate).min(burst(self.rate))
    }

    fn fill(&mut self, now: Instant) {
        // Without a limit there is nothing to count; a first cut starts from an empty bucket.
        self.tokens = if self.rate.is_infinite() { 0.0 } else { self.tokens_at(now) };
        self.filled = self.filled.max(now);
    }
}

/// A tenth of a second's budget, or two requests, or one.
fn burst(rate: f64) -> f64 {
    (rate / 10.0).max(rate.min(2.0)).max(1.0)
}

/// How many left lately: what an unlimited bucket is cut from.
#[derive(Debug)]
struct Meter {
    second: Instant,
    count: u32,
    last: u32,
}

impl Meter {
    fn count(&mut self, now: Instant) {
        self.turn(now);
        self.count = self.count.saturating_add(1);
    }

    fn rate(&mut self, now: Instant) -> f64 {
        self.turn(now);
        f64::from(self.count.max(self.last))
    }

    fn turn(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.second).as_secs();
        if elapsed > 0 {
            self.last = if elapsed == 1 { self.count } else { 0 };
            self.count = 0;
            self.second += Duration::from_secs(elapsed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes all that may leave within `seconds`; gives the times, in seconds from `start`.
    fn drain(bucket: &mut Bucket, start: Instant, seconds: f64) -> Vec<f64> {
        let end = start + Duration::from_secs_f64(seconds);
        let mut now = start;
        let mut left = Vec::new();
        loop {
            now = bucket.ready_at(now).max(now);
            if now >= end {
                return left;
            }
            bucket.take(now);
            left.push((now - start).as_secs_f64());
        }
    }

    fn after(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    fn most_in_one_second(left: &[f64]) -> usize {
        let within = |from: f64| left.iter().filter(|&&t| t >= from && t < from + 1.0).count();
        left.iter().map(|&from| within(from)).max().unwrap_or(0)
    }

    #[test]
    fn the_rate_holds_and_bursts_stay_below_stripes_limit() {
        let start = Instant::now();
        for (rate, expected, limit) in [
            (75.0, 750..=758, 100),
            (18.75, 187..=190, 25),
            (15.0, 150..=152, 20),
            (1.0, 10..=11, 2),
        ] {
            let left = drain(&mut Bucket::new(rate, start), start, 10.0);
            assert!(expected.contains(&left.len()), "{rate}: {}", left.len());
            assert!(most_in_one_second(&left) <= limit, "{rate}: {}", most_in_one_second(&left));
        }
    }

    #[test]
    fn an_idle_hour_saves_up_no_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(18.75, start);
        drain(&mut bucket, start, 1.0);
        let left = drain(&mut bucket, after(start, 3_600.0), 1.0);
        assert!((18..=21).contains(&left.len()), "{}", left.len());
    }

    #[test]
    fn a_cut_halves_once_per_second_and_successes_bring_the_ceiling_back() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20.0, start);
        assert!(bucket.cut(start, start));
        assert!(!bucket.cut(after(start, 0.5), after(start, 0.9)), "within a second");
        assert!(!bucket.cut(start, after(start, 5.0)), "left before the cut");
        assert_eq!(bucket.rate, 10.0);
        assert!(bucket.cut(after(start, 0.5), after(start, 1.0)));
        assert_eq!(bucket.rate, 5.0);
        for tenth in 0..=50 {
            bucket.grow(after(start, 1.0 + f64::from(tenth) / 10.0));
        }
        assert!((9.9..=10.1).contains(&bucket.rate), "{}", bucket.rate);
        for tenth in 50..200 {
            bucket.grow(after(start, 1.0 + f64::from(tenth) / 10.0));
        }
        assert_eq!(bucket.rate, 20.0);
    }

    #[test]
    fn a_long_silence_earns_one_seconds_growth() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20.0, start);
        bucket.cut(start, start);
        bucket.grow(after(start, 3_600.0));
        assert_eq!(bucket.rate, 11.0);
    }

    #[test]
    fn the_rate_never_dies() {
        let start = Instant::now();
        for (rate, least) in [(20.0, FLOOR), (0.1, 0.1), (f64::INFINITY, FLOOR)] {
            let mut bucket = Bucket::new(rate, start);
            for second in 0..100 {
                let now = after(start, f64::from(second) * 2.0);
                bucket.cut(now, now);
            }
            assert_eq!(bucket.rate, least);
        }
    }

    #[test]
    fn without_a_limit_the_first_cut_starts_from_what_was_used() {
        let start = Instant::now();
        let mut bucket = Bucket::new(f64::INFINITY, start);
        for request in 0..400 {
            let now = after(start, f64::from(request) / 200.0);
            assert!(bucket.ready_at(now) <= now);
            bucket.take(now);
        }
        let now = after(start, 2.0);
        assert!(bucket.cut(now, now));
        assert!((95.0..=105.0).contains(&bucket.rate), "{}", bucket.rate);
        let left = drain(&mut bucket, now, 1.0).len();
        assert!((90..=110).contains(&left), "{left}");
        bucket.grow(after(start, 3.0));
        assert!(bucket.rate > 105.0);
    }

    #[test]
    fn a_pause_holds_everything_and_is_not_made_up_for() {
        let start = Instant::now();
        for rate in [18.75, f64::INFINITY] {
            let mut bucket = Bucket::new(rate, start);
            bucket.pause_until(after(start, 5.0));
            bucket.pause_until(after(start, 3.0));
            assert_eq!(bucket.ready_at(start), after(start, 5.0));
        }
        let mut bucket = Bucket::new(18.75, start);
        bucket.pause_until(after(start, 5.0));
        let left = drain(&mut bucket, start, 6.0);
        assert!((18..=21).contains(&left.len()), "{}", left.len());
    }
}
