//! How far a backfill is, for whoever watches: counters that workers raise and displays read.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::postgres::{StreamState, StreamStatus};
use crate::stripe::{Stats, StripeClient};

/// Shared by a backfill and its display.
#[derive(Clone, Default)]
pub struct Progress {
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
}

/// Which run is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunInfo {
    /// As in `sync_status`.
    pub run_id: i64,
    /// An earlier command began it.
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

/// One stream at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// All of it at an instant.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// `None` before the run is open.
    pub run: Option<RunInfo>,
    /// In the order of their names.
    pub streams: Vec<StreamProgress>,
    /// What goes over the wire.
    pub stats: Option<Stats>,
    /// All that is left is being read by another process.
    pub waits_for_other: bool,
    /// The database cannot be reached at this moment.
    pub database_outage: bool,
}

const STATUSES: [StreamStatus; 5] = [
    StreamStatus::Running,
    StreamStatus::Complete,
    StreamStatus::Skipped,
    StreamStatus::Denied,
    StreamStatus::Failed,
];

impl Progress {
    /// Nothing yet.
    pub fn new() -> Progress {
        Progress::default()
    }

    /// Where things stand.
    pub fn snapshot(&self) -> Snapshot {
        let shared = &self.shared;
        Snapshot {
            run: lock(&shared.run).clone(),
            streams: lock(&shared.streams).iter().map(|c| c.read()).collect(),
            stats: lock(&shared.client).as_ref().map(StripeClient::stats),
            waits_for_other: shared.waits_for_other.load(Ordering::Relaxed),
            database_outage: shared.database_outage.load(Ordering::Relaxed),
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
    }

    pub(super) fn add(&self, stream: &str, rows: i64, requests: i64) {
        if let Some(counter) = self.counter(stream) {
            counter.rows.fetch_add(rows, Ordering::Relaxed);
            counter.requests.fetch_add(requests, Ordering::Relaxed);
        }
    }

    pub(super) fn set_status(&self, stream: &str, status: StreamStatus) {
        if let Some(counter) = self.counter(stream) {
            counter.status.store(number(status), Ordering::Relaxed);
        }
    }

    /// Takes over what the ledger says: other processes may work on the same run.
    pub(super) fn update(&self, states: &[StreamState]) {
        for state in states {
            if let Some(counter) = self.counter(&state.stream) {
                counter.rows.store(state.rows, Ordering::Relaxed);
                counter.requests.store(state.requests, Ordering::Relaxed);
                counter.status.store(number(state.status), Ordering::Relaxed);
            }
        }
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

/// Asks a backfill to finish what is in flight and stop.
#[derive(Clone)]
pub struct Stop {
    sender: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// Nobody has asked yet.
    pub fn new() -> Stop {
        Stop { sender: Arc::new(watch::Sender::new(false)) }
    }

    /// Asks. Pages in flight are still committed; nothing new is begun.
    pub fn ask(&self) {
        self.sender.send_replace(true);
    }

    pub(crate) fn is_asked(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}
