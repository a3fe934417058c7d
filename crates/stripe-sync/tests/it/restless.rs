//! An account that changes before every single request: created, changed and deleted objects of
//! every stream, and items of nested lists, by the dice of a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use stripe_sim::{Account, SimOptions};
use stripe_sync::{RefreshOutcome, RunStatus};

use crate::world::{World, assert_same};

const STREAMS: [(&str, &str); 4] = [
    ("customer", "customers"),
    ("product", "products"),
    ("invoice", "invoices"),
    ("payment_link", "payment_links"),
];

/// Changes per request.
const CHANGES: u64 = 12;

/// What happened to the account: the version that each object shows from an instant on.
#[derive(Default)]
struct History {
    dice: u64,
    version: u64,
    live: BTreeMap<&'static str, Vec<String>>,
    born: BTreeSet<String>,
    versions: BTreeMap<String, Vec<(i64, u64)>>,
    died: BTreeMap<String, i64>,
}

fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("before 294247")
}

impl History {
    fn roll(&mut self, sides: usize) -> usize {
        // <https://en.wikipedia.org/wiki/Xorshift>
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % sides as u64) as usize
    }

    fn change(&mut self, account: &Account) {
        let (object, _) = STREAMS[self.roll(STREAMS.len())];
        self.version += 1;
        let state = json!({"metadata": {"version": self.version.to_string()}});
        let place = match self.live[object].len() {
            0 => return,
            number => self.roll(number),
        };
        let id = self.live[object][place].clone();
        match (object, self.roll(10)) {
            (_, 0) => {
                let id = account.insert(object, state).expect("inserted");
                self.born.insert(id.clone());
                self.versions.entry(id.clone()).or_default().push((micros(), self.version));
                self.live.entry(object).or_default().push(id);
            }
            (_, 1..=2) => {
                account.delete(object, &id).expect("deleted");
                self.died.insert(id, micros());
                self.live.entry(object).or_default().swap_remove(place);
            }
            ("invoice", 3..=4) => {
                account.insert_nested("invoice", &id, "lines", json!({})).expect("inserted");
            }
            ("invoice", 5) => {
                let lines = account.nested_ids("invoice", &id, "lines");
                if let Some(line) = lines.last() {
                    account.remove_nested_item("invoice", &id, "lines", line).expect("removed");
                }
            }
            _ => {
                account.update(object, &id, state).expect("updated");
                self.versions.entry(id).or_default().push((micros(), self.version));
            }
        }
    }

    /// The version that an object showed at an instant.
    fn version_at(&self, id: &str, at: i64) -> u64 {
        let versions = self.versions.get(id).into_iter().flatten();
        versions.take_while(|(since, _)| *since <= at).map(|(_, v)| *v).last().unwrap_or(0)
    }
}

/// Each row of a table: the version it shows and the instant whose state it claims to be.
async fn rows(world: &World, table: &str) -> BTreeMap<String, (u64, i64)> {
    let deleted = if table == "customers" { "where not deleted" } else { "" };
    let sql = format!(
        "select id, coalesce((metadata ->> 'version')::bigint, 0),
                (extract(epoch from last_synced_at) * 1000000)::bigint
         from stripe.{table} {deleted}"
    );
    let rows = world.sql.query(&sql, &[]).await.expect("rows");
    rows.iter().map(|r| (r.get(0), (r.get::<_, i64>(1) as u64, r.get(2)))).collect()
}

async fn play(seed: u64, deleted_cursor_accepted: bool) {
    let account = Account::builder(seed)
        .objects("customer", 700)
        .objects("product", 450)
        .objects("invoice", 240)
        .objects("payment_link", 230)
        .nested_at("invoice", 11, "lines", 260)
        .nested_at("invoice", 100, "lines", 35)
        .build()
        .expect("an account");
    let options = SimOptions { deleted_cursor_accepted, ..SimOptions::default() };
    let world = World::with(account, options).await;
    let account = world.sim.account();
    let objects: Vec<&str> = STREAMS.iter().map(|(object, _)| *object).collect();
    let live = objects.iter().map(|object| (*object, account.ids(object).collect())).collect();
    let dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let history = Arc::new(Mutex::new(History { dice, live, ..History::default() }));
    let restless = Arc::new(AtomicBool::new(true));
    world.sim.before_each("/v1/*", {
        let (history, restless) = (Arc::clone(&history), Arc::clone(&restless));
        move |account| {
            let mut history = history.lock().expect("a history");
            for _ in 0..if restless.load(Ordering::Relaxed) { CHANGES } else { 0 } {
                history.change(account);
            }
        }
    });

    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "seed {seed}: {:?}", report.streams);
    restless.store(false, Ordering::Relaxed);
    let mut left_behind = Vec::new();
    for (object, table) in STREAMS {
        let rows = rows(&world, table).await;
        let history = history.lock().expect("a history");
        for id in history.live[object].iter().filter(|id| !history.born.contains(*id)) {
            assert!(rows.contains_key(id), "seed {seed}: {id} was there all the time");
        }
        for (id, (version, stamp)) in &rows {
            let due = history.version_at(id, *stamp);
            assert!(*version >= due, "seed {seed}: {id} shows {version}, not {due} of its stamp");
            if let Some(died) = history.died.get(id) {
                assert!(stamp < died, "seed {seed}: {id} was read after its end");
                left_behind.push(format!("{table}/{id}"));
            }
        }
    }

    // In peace, another run and a look at what is left of deleted objects end in Stripe's state.
    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "seed {seed}: {:?}", report.streams);
    if !left_behind.is_empty() {
        let done = world.engine().await.refresh(&left_behind).await.expect("refreshed");
        assert!(done.iter().all(|d| d.outcome == RefreshOutcome::Deleted), "seed {seed}: {done:?}");
    }
    for (object, table) in STREAMS {
        let rows = rows(&world, table).await;
        let wanted: BTreeSet<String> = account.ids(object).collect();
        assert_same(table, &wanted, &rows.keys().cloned().collect());
        let history = history.lock().expect("a history");
        for (id, (version, _)) in &rows {
            assert_eq!(*version, history.version_at(id, i64::MAX), "seed {seed}: {id}");
        }
    }
    let lines = |id: String| account.nested_ids("invoice", &id, "lines");
    let wanted: BTreeSet<String> = account.ids("invoice").flat_map(lines).collect();
    assert_same("invoice_line_items", &wanted, &world.ids("invoice_line_items").await);
    assert!(history.lock().expect("a history").died.len() > 20, "seed {seed}: it was quiet");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_changes_between_two_requests_rows_are_true_to_their_stamps() {
    for seed in 50..54 {
        play(seed, seed % 2 == 0).await;
    }
}
