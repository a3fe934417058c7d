//! A running simulator: the account, its keys, its limits and its faults behind a local address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::account::Account;
use crate::fault::{Fault, Script, passing};
use crate::http;
use crate::keys::ApiKey;
use crate::rate::{Limiter, RateLimits};
use crate::record::{Logged, Record, Seen};

/// How a simulator behaves. `SimOptions::default()` is a fast, faultless one with one secret key.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The keys that are known. Empty: one secret key of the account's mode.
    pub keys: Vec<ApiKey>,
    /// The limits.
    pub limits: RateLimits,
    /// The time from request to answer.
    pub latency: Duration,
    /// Up to so much more, differing from request to request.
    pub jitter: Duration,
    /// The share of requests that fail.
    pub fault_rate: f64,
    /// The faults that happen by chance.
    pub faults: Vec<Fault>,
    /// Seed of the faults and of the jitter.
    pub seed: u64,
    /// Compresses answers for clients that accept gzip.
    pub gzip: bool,
    /// Keeps a log of every request.
    pub log: bool,
    /// A cursor that names a deleted object is accepted. Stripe refuses it; see
    /// <https://github.com/stripe/stripe-python/issues/671>.
    pub deleted_cursor_accepted: bool,
    /// The order of objects created in the same second changes from request to request.
    pub unstable_order: bool,
    /// Beginnings of paths whose product is not enabled: `/v1/issuing/`.
    pub unavailable: Vec<String>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            port: 0,
            keys: Vec::new(),
            limits: RateLimits::none(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            fault_rate: 0.0,
            faults: passing(),
            seed: 0,
            gzip: true,
            log: false,
            deleted_cursor_accepted: false,
            unstable_order: false,
            unavailable: Vec::new(),
        }
    }
}

/// The options that decide what a list answers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    pub(crate) deleted_cursor_accepted: bool,
}

/// What all connections share.
pub(crate) struct Shared {
    pub(crate) account: Account,
    pub(crate) options: SimOptions,
    pub(crate) limiter: Limiter,
    pub(crate) record: Record,
    pub(crate) script: Script,
}

/// A simulator that runs until it is dropped.
pub struct Sim {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Sim {
    /// Listens on 127.0.0.1.
    ///
    /// # Errors
    /// When the port is taken.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
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
        let shared = Arc::new(Shared {
            limiter: Limiter::new(options.limits),
            record: Record::new(options.log),
            script: Script::default(),
            account,
            options,
        });
        let server = tokio::spawn(http::serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, server })
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first key.
    pub fn key(&self) -> &str {
        self.shared.options.keys.first().map_or("", ApiKey::secret)
    }

    /// The account, for changes and for comparing.
    pub fn account(&self) -> &Account {
        &self.shared.account
    }

    /// Makes the `nth` request to a path fail. Requests are counted from this call on, beginning with 1. A path is
    /// given without query; a `*` at its end stands for any rest.
    pub fn fail_nth(&self, path: &str, nth: u64, fault: Fault) {
        self.shared.script.fail(path, nth, nth, fault);
    }

    /// Makes the requests from `first` on, `times` of them, fail.
    pub fn fail_times(&self, path: &str, first: u64, times: u64, fault: Fault) {
        self.shared.script.fail(path, first, first.saturating_add(times).saturating_sub(1), fault);
    }

    /// Changes the account before the `nth` request to a path is answered, counted as in [`Sim::fail_nth`].
    pub fn before_nth(&self, path: &str, nth: u64, change: impl FnOnce(&Account) + Send + 'static) {
        self.shared.script.change(path, nth, Box::new(change));
    }

    /// Changes the account before every request to a path is answered, one request at a time; `/v1/*` is all of them.
    pub fn before_each(&self, path: &str, changes: impl FnMut(&Account) + Send + 'static) {
        self.shared.script.change_each(path, Arc::new(std::sync::Mutex::new(changes)));
    }

    /// How many requests came in.
    pub fn requests(&self) -> u64 {
        self.shared.record.requests()
    }

    /// How many requests came in for a path, given without query.
    pub fn requests_to(&self, path: &str) -> u64 {
        self.shared.record.requests_to(path)
    }

    /// How many requests a rate or concurrency limit refused.
    pub fn rate_limited(&self) -> u64 {
        self.shared.record.rate_limited()
    }

    /// The largest number of requests that were in flight at once.
    pub fn max_concurrent(&self) -> u64 {
        self.shared.record.most_in_flight()
    }

    /// Every request so far, if [`SimOptions::log`] is set.
    pub fn log(&self) -> Vec<Logged> {
        self.shared.record.logged()
    }

    /// The headers that clients sent.
    pub fn seen(&self) -> Seen {
        self.shared.record.seen()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // The server's task owns those of its connections: all end with it.
        self.server.abort();
    }
}
