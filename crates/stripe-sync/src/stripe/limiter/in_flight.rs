//! How many requests may be in flight. Stripe limits concurrency without documenting a number
//! (<https://docs.stripe.com/rate-limits>), so the limit adapts to 429s.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// Maximum number of requests in flight.
pub(in crate::stripe) const MAX_IN_FLIGHT: usize = 64;
/// Successes after which the limit is raised by one.
const SUCCESSES_PER_SLOT: u32 = 50;

#[derive(Debug)]
pub(super) struct InFlight {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    used: usize,
    slots: usize,
    successes: u32,
    reduced: Option<Instant>,
}

/// One request in flight. Dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot(Arc<InFlight>);

impl InFlight {
    pub(super) fn new() -> InFlight {
        let state = State { used: 0, slots: MAX_IN_FLIGHT, successes: 0, reduced: None };
        InFlight { state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for a free slot. Only one caller waits at a time (the account's turn of the limiter).
    ///
    /// Cancel-safe: a dropped future has taken no slot.
    pub(super) async fn acquire(self: &Arc<InFlight>) -> Slot {
        loop {
            {
                let mut state = self.state();
                if state.used < state.slots {
                    state.used += 1;
                    return Slot(Arc::clone(self));
                }
            }
            self.freed.notified().await;
        }
    }

    /// A request succeeded.
    pub(super) fn record_success(&self) {
        let mut state = self.state();
        if state.slots == MAX_IN_FLIGHT {
            return;
        }
        state.successes += 1;
        if state.successes >= SUCCESSES_PER_SLOT {
            state.successes = 0;
            state.slots += 1;
            self.freed.notify_one();
        }
    }

    /// A request sent at `sent` got a 429: halves the number of requests in flight. Ignored for a
    /// request that was sent before the last reduction; later ones were sent within the reduced
    /// limit.
    pub(super) fn reduce(&self, sent: Instant, now: Instant) -> bool {
        let mut state = self.state();
        if state.reduced.is_some_and(|reduced| sent <= reduced) {
            return false;
        }
        // The rejected request counts even if its slot is free again.
        let used = state.used.max(1).min(state.slots);
        state.slots = (used / 2).max(1);
        state.successes = 0;
        state.reduced = Some(now);
        true
    }

    pub(super) fn count(&self) -> usize {
        self.state().used
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.state().used -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn acquire_all(in_flight: &Arc<InFlight>, wanted: usize) -> Vec<Slot> {
        let mut slots = Vec::new();
        while slots.len() < wanted {
            let Some(slot) = in_flight.acquire().now_or_never() else { break };
            slots.push(slot);
        }
        slots
    }

    #[tokio::test]
    async fn slots_are_limited_halved_and_restored() {
        let in_flight = Arc::new(InFlight::new());
        let slots = acquire_all(&in_flight, MAX_IN_FLIGHT + 10);
        assert_eq!(slots.len(), MAX_IN_FLIGHT);

        let now = Instant::now();
        assert!(in_flight.reduce(now, now));
        assert!(!in_flight.reduce(now, now), "once for all requests sent before");
        drop(slots);
        let slots = acquire_all(&in_flight, MAX_IN_FLIGHT);
        assert_eq!((slots.len(), in_flight.count()), (MAX_IN_FLIGHT / 2, MAX_IN_FLIGHT / 2));

        for _ in 0..100 {
            in_flight.record_success();
        }
        assert_eq!(acquire_all(&in_flight, MAX_IN_FLIGHT).len(), 2);
        for _ in 0..100 * MAX_IN_FLIGHT {
            in_flight.record_success();
        }
        drop(slots);
        assert_eq!(acquire_all(&in_flight, MAX_IN_FLIGHT + 10).len(), MAX_IN_FLIGHT);
    }

    #[tokio::test]
    async fn one_slot_always_remains() {
        let in_flight = Arc::new(InFlight::new());
        let now = Instant::now();
        for second in 1..20 {
            let at = now + std::time::Duration::from_secs(second);
            assert!(in_flight.reduce(at, at));
        }
        assert_eq!(acquire_all(&in_flight, 5).len(), 1);
    }

    #[tokio::test]
    async fn a_freed_slot_wakes_the_waiting_request() {
        let in_flight = Arc::new(InFlight::new());
        let mut slots = acquire_all(&in_flight, MAX_IN_FLIGHT);
        let waiting = tokio::spawn({
            let in_flight = Arc::clone(&in_flight);
            async move { in_flight.acquire().await }
        });
        tokio::task::yield_now().await;
        slots.pop();
        let acquired = waiting.await.unwrap();
        assert_eq!(in_flight.count(), MAX_IN_FLIGHT);
        drop((acquired, slots));
        assert_eq!(in_flight.count(), 0);
    }
}
