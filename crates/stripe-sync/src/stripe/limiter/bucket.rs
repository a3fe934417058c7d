//! One rate limit: a token bucket that adapts to 429s. Pure; the caller passes the time.
//!
//! A 429 reduces the rate to a fraction of the measured successful rate. Then the rate grows by a
//! small fraction of that per second, so that it approaches an unknown limit slowly and exceeds it
//! only a little. The burst is small, because Stripe counts within single seconds: no second has
//! more requests than rate + burst.

use std::time::Duration;

use tokio::time::Instant;

/// The lowest rate in requests per second, unless the ceiling is lower.
const MIN_RATE: f64 = 0.25;
/// Growth per second, as a fraction of the last rate that succeeded.
const GROWTH_PER_SECOND: f64 = 0.03;
/// Minimum start and growth per second: a few early requests do not show which rate is possible.
const MIN_START: f64 = 4.0;
const MIN_GROWTH: f64 = 0.25;
/// Above the last rate that succeeded, the growth itself grows by this factor per second, so that
/// the rate recovers quickly after a temporary reduction of the limit.
const ACCELERATION: f64 = 1.3;
/// The fraction of the measured rate that is kept after a 429.
const REDUCTION: f64 = 0.93;
/// 429s within this time after a reduction have the same cause as the one before it.
const BETWEEN_REDUCTIONS: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Bucket {
    /// Requests per second of all processes that share the limit; infinite without a limit.
    rate: f64,
    /// How many processes share the limit.
    shares: f64,
    ceiling: f64,
    /// Growth of the rate per second.
    growth: f64,
    /// The rate that succeeded before the last reduction.
    good: f64,
    tokens: f64,
    filled: Instant,
    grown: Instant,
    reduced: Option<Instant>,
    paused_until: Option<Instant>,
    sent: Meter,
    succeeded: Meter,
}

impl Bucket {
    /// A full bucket. An infinite rate means no limit until the first 429.
    pub(super) fn new(rate: f64, now: Instant) -> Bucket {
        Bucket {
            rate,
            shares: 1.0,
            ceiling: rate,
            growth: rate * GROWTH_PER_SECOND,
            good: rate,
            tokens: burst(rate),
            filled: now,
            grown: now,
            reduced: None,
            paused_until: None,
            sent: Meter::new(now),
            succeeded: Meter::new(now),
        }
    }

    /// When the next request may be sent if no other is sent before. `now` or earlier means
    /// immediately.
    pub(super) fn ready_at(&self, now: Instant) -> Instant {
        let tokens = self.tokens_at(now);
        // Waits are rounded to nanoseconds. A rounding error must not cause another wait.
        let filled = if tokens >= 1.0 - 1e-6 {
            now
        } else {
            now + Duration::from_secs_f64((1.0 - tokens) / self.own_rate())
        };
        self.paused_until.map_or(filled, |until| filled.max(until))
    }

    /// This many processes share the limit from now on, and each uses an equal part of it.
    pub(super) fn share(&mut self, processes: u32, now: Instant) {
        self.fill(now);
        self.shares = f64::from(processes.max(1));
    }

    /// Requests per second of this process.
    fn own_rate(&self) -> f64 {
        self.rate / self.shares
    }

    /// One request is sent.
    pub(super) fn take(&mut self, now: Instant) {
        self.fill(now);
        self.tokens -= 1.0;
        self.sent.count(now);
    }

    /// A request succeeded: the rate grows for the time since its last growth, at most a second.
    pub(super) fn grow(&mut self, now: Instant) {
        self.succeeded.count(now);
        let elapsed = now.saturating_duration_since(self.grown).min(BETWEEN_REDUCTIONS);
        self.grown = now;
        if self.rate < self.ceiling {
            self.fill(now);
            let seconds = elapsed.as_secs_f64();
            self.rate = (self.rate + self.growth * seconds).min(self.ceiling);
            if self.rate > self.good {
                self.growth *= ACCELERATION.powf(seconds);
            }
        }
    }

    /// A request sent at `sent` got a 429. True if the rate was reduced.
    pub(super) fn reduce(&mut self, sent: Instant, now: Instant) -> bool {
        let known = |reduced| sent <= reduced || now < reduced + BETWEEN_REDUCTIONS;
        if self.reduced.is_some_and(known) {
            return false;
        }
        self.fill(now);
        // The successful rate shows the limit. Before the first success, the rate that was sent is
        // above it.
        let measured = match self.succeeded.rate(now) {
            0.0 => self.sent.rate(now).max(MIN_START),
            succeeded => succeeded,
        };
        // The others have as much.
        let measured = measured * self.shares;
        // An unused rate shows nothing about the limit.
        self.good = self.rate.min(measured.max(MIN_RATE));
        self.growth = (self.good * GROWTH_PER_SECOND).max(MIN_GROWTH);
        self.rate = (self.good * REDUCTION).max(MIN_RATE.min(self.ceiling));
        self.tokens = self.tokens.min(0.0);
        self.reduced = Some(now);
        self.grown = now;
        true
    }

    /// No request is sent before `until`.
    pub(super) fn pause_until(&mut self, until: Instant) {
        self.paused_until = self.paused_until.max(Some(until));
    }

    fn tokens_at(&self, now: Instant) -> f64 {
        if self.rate.is_infinite() {
            return f64::INFINITY;
        }
        let elapsed = now.saturating_duration_since(self.filled).as_secs_f64();
        (self.tokens + elapsed * self.own_rate()).min(burst(self.own_rate()))
    }

    fn fill(&mut self, now: Instant) {
        // Without a limit no tokens are counted, so the first 429 finds an empty bucket.
        self.tokens = if self.rate.is_infinite() { 0.0 } else { self.tokens_at(now) };
        self.filled = self.filled.max(now);
    }
}

/// A tenth of the rate, at least two requests, or one if the rate is lower.
fn burst(rate: f64) -> f64 {
    (rate / 10.0).max(rate.min(2.0)).max(1.0)
}

/// Requests in the last second.
#[derive(Debug)]
struct Meter {
    second: Instant,
    count: u32,
    last: u32,
}

impl Meter {
    fn new(now: Instant) -> Meter {
        Meter { second: now, count: 0, last: 0 }
    }

    fn count(&mut self, now: Instant) {
        self.advance(now);
        self.count = self.count.saturating_add(1);
    }

    fn rate(&mut self, now: Instant) -> f64 {
        self.advance(now);
        f64::from(self.count.max(self.last))
    }

    fn advance(&mut self, now: Instant) {
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

    /// Sends all requests that are allowed within `seconds`. Returns their times in seconds.
    fn drain(bucket: &mut Bucket, start: Instant, seconds: f64) -> Vec<f64> {
        let end = start + Duration::from_secs_f64(seconds);
        let mut now = start;
        let mut sent = Vec::new();
        loop {
            now = bucket.ready_at(now).max(now);
            if now >= end {
                return sent;
            }
            bucket.take(now);
            sent.push((now - start).as_secs_f64());
        }
    }

    fn after(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    fn max_in_one_second(sent: &[f64]) -> usize {
        let within = |from: f64| sent.iter().filter(|&&t| t >= from && t < from + 1.0).count();
        sent.iter().map(|&from| within(from)).max().unwrap_or(0)
    }

    #[test]
    fn the_rate_is_kept_and_bursts_stay_below_the_limit_of_stripe() {
        let start = Instant::now();
        for (rate, expected, limit) in [
            (75.0, 750..=758, 100),
            (18.75, 187..=190, 25),
            (15.0, 150..=152, 20),
            (1.0, 10..=11, 2),
        ] {
            let sent = drain(&mut Bucket::new(rate, start), start, 10.0);
            assert!(expected.contains(&sent.len()), "{rate}: {}", sent.len());
            assert!(max_in_one_second(&sent) <= limit, "{rate}: {}", max_in_one_second(&sent));
        }
    }

    #[test]
    fn processes_that_share_a_limit_use_equal_parts_of_it() {
        let start = Instant::now();
        let mut bucket = Bucket::new(20.0, start);
        bucket.share(4, start);
        let sent = drain(&mut bucket, start, 10.0).len();
        assert!((50..=53).contains(&sent), "{sent}");
        let later = after(start, 10.0);
        bucket.share(1, later);
        let sent = drain(&mut bucket, later, 10.0).len();
        assert!((198..=203).contains(&sent), "{sent}");
        // A 429 shows the limit of all processes.
        let mut bucket = used(20.0, 5, start);
        bucket.share(4, start);
        assert!(bucket.reduce(after(start, 1.5), after(start, 1.5)));
        assert!((bucket.good - 20.0).abs() < 0.01, "{}", bucket.good);
    }

    #[test]
    fn an_idle_hour_accumulates_no_more_than_the_burst() {
        let start = Instant::now();
        let mut bucket = Bucket::new(18.75, start);
        drain(&mut bucket, start, 1.0);
        let sent = drain(&mut bucket, after(start, 3_600.0), 1.0);
        assert!((18..=21).contains(&sent.len()), "{}", sent.len());
    }

    /// A bucket in which this many requests per second succeeded for two seconds.
    fn used(rate: f64, per_second: u32, start: Instant) -> Bucket {
        let mut bucket = Bucket::new(rate, start);
        for request in 0..2 * per_second {
            let now = after(start, f64::from(request) / f64::from(per_second));
            bucket.take(now);
            bucket.grow(now);
        }
        bucket
    }

    #[test]
    fn a_429_reduces_the_rate_below_what_succeeded_once_per_second() {
        let start = Instant::now();
        let at = |seconds| after(start, seconds);
        let mut bucket = used(1_000.0, 20, start);
        assert!(bucket.reduce(at(2.0), at(2.0)));
        assert!(!bucket.reduce(at(2.5), at(2.9)), "within a second");
        assert!(!bucket.reduce(at(2.0), at(9.0)), "sent before the reduction");
        assert!((18.5..18.7).contains(&bucket.rate), "{}", bucket.rate);
    }

    #[test]
    fn the_rate_approaches_the_last_good_one_slowly_and_then_grows_faster() {
        let start = Instant::now();
        let mut bucket = used(75.0, 20, start);
        bucket.reduce(after(start, 2.0), after(start, 2.0));
        let grow_until = |bucket: &mut Bucket, from: u32, to: u32| {
            for tenth in from * 10..=to * 10 {
                bucket.grow(after(start, f64::from(tenth) / 10.0));
            }
            bucket.rate
        };
        let after_three_seconds = grow_until(&mut bucket, 2, 5);
        assert!((20.0..=21.0).contains(&after_three_seconds), "{after_three_seconds}");
        assert_eq!(grow_until(&mut bucket, 5, 30), 75.0);
    }

    #[test]
    fn a_long_pause_grows_the_rate_by_one_second_only() {
        let start = Instant::now();
        let mut bucket = used(75.0, 20, start);
        bucket.reduce(after(start, 2.0), after(start, 2.0));
        let reduced = bucket.rate;
        bucket.grow(after(start, 3_600.0));
        assert!((0.5..0.7).contains(&(bucket.rate - reduced)), "{}", bucket.rate);
    }

    #[test]
    fn the_rate_has_a_minimum() {
        let start = Instant::now();
        for (rate, minimum) in [(20.0, MIN_RATE), (0.1, 0.1), (f64::INFINITY, MIN_RATE)] {
            let mut bucket = Bucket::new(rate, start);
            for second in 0..100 {
                let now = after(start, f64::from(second) * 2.0);
                bucket.reduce(now, now);
            }
            assert_eq!(bucket.rate, minimum);
        }
    }

    #[test]
    fn without_a_limit_the_first_429_starts_from_the_measured_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new(f64::INFINITY, start);
        for request in 0..400 {
            let now = after(start, f64::from(request) / 200.0);
            assert!(bucket.ready_at(now) <= now);
            bucket.take(now);
        }
        let now = after(start, 2.0);
        // Nothing has succeeded yet.
        assert!(bucket.reduce(now, now));
        assert!((182.0..=190.0).contains(&bucket.rate), "{}", bucket.rate);
        let sent = drain(&mut bucket, now, 1.0).len();
        assert!((165..=205).contains(&sent), "{sent}");
        bucket.grow(after(start, 3.0));
        assert!(bucket.rate > 190.0);
    }

    #[test]
    fn a_pause_delays_all_requests_and_is_not_caught_up() {
        let start = Instant::now();
        for rate in [18.75, f64::INFINITY] {
            let mut bucket = Bucket::new(rate, start);
            bucket.pause_until(after(start, 5.0));
            bucket.pause_until(after(start, 3.0));
            assert_eq!(bucket.ready_at(start), after(start, 5.0));
        }
        let mut bucket = Bucket::new(18.75, start);
        bucket.pause_until(after(start, 5.0));
        let sent = drain(&mut bucket, start, 6.0);
        assert!((18..=21).contains(&sent.len()), "{}", sent.len());
    }
}
