//! When a request may be sent: Stripe's two levels of rate limits, and its concurrency limit.
//!
//! A request is sent when its endpoint and the account both have a token and a slot is free; it
//! takes all three at once. Requests of one endpoint are sent in order of arrival, live ones before
//! those of a backfill (turn.rs), and endpoints take turns: only the first request of each endpoint waits for the account. So accumulated
//! requests cannot later be sent in a burst that exceeds the limit of their endpoint.
//!
//! A 429 lowers the level that it names, successes raise it again (bucket.rs, in_flight.rs).

mod bucket;
mod in_flight;
mod rate;
#[cfg(test)]
mod scenarios;
mod turn;

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::bucket::Bucket;
pub(super) use self::in_flight::MAX_IN_FLIGHT;
use self::in_flight::{InFlight, Slot};
pub use self::rate::RateOptions;
pub(crate) use self::turn::RequestClass;
use self::turn::Turn;
use super::failure::Reason;

/// Decides when the requests of one account are sent.
#[derive(Debug)]
pub(super) struct Limiter {
    rate: RateOptions,
    account: Mutex<Bucket>,
    /// Held by the request that waits for the account.
    account_turn: Turn,
    account_waiting: AtomicUsize,
    endpoints: Mutex<HashMap<String, Arc<EndpointQueue>>>,
    in_flight: Arc<InFlight>,
    in_flight_waiting: AtomicUsize,
    /// How many processes share the limits.
    processes: AtomicU32,
}

/// The requests of one endpoint.
#[derive(Debug)]
struct EndpointQueue {
    bucket: Mutex<Bucket>,
    /// Held by the first request of the queue.
    turn: Turn,
    waiting: AtomicUsize,
}

/// Permission to send one request. Dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Permit {
    at: Instant,
    endpoint: Arc<EndpointQueue>,
    _slot: Slot,
}

impl Limiter {
    pub(super) fn new(rate: RateOptions) -> Limiter {
        Limiter {
            rate,
            account: Mutex::new(Bucket::new(rate.of_account(), Instant::now())),
            account_turn: Turn::default(),
            account_waiting: AtomicUsize::new(0),
            endpoints: Mutex::default(),
            in_flight: Arc::new(InFlight::new()),
            in_flight_waiting: AtomicUsize::new(0),
            processes: AtomicU32::new(1),
        }
    }

    /// This many processes, including this one, share the limits from now on.
    pub(super) fn share(&self, processes: u32) {
        if self.processes.swap(processes, Ordering::Relaxed) == processes {
            return;
        }
        let now = Instant::now();
        lock(&self.account).share(processes, now);
        for endpoint in lock(&self.endpoints).values() {
            lock(&endpoint.bucket).share(processes, now);
        }
    }

    /// Waits until a request of this endpoint may be sent.
    ///
    /// Cancel-safe: a dropped future has taken nothing and gives its turn to the next request.
    pub(super) async fn acquire(&self, endpoint: &str, class: RequestClass) -> Permit {
        let endpoint = self.endpoint(endpoint);
        let _in_queue = Waiting::count_in(&endpoint.waiting);
        let _endpoint_turn = endpoint.turn.take(class).await;
        loop {
            wait_for(|now| lock(&endpoint.bucket).ready_at(now)).await;
            let _for_account = Waiting::count_in(&self.account_waiting);
            let _account_turn = self.account_turn.take(class).await;
            let slot = {
                let _for_slot = Waiting::count_in(&self.in_flight_waiting);
                self.in_flight.acquire().await
            };
            wait_for(|now| lock(&self.account).ready_at(now)).await;
            let now = Instant::now();
            // A 429 may have paused this endpoint in the meantime. Then the request gives up its
            // turn and slot, so that other endpoints do not wait for it.
            if lock(&endpoint.bucket).ready_at(now) <= now {
                lock(&endpoint.bucket).take(now);
                lock(&self.account).take(now);
                return Permit { at: now, endpoint: Arc::clone(&endpoint), _slot: slot };
            }
        }
    }

    /// A request succeeded.
    pub(super) fn record_success(&self, permit: &Permit) {
        let now = Instant::now();
        lock(&permit.endpoint.bucket).grow(now);
        lock(&self.account).grow(now);
        self.in_flight.record_success();
    }

    /// A request got a 429. True if a limit was reduced: a rate at most once per second, and no
    /// limit for a request that was sent before the last reduction.
    pub(super) fn slow_down(
        &self,
        permit: &Permit,
        reason: Reason,
        retry_after: Option<Duration>,
    ) -> bool {
        let now = Instant::now();
        let slow_down = |bucket: &Mutex<Bucket>| {
            let mut bucket = lock(bucket);
            if let Some(pause) = retry_after {
                bucket.pause_until(now + pause);
            }
            bucket.reduce(permit.at, now)
        };
        match reason {
            Reason::GlobalRate => slow_down(&self.account),
            Reason::EndpointRate | Reason::ResourceSpecific => slow_down(&permit.endpoint.bucket),
            Reason::GlobalConcurrency | Reason::EndpointConcurrency => {
                self.in_flight.reduce(permit.at, now)
            }
            // The account's level covers every endpoint.
            Reason::Unnamed => slow_down(&self.account),
        }
    }

    /// What requests are currently waiting for, the narrowest limit first.
    pub(super) fn bottleneck(&self) -> Bottleneck {
        if self.in_flight_waiting.load(Ordering::Relaxed) > 0 {
            return Bottleneck::InFlight;
        }
        if self.account_waiting.load(Ordering::Relaxed) > 0 {
            return Bottleneck::Account;
        }
        let endpoints = lock(&self.endpoints);
        let waiting = |queue: &EndpointQueue| queue.waiting.load(Ordering::Relaxed);
        match endpoints.iter().max_by_key(|(_, queue)| waiting(queue)) {
            Some((name, queue)) if waiting(queue) > 0 => Bottleneck::Endpoint(name.clone()),
            Some(_) | None => Bottleneck::Nothing,
        }
    }

    /// Whether a request to this endpoint is currently waiting for a limit.
    pub(super) fn is_queueing(&self, endpoint: &str) -> bool {
        let waits = |counter: &AtomicUsize| counter.load(Ordering::Relaxed) > 0;
        let of_endpoint = || lock(&self.endpoints).get(endpoint).map(Arc::clone);
        waits(&self.in_flight_waiting)
            || waits(&self.account_waiting)
            || of_endpoint().is_some_and(|queue| waits(&queue.waiting))
    }

    /// The number of requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    fn endpoint(&self, name: &str) -> Arc<EndpointQueue> {
        let mut endpoints = lock(&self.endpoints);
        if let Some(queue) = endpoints.get(name) {
            return Arc::clone(queue);
        }
        let now = Instant::now();
        let mut bucket = Bucket::new(self.rate.of_endpoint(name), now);
        bucket.share(self.processes.load(Ordering::Relaxed), now);
        let queue = Arc::new(EndpointQueue {
            bucket: Mutex::new(bucket),
            turn: Turn::default(),
            waiting: AtomicUsize::new(0),
        });
        endpoints.insert(name.to_owned(), Arc::clone(&queue));
        queue
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

/// Counts a request as waiting until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn count_in(counter: &'a AtomicUsize) -> Waiting<'a> {
        counter.fetch_add(1, Ordering::Relaxed);
        Waiting(counter)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Each change under these locks is complete, so a panic elsewhere leaves them usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
