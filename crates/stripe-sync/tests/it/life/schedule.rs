//! One case: changes to the account, and what two processes do at the same time, in a random order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sim::{Account, ApiKey, Fault, SimOptions};
use stripe_sync::{BackfillRequest, RunStatus, Stop, StripeSync};
use tokio::task::JoinHandle;

use super::observations::Mailbag;
use super::process::{Process, expire_leases};
use crate::live::Random;
use crate::world::{World, assert_same};

/// The objects of the case, each with its table. The last two have ids that users choose.
const OBJECTS: [(&str, &str); 4] = [
    ("customer", "customers"),
    ("invoice", "invoices"),
    ("product", "products"),
    ("coupon", "coupons"),
];
const STEPS: usize = 60;
/// The engine considers a clock that is two minutes ahead to be wrong.
const LONGEST: i64 = 90;
/// Seconds after which the last event has appeared in the feed.
const EVENT_LAG: u32 = 8;
/// How long one operation may take before the case fails.
const TIME_LIMIT: Duration = Duration::from_secs(120);

pub(super) struct Case {
    world: World,
    processes: [Process; 2],
    random: Random,
    mail: Mailbag,
    /// Objects that have been deleted, whose ids can be used again.
    deleted: Vec<(&'static str, String)>,
    version: u64,
    advanced: i64,
    running: Vec<Operation>,
    /// Whether each event is delivered and the feed cannot be read.
    is_lossless: bool,
}

/// Something that a process does.
struct Operation {
    /// Whether it succeeded.
    ended: JoinHandle<bool>,
    /// The event that it delivers.
    event: Option<String>,
}

impl Case {
    pub(super) async fn new(seed: u64) -> Case {
        let builder = OBJECTS
            .iter()
            .fold(Account::builder(seed), |builder, (object, _)| builder.objects(object, 2));
        let account = builder.objects("event", 0).build().expect("an account");
        let is_lossless = seed.is_multiple_of(2);
        let denied: &[&str] = if is_lossless { &["event"] } else { &[] };
        let keys = vec![ApiKey::new("rk_test_life").deny(denied.iter().copied())];
        let options = SimOptions { event_lag: EVENT_LAG, seed, keys, ..SimOptions::default() };
        let mut world = World::with(account, options).await;
        // Many cases share the server.
        world.config.max_connections = 3;
        let processes = [Process::start(&world.config).await, Process::start(&world.config).await];
        // The schema exists before the first operation, so that a crash leaves tables to repair.
        let migrated = processes[0].spawn(|engine| async move { engine.prepare().await.map(drop) });
        migrated.await.expect("no panic").expect("migrated");
        let mail = Mailbag::new(world.sim.account(), is_lossless);
        Case {
            world,
            processes,
            random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1),
            mail,
            deleted: Vec::new(),
            version: 0,
            advanced: 0,
            running: Vec::new(),
            is_lossless,
        }
    }

    /// Plays the case and checks its end.
    pub(super) async fn play(mut self) {
        for _ in 0..STEPS {
            match self.random.below(20) {
                0..=7 => self.change(),
                8..=12 => self.deliver(),
                13 | 14 if self.is_lossless => self.deliver(),
                13 | 14 => self.read_feed(),
                15 => self.read_list(),
                16 => self.refetch(),
                17 => self.finish_running().await,
                18 if self.random.below(2) == 0 => self.crash().await,
                _ => tokio::time::sleep(Duration::from_millis(self.random.below(20) as u64)).await,
            }
        }
        self.finish_running().await;
        expire_leases(&self.world).await;
        self.end().await;
    }

    fn account(&self) -> &Account {
        self.world.sim.account()
    }

    /// Starts an operation in one of the processes.
    fn run<F>(&mut self, event: Option<String>, operation: impl FnOnce(StripeSync) -> F)
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let process = &self.processes[self.random.below(2)];
        self.running.push(Operation { ended: process.spawn(operation), event });
    }

    /// Changes an object, most often in the same second as the last change.
    fn change(&mut self) {
        let seconds = [0, 0, 0, 0, 1, 2, 6][self.random.below(7)];
        if self.advanced + seconds <= LONGEST {
            self.advanced += seconds;
            self.account().advance_clock(seconds);
        }
        self.version += 1;
        let state = json!({"metadata": {"version": self.version.to_string()}});
        let (object, _) = OBJECTS[self.random.below(OBJECTS.len())];
        let ids: Vec<String> = self.account().ids(object).collect();
        let choice = self.random.below(10);
        if choice == 0 || ids.is_empty() {
            self.account().insert(object, state).expect("inserted");
        } else if choice < 3 {
            let id = ids[self.random.below(ids.len())].clone();
            self.account().delete(object, &id).expect("deleted");
            self.deleted.push((object, id));
        } else if choice < 6 && !self.deleted.is_empty() {
            let at = self.random.below(self.deleted.len());
            let (object, id) = self.deleted.swap_remove(at);
            if matches!(object, "product" | "coupon") {
                let again = json!({"id": id, "metadata": state["metadata"]});
                self.account().insert(object, again).expect("inserted");
            }
        } else {
            let id = ids[self.random.below(ids.len())].clone();
            if object == "invoice" && self.random.below(3) == 0 {
                self.account().insert_nested(object, &id, "lines", json!({})).expect("inserted");
            }
            self.account().update(object, &id, state).expect("updated");
        }
        self.mail.collect(self.world.sim.account(), &mut self.random);
    }

    fn deliver(&mut self) {
        let Some((event, delivered)) = self.mail.take(&mut self.random) else { return };
        self.deliver_event(event, delivered);
    }

    /// A webhook. If it fails in a case with losses, the feed has to suffice.
    fn deliver_event(&mut self, event: String, delivered: String) {
        self.run(Some(event), |engine| async move {
            engine.process_event(delivered.as_bytes()).await.is_ok()
        });
    }

    fn read_feed(&mut self) {
        self.run(None, |engine| async move { engine.catch_up(&Stop::new()).await.is_ok() });
    }

    /// A backfill. Some pages show the state at the request but arrive later.
    fn read_list(&mut self) {
        let (object, table) = OBJECTS[self.random.below(OBJECTS.len())];
        if self.random.below(2) == 0 {
            let late = Duration::from_millis(self.random.below(800) as u64);
            self.world.sim.fail_nth(&format!("/v1/{table}"), 1, Fault::SentLate(late));
        }
        let objects = vec![object.to_owned()];
        let request = BackfillRequest { objects, ..BackfillRequest::default() };
        self.run(None, |engine| async move { engine.backfill(&request).await.is_ok() });
    }

    fn refetch(&mut self) {
        let (object, table) = OBJECTS[self.random.below(OBJECTS.len())];
        let ids: Vec<String> = self.account().ids(object).collect();
        if ids.is_empty() {
            return;
        }
        let id = &ids[self.random.below(ids.len())];
        if self.random.below(2) == 0 {
            let late = Duration::from_millis(self.random.below(800) as u64);
            self.world.sim.fail_nth(&format!("/v1/{table}/{id}"), 1, Fault::SentLate(late));
        }
        let id = format!("{table}/{id}");
        self.run(None, |engine| async move { engine.refresh(&[id]).await.is_ok() });
    }

    /// Kills one of the processes and starts it again.
    async fn crash(&mut self) {
        let number = self.random.below(2);
        self.processes[number] = Process::start(&self.world.config).await;
        expire_leases(&self.world).await;
    }

    /// Waits for all operations. Those of killed processes have ended.
    async fn finish_running(&mut self) {
        for Operation { ended, event } in std::mem::take(&mut self.running) {
            let ended = tokio::time::timeout(TIME_LIMIT, ended).await.expect("in time");
            let succeeded = ended.unwrap_or_else(|error| {
                assert!(!error.is_panic(), "an operation panicked");
                false
            });
            if let Some(event) = event.filter(|_| !succeeded) {
                self.mail.put_back(event);
            }
        }
    }

    /// Reads the lists, unless a complete run has, and the feed to its end. Then compares.
    async fn end(mut self) {
        let process = Process::start(&self.world.config).await;
        let request = BackfillRequest {
            objects: OBJECTS.iter().map(|(object, _)| (*object).to_owned()).collect(),
            ..BackfillRequest::default()
        };
        let first = request.clone();
        let backfill = process.spawn(|engine| async move { engine.backfill(&first).await });
        let report = backfill.await.expect("no panic").expect("a report");
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        // Changes after the last read are only in the feed.
        for _ in 0..self.random.below(6) {
            self.change();
        }
        if self.is_lossless {
            self.deliver_all().await;
        } else {
            self.account().advance_clock(i64::from(EVENT_LAG) + 1);
            let caught_up =
                process.spawn(|engine| async move { engine.catch_up(&Stop::new()).await });
            let progress = caught_up.await.expect("no panic").expect("caught up");
            assert_eq!((progress.pending, progress.dead), (0, 0), "{progress:?}");
        }
        self.assert_ids_and_versions().await;
        let before = self.contents().await;
        let fresh = BackfillRequest { fresh: true, ..request };
        let backfill = process.spawn(|engine| async move { engine.backfill(&fresh).await });
        let report = backfill.await.expect("no panic").expect("a report");
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        let after = self.contents().await;
        for (row, content) in &after {
            assert_eq!(before.get(row), Some(content), "{row:?} was not in Stripe's state");
        }
        assert_eq!(before.len(), after.len());
    }

    /// Delivers the remaining events until each one is accepted.
    async fn deliver_all(&mut self) {
        for _ in 0..10 {
            let events = self.mail.take_all(&mut self.random);
            if events.is_empty() {
                return;
            }
            for event in events {
                self.deliver_event(event.clone(), event);
            }
            self.finish_running().await;
            expire_leases(&self.world).await;
        }
        panic!("events are not accepted");
    }

    async fn assert_ids_and_versions(&self) {
        for (object, table) in OBJECTS {
            let deleted =
                if table == "customers" { "where not coalesce(deleted, false)" } else { "" };
            let sql = format!(
                "select id, coalesce(metadata ->> 'version', '') from stripe.{table} {deleted}"
            );
            let rows = self.world.sql.query(&sql, &[]).await.expect("rows");
            let rows: BTreeMap<String, String> =
                rows.iter().map(|row| (row.get(0), row.get(1))).collect();
            let wanted: BTreeSet<String> = self.account().ids(object).collect();
            assert_same(table, &wanted, &rows.keys().cloned().collect());
            for (id, version) in rows {
                let json = self.account().object_json(object, &id).expect("an object");
                let json: Value = serde_json::from_str(&json).expect("JSON");
                let wanted = json["metadata"]["version"].as_str().unwrap_or_default();
                assert_eq!(version, wanted, "{table} {id}");
            }
        }
    }

    /// The rows of all tables, without the times of their observations.
    async fn contents(&self) -> BTreeMap<(String, String), String> {
        let mut contents = BTreeMap::new();
        let tables = OBJECTS.iter().map(|(_, table)| *table).chain(["invoice_line_items"]);
        for table in tables {
            let sql = format!(
                "select id, (to_jsonb(t) - 'last_synced_at' - 'updated_at')::text from stripe.{table} t"
            );
            for row in self.world.sql.query(&sql, &[]).await.expect("rows") {
                contents.insert((table.to_owned(), row.get(0)), row.get(1));
            }
        }
        contents
    }
}
