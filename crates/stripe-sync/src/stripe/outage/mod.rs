//! While Stripe cannot be reached, all requests wait, and one at a time sends a probe.
//!
//! An outage uses up no attempts. It ends when any request reaches a server. The requests that wait
//! give up when it has lasted too long; each later request gets one attempt.

#[cfg(test)]
mod scenarios;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;

/// Before Stripe has ever responded, a mistyped address or a missing network is more likely than an
/// outage, and a person may be waiting.
const MAX_WAIT_BEFORE_FIRST_RESPONSE: Duration = Duration::from_secs(30);

/// Holds back requests during an outage.
#[derive(Debug)]
pub(super) struct OutageGate {
    max_wait: Duration,
    backoff: Backoff,
    state: Mutex<State>,
    /// Held by the request that probes.
    probe_turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    ever_reached: bool,
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    probes: u32,
    next_probe: Instant,
}

/// Permission for one attempt. During an outage only one request has it, which probes.
#[derive(Debug)]
pub(super) struct OutagePermit<'a> {
    probe_turn: Option<tokio::sync::MutexGuard<'a, ()>>,
}

/// The outage has lasted longer than requests wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OutageExpired;

/// What an attempt without a connection means for the outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutageEffect {
    /// It starts with this attempt.
    Started,
    Continues,
    /// It has lasted too long.
    Expired,
}

impl OutageGate {
    /// A gate that is open. `backoff` spaces the probes.
    pub(super) fn new(max_wait: Duration, backoff: Backoff) -> OutageGate {
        let probe_turn = tokio::sync::Mutex::new(());
        OutageGate { max_wait, backoff, state: Mutex::default(), probe_turn }
    }

    /// Returns immediately unless there is an outage. Otherwise waits for its end or for the turn
    /// to probe.
    ///
    /// Cancel-safe: dropping the permit lets the next request probe.
    ///
    /// # Errors
    /// The outage has already lasted too long when it is this request's turn.
    pub(super) async fn admit(&self) -> Result<OutagePermit<'_>, OutageExpired> {
        let open = OutagePermit { probe_turn: None };
        if self.outage_and_limit().is_none_or(|(outage, limit)| outage.has_lasted(limit)) {
            return Ok(open);
        }
        let turn = self.probe_turn.lock().await;
        let Some((outage, limit)) = self.outage_and_limit() else { return Ok(open) };
        if outage.has_lasted(limit) {
            return Err(OutageExpired);
        }
        sleep_until(outage.next_probe.min(outage.since + limit)).await;
        Ok(OutagePermit { probe_turn: Some(turn) })
    }

    /// An attempt found no connection.
    pub(super) fn record_unreachable(&self, permit: &OutagePermit<'_>) -> OutageEffect {
        let mut state = self.state();
        let limit = self.limit(&state);
        let now = Instant::now();
        let Some(outage) = &mut state.outage else {
            let next_probe = now + self.backoff.pause(1, None);
            state.outage = Some(Outage { since: now, probes: 0, next_probe });
            return OutageEffect::Started;
        };
        if outage.has_lasted(limit) {
            return OutageEffect::Expired;
        }
        if permit.probe_turn.is_some() {
            outage.probes += 1;
            outage.next_probe = now + self.backoff.pause(outage.probes + 1, None);
        }
        OutageEffect::Continues
    }

    /// An attempt reached a server. If this ends an outage, returns its duration.
    pub(super) fn record_reached(&self) -> Option<Duration> {
        let mut state = self.state();
        state.ever_reached = true;
        state.outage.take().map(|outage| outage.since.elapsed())
    }

    /// The duration of the current outage, if there is one.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.state().outage.map(|outage| outage.since.elapsed())
    }

    /// How long requests wait for the end of an outage.
    pub(super) fn max_wait(&self) -> Duration {
        self.limit(&self.state())
    }

    fn outage_and_limit(&self) -> Option<(Outage, Duration)> {
        let state = self.state();
        Some((state.outage?, self.limit(&state)))
    }

    fn limit(&self, state: &State) -> Duration {
        if state.ever_reached {
            self.max_wait
        } else {
            self.max_wait.min(MAX_WAIT_BEFORE_FIRST_RESPONSE)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outage {
    fn has_lasted(&self, limit: Duration) -> bool {
        self.since.elapsed() >= limit
    }
}
