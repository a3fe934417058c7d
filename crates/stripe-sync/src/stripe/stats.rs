//! How the requests are going, for progress displays.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// A snapshot. Counts are since the client was made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// HTTP requests sent, repetitions included.
    pub requests: u64,
    /// Repetitions among them.
    pub retries: u64,
    /// Answers that said we ask too fast or too much at once.
    pub rate_limited: u64,
    /// Bytes of answers, after decompression.
    pub bytes: u64,
    /// Requests on their way at this instant.
    pub in_flight: usize,
    /// What limits the speed at this instant.
    pub limit: Limit,
}

/// What requests wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Limit {
    /// Nothing on Stripe's side.
    None,
    /// The account's rate.
    GlobalRate,
    /// The rate of one endpoint, such as `/v1/charges`.
    EndpointRate(String),
    /// The number of requests at once.
    Concurrency,
    /// Stripe cannot be reached.
    Outage {
        /// How long already.
        since: Duration,
    },
    /// Requests pause before they are repeated.
    Retrying,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) requests: AtomicU64,
    pub(super) retries: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Requests in a pause before they are repeated.
    pub(super) pausing: AtomicUsize,
}

pub(super) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
