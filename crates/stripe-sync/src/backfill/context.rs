//! The shared context of the workers of a run, and the context of the slice that a worker reads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, OnceCell};

use super::expansions::DroppedExpansions;
use super::held::{HeldSlice, HeldSlices};
use super::lists::ListPermits;
use super::page_size::PageSizes;
use super::parents_to_read::{ParentsPart, ParentsToRead};
use super::progress::Progress;
use super::refused_rows::RefusedRows;
use super::stop::Stop;
use super::unread_lists::UnreadLists;
use crate::catalog::{List, Table};
use crate::context::AccountContext;
use crate::order::Stamp;
use crate::postgres::{ErrorClass, PostgresError, RetryBudget};

/// What the workers of a run share.
pub(super) struct RunContext {
    pub(super) account: AccountContext,
    pub(super) progress: Progress,
    pub(super) page_sizes: PageSizes,
    pub(super) list_permits: ListPermits,
    pub(super) unread_lists: UnreadLists,
    pub(super) refused_rows: RefusedRows,
    pub(super) dropped_expansions: DroppedExpansions,
    /// Which parents' lists are read.
    pub(super) parents_to_read: OnceCell<ParentsToRead>,
    /// A stream's own list has shown an object that belongs to a parent.
    pub(super) shows_objects_of_parents: AtomicBool,
    /// Why a stream's own list is replaced by the lists of parents.
    pub(super) replaced_list: OnceLock<String>,
    /// Signaled whenever there may be a slice to claim or to split.
    pub(super) idle: Notify,
    /// The caller's request to stop.
    stop: Stop,
    /// Set when a worker has failed: the others finish what is in flight.
    halt: Stop,
    quarantine_in_use: AtomicBool,
    /// When the run began, on Stripe's clock.
    began: OnceLock<Stamp>,
    /// The slices that workers of this process hold: only their leases are extended.
    pub(super) held_slices: HeldSlices,
    /// Held while a slice is being split, so that the next split sees the result.
    pub(super) splitting: tokio::sync::Mutex<()>,
}

/// The context of the slice that a worker reads.
pub(super) struct SliceContext<'r> {
    pub(super) run: &'r RunContext,
    /// The table of the rows.
    pub(super) target: &'static Table,
    /// The table of the objects that the list shows. Differs from `target` if these are parents.
    pub(super) table: &'static Table,
    pub(super) list: &'static List,
    /// The index of the list's parameters.
    pub(super) part: usize,
    /// The list shows parents, whose own lists contain the objects to store.
    pub(super) parents: Option<ParentsPart>,
    /// How far the slice has been read by this process.
    pub(super) held: &'r HeldSlice,
}

impl RunContext {
    pub(super) fn new(account: AccountContext, progress: Progress, stop: Stop) -> RunContext {
        RunContext {
            account,
            progress,
            page_sizes: PageSizes::default(),
            list_permits: ListPermits::default(),
            unread_lists: UnreadLists::default(),
            refused_rows: RefusedRows::default(),
            dropped_expansions: DroppedExpansions::default(),
            parents_to_read: OnceCell::new(),
            shows_objects_of_parents: AtomicBool::new(false),
            replaced_list: OnceLock::new(),
            idle: Notify::new(),
            stop,
            halt: Stop::new(),
            quarantine_in_use: AtomicBool::new(true),
            began: OnceLock::new(),
            held_slices: HeldSlices::default(),
            splitting: tokio::sync::Mutex::default(),
        }
    }

    /// Makes every worker of this run finish what is in flight. Does not set the caller's own
    /// [`Stop`].
    pub(super) fn stop_workers(&self) {
        self.halt.request();
    }

    /// Whether workers should start nothing new.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_requested() || self.halt.is_requested()
    }

    /// Whether the caller has asked to stop.
    pub(super) fn is_stop_requested(&self) -> bool {
        self.stop.is_requested()
    }

    /// Resolves when workers should start nothing new.
    pub(super) async fn stopping(&self) {
        tokio::select! {
            () = self.stop.requested() => {}
            () = self.halt.requested() => {}
        }
    }

    /// Resolves `grace` after the workers were told to stop.
    pub(super) async fn stopping_for(&self, grace: Duration) {
        self.stopping().await;
        tokio::time::sleep(grace).await;
    }

    /// Whether rows of this run's tables are quarantined. Successful writes then have to clear
    /// them.
    pub(super) fn quarantine_in_use(&self) -> bool {
        self.quarantine_in_use.load(Ordering::Relaxed)
    }

    pub(super) fn set_quarantine_in_use(&self, in_use: bool) {
        self.quarantine_in_use.store(in_use, Ordering::Relaxed);
    }

    /// Counts characters that were replaced and rows that were quarantined by a commit.
    pub(super) fn count_repairs(&self, replaced_characters: u64, quarantined: u64) {
        self.progress.count_repairs(replaced_characters, quarantined);
        if quarantined > 0 {
            self.set_quarantine_in_use(true);
        }
    }

    /// When the run began, on Stripe's clock. Rows with later stamps may have been read by it.
    pub(super) fn began(&self) -> Option<Stamp> {
        self.began.get().copied()
    }

    pub(super) fn set_began(&self, stamp: Stamp) {
        self.began.get_or_init(|| stamp);
    }

    pub(super) fn retry_budget(&self) -> RetryBudget {
        RetryBudget::new(&self.account.database)
    }

    /// Calls [`RetryBudget::wait_before_retry`], and shows an outage to observers of the run.
    pub(super) async fn wait_before_retry(
        &self,
        budget: &mut RetryBudget,
        error: &PostgresError,
    ) -> bool {
        match (&error.locked_table, error.class) {
            // Shown until a write to the table succeeds.
            (Some(table), _) => {
                self.progress.set_locked_table(table, error.lock_holders.as_deref());
            }
            (None, ErrorClass::Unreachable | ErrorClass::Transient | ErrorClass::ReadOnly) => {
                self.progress.set_database_outage(true);
            }
            (None, _) => {}
        }
        let retry = budget.wait_before_retry(error).await;
        self.progress.set_database_outage(false);
        retry
    }
}

/// Retries an operation on the database after a conflict or a transient error, until the outage
/// limit. The operation must be idempotent: it is canceled and retried after
/// [`crate::Config::database_timeout`].
macro_rules! retry_transient {
    ($run:expr, $operation:expr) => {{
        let mut budget = $run.retry_budget();
        loop {
            match $run.account.database.within_time_limit($operation).await {
                Err(error) if $run.wait_before_retry(&mut budget, &error).await => {}
                other => break other,
            }
        }
    }};
}
pub(super) use retry_transient;
