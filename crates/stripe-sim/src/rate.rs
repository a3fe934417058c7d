//! Stripe's rate limits on two levels, and its limit on concurrent requests.
//! <https://docs.stripe.com/rate-limits>

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// The rate limit on one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// The sustained rate, in requests per second.
    pub per_second: f64,
    /// The number of requests that can be sent at once after a pause.
    pub burst: f64,
}

impl RateLimit {
    /// A limit with `rate` requests per second and the same burst.
    pub fn per_second(rate: f64) -> Self {
        Self { per_second: rate, burst: rate.max(1.0) }
    }
}

/// The limits of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RateLimits {
    /// The limit for all requests.
    pub global: Option<RateLimit>,
    /// The limit for requests to each operation. Paths that differ only in ids are one
    /// operation.
    pub endpoint: Option<RateLimit>,
    /// The maximum number of requests in flight.
    pub concurrency: Option<u64>,
    /// The `Retry-After` header of a 429 response, in seconds. Stripe does not document this
    /// header.
    pub retry_after: Option<u64>,
}

impl RateLimits {
    /// No limits. This is the default.
    pub fn none() -> Self {
        Self::default()
    }

    /// The limits of live mode: 100 requests per second, 25 per endpoint.
    pub fn live() -> Self {
        Self {
            global: Some(RateLimit::per_second(100.0)),
            endpoint: Some(RateLimit::per_second(25.0)),
            ..Self::default()
        }
    }

    /// The limits of test mode: 25 requests per second on both levels.
    pub fn test() -> Self {
        Self {
            global: Some(RateLimit::per_second(25.0)),
            endpoint: Some(RateLimit::per_second(25.0)),
            ..Self::default()
        }
    }
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    fn full(limit: RateLimit, now: Instant) -> Self {
        Self { tokens: limit.burst, filled: now }
    }

    fn refill(&mut self, limit: RateLimit, now: Instant) {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.tokens = (self.tokens + passed * limit.per_second).min(limit.burst);
        self.filled = now;
    }
}

/// Enforces the limits.
pub(crate) struct Limiter {
    limits: RateLimits,
    buckets: Mutex<(Option<Bucket>, HashMap<&'static str, Bucket>)>,
}

impl Limiter {
    pub(crate) fn new(limits: RateLimits) -> Self {
        Self { limits, buckets: Mutex::new((None, HashMap::new())) }
    }

    /// Admits a request, or returns the `Stripe-Rate-Limited-Reason` with which it is rejected.
    pub(crate) fn admit(
        &self,
        endpoint: &'static str,
        in_flight: u64,
        now: Instant,
    ) -> Result<(), &'static str> {
        if self.limits.concurrency.is_some_and(|limit| in_flight > limit) {
            return Err("global-concurrency");
        }
        let mut guard = self.buckets.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (global, endpoints) = &mut *guard;
        if let Some(limit) = self.limits.endpoint {
            let bucket = endpoints.entry(endpoint).or_insert_with(|| Bucket::full(limit, now));
            bucket.refill(limit, now);
            if bucket.tokens < 1.0 {
                return Err("endpoint-rate");
            }
        }
        if let Some(limit) = self.limits.global {
            let bucket = global.get_or_insert_with(|| Bucket::full(limit, now));
            bucket.refill(limit, now);
            if bucket.tokens < 1.0 {
                return Err("global-rate");
            }
            bucket.tokens -= 1.0;
        }
        if self.limits.endpoint.is_some()
            && let Some(bucket) = endpoints.get_mut(endpoint)
        {
            bucket.tokens -= 1.0;
        }
        Ok(())
    }

    /// The `Retry-After` header of rejected requests.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.limits.retry_after
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn both_levels_admit_requests_at_their_rate() {
        let limiter = Limiter::new(RateLimits::live());
        let start = Instant::now();
        let mut admitted = [0, 0];
        let mut reasons = std::collections::BTreeSet::new();
        for step in 0..4_000u64 {
            let now = start + Duration::from_millis(step);
            for (i, endpoint) in ["/v1/a", "/v1/b"].into_iter().enumerate() {
                match limiter.admit(endpoint, 1, now) {
                    Ok(()) => admitted[i] += 1,
                    Err(reason) => _ = reasons.insert(reason),
                }
            }
        }
        // A burst of 25 requests, and 25 more in each of the four seconds.
        assert!(admitted.iter().all(|n| (120..=126).contains(n)), "{admitted:?}");
        assert_eq!(reasons.into_iter().collect::<Vec<_>>(), ["endpoint-rate"]);
        let endpoints: Vec<&'static str> = vec!["1", "2", "3", "4", "5", "6"];
        let limiter = Limiter::new(RateLimits::live());
        let all = endpoints
            .iter()
            .flat_map(|e| (0..25).map(move |_| *e))
            .map(|e| limiter.admit(e, 1, start));
        let rejected: Vec<_> = all.filter_map(Result::err).collect();
        assert_eq!(rejected, vec!["global-rate"; 50]);
    }
}
