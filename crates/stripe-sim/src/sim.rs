//! A running simulator: serves an account over HTTP on a local address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::account::Account;
use crate::fault::{Fault, Script};
use crate::http;
use crate::idempotency::Idempotency;
use crate::keys::ApiKey;
use crate::options::SimOptions;
use crate::rate::Limiter;
use crate::record::{ClientHeaders, LoggedRequest, Record};
use crate::state::SimState;
use crate::webhook::{DeliveryCounts, Progress, deliver};

/// A simulator that runs until it is dropped.
pub struct Sim {
    address: SocketAddr,
    state: Arc<SimState>,
    server: JoinHandle<()>,
    webhooks: JoinHandle<()>,
    delivered: Arc<Progress>,
}

impl Sim {
    /// Starts a simulator that listens on 127.0.0.1.
    ///
    /// # Errors
    /// If the port is in use.
    ///
    /// # Panics
    /// Panics if called outside a Tokio runtime.
    pub async fn start(account: Account, mut options: SimOptions) -> std::io::Result<Self> {
        if options.keys.is_empty() {
            let mode = if account.livemode() { "live" } else { "test" };
            options.keys.push(ApiKey::new(&format!(
                "sk_{mode}_simulated{:016x}",
                crate::seed::mix(account.inner.seed)
            )));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(SimState {
            limiter: Limiter::new(options.limits),
            record: Record::new(options.log),
            script: Script::default(),
            idempotency: Idempotency::default(),
            account,
            options,
        });
        let server = tokio::spawn(http::serve(listener, Arc::clone(&state)));
        let delivered = Arc::new(Progress::default());
        let first = state.account.event_count();
        let (options, seed) = (state.options.webhooks.clone(), state.options.seed);
        let deliveries =
            deliver(state.account.clone(), first, options, seed, Arc::clone(&delivered));
        let webhooks = tokio::spawn(deliveries);
        Ok(Self { address, state, server, webhooks, delivered })
    }

    /// The base URL `http://127.0.0.1:<port>`, without a trailing slash.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first accepted key.
    pub fn key(&self) -> &str {
        self.state.options.keys.first().map_or("", ApiKey::secret)
    }

    /// The simulated account.
    pub fn account(&self) -> &Account {
        &self.state.account
    }

    /// Makes the `nth` request to a path fail. Requests are counted from this call on, starting
    /// with 1. The path has no query; a `*` at its end matches any suffix.
    pub fn fail_nth(&self, path: &str, nth: u64, fault: Fault) {
        self.state.script.fail(path, nth, nth, fault);
    }

    /// Makes `times` consecutive requests to a path fail, starting with request number `first`.
    /// Paths and numbers are those of [`Sim::fail_nth`].
    pub fn fail_times(&self, path: &str, first: u64, times: u64, fault: Fault) {
        self.state.script.fail(path, first, first.saturating_add(times).saturating_sub(1), fault);
    }

    /// Runs `change` before the `nth` request to a path is answered. Paths and numbers are those of
    /// [`Sim::fail_nth`].
    pub fn before_nth(&self, path: &str, nth: u64, change: impl FnOnce(&Account) + Send + 'static) {
        self.state.script.change_once(path, nth, Box::new(change));
    }

    /// Runs `change` before each request to a path is answered, never concurrently. The path
    /// `/v1/*` matches all requests.
    pub fn before_each(&self, path: &str, change: impl FnMut(&Account) + Send + 'static) {
        self.state.script.change_each(path, Arc::new(Mutex::new(change)));
    }

    /// The number of requests received.
    pub fn requests(&self) -> u64 {
        self.state.record.requests()
    }

    /// The number of requests received for a path without query.
    pub fn requests_to(&self, path: &str) -> u64 {
        self.state.record.requests_to(path)
    }

    /// The number of requests rejected by a rate or concurrency limit.
    pub fn rate_limited(&self) -> u64 {
        self.state.record.rate_limited()
    }

    /// The largest number of requests that were in flight at the same time.
    pub fn max_concurrent(&self) -> u64 {
        self.state.record.max_in_flight()
    }

    /// All requests so far, if [`SimOptions::log`] is set.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.state.record.log()
    }

    /// What has been delivered to webhook endpoints. See [`Account::add_webhook_endpoint`].
    pub fn deliveries(&self) -> DeliveryCounts {
        self.delivered.counts()
    }

    /// Waits until the events of all changes up to now have been delivered, lost or given up.
    pub async fn webhooks_delivered(&self) {
        self.delivered.finished(&self.state.account).await;
    }

    /// The headers that clients have sent.
    pub fn client_headers(&self) -> ClientHeaders {
        self.state.record.client_headers()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The server task owns the tasks of its connections, so this also ends all of them.
        self.server.abort();
        self.webhooks.abort();
    }
}
