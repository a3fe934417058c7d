//! A simulated account, a temporary PostgreSQL, and the engine between them.

use std::collections::BTreeSet;
use std::time::Duration;

use private_postgres::Server;
use stripe_sim::{Account, Sim, SimOptions};
use stripe_sync::{
    ApiBase, ApiKey, BackfillRequest, BackfillRun, Config, Names, RateOptions, Report, StripeSync,
};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use crate::content::assert_content;

/// One server for all tests of this binary. Each world has its own database.
static SERVER: OnceCell<Server> = OnceCell::const_new();

/// The nested tables, with the parent object and the property that contains their rows.
pub(crate) const NESTED: [(&str, &str, &str); 4] = [
    ("invoice_line_items", "invoice", "lines"),
    ("subscription_items", "subscription", "items"),
    ("checkout_session_line_items", "checkout.session", "line_items"),
    ("credit_note_line_items", "credit_note", "lines"),
];

pub(crate) struct World {
    pub(crate) sim: Sim,
    pub(crate) config: Config,
    pub(crate) sql: Client,
}

impl World {
    pub(crate) async fn new(account: Account) -> World {
        World::with(account, SimOptions::default()).await
    }

    pub(crate) async fn with(account: Account, options: SimOptions) -> World {
        let sim = Sim::start(account, options).await.expect("the simulator");
        let url = fresh_database().await;
        let mut config = Config::new(&url, Names::new("stripe", "").expect("names"));
        config.key = Some(ApiKey::parse(sim.key()).expect("a key"));
        config.api_base = ApiBase::parse(&sim.base_url()).expect("a base");
        config.rate = Some(RateOptions::Unlimited);
        config.request_timeout = Duration::from_secs(10);
        World { sim, config, sql: connect(&url).await }
    }

    /// The same account and database behind a simulator without faults.
    pub(crate) async fn without_faults(mut self) -> World {
        let options = SimOptions {
            keys: vec![stripe_sim::ApiKey::new(self.sim.key())],
            ..SimOptions::default()
        };
        self.sim = Sim::start(self.sim.account().clone(), options).await.expect("the simulator");
        self.config.api_base = ApiBase::parse(&self.sim.base_url()).expect("a base");
        self
    }

    pub(crate) async fn engine(&self) -> StripeSync {
        StripeSync::connect(self.config.clone()).await.expect("the engine")
    }

    pub(crate) async fn backfill(&self, objects: &[&str]) -> Report {
        let objects = objects.iter().map(|o| (*o).to_owned()).collect();
        self.run(&BackfillRequest { objects, ..BackfillRequest::default() }).await
    }

    pub(crate) async fn run(&self, request: &BackfillRequest) -> Report {
        self.engine().await.backfill(request).await.expect("a backfill")
    }

    pub(crate) async fn ids(&self, table: &str) -> BTreeSet<String> {
        let rows = self
            .sql
            .query(&format!("select id from stripe.{table}"), &[])
            .await
            .unwrap_or_else(|e| panic!("{table}: {e}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        let row = self.sql.query_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        row.get::<_, Option<String>>(0).unwrap_or_else(|| "(null)".to_owned())
    }

    /// Asserts that every table of a stream contains exactly the objects that the simulator lists,
    /// and every nested table all items, with all their properties.
    pub(crate) async fn assert_identical(&self) {
        let account = self.sim.account();
        for (object, table) in stripe_sync::objects() {
            // Stripe rejects this list without a parent.
            if object == "billing.credit_balance_transaction" {
                continue;
            }
            let wanted: BTreeSet<String> = account.ids(object).collect();
            assert_same(table, &wanted, &self.ids(table).await);
            assert_content(self, account, object, table).await;
        }
        for (table, object, property) in NESTED {
            let wanted: BTreeSet<String> = account
                .ids(object)
                .flat_map(|parent| account.nested_ids(object, &parent, property))
                .collect();
            assert_same(table, &wanted, &self.ids(table).await);
            assert_content(self, account, item_object(table), table).await;
        }
    }
}

/// The type of the items of a nested table.
fn item_object(table: &str) -> &'static str {
    match table {
        "invoice_line_items" => "line_item",
        "subscription_items" => "subscription_item",
        "checkout_session_line_items" => "item",
        "credit_note_line_items" => "credit_note_line_item",
        other => panic!("{other} is not a nested table"),
    }
}

pub(crate) fn assert_same(table: &str, wanted: &BTreeSet<String>, found: &BTreeSet<String>) {
    let missing: Vec<_> = wanted.difference(found).take(3).collect();
    let extra: Vec<_> = found.difference(wanted).take(3).collect();
    assert!(
        missing.is_empty() && extra.is_empty(),
        "{table}: {} wanted, {} found, missing {missing:?}, extra {extra:?}",
        wanted.len(),
        found.len()
    );
}

/// Waits until a run has read at least this many rows.
pub(crate) async fn wait_for_rows(run: &BackfillRun, rows: i64) {
    let mut updates = run.subscribe();
    while run.progress().streams.iter().map(|s| s.rows).sum::<i64>() < rows {
        updates.next().await.expect("the run has not ended");
    }
}

/// The result of a stream in a report: status, rows, message.
pub(crate) fn ended(report: &Report, table: &str) -> (&'static str, i64, String) {
    let stream = report.streams.iter().find(|s| s.table == table).expect("a stream");
    (stream.status, stream.synced, stream.message.clone().unwrap_or_default())
}

pub(crate) async fn server() -> &'static Server {
    SERVER.get_or_init(|| async { Server::temporary().await.expect("a server") }).await
}

/// The URL of a new database.
pub(crate) async fn fresh_database() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let server = server().await;
    let name = format!("world_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let admin = connect(&server.connection_url()).await;
    admin.batch_execute(&format!("create database {name}")).await.expect("a database");
    server.connection_url_to(&name)
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}
