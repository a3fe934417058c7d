//! An account that changes before every request: a seeded generator creates, changes and deletes
//! objects of every stream and items of nested lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use stripe_sim::{Account, Fault, SimOptions};
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

/// The changes of the account: the versions of each object, with their start times.
#[derive(Default)]
struct History {
    random: u64,
    version: u64,
    live: BTreeMap<&'static str, Vec<String>>,
    created: BTreeSet<String>,
    versions: BTreeMap<String, Vec<(i64, u64)>>,
    deleted_at: BTreeMap<String, i64>,
}

fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_micros()).expect("before 294247")
}

impl History {
    fn random_below(&mut self, limit: usize) -> usize {
        // <https://en.wikipedia.org/wiki/Xorshift>
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random % limit as u64) as usize
    }

    fn change(&mut self, account: &Account) {
        let (object, _) = STREAMS[self.random_below(STREAMS.len())];
        self.version += 1;
        let state = json!({"metadata": {"version": self.version.to_string()}});
        let place = match self.live[object].len() {
            0 => return,
            number => self.random_below(number),
        };
        let id = self.live[object][place].clone();
        match (object, self.random_below(10)) {
            (_, 0) => {
                let id = account.insert(object, state).expect("inserted");
                self.created.insert(id.clone());
                self.versions.entry(id.clone()).or_default().push((micros(), self.version));
                self.live.entry(object).or_default().push(id);
            }
            (_, 1..=2) => {
                account.delete(object, &id).expect("deleted");
                self.deleted_at.insert(id, micros());
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

    /// The version of an object at a given time.
    fn version_at(&self, id: &str, at: i64) -> u64 {
        let versions = self.versions.get(id).into_iter().flatten();
        versions.take_while(|(since, _)| *since <= at).map(|(_, v)| *v).last().unwrap_or(0)
    }
}

/// The rows of a table: the version of each, and the time of the stored state.
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

async fn check_rows(seed: u64, deleted_cursor_accepted: bool) {
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
    // This test is about pages: without them, events would bring the rows up to date.
    world.sim.fail_times("/v1/events", 1, 1_000, Fault::Status(402));
    let account = world.sim.account();
    let objects: Vec<&str> = STREAMS.iter().map(|(object, _)| *object).collect();
    let live = objects.iter().map(|object| (*object, account.ids(object).collect())).collect();
    let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let history = Arc::new(Mutex::new(History { random, live, ..History::default() }));
    let changing = Arc::new(AtomicBool::new(true));
    world.sim.before_each("/v1/*", {
        let (history, changing) = (Arc::clone(&history), Arc::clone(&changing));
        move |account| {
            let mut history = history.lock().expect("a history");
            for _ in 0..if changing.load(Ordering::Relaxed) { CHANGES } else { 0 } {
                history.change(account);
            }
        }
    });

    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "seed {seed}: {:?}", report.streams);
    changing.store(false, Ordering::Relaxed);
    let mut remaining = Vec::new();
    for (object, table) in STREAMS {
        let rows = rows(&world, table).await;
        let history = history.lock().expect("a history");
        for id in history.live[object].iter().filter(|id| !history.created.contains(*id)) {
            assert!(rows.contains_key(id), "seed {seed}: {id} always existed and has no row");
        }
        for (id, (version, stamp)) in &rows {
            let due = history.version_at(id, *stamp);
            assert!(
                *version >= due,
                "seed {seed}: {id} has version {version}, but its stamp requires {due}"
            );
            if let Some(deleted_at) = history.deleted_at.get(id) {
                assert!(stamp < deleted_at, "seed {seed}: {id} was read after its deletion");
                remaining.push(format!("{table}/{id}"));
            }
        }
    }

    // Without changes, another run and a refresh of the remaining deleted objects produce Stripe's
    // state.
    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "seed {seed}: {:?}", report.streams);
    if !remaining.is_empty() {
        let done = world.engine().await.refresh(&remaining).await.expect("refreshed");
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
    assert!(
        history.lock().expect("a history").deleted_at.len() > 20,
        "seed {seed}: too few deletions"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_is_at_least_as_new_as_its_stamp_while_the_account_changes() {
    for seed in 50..54 {
        check_rows(seed, seed % 2 == 0).await;
    }
}
