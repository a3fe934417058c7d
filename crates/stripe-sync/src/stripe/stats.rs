//! Counters of one client, and the snapshot of them that progress displays show.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use super::limiter::{Bottleneck, Limiter};
use super::outage::OutageGate;

/// A snapshot. Counts start when the client is created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// HTTP requests sent, retries included.
    pub requests: u64,
    /// Retries among them.
    pub retries: u64,
    /// Responses that named a limit on rate or concurrency.
    pub rate_limited: u64,
    /// Bytes of responses, after decompression.
    pub bytes: u64,
    /// Requests in flight.
    pub in_flight: usize,
    /// What currently limits the speed.
    pub limit: Limit,
}

/// What currently limits the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Nothing on Stripe's side.
    None,
    /// The account's rate limit.
    GlobalRate,
    /// The rate limit of one endpoint, such as `/v1/charges`.
    EndpointRate(String),
    /// The limit on concurrent requests.
    Concurrency,
    /// Stripe cannot be reached.
    Outage {
        /// The duration so far.
        since: Duration,
    },
    /// Requests pause before they are retried.
    Retrying,
}

/// What a client counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Requests that pause before a retry.
    pausing: AtomicUsize,
}

impl Counters {
    /// Counts a request as pausing until the guard is dropped.
    pub(super) fn pause(&self) -> PauseGuard<'_> {
        self.pausing.fetch_add(1, Ordering::Relaxed);
        PauseGuard(self)
    }

    pub(super) fn snapshot(&self, limiter: &Limiter, outage: &OutageGate) -> Stats {
        let pausing = self.pausing.load(Ordering::Relaxed) > 0;
        let limit = match (outage.duration(), limiter.bottleneck()) {
            (Some(since), _) => Limit::Outage { since },
            (None, Bottleneck::InFlight) => Limit::Concurrency,
            (None, Bottleneck::Account) => Limit::GlobalRate,
            (None, Bottleneck::Endpoint(endpoint)) => Limit::EndpointRate(endpoint),
            (None, Bottleneck::Nothing) if pausing => Limit::Retrying,
            (None, Bottleneck::Nothing) => Limit::None,
        };
        Stats {
            requests: self.requests.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
            rate_limited: self.rate_limited.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            in_flight: limiter.in_flight(),
            limit,
        }
    }
}

/// A request that pauses before a retry.
pub(super) struct PauseGuard<'a>(&'a Counters);

impl Drop for PauseGuard<'_> {
    fn drop(&mut self) {
        self.0.pausing.fetch_sub(1, Ordering::Relaxed);
    }
}

pub(super) fn add(counter: &AtomicU64, amount: u64) {
    counter.fetch_add(amount, Ordering::Relaxed);
}
