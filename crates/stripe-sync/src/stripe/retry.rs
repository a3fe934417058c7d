//! How often and how long one request is retried. [`super::advice`] decides whether it may be
//! retried.
//!
//! Three budgets are independent: attempts for failures that count, time for consecutive rate
//! limits, and time for an outage.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::address::ApiBase;
use super::advice::{Advice, advise};
use super::backoff::Backoff;
use super::failure::Failure;
use super::outage::{OutageEffect, OutageExpired, OutageGate, OutagePermit};
use super::request::Request;

/// How long a request is retried while every response is a 429. The last pause may end later.
const MAX_RATE_LIMITED: Duration = Duration::from_secs(600);

/// The budgets of a client, and what its requests have shown about the server.
#[derive(Debug)]
pub(super) struct RetryPolicy {
    /// For log lines.
    base: ApiBase,
    /// Attempts per request. Rate limits and outages do not count.
    max_attempts: u32,
    backoff: Backoff,
    outage: OutageGate,
    /// Whether the server has ever sent a response of any kind.
    ever_responded: AtomicBool,
}

/// What one request has used so far.
#[derive(Debug, Default)]
pub(super) struct RetryState {
    /// HTTP requests that reached a server.
    pub(super) requests: u32,
    /// Those that count as attempts.
    attempts: u32,
    /// Attempts of this request, if fewer than those of the client.
    max_attempts: Option<u32>,
    first_rate_limit: Option<Instant>,
    first_unreachable: Option<Instant>,
}

impl RetryState {
    /// Nothing has been used up.
    pub(super) fn of(request: &Request) -> RetryState {
        RetryState { max_attempts: request.max_attempts, ..RetryState::default() }
    }
}

impl RetryPolicy {
    pub(super) fn new(
        base: ApiBase,
        max_attempts: u32,
        backoff: Backoff,
        outage: OutageGate,
    ) -> RetryPolicy {
        let ever_responded = AtomicBool::new(false);
        RetryPolicy { base, max_attempts: max_attempts.max(1), backoff, outage, ever_responded }
    }

    pub(super) fn outage(&self) -> &OutageGate {
        &self.outage
    }

    /// Waits while Stripe cannot be reached. Cancel-safe.
    ///
    /// # Errors
    /// The outage has lasted too long.
    pub(super) async fn admit(&self) -> Result<OutagePermit<'_>, OutageExpired> {
        self.outage.admit().await
    }

    /// A request reached a server, whether or not it succeeded.
    pub(super) fn record_reached(&self, state: &mut RetryState) {
        state.requests += 1;
        if let Some(duration) = self.outage.record_reached() {
            let seconds = duration.as_secs();
            tracing::info!(base = %self.base, seconds, "Stripe can be reached again");
        }
    }

    /// The server sent a response or a part of one.
    pub(super) fn record_response(&self) {
        self.ever_responded.store(true, Ordering::Relaxed);
    }

    /// Records a failed attempt in `state`, and returns how long to pause before the next one.
    /// `None` if there is no next attempt.
    pub(super) fn next_pause(
        &self,
        state: &mut RetryState,
        permit: &OutagePermit<'_>,
        failure: &Failure,
    ) -> Option<Duration> {
        let now = Instant::now();
        match advise(failure) {
            Advice::GiveUp => None,
            // A server that accepts connections but has never responded is probably not Stripe.
            Advice::Retry { .. }
                if matches!(failure, Failure::TimedOut(_))
                    && !self.ever_responded.load(Ordering::Relaxed) =>
            {
                None
            }
            Advice::Retry { retry_after } => {
                state.attempts += 1;
                let pause = self.backoff.pause(state.attempts, retry_after);
                let max_attempts = state.max_attempts.unwrap_or(self.max_attempts);
                (state.attempts < max_attempts).then_some(pause)
            }
            Advice::SlowDown { retry_after, .. } => {
                let first = *state.first_rate_limit.get_or_insert(now);
                // The limiter paces the retries; the pause only spreads requests that were rejected
                // together.
                let pause = Backoff::RATE_LIMITED.pause(1, retry_after);
                (now < first + MAX_RATE_LIMITED).then_some(pause)
            }
            Advice::WaitForStripe => {
                let first = *state.first_unreachable.get_or_insert(now);
                match self.outage.record_unreachable(permit) {
                    OutageEffect::Expired => return None,
                    OutageEffect::Continues => {}
                    OutageEffect::Started => {
                        let cause = failure.root_cause().unwrap_or_default();
                        tracing::warn!(base = %self.base, cause, "Stripe cannot be reached; waiting");
                    }
                }
                // Requests on open connections may end the outage even if this request never
                // connects. It needs no pause, because the gate makes it wait.
                (now < first + self.outage.max_wait()).then_some(Duration::ZERO)
            }
        }
    }
}
