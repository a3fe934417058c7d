//! What the simulator saw: counters always, a log of every request when asked for.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// One request of the log. Keys are never recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The method.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The status answered; 0 if nothing was.
    pub status: u16,
    /// The fault that was played, by its name in [`Fault`](crate::Fault).
    pub fault: Option<String>,
}

/// Headers that clients sent, each distinct value once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// `Stripe-Version`
    pub versions: BTreeSet<String>,
    /// `User-Agent`
    pub user_agents: BTreeSet<String>,
    /// `Stripe-Account`
    pub accounts: BTreeSet<String>,
}

/// Counters of one simulator.
#[derive(Default)]
pub(crate) struct Record {
    requests: AtomicU64,
    in_flight: AtomicU64,
    most_in_flight: AtomicU64,
    limited: AtomicU64,
    by_path: Mutex<HashMap<String, u64>>,
    log: Option<Mutex<Vec<Logged>>>,
    seen: Mutex<Seen>,
}

impl Record {
    pub(crate) fn new(log: bool) -> Self {
        Self { log: log.then(Mutex::default), ..Self::default() }
    }

    /// Counts a request that begins; returns its number, from 1, and how many are in flight with it.
    pub(crate) fn begin(&self, path: &str) -> (u64, u64) {
        let number = self.requests.fetch_add(1, Ordering::AcqRel) + 1;
        let in_flight = self.in_flight.fetch_add(1, Ordering::AcqRel) + 1;
        self.most_in_flight.fetch_max(in_flight, Ordering::AcqRel);
        let mut by_path = lock(&self.by_path);
        match by_path.get_mut(path) {
            Some(count) => *count += 1,
            None => _ = by_path.insert(path.to_owned(), 1),
        }
        (number, in_flight)
    }

    /// Counts the end of a request.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn log(&self, entry: impl FnOnce() -> Logged) {
        if let Some(log) = &self.log {
            lock(log).push(entry());
        }
    }

    pub(crate) fn limited(&self) {
        self.limited.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn see(
        &self,
        version: Option<&str>,
        user_agent: Option<&str>,
        account: Option<&str>,
    ) {
        let mut seen = lock(&self.seen);
        let seen = &mut *seen;
        for (set, value) in [
            (&mut seen.versions, version),
            (&mut seen.user_agents, user_agent),
            (&mut seen.accounts, account),
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
        self.limited.load(Ordering::Acquire)
    }

    pub(crate) fn most_in_flight(&self) -> u64 {
        self.most_in_flight.load(Ordering::Acquire)
    }

    pub(crate) fn requests_to(&self, path: &str) -> u64 {
        lock(&self.by_path).get(path).copied().unwrap_or(0)
    }

    pub(crate) fn logged(&self) -> Vec<Logged> {
        self.log.as_ref().map(|log| lock(log).clone()).unwrap_or_default()
    }

    pub(crate) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
