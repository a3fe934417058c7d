//! The clock of an account: the machine's clock with an offset, or stopped.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

const RUNNING: i64 = i64::MIN;

/// The simulated time of responses, events and inserted objects.
#[derive(Debug)]
pub(crate) struct Clock {
    offset: AtomicI64,
    frozen: AtomicI64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self { offset: AtomicI64::new(0), frozen: AtomicI64::new(RUNNING) }
    }

    /// The current Unix second.
    pub(crate) fn now(&self) -> i64 {
        match self.frozen.load(Ordering::Acquire) {
            RUNNING => system_seconds() + self.offset.load(Ordering::Acquire),
            second => second,
        }
    }

    /// Stops the clock at a Unix second.
    pub(crate) fn freeze(&self, second: i64) {
        self.frozen.store(second, Ordering::Release);
    }

    /// Advances the clock, whether it is stopped or running.
    pub(crate) fn advance(&self, seconds: i64) {
        let moved = self.frozen.fetch_update(Ordering::AcqRel, Ordering::Acquire, |frozen| {
            (frozen != RUNNING).then(|| frozen + seconds)
        });
        if moved.is_err() {
            self.offset.fetch_add(seconds, Ordering::AcqRel);
        }
    }
}

/// The current Unix second of the machine's clock; 0 before 1970.
pub(crate) fn system_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}
