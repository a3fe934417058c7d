//! A simulated account: objects computed from a seed, and the changes that tests have made.
//!
//! Objects are not stored. The account stores the number of objects of each type and computes an
//! object when it is requested, so a million objects need no memory. Only changes are stored. A
//! change takes effect between two requests.

mod builder;
pub(crate) mod changes;
mod contents;
mod mutate;
mod sizes;
mod stored_row;
mod webhook_secrets;

use std::sync::{Arc, RwLock, RwLockReadGuard};

pub use builder::{AccountBuilder, BuildError};
pub use mutate::MutationError;

use tokio::sync::watch;

use crate::catalog::Kind;
use crate::clock::Clock;
use crate::collection::Key;
use crate::generator::ObjectGenerator;
use crate::id::Ids;
use crate::relation::Relations;
use crate::timeline::{Interleave, Timeline};
use crate::view::View;

use changes::Changes;
use sizes::Sizes;
use webhook_secrets::WebhookSecrets;

/// How long Stripe keeps events, in days. <https://docs.stripe.com/api/events>
pub(crate) const EVENT_DAYS: i64 = 30;
pub(crate) const SECONDS_PER_DAY: i64 = 86_400;

/// A simulated account. Clones refer to the same account.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) inner: Arc<AccountData>,
}

/// The data that all clones of an account share.
#[derive(Debug)]
pub(crate) struct AccountData {
    pub(crate) seed: u64,
    pub(crate) live: bool,
    /// The id of the account that owns the keys.
    pub(crate) own_account: String,
    /// The end of the window of creation times, a Unix second.
    pub(crate) to: i64,
    pub(crate) hostile_ids: bool,
    pub(crate) custom_payment_methods: bool,
    pub(crate) ids: Ids,
    pub(crate) relations: Relations,
    pub(crate) timelines: Vec<Timeline>,
    /// The kinds of plans and prices, if plans have the creation times of their prices.
    pub(crate) plan_and_price: Option<(Kind, Kind)>,
    pub(crate) sizes: Vec<Sizes>,
    pub(crate) generators: Vec<ObjectGenerator>,
    pub(crate) balance_transactions: Interleave,
    pub(crate) clock: Clock,
    pub(crate) changes: RwLock<Changes>,
    pub(crate) webhook_secrets: WebhookSecrets,
    /// The number of events that changes have appended.
    pub(crate) event_count: watch::Sender<u64>,
}

impl Account {
    /// The id of the account that owns the keys, `acct_...`. It is the same in both modes.
    pub fn id(&self) -> &str {
        &self.inner.own_account
    }

    /// Whether the account is in live mode.
    pub fn livemode(&self) -> bool {
        self.inner.live
    }

    /// The time of the account's clock in Unix seconds. Responses, events and inserted objects are
    /// dated with it.
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Stops the account's clock at a Unix second.
    pub fn set_clock(&self, second: i64) {
        self.inner.clock.freeze(second);
    }

    /// Advances the account's clock, whether it is stopped or running.
    pub fn advance_clock(&self, seconds: i64) {
        self.inner.clock.advance(seconds);
    }

    /// The creation time of the oldest event that `/v1/events` still lists.
    pub(crate) fn oldest_event(&self) -> i64 {
        self.now() - EVENT_DAYS * SECONDS_PER_DAY
    }

    /// Calls `read` with a consistent view of the account.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&View<'_>) -> T) -> T {
        let changes = self.inner.changes();
        read(&View { account: &self.inner, changes: &changes })
    }
}

impl AccountData {
    /// Locks the changes for reading. A writer that panics cannot leave an incomplete change:
    /// writers compute everything before they store it.
    pub(crate) fn changes(&self) -> RwLockReadGuard<'_, Changes> {
        self.changes.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The creation time of a computed object of a top-level collection.
    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
        match self.plan_and_price {
            Some((plan, price)) if plan == kind => {
                self.timelines[price].at(crate::id::price_of_plan(index))
            }
            _ => self.timelines[kind].at(index),
        }
    }
}

/// The key of an object of a top-level collection.
pub(crate) fn top_level_key(kind: Kind, index: u64) -> Key {
    Key { collection: kind, index, sub: 0 }
}
