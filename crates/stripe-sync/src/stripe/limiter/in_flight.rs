//! How many requests may be on their way at once: Stripe's other limiter, which counts long
//! requests (<https://docs.stripe.com/rate-limits>), documents no number, so it is felt out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

/// The most we ever have on their way.
pub(in crate::stripe) const MAX_IN_FLIGHT: usize = 64;
/// Successes that earn one more place.
const SUCCESSES_PER_PLACE: u32 = 50;

#[derive(Debug)]
pub(super) struct InFlight {
    state: Mutex<State>,
    freed: Notify,
}

#[derive(Debug)]
struct State {
    taken: usize,
    places: usize,
    successes: u32,
    cut: Option<Instant>,
}

/// One place, free again when dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<InFlight>);

impl InFlight {
    pub(super) fn new() -> InFlight {
        let state = State { taken: 0, places: MAX_IN_FLIGHT, successes: 0, cut: None };
        InFlight { state: Mutex::new(state), freed: Notify::new() }
    }

    /// Waits for a free place. Only one caller waits at a time (the limiter's turn).
    ///
    /// Cancel-safe: a dropped future has taken no place.
    pub(super) async fn enter(self: &Arc<InFlight>) -> Place {
        loop {
            {
                let mut state = self.state();
                if state.taken < state.places {
                    state.taken += 1;
                    return Place(Arc::clone(self));
                }
            }
            self.freed.notified().await;
        }
    }

    pub(super) fn succeeded(&self) {
        let mut state = self.state();
        if state.places == MAX_IN_FLIGHT {
            return;
        }
        state.successes += 1;
        if state.successes >= SUCCESSES_PER_PLACE {
            state.successes = 0;
            state.places += 1;
            self.freed.notify_one();
        }
    }

    /// Halves what is in use, but not for requests that left before the last time: those after it
    /// left when fewer than the lowered number were on their way.
    pub(super) fn cut(&self, left: Instant, now: Instant) -> bool {
        let mut state = self.state();
        if state.cut.is_some_and(|cut| left <= cut) {
            return false;
        }
        // The refused request itself may have left already; it was one of them.
        let used = state.taken.max(1).min(state.places);
        state.places = (used / 2).max(1);
        state.successes = 0;
        state.cut = Some(now);
        true
    }

    pub(super) fn count(&self) -> usize {
        self.state().taken
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.state().taken -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    fn enter_all(in_flight: &Arc<InFlight>, wanted: usize) -> Vec<Place> {
        let mut places = Vec::new();
        while places.len() < wanted {
            let Some(place) = in_flight.enter().now_or_never() else { break };
            places.push(place);
        }
        places
    }

    #[tokio::test]
    async fn places_are_limited_halved_and_earned_back() {
        let in_flight = Arc::new(InFlight::new());
        let places = enter_all(&in_flight, MAX_IN_FLIGHT + 10);
        assert_eq!(places.len(), MAX_IN_FLIGHT);

        let now = Instant::now();
        assert!(in_flight.cut(now, now));
        assert!(!in_flight.cut(now, now), "once for all that left before");
        drop(places);
        let places = enter_all(&in_flight, MAX_IN_FLIGHT);
        assert_eq!((places.len(), in_flight.count()), (MAX_IN_FLIGHT / 2, MAX_IN_FLIGHT / 2));

        for _ in 0..100 {
            in_flight.succeeded();
        }
        assert_eq!(enter_all(&in_flight, MAX_IN_FLIGHT).len(), 2);
        for _ in 0..100 * MAX_IN_FLIGHT {
            in_flight.succeeded();
        }
        drop(places);
        assert_eq!(enter_all(&in_flight, MAX_IN_FLIGHT + 10).len(), MAX_IN_FLIGHT);
    }

    #[tokio::test]
    async fn one_place_always_remains() {
        let in_flight = Arc::new(InFlight::new());
        let now = Instant::now();
        for second in 1..20 {
            let at = now + std::time::Duration::from_secs(second);
            assert!(in_flight.cut(at, at));
        }
        assert_eq!(enter_all(&in_flight, 5).len(), 1);
    }

    #[tokio::test]
    async fn a_freed_place_wakes_the_one_who_waits() {
        let in_flight = Arc::new(InFlight::new());
        let mut places = enter_all(&in_flight, MAX_IN_FLIGHT);
        let waiting = tokio::spawn({
            let in_flight = Arc::clone(&in_flight);
            async move { in_flight.enter().await }
        });
        tokio::task::yield_now().await;
        places.pop();
        let entered = waiting.await.unwrap();
        assert_eq!(in_flight.count(), MAX_IN_FLIGHT);
        drop((entered, places));
        assert_eq!(in_flight.count(), 0);
    }
}
