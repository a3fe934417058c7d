//! Sends requests for one account until Stripe responds, or until a retry makes no sense.
//!
//! All requests use one loop: wait until Stripe can be reached, wait for the rate limits, send, and
//! after a failure do what [`super::retry`] decides. Every request can be repeated safely
//! ([`super::request`]), and dropping a call at any point loses only its response.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;

use super::advice::{Advice, advise};
use super::backoff::{Backoff, MAX_RETRY_AFTER};
use super::clock::StripeClock;
use super::error::StripeError;
use super::exchange::{MAX_RESPONSE, RawResponse, exchange};
use super::failure::Failure;
use super::limiter::{Limiter, Permit, RequestClass};
use super::options::ClientOptions;
use super::outage::OutageGate;
use super::page::{Answer, Page, ResponseMeta, Unreadable, expect_object, find_objects};
use super::request::Request;
use super::retry::{RetryPolicy, RetryState};
use super::stats::{Counters, Stats, add};
use super::transport::Transport;
use crate::order::Stamp;

/// Reads one Stripe account: the key's own, or one connected to it. Clones share limiter, clock
/// and outage gate. Clients of different accounts share at most the transport.
#[derive(Clone)]
pub(crate) struct StripeClient {
    shared: Arc<Shared>,
    class: RequestClass,
}

struct Shared {
    transport: Transport,
    headers: HeaderMap,
    version: String,
    clock: StripeClock,
    limiter: Limiter,
    retry: RetryPolicy,
    counters: Counters,
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
        StripeClient::with_pauses(transport, options, Backoff::REQUESTS, Backoff::PROBES)
    }

    /// A client whose pauses are too short for anything but a test.
    #[cfg(test)]
    pub(super) fn with_short_pauses(
        transport: Transport,
        options: ClientOptions,
    ) -> Result<StripeClient, StripeError> {
        StripeClient::with_pauses(transport, options, Backoff::SHORT, Backoff::SHORT)
    }

    fn with_pauses(
        transport: Transport,
        options: ClientOptions,
        requests: Backoff,
        probes: Backoff,
    ) -> Result<StripeClient, StripeError> {
        if !options.rate.is_usable() {
            return Err(StripeError::setup("the request rate must be a positive number".into()));
        }
        let headers = options.headers().map_err(StripeError::setup)?;
        let outage = OutageGate::new(options.max_outage, probes);
        let base = transport.base().clone();
        let shared = Shared {
            transport,
            headers,
            version: options.version,
            clock: StripeClock::new(),
            limiter: Limiter::new(options.rate),
            retry: RetryPolicy::new(base, options.max_attempts, requests, outage),
            counters: Counters::default(),
        };
        Ok(StripeClient { shared: Arc::new(shared), class: RequestClass::Backfill })
    }

    /// The same client, for requests that are sent after those for events.
    pub(crate) fn with_backfill_priority(&self) -> StripeClient {
        StripeClient { shared: Arc::clone(&self.shared), class: RequestClass::Backfill }
    }

    /// The same client, for requests that are sent before those of a backfill.
    pub(crate) fn with_live_priority(&self) -> StripeClient {
        StripeClient { shared: Arc::clone(&self.shared), class: RequestClass::Live }
    }

    /// Requests one page of a list. Cancel-safe.
    ///
    /// # Errors
    /// The last failure, after all retries that made sense. The time until then is limited by the
    /// attempts, ten minutes of rate limits, and the maximum duration of an outage.
    pub(crate) async fn list(&self, request: &Request) -> Result<Page, StripeError> {
        let (response, index, arrival) =
            self.shared.send(request, self.class, find_objects).await?;
        Ok(Page::new(response.body, index, arrival))
    }

    /// Requests, creates, changes or deletes one object. Cancel-safe.
    ///
    /// # Errors
    /// As for [`StripeClient::list`]. An object that Stripe returns as deleted is not an error.
    pub(crate) async fn get(&self, request: &Request) -> Result<Answer, StripeError> {
        let (response, (), arrival) = self.shared.send(request, self.class, expect_object).await?;
        Ok(Answer::new(response.body, arrival))
    }

    /// The current time on Stripe's clock, never later than the true time there. Before the first
    /// response it is the system's time.
    pub(crate) fn now(&self) -> Stamp {
        self.shared.clock.now()
    }

    /// This many processes, including this one, share the rate limits of the account from now on.
    pub(crate) fn share_limits(&self, processes: u32) {
        self.shared.limiter.share(processes);
    }

    /// Whether requests to this endpoint are currently waiting for a rate limit.
    pub(crate) fn is_queueing(&self, endpoint: &str) -> bool {
        self.shared.limiter.is_queueing(endpoint)
    }

    /// The API version of all requests.
    pub(crate) fn version(&self) -> &str {
        &self.shared.version
    }

    /// The counters, and what currently limits the speed.
    pub(crate) fn stats(&self) -> Stats {
        let Shared { counters, limiter, retry, .. } = &*self.shared;
        counters.snapshot(limiter, retry.outage())
    }
}

impl fmt::Debug for StripeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shared { transport, .. } = &*self.shared;
        f.debug_struct("StripeClient").field("transport", transport).finish_non_exhaustive()
    }
}

impl Shared {
    /// The retry loop. `parse` decides whether a body is what was requested; it must be quick and
    /// have no side effects.
    async fn send<T>(
        &self,
        request: &Request,
        class: RequestClass,
        parse: fn(&str) -> Result<T, Unreadable>,
    ) -> Result<(RawResponse, T, ResponseMeta), StripeError> {
        let mut state = RetryState::of(request);
        loop {
            let Ok(permit) = self.retry.admit().await else {
                return Err(StripeError::unreachable(request, state.requests));
            };
            let failure = match self.attempt(request, class, parse, &mut state).await {
                Ok((mut response, content)) => {
                    let RawResponse { sent, received, date, .. } = response;
                    let arrival = ResponseMeta {
                        sent: self.clock.stamp(sent, received, date),
                        request_id: response.request_id.take(),
                        requests: state.requests,
                    };
                    return Ok((response, content, arrival));
                }
                Err(failure) => failure,
            };
            let Some(pause) = self.retry.next_pause(&mut state, &permit, &failure) else {
                return Err(StripeError::new(request, failure, state.requests));
            };
            tracing::debug!(
                path = %request.path, ?failure, ?pause, requests = state.requests, "retrying a request"
            );
            drop(permit);
            let _pausing = self.counters.pause();
            tokio::time::sleep(pause).await;
        }
    }

    /// One attempt, counted and reported to limiter and outage gate.
    async fn attempt<T>(
        &self,
        request: &Request,
        class: RequestClass,
        parse: fn(&str) -> Result<T, Unreadable>,
        state: &mut RetryState,
    ) -> Result<(RawResponse, T), Failure> {
        let permit = self.limiter.acquire(&request.endpoint, class).await;
        let prepared = self.transport.prepare(request, self.headers.clone());
        let sent = Instant::now();
        let max = request.max_response.unwrap_or(MAX_RESPONSE);
        let outcome = exchange(prepared, max, &self.clock).await;
        log_request(request, sent.elapsed(), &outcome);
        let outcome = outcome.and_then(|response| {
            add(&self.counters.bytes, response.body.len() as u64);
            match parse(&response.body) {
                Ok(content) => Ok((response, content)),
                Err(why) => {
                    let RawResponse { status, request_id, .. } = response;
                    Err(Failure::Unreadable { status, request_id, why })
                }
            }
        });
        if !matches!(outcome, Err(Failure::Unreachable(_) | Failure::TimedOut(_))) {
            self.retry.record_response();
        }
        if !matches!(outcome, Err(Failure::Unreachable(_))) {
            add(&self.counters.requests, 1);
            add(&self.counters.retries, u64::from(state.requests > 0));
            self.retry.record_reached(state);
        }
        match &outcome {
            Ok(_) => self.limiter.record_success(&permit),
            Err(failure) => self.report_rate_limit(request, &permit, failure),
        }
        outcome
    }

    /// Reports a rate limit to the limiter.
    fn report_rate_limit(&self, request: &Request, permit: &Permit, failure: &Failure) {
        let Advice::SlowDown { reason, retry_after } = advise(failure) else { return };
        add(&self.counters.rate_limited, 1);
        let retry_after = retry_after.map(|requested| requested.min(MAX_RETRY_AFTER));
        if self.limiter.slow_down(permit, reason, retry_after) {
            let endpoint = &request.endpoint;
            tracing::info!(endpoint, ?reason, ?retry_after, "slowing down after a rate limit");
        }
    }
}

/// Logs one attempt, without the values in its path and its parameters.
fn log_request(request: &Request, took: Duration, outcome: &Result<RawResponse, Failure>) {
    let (status, request_id) = match outcome {
        Ok(response) => (Some(response.status), response.request_id.as_deref()),
        Err(failure) => (failure.status(), failure.request_id()),
    };
    let status = status.map_or_else(|| "no response".to_owned(), |status| status.to_string());
    let request_id = request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
    let (method, endpoint) = (request.method.as_str(), &request.endpoint);
    let ms = took.as_millis();
    tracing::info!("{method} {endpoint}: {status} in {ms} ms{request_id}");
}
