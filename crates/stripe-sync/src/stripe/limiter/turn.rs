//! A queue for one turn, in which live requests take precedence over those of a backfill.
//!
//! Requests of a backfill first queue among themselves, and only the first of them queues for the
//! turn. So a live request waits for at most two of them, however many there are. (If a request of
//! a backfill for the same endpoint is already waiting for the account, it also waits for that one.
//! Events and single objects have other endpoints than lists.) The first one keeps its place, so
//! live requests cannot hold up a backfill completely.

use tokio::sync::{Mutex, MutexGuard};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestClass {
    /// Events and the objects that they name: without them the copy is not current.
    Live,
    /// Everything else.
    Backfill,
}

/// A turn that one request has at a time.
#[derive(Debug, Default)]
pub(super) struct Turn {
    turn: Mutex<()>,
    /// Held by the backfill request that queues for the turn.
    first_of_backfill: Mutex<()>,
}

impl Turn {
    /// Waits for the turn. Dropping the guard passes it on.
    ///
    /// Cancel-safe: a dropped future gives up its place.
    pub(super) async fn take(&self, class: RequestClass) -> MutexGuard<'_, ()> {
        match class {
            RequestClass::Live => self.turn.lock().await,
            RequestClass::Backfill => {
                let _first = self.first_of_backfill.lock().await;
                self.turn.lock().await
            }
        }
    }
}
