//! The progress of a backfill: counters that workers increment and displays read.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::catalog::Table;
use crate::postgres::{StreamState, StreamStatus};
use crate::stripe::{Stats, StripeClient};

/// Counters that the workers of a run increment and its observers read. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Progress {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    run: Mutex<Option<RunInfo>>,
    streams: Mutex<Vec<Arc<Counter>>>,
    client: Mutex<Option<StripeClient>>,
    replaced: AtomicU64,
    quarantined: AtomicU64,
    waits_for_other: AtomicBool,
    database_outage: AtomicBool,
    locked_table: Mutex<Option<LockedTable>>,
    /// Incremented by every change; -1 once the run has ended.
    version: watch::Sender<i64>,
}

/// The run in progress.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RunInfo {
    /// As in `sync_status`.
    pub run_id: i64,
    /// Whether an earlier command started it.
    pub continued: bool,
    /// Unix seconds.
    pub started_at: i64,
}

struct Counter {
    table: String,
    rows: AtomicI64,
    requests: AtomicI64,
    status: AtomicU8,
}

/// The progress of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct StreamProgress {
    /// The stream's table.
    pub table: String,
    /// Rows read, including those of the commands before this one.
    pub rows: i64,
    /// Requests made.
    pub requests: i64,
    /// `running`, `complete`, `skipped`, `denied` or `failed`.
    pub status: &'static str,
}

/// The progress of the whole run.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Snapshot {
    /// `None` before the run is open.
    pub run: Option<RunInfo>,
    /// In the order of their names.
    pub streams: Vec<StreamProgress>,
    /// Statistics of the requests to Stripe.
    pub stats: Option<Stats>,
    /// Everything that is left is being read by another process.
    pub waits_for_other: bool,
    /// The database currently cannot be reached, or cannot serve statements.
    pub database_outage: bool,
    /// The table whose rows currently cannot be written, because another session has locked it.
    pub locked_table: Option<LockedTable>,
}

/// A table that another session of the database has locked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LockedTable {
    /// The table.
    pub name: String,
    /// The backend that holds the lock: its pid, application, state, and when its last statement
    /// started. `None` while it is not known.
    pub holders: Option<String>,
}

impl std::fmt::Display for LockedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.holders {
            None => write!(f, "another database session to unlock {}", self.name),
            Some(holders) => write!(f, "{holders}, to unlock {}", self.name),
        }
    }
}

/// The changes of a run, as they happen.
pub struct ProgressUpdates {
    version: watch::Receiver<i64>,
    progress: Progress,
    /// The last state was returned.
    ended: bool,
}

/// The version of a run that has ended.
const ENDED: i64 = -1;

impl ProgressUpdates {
    /// Waits for a change since the last call and returns the new state; `None` after the end of
    /// the run. Several changes can be returned as one. The last state is always returned.
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Snapshot> {
        if self.ended {
            return None;
        }
        self.version.changed().await.ok()?;
        self.ended = *self.version.borrow_and_update() == ENDED;
        Some(self.progress.snapshot())
    }
}

const STATUSES: [StreamStatus; 6] = [
    StreamStatus::Running,
    StreamStatus::Complete,
    StreamStatus::Skipped,
    StreamStatus::Denied,
    StreamStatus::Failed,
    StreamStatus::Gone,
];

impl Progress {
    pub(crate) fn new() -> Progress {
        Progress::default()
    }

    pub(super) fn subscribe(&self) -> ProgressUpdates {
        let version = self.shared.version.subscribe();
        // An end after the subscription is a change that the first call returns.
        let ended = *version.borrow() == ENDED && !version.has_changed().unwrap_or(false);
        ProgressUpdates { version, progress: self.clone(), ended }
    }

    /// Ends all subscriptions.
    pub(super) fn end(&self) {
        self.shared.version.send_replace(ENDED);
    }

    fn changed(&self) {
        self.shared.version.send_modify(|version| {
            if *version != ENDED {
                *version += 1;
            }
        });
    }

    /// The current counters.
    pub(super) fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        Snapshot {
            run: lock(&shared.run).clone(),
            streams: lock(&shared.streams).iter().map(|c| c.read()).collect(),
            stats: lock(&shared.client).as_ref().map(StripeClient::stats),
            waits_for_other: shared.waits_for_other.load(Ordering::Relaxed),
            database_outage: shared.database_outage.load(Ordering::Relaxed),
            locked_table: lock(&shared.locked_table).clone(),
        }
    }

    pub(super) fn begin(&self, run: RunInfo, client: StripeClient, states: &[StreamState]) {
        let counters = states.iter().map(|state| {
            Arc::new(Counter {
                table: state.stream.clone(),
                rows: AtomicI64::new(state.rows),
                requests: AtomicI64::new(state.requests),
                status: AtomicU8::new(number(state.status)),
            })
        });
        *lock(&self.shared.streams) = counters.collect();
        *lock(&self.shared.client) = Some(client);
        *lock(&self.shared.run) = Some(run);
        self.changed();
    }

    pub(super) fn add(&self, stream: &str, rows: i64, requests: i64) {
        if let Some(counter) = self.counter(stream) {
            counter.rows.fetch_add(rows, Ordering::Relaxed);
            counter.requests.fetch_add(requests, Ordering::Relaxed);
        }
        self.changed();
    }

    pub(super) fn set_status(&self, stream: &str, status: StreamStatus) {
        if let Some(counter) = self.counter(stream) {
            counter.status.store(number(status), Ordering::Relaxed);
        }
        self.changed();
    }

    /// Replaces the counters with those of the ledger, because other processes may work on the same
    /// run.
    pub(super) fn update(&self, states: &[StreamState]) {
        for state in states {
            if let Some(counter) = self.counter(&state.stream) {
                counter.rows.store(state.rows, Ordering::Relaxed);
                counter.requests.store(state.requests, Ordering::Relaxed);
                counter.status.store(number(state.status), Ordering::Relaxed);
            }
        }
        self.changed();
    }

    pub(super) fn count_repairs(&self, replaced: u64, quarantined: u64) {
        self.shared.replaced.fetch_add(replaced, Ordering::Relaxed);
        self.shared.quarantined.fetch_add(quarantined, Ordering::Relaxed);
    }

    pub(super) fn replaced(&self) -> u64 {
        self.shared.replaced.load(Ordering::Relaxed)
    }

    pub(super) fn set_waiting(&self, waits: bool) {
        self.shared.waits_for_other.store(waits, Ordering::Relaxed);
    }

    pub(super) fn set_database_outage(&self, outage: bool) {
        self.shared.database_outage.store(outage, Ordering::Relaxed);
    }

    pub(super) fn set_locked_table(&self, table: &str, holders: Option<&str>) {
        let (name, holders) = (table.to_owned(), holders.map(str::to_owned));
        *lock(&self.shared.locked_table) = Some(LockedTable { name, holders });
    }

    /// Rows of this stream's table and of its items were written.
    pub(super) fn clear_locked_table(&self, table: &Table) {
        let mut locked = lock(&self.shared.locked_table);
        let is_named = |name: &str| table.with_items().any(|table| table == name);
        if locked.as_ref().is_some_and(|locked| locked.name.split(", ").any(is_named)) {
            *locked = None;
        }
    }

    fn counter(&self, stream: &str) -> Option<Arc<Counter>> {
        lock(&self.shared.streams).iter().find(|c| c.table == stream).cloned()
    }
}

impl Counter {
    fn read(&self) -> StreamProgress {
        let status = usize::from(self.status.load(Ordering::Relaxed));
        StreamProgress {
            table: self.table.clone(),
            rows: self.rows.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            status: STATUSES.get(status).copied().unwrap_or(StreamStatus::Running).as_str(),
        }
    }
}

fn number(status: StreamStatus) -> u8 {
    STATUSES.iter().position(|s| *s == status).unwrap_or(0) as u8
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn changes_between_two_calls_and_the_last_state_are_returned() {
        let progress = Progress::new();
        let mut updates = progress.subscribe();
        assert!(updates.next().now_or_never().is_none(), "nothing has changed");
        progress.changed();
        progress.set_database_outage(true);
        progress.changed();
        let state = updates.next().now_or_never().flatten().expect("a change between two calls");
        assert!(state.database_outage);
        assert!(updates.next().now_or_never().is_none(), "both changes were returned");
        progress.set_database_outage(false);
        progress.end();
        let last = updates.next().now_or_never().flatten().expect("the last state");
        assert!(!last.database_outage);
        assert!(updates.next().now_or_never().expect("no wait").is_none());
        assert!(progress.subscribe().next().now_or_never().expect("no wait").is_none());
    }
}
