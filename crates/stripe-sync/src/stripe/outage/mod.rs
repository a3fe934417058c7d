//! Stripe cannot be reached: all workers wait together, one of them keeps knocking.
//!
//! An outage spends nobody's attempts. It ends with the first answer of any kind, or, for those
//! who wait, when the patience is over. Who comes after that gets one try.

#[cfg(test)]
mod scenarios;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;

/// As long as Stripe has never answered, a mistyped address or a missing network is likelier than
/// an outage, and somebody sits before the screen.
const PATIENCE_BEFORE_FIRST_ANSWER: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct OutageGate {
    patience: Duration,
    backoff: Backoff,
    state: Mutex<State>,
    knocker: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    ever_answered: bool,
    outage: Option<Outage>,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Instant,
    knocks: u32,
    next_knock: Instant,
}

/// Permission to try. Whoever knocks at a closed gate is the only one to do so.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    knocking: Option<tokio::sync::MutexGuard<'a, ()>>,
}

/// The patience is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GaveUp {
    pub(super) waited: Duration,
}

/// What a try without connection means for the outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It begins with this try.
    Begins,
    /// It goes on.
    GoesOn,
    /// It has lasted too long.
    GiveUp,
}

impl OutageGate {
    pub(super) fn new(patience: Duration, backoff: Backoff) -> OutageGate {
        let knocker = tokio::sync::Mutex::new(());
        OutageGate { patience, backoff, state: Mutex::default(), knocker }
    }

    /// Returns at once unless there is an outage; then waits for its end, or to knock.
    ///
    /// Cancel-safe: a dropped pass lets the next waiter knock.
    pub(super) async fn pass(&self) -> Result<Pass<'_>, GaveUp> {
        let open = Pass { knocking: None };
        if self.outage_with_patience().is_none_or(|(outage, patience)| outage.is_over(patience)) {
            return Ok(open);
        }
        let turn = self.knocker.lock().await;
        let Some((outage, patience)) = self.outage_with_patience() else { return Ok(open) };
        if outage.is_over(patience) {
            return Err(GaveUp { waited: outage.since.elapsed() });
        }
        sleep_until(outage.next_knock.min(outage.since + patience)).await;
        Ok(Pass { knocking: Some(turn) })
    }

    /// There was no connection.
    pub(super) fn failed(&self, pass: &Pass<'_>) -> Verdict {
        let mut state = self.state();
        let patience = self.patience_in(&state);
        let now = Instant::now();
        let Some(outage) = &mut state.outage else {
            let next_knock = now + self.backoff.pause(1, None);
            state.outage = Some(Outage { since: now, knocks: 0, next_knock });
            return Verdict::Begins;
        };
        if outage.is_over(patience) {
            return Verdict::GiveUp;
        }
        if pass.knocking.is_some() {
            outage.knocks += 1;
            outage.next_knock = now + self.backoff.pause(outage.knocks + 1, None);
        }
        Verdict::GoesOn
    }

    /// Something answered. Gives how long nothing did, if this ends an outage.
    pub(super) fn answered(&self) -> Option<Duration> {
        let mut state = self.state();
        state.ever_answered = true;
        state.outage.take().map(|outage| outage.since.elapsed())
    }

    /// How long Stripe has been out of reach, if it is.
    pub(super) fn lasts(&self) -> Option<Duration> {
        self.state().outage.map(|outage| outage.since.elapsed())
    }

    /// The longest an outage is waited for at present.
    pub(super) fn patience(&self) -> Duration {
        self.patience_in(&self.state())
    }

    fn outage_with_patience(&self) -> Option<(Outage, Duration)> {
        let state = self.state();
        Some((state.outage?, self.patience_in(&state)))
    }

    fn patience_in(&self, state: &State) -> Duration {
        if state.ever_answered {
            self.patience
        } else {
            self.patience.min(PATIENCE_BEFORE_FIRST_ANSWER)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outage {
    fn is_over(&self, patience: Duration) -> bool {
        self.since.elapsed() >= patience
    }
}
