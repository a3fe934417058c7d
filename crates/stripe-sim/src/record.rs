//! What the simulator records: counters, client headers and an optional log of all requests.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A request in the log. Keys are never recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// The HTTP method.
    pub method: String,
    /// The path and query as sent.
    pub target: String,
    /// The status of the response; 0 if there was none.
    pub status: u16,
    /// The injected fault, in the form of [`Fault`](crate::Fault)'s `Debug` output.
    pub fault: Option<String>,
}

/// The distinct values of headers that clients have sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHeaders {
    /// Values of `Stripe-Version`.
    pub versions: BTreeSet<String>,
    /// Values of `User-Agent`.
    pub user_agents: BTreeSet<String>,
    /// Values of `Stripe-Account`.
    pub accounts: BTreeSet<String>,
}

/// What one simulator has recorded.
#[derive(Default)]
pub(crate) struct Record {
    requests: AtomicU64,
    in_flight: AtomicU64,
    max_in_flight: AtomicU64,
    rate_limited: AtomicU64,
    by_path: Mutex<HashMap<String, u64>>,
    log: Option<Mutex<Vec<LoggedRequest>>>,
    client_headers: Mutex<ClientHeaders>,
}

impl Record {
    pub(crate) fn new(log: bool) -> Self {
        Self { log: log.then(Mutex::default), ..Self::default() }
    }

    /// Counts the start of a request. Returns its number, starting with 1, and the number of
    /// requests in flight including this one.
    pub(crate) fn begin_request(&self, path: &str) -> (u64, u64) {
        let number = self.requests.fetch_add(1, Ordering::AcqRel) + 1;
        let in_flight = self.in_flight.fetch_add(1, Ordering::AcqRel) + 1;
        self.max_in_flight.fetch_max(in_flight, Ordering::AcqRel);
        let mut by_path = lock(&self.by_path);
        match by_path.get_mut(path) {
            Some(count) => *count += 1,
            None => _ = by_path.insert(path.to_owned(), 1),
        }
        (number, in_flight)
    }

    /// Counts the end of a request.
    pub(crate) fn end_request(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// Adds a request to the log, if there is one.
    pub(crate) fn log_request(&self, entry: impl FnOnce() -> LoggedRequest) {
        if let Some(log) = &self.log {
            lock(log).push(entry());
        }
    }

    /// Counts a request that a limit rejected.
    pub(crate) fn count_rate_limited(&self) {
        self.rate_limited.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn record_client_headers(
        &self,
        version: Option<&str>,
        user_agent: Option<&str>,
        account: Option<&str>,
    ) {
        let mut headers = lock(&self.client_headers);
        let headers = &mut *headers;
        for (set, value) in [
            (&mut headers.versions, version),
            (&mut headers.user_agents, user_agent),
            (&mut headers.accounts, account),
        ] {
            if let Some(value) = value.filter(|v| !set.contains(*v)) {
                set.insert(value.to_owned());
            }
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Acquire)
    }

    pub(crate) fn rate_limited(&self) -> u64 {
        self.rate_limited.load(Ordering::Acquire)
    }

    pub(crate) fn max_in_flight(&self) -> u64 {
        self.max_in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn requests_to(&self, path: &str) -> u64 {
        lock(&self.by_path).get(path).copied().unwrap_or(0)
    }

    pub(crate) fn log(&self) -> Vec<LoggedRequest> {
        self.log.as_ref().map(|log| lock(log).clone()).unwrap_or_default()
    }

    pub(crate) fn client_headers(&self) -> ClientHeaders {
        lock(&self.client_headers).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
