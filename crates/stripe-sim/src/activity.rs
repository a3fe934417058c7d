//! Random changes of an account, as its users would make them: objects are created, updated and
//! deleted, and a product can be created again under the id of a deleted one.

use std::time::Duration;

use serde_json::json;
use tokio::time::{MissedTickBehavior, interval};

use crate::account::Account;
use crate::catalog::catalog;
use crate::generator::event_type;
use crate::seed::mix2;

/// The types that change if no others are selected.
const OBJECTS: [&str; 7] =
    ["customer", "product", "price", "invoice", "payment_intent", "subscription", "coupon"];
/// How many objects of a type, starting with the newest, can change.
const CHANGING: usize = 500;
/// An object type is not deleted below this number of objects.
const FEWEST: usize = 3;

/// A source of random changes. The same seed makes the same changes to the same account.
#[derive(Debug)]
pub struct Activity {
    seed: u64,
    number: u64,
    objects: Vec<Changing>,
}

/// The objects of a type that can change.
#[derive(Debug)]
struct Changing {
    object: &'static str,
    ids: Vec<String>,
    can_be_deleted: bool,
}

impl Activity {
    /// Changes of the most common types of objects that the account has.
    pub fn new(account: &Account, seed: u64) -> Self {
        let changing = |object: &&'static str| {
            let kind = catalog().kind(object)?;
            let ids: Vec<String> = account.ids(object).take(CHANGING).collect();
            let can_be_deleted = event_type(kind, "deleted")
                .is_some_and(|event| event == format!("{object}.deleted"));
            (!ids.is_empty()).then_some(Changing { object, ids, can_be_deleted })
        };
        Self { seed, number: 0, objects: OBJECTS.iter().filter_map(changing).collect() }
    }

    /// Makes one change. Does nothing if the account has no object that can change.
    pub fn change(&mut self, account: &Account) {
        self.number += 1;
        let (number, seed) = (self.number, self.seed);
        let draw = |salt: u64, limit: usize| (mix2(seed ^ salt, number) % limit as u64) as usize;
        if self.objects.is_empty() {
            return;
        }
        let kind = draw(1, self.objects.len());
        let Changing { object, ids, can_be_deleted } = &mut self.objects[kind];
        let state = json!({"metadata": {"revision": number.to_string()}});
        let at = draw(2, ids.len());
        // A test can have deleted an object in the meantime. That is not an error here.
        match draw(3, 10) {
            0 | 1 => ids.extend(account.insert(object, state)),
            2 if *can_be_deleted && ids.len() > FEWEST => {
                let id = ids.swap_remove(at);
                let deleted = account.delete(object, &id).is_ok();
                if deleted && *object == "product" && draw(4, 2) == 0 {
                    let again = json!({"id": id, "metadata": {"revision": number.to_string()}});
                    ids.extend(account.insert(object, again));
                }
            }
            _ => drop(account.update(object, &ids[at], state)),
        }
    }

    /// Makes changes at a constant rate until the future is dropped.
    pub async fn run(mut self, account: &Account, per_second: f64) {
        let mut ticks = interval(Duration::from_secs_f64(1.0 / per_second.max(0.001)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            ticks.tick().await;
            self.change(account);
        }
    }
}
