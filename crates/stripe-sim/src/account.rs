//! A simulated account: a function of a seed, and what tests changed on top of it.
//!
//! Objects are not stored. The account knows how many there are of each type and writes each one when it is asked for,
//! so a million objects cost nothing. Changes live in an overlay and take effect between two requests.

mod builder;
mod mutate;
pub(crate) mod overlay;
mod sizes;
mod truth;

use std::sync::{Arc, RwLock, RwLockReadGuard};

pub(crate) use builder::EVENT_DAYS;
pub use builder::{AccountBuilder, BuildError};
pub use mutate::MutationError;

use crate::catalog::Kind;
use crate::clock::Clock;
use crate::collection::Key;
use crate::id::Ids;
use crate::recipe::Recipe;
use crate::relation::Relations;
use crate::timeline::{Interleave, Timeline};
use crate::view::View;

use overlay::Overlay;
use sizes::Sizes;

/// A simulated account. Clones are the same account.
#[derive(Clone, Debug)]
pub struct Account {
    pub(crate) inner: Arc<Inner>,
}

/// Everything that rendering needs.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) seed: u64,
    pub(crate) live: bool,
    pub(crate) own_account: String,
    pub(crate) to: i64,
    pub(crate) hostile_ids: bool,
    pub(crate) custom_payment_methods: bool,
    pub(crate) ids: Ids,
    pub(crate) relations: Relations,
    pub(crate) timelines: Vec<Timeline>,
    /// The kind whose timeline plans follow: they are views of prices.
    pub(crate) plans_follow: Option<(Kind, Kind)>,
    pub(crate) sizes: Vec<Sizes>,
    pub(crate) recipes: Vec<Recipe>,
    pub(crate) money: Interleave,
    pub(crate) clock: Clock,
    pub(crate) overlay: RwLock<Overlay>,
}

impl Account {
    /// Starts an account that is a function of `seed`; it has no objects until the builder is told of some.
    pub fn builder(seed: u64) -> AccountBuilder {
        AccountBuilder::new(seed)
    }

    /// The id of the account that owns the keys, `acct_...`; the same in both modes.
    pub fn id(&self) -> &str {
        &self.inner.own_account
    }

    /// Whether this is the account's live mode.
    pub fn livemode(&self) -> bool {
        self.inner.live
    }

    /// The Unix second on the account's clock, which dates responses, events and inserted objects.
    pub fn now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Stops the account's clock at a Unix second.
    pub fn set_clock(&self, second: i64) {
        self.inner.clock.freeze(second);
    }

    /// Moves the account's clock by some seconds, whether it stands or runs.
    pub fn advance_clock(&self, seconds: i64) {
        self.inner.clock.advance(seconds);
    }

    /// Calls `read` with a consistent look at the account.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&View<'_>) -> T) -> T {
        let overlay = self.inner.overlay();
        read(&View { account: &self.inner, overlay: &overlay })
    }
}

impl Inner {
    /// The overlay. A panic of another holder cannot leave it half-changed: mutations build first and insert last.
    pub(crate) fn overlay(&self) -> RwLockReadGuard<'_, Overlay> {
        self.overlay.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// When a computed object of a rooted collection was created.
    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
        match self.plans_follow {
            Some((plan, price)) if plan == kind => {
                self.timelines[price].at(crate::id::price_of_plan(index))
            }
            _ => self.timelines[kind].at(index),
        }
    }
}

/// The key of an object of a rooted collection.
pub(crate) fn rooted(kind: Kind, index: u64) -> Key {
    Key { collection: kind, index, sub: 0 }
}
