//! When a request may leave: Stripe's two levels of rate limits, and how many at once.
//!
//! A request leaves when its endpoint and the account both have a token and a place is free, and
//! takes all three in the same instant. Waiting is in order of arrival within an endpoint, and in
//! turn between endpoints: only the first of each endpoint waits for the account, so requests that
//! piled up can not later leave in a bunch that breaks their endpoint's limit.
//!
//! Answers of 429 lower the level they name, successes raise it again (bucket.rs, in_flight.rs).

mod bucket;
mod in_flight;
#[cfg(test)]
mod scenarios;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::bucket::Bucket;
pub(super) use self::in_flight::MAX_IN_FLIGHT;
use self::in_flight::{InFlight, Place};
use super::failure::Reason;
use crate::account::Mode;

/// The part of Stripe's documented limits that we use, so that the user's own traffic has room.
const SHARE: f64 = 0.75;
/// Requests per second of an account (<https://docs.stripe.com/rate-limits>).
const LIVE: f64 = 100.0;
const TEST: f64 = 25.0;
/// Requests per second of one endpoint, and of those of the Files API (same page).
const ENDPOINT: f64 = 25.0;
const FILES: f64 = 20.0;

/// How many requests per second we allow ourselves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateOptions {
    /// 75 % of what Stripe documents for this mode: account and endpoint.
    Documented {
        /// Live accounts may ask four times as often.
        mode: Mode,
    },
    /// So many per second, for the account and for each endpoint.
    Fixed(f64),
    /// No limit until Stripe answers 429.
    Unlimited,
}

impl RateOptions {
    /// False for rates that are no numbers, or so small or large that they mean nothing.
    pub(super) fn is_usable(self) -> bool {
        match self {
            RateOptions::Documented { .. } | RateOptions::Unlimited => true,
            RateOptions::Fixed(rate) => (0.001..=1e6).contains(&rate),
        }
    }

    fn of_account(self) -> f64 {
        match self {
            RateOptions::Documented { mode: Mode::Live } => LIVE * SHARE,
            RateOptions::Documented { mode: Mode::Test } => TEST * SHARE,
            RateOptions::Fixed(rate) => rate,
            RateOptions::Unlimited => f64::INFINITY,
        }
    }

    fn of_endpoint(self, endpoint: &str) -> f64 {
        match self {
            RateOptions::Documented { .. } if endpoint.starts_with("/v1/file") => FILES * SHARE,
            RateOptions::Documented { .. } => ENDPOINT * SHARE,
            RateOptions::Fixed(rate) => rate,
            RateOptions::Unlimited => f64::INFINITY,
        }
    }
}

/// Decides when requests leave.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: RateOptions,
    account: Mutex<Bucket>,
    account_turn: tokio::sync::Mutex<()>,
    account_queue: AtomicUsize,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
    in_flight: Arc<InFlight>,
    in_flight_queue: AtomicUsize,
}

/// The requests of one endpoint.
#[derive(Debug)]
struct Lane {
    bucket: Mutex<Bucket>,
    turn: tokio::sync::Mutex<()>,
    queue: AtomicUsize,
}

/// Permission to send one request. Its place is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Leave {
    at: Instant,
    lane: Arc<Lane>,
    _place: Place,
}

impl Limiter {
    pub(super) fn new(rate: RateOptions) -> Limiter {
        Limiter {
            rate,
            account: Mutex::new(Bucket::new(rate.of_account(), Instant::now())),
            account_turn: tokio::sync::Mutex::new(()),
            account_queue: AtomicUsize::new(0),
            lanes: Mutex::default(),
            in_flight: Arc::new(InFlight::new()),
            in_flight_queue: AtomicUsize::new(0),
        }
    }

    /// Waits until a request of this endpoint may leave.
    ///
    /// Cancel-safe: a dropped future has taken nothing and gives its turn to the next.
    pub(super) async fn leave(&self, endpoint: &str) -> Leave {
        let lane = self.lane(endpoint);
        let _in_lane = Queued::in_(&lane.queue);
        let _lane_turn = lane.turn.lock().await;
        loop {
            wait_for(|now| lock(&lane.bucket).ready_at(now)).await;
            let _in_account = Queued::in_(&self.account_queue);
            let _account_turn = self.account_turn.lock().await;
            let place = {
                let _for_place = Queued::in_(&self.in_flight_queue);
                self.in_flight.enter().await
            };
            wait_for(|now| lock(&self.account).ready_at(now)).await;
            let now = Instant::now();
            // Stripe may have told this endpoint to pause meanwhile. Others must not wait for it,
            // so it gives up its turn and place.
            if lock(&lane.bucket).ready_at(now) <= now {
                lock(&lane.bucket).take(now);
                lock(&self.account).take(now);
                return Leave { at: now, lane: Arc::clone(&lane), _place: place };
            }
        }
    }

    /// A request came back with what it asked for.
    pub(super) fn succeeded(&self, leave: &Leave) {
        let now = Instant::now();
        lock(&leave.lane.bucket).grow(now);
        lock(&self.account).grow(now);
        self.in_flight.succeeded();
    }

    /// A request came back with a 429. True if anything was lowered: a rate at most once per
    /// second, and nothing for requests that left before the last time.
    pub(super) fn slow_down(
        &self,
        leave: &Leave,
        reason: Reason,
        retry_after: Option<Duration>,
    ) -> bool {
        let now = Instant::now();
        let lower = |bucket: &Mutex<Bucket>| {
            let mut bucket = lock(bucket);
            if let Some(pause) = retry_after {
                bucket.pause_until(now + pause);
            }
            bucket.cut(leave.at, now)
        };
        match reason {
            Reason::GlobalRate => lower(&self.account),
            Reason::EndpointRate | Reason::ResourceSpecific => lower(&leave.lane.bucket),
            Reason::GlobalConcurrency | Reason::EndpointConcurrency => {
                self.in_flight.cut(leave.at, now)
            }
            // Either level may be the one; the wrong one recovers within seconds.
            Reason::Unnamed => {
                let endpoint = lower(&leave.lane.bucket);
                lock(&self.account).cut(leave.at, now) || endpoint
            }
        }
    }

    /// What requests wait for at this instant, the narrowest first.
    pub(super) fn bottleneck(&self) -> Bottleneck {
        if self.in_flight_queue.load(Ordering::Relaxed) > 0 {
            return Bottleneck::InFlight;
        }
        if self.account_queue.load(Ordering::Relaxed) > 0 {
            return Bottleneck::Account;
        }
        let lanes = lock(&self.lanes);
        let queued = |lane: &Lane| lane.queue.load(Ordering::Relaxed);
        match lanes.iter().max_by_key(|(_, lane)| queued(lane)) {
            Some((endpoint, lane)) if queued(lane) > 0 => Bottleneck::Endpoint(endpoint.clone()),
            Some(_) | None => Bottleneck::Nothing,
        }
    }

    /// Requests on their way.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    fn lane(&self, endpoint: &str) -> Arc<Lane> {
        let mut lanes = lock(&self.lanes);
        if let Some(lane) = lanes.get(endpoint) {
            return Arc::clone(lane);
        }
        let bucket = Bucket::new(self.rate.of_endpoint(endpoint), Instant::now());
        let lane = Arc::new(Lane {
            bucket: Mutex::new(bucket),
            turn: tokio::sync::Mutex::new(()),
            queue: AtomicUsize::new(0),
        });
        lanes.insert(endpoint.to_owned(), Arc::clone(&lane));
        lane
    }
}

/// What requests wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bottleneck {
    Nothing,
    InFlight,
    Account,
    Endpoint(String),
}

async fn wait_for(ready_at: impl Fn(Instant) -> Instant) {
    loop {
        let now = Instant::now();
        let ready = ready_at(now);
        if ready <= now {
            return;
        }
        sleep_until(ready).await;
    }
}

/// Counts one waiting request for as long as it waits.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn in_(queue: &'a AtomicUsize) -> Queued<'a> {
        queue.fetch_add(1, Ordering::Relaxed);
        Queued(queue)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Every change under these locks is complete in itself, so a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
