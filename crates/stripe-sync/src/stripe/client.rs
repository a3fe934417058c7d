//! Asks Stripe until it answers, or until asking on makes no sense.
//!
//! One loop for every request: wait for the outage to end, wait for the limits, ask, and on failure
//! do what [`super::advice`] says. All requests are GETs, so repeating them changes nothing at
//! Stripe, and dropping a call at any point loses nothing but its answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::advice::{Advice, advise};
use super::backoff::{Backoff, LONGEST_RETRY_AFTER};
use super::clock::StripeClock;
use super::error::StripeError;
use super::exchange::{Delivery, exchange};
use super::failure::Failure;
use super::limiter::{Bottleneck, Limiter};
use super::options::ClientOptions;
use super::outage::{OutageGate, Pass, Verdict};
use super::page::{Answer, Arrival, Page, Unreadable, expect_object, find_items};
use super::request::Request;
use super::stats::{Counters, Limit, Stats, add};
use super::transport::Transport;
use crate::order::Stamp;

/// How long one request may meet nothing but 429. The last pause may end after it.
const RATE_LIMIT_PATIENCE: Duration = Duration::from_secs(600);

/// Reads one Stripe account: its own, or a connected one. Clones share limiter, clock and outage
/// gate; clients of other accounts share at most the transport.
#[derive(Clone)]
pub(crate) struct StripeClient {
    shared: Arc<Shared>,
}

struct Shared {
    transport: Transport,
    headers: HeaderMap,
    version: String,
    max_attempts: u32,
    clock: StripeClock,
    limiter: Limiter,
    outage: OutageGate,
    /// Whether there has ever been an answer, of whatever kind.
    heard: AtomicBool,
    counters: Counters,
    backoff: Backoff,
}

impl StripeClient {
    /// Creates the client of one account without connecting to anything. Clients of several
    /// accounts may share one transport.
    ///
    /// # Errors
    /// Kind `Setup` if the rate is not a positive number or the version cannot be a header.
    pub(crate) fn with_transport(
        transport: Transport,
        options: ClientOptions,
    ) -> Result<StripeClient, StripeError> {
        StripeClient::with_pauses(transport, options, Backoff::OF_REQUESTS, Backoff::OF_KNOCKS)
    }

    /// A client whose pauses are too short for anything but a test.
    #[cfg(test)]
    pub(super) fn with_short_pauses(
        transport: Transport,
        options: ClientOptions,
    ) -> Result<StripeClient, StripeError> {
        StripeClient::with_pauses(transport, options, Backoff::HURRIED, Backoff::HURRIED)
    }

    fn with_pauses(
        transport: Transport,
        options: ClientOptions,
        backoff: Backoff,
        knocks: Backoff,
    ) -> Result<StripeClient, StripeError> {
        if !options.rate.is_usable() {
            return Err(StripeError::setup("the request rate must be a positive number".into()));
        }
        let shared = Shared {
            headers: options.headers().map_err(StripeError::setup)?,
            transport,
            version: options.version,
            max_attempts: options.max_attempts.max(1),
            clock: StripeClock::new(),
            limiter: Limiter::new(options.rate),
            outage: OutageGate::new(options.max_outage, knocks),
            heard: AtomicBool::new(false),
            counters: Counters::default(),
            backoff,
        };
        Ok(StripeClient { shared: Arc::new(shared) })
    }

    /// One page of a list. Cancel-safe.
    ///
    /// # Errors
    /// After all repetitions that made sense; the time until then is bounded by the attempts, ten
    /// minutes of rate limits and the patience with outages.
    pub(crate) async fn list(&self, request: &Request) -> Result<Page, StripeError> {
        let (delivery, items, arrival) = self.shared.ask(request, find_items).await?;
        Ok(Page::new(delivery.body, items, arrival))
    }

    /// One object. Cancel-safe.
    ///
    /// # Errors
    /// As [`StripeClient::list`]. An object that Stripe shows as deleted is an answer, not an error.
    pub(crate) async fn get(&self, request: &Request) -> Result<Answer, StripeError> {
        let (delivery, (), arrival) = self.shared.ask(request, expect_object).await?;
        Ok(Answer::new(delivery.body, arrival))
    }

    /// The present instant on Stripe's clock, never later than it is there.
    /// Before the first answer it is the system's clock.
    pub(crate) fn now(&self) -> Stamp {
        self.shared.clock.now()
    }

    /// The API version that is asked for.
    pub(crate) fn version(&self) -> &str {
        &self.shared.version
    }

    /// How it is going.
    pub(crate) fn stats(&self) -> Stats {
        let Shared { counters, limiter, outage, .. } = &*self.shared;
        let pausing = counters.pausing.load(Ordering::Relaxed) > 0;
        let limit = match (outage.lasts(), limiter.bottleneck()) {
            (Some(since), _) => Limit::Outage { since },
            (None, Bottleneck::InFlight) => Limit::Concurrency,
            (None, Bottleneck::Account) => Limit::GlobalRate,
            (None, Bottleneck::Endpoint(endpoint)) => Limit::EndpointRate(endpoint),
            (None, Bottleneck::Nothing) if pausing => Limit::Retrying,
            (None, Bottleneck::Nothing) => Limit::None,
        };
        Stats {
            requests: counters.requests.load(Ordering::Relaxed),
            retries: counters.retries.load(Ordering::Relaxed),
            rate_limited: counters.rate_limited.load(Ordering::Relaxed),
            bytes: counters.bytes.load(Ordering::Relaxed),
            in_flight: limiter.in_flight(),
            limit,
        }
    }
}

impl fmt::Debug for StripeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { transport, .. } = &*self.shared;
        f.debug_struct("StripeClient").field("transport", transport).finish_non_exhaustive()
    }
}

/// What a request has cost so far.
#[derive(Debug, Default)]
struct Effort {
    /// HTTP requests that reached a server.
    requests: u32,
    /// Those that count as attempts.
    attempts: u32,
    /// Rate limits in a row.
    limited: u32,
    first_limited: Option<Instant>,
    first_unreachable: Option<Instant>,
}

impl Shared {
    /// The loop. `read` must be quick and pure: it decides whether an answer is what was asked.
    async fn ask<T>(
        &self,
        request: &Request,
        read: fn(&str) -> Result<T, Unreadable>,
    ) -> Result<(Delivery, T, Arrival), StripeError> {
        let mut effort = Effort::default();
        loop {
            let Ok(pass) = self.outage.pass().await else {
                return Err(StripeError::unreachable(request, effort.requests));
            };
            let failure = match self.attempt(request, read, &mut effort).await {
                Ok((mut delivery, content)) => {
                    let stamp = self.clock.stamp(delivery.sent, delivery.received, delivery.date);
                    let request_id = delivery.request_id.take();
                    let arrival = Arrival { sent: stamp, request_id, requests: effort.requests };
                    return Ok((delivery, content, arrival));
                }
                Err(failure) => failure,
            };
            let Some(wait) = self.what_next(&failure, &pass, &mut effort) else {
                return Err(StripeError::new(request, failure, effort.requests));
            };
            tracing::debug!(
                path = %request.path, ?failure, ?wait, requests = effort.requests, "asking again"
            );
            drop(pass);
            let _pausing = Pausing::begin(&self.counters);
            tokio::time::sleep(wait).await;
        }
    }

    /// One attempt, counted and reported to the limiter.
    async fn attempt<T>(
        &self,
        request: &Request,
        read: fn(&str) -> Result<T, Unreadable>,
        effort: &mut Effort,
    ) -> Result<(Delivery, T), Failure> {
        let leave = self.limiter.leave(&request.endpoint).await;
        let get = self.transport.get(request, self.headers.clone());
        let outcome = exchange(get, &self.clock).await.and_then(|delivery| {
            add(&self.counters.bytes, delivery.body.len() as u64);
            match read(&delivery.body) {
                Ok(content) => Ok((delivery, content)),
                Err(why) => {
                    let Delivery { status, request_id, .. } = delivery;
                    Err(Failure::Unreadable { status, request_id, why })
                }
            }
        });
        if !matches!(outcome, Err(Failure::Unreachable(_) | Failure::TimedOut(_))) {
            self.heard.store(true, Ordering::Relaxed);
        }
        if !matches!(outcome, Err(Failure::Unreachable(_))) {
            add(&self.counters.requests, 1);
            add(&self.counters.retries, u64::from(effort.requests > 0));
            effort.requests += 1;
            if let Some(lasted) = self.outage.answered() {
                tracing::info!(base = %self.transport.base(), seconds = lasted.as_secs(), "stripe is reachable again");
            }
        }
        match &outcome {
            Ok(_) => self.limiter.succeeded(&leave),
            Err(failure) => {
                if let Advice::SlowDown { reason, retry_after } = advise(failure) {
                    add(&self.counters.rate_limited, 1);
                    let retry_after = retry_after.map(|asked| asked.min(LONGEST_RETRY_AFTER));
                    if self.limiter.slow_down(&leave, reason, retry_after) {
                        tracing::info!(
                            endpoint = request.endpoint,
                            ?reason,
                            ?retry_after,
                            "stripe asks to slow down"
                        );
                    }
                }
            }
        }
        outcome
    }

    /// How long to wait before the next attempt; `None` if there is none.
    fn what_next(
        &self,
        failure: &Failure,
        pass: &Pass<'_>,
        effort: &mut Effort,
    ) -> Option<Duration> {
        let now = Instant::now();
        match advise(failure) {
            Advice::GiveUp => None,
            // What takes connections and has never said anything is hardly Stripe.
            Advice::Again { .. }
                if matches!(failure, Failure::TimedOut(_))
                    && !self.heard.load(Ordering::Relaxed) =>
            {
                None
            }
            Advice::Again { retry_after } => {
                effort.attempts += 1;
                let pause = self.backoff.pause(effort.attempts, retry_after);
                (effort.attempts < self.max_attempts).then_some(pause)
            }
            Advice::SlowDown { retry_after, .. } => {
                effort.limited += 1;
                let first = *effort.first_limited.get_or_insert(now);
                let wait = self.backoff.pause(effort.limited, retry_after);
                (now < first + RATE_LIMIT_PATIENCE).then_some(wait)
            }
            Advice::WaitForStripe => {
                let first = *effort.first_unreachable.get_or_insert(now);
                match self.outage.failed(pass) {
                    Verdict::GiveUp => return None,
                    Verdict::GoesOn => {}
                    Verdict::Begins => {
                        let cause = failure.root_cause().unwrap_or_default();
                        tracing::warn!(base = %self.transport.base(), cause, "stripe cannot be reached, waiting for it");
                    }
                }
                // Other requests may get through on open connections while this one never does.
                (now < first + self.outage.patience()).then_some(Duration::ZERO)
            }
        }
    }
}

/// Counts a request among those that pause.
struct Pausing<'a>(&'a Counters);

impl<'a> Pausing<'a> {
    fn begin(counters: &'a Counters) -> Pausing<'a> {
        counters.pausing.fetch_add(1, Ordering::Relaxed);
        Pausing(counters)
    }
}

impl Drop for Pausing<'_> {
    fn drop(&mut self) {
        self.0.pausing.fetch_sub(1, Ordering::Relaxed);
    }
}
