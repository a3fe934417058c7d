//! No process stores an excluded column until it is included again.

use std::sync::Arc;

use stripe_sim::Account;
use stripe_sync::{ColumnName, RunStatus};
use tokio_postgres::Client;

use crate::world::{World, ended};

const SECRET: &str = "ada.lovelace@example.com";

fn columns(names: &[&str]) -> Vec<ColumnName> {
    names.iter().map(|name| ColumnName::parse(name).expect("a column")).collect()
}

/// An account with a customer whose email occurs in several places: in its own property, in an
/// event with the previous value, and in an object that contains the customer.
async fn world() -> World {
    let account = Account::builder(41)
        .objects("customer", 30)
        .objects("invoice", 4)
        .nested_at("invoice", 1, "lines", 1_300)
        .build()
        .expect("an account");
    let at = account.now() - 1_000;
    let customer = format!(
        r#"{{"id":"cus_ada","object":"customer","created":{at},"name":"Ada","email":"{SECRET}"}}"#
    );
    let odd = format!(
        r#"{{"id":"cus_odd","object":"customer","created":{at},"email":{{"now":"{SECRET}"}}}}"#
    );
    let charge = format!(
        r#"{{"id":"ch_ada","object":"charge","created":{at},"amount":5,"customer":{customer}}}"#
    );
    let event = format!(
        r#"{{"id":"evt_ada","object":"event","created":{at},"type":"customer.updated",
            "data":{{"object":{customer},"previous_attributes":{{"email":"old {SECRET}"}}}}}}"#
    );
    // PostgreSQL rejects this row, so it is quarantined.
    let refused = format!(
        r#"{{"id":"cus_bad","object":"customer","created":{at},"email":"{SECRET}","metadata":{{"n":1e400000}}}}"#
    );
    for (object, id, json) in [
        ("customer", "cus_ada", customer),
        ("customer", "cus_odd", odd),
        ("customer", "cus_bad", refused),
        ("charge", "ch_ada", charge),
        ("event", "evt_ada", event),
    ] {
        account.insert_raw(object, id, at, json).expect("inserted");
    }
    World::new(account).await
}

/// All values of all tables of the schema, including the engine's own tables.
async fn dump(sql: &Client) -> String {
    let tables = sql
        .query(
            "select format('%I.%I', schemaname, tablename) from pg_tables
             where schemaname = 'stripe'",
            &[],
        )
        .await
        .expect("tables");
    let mut text = String::new();
    for table in tables {
        let table: String = table.get(0);
        let rows = sql.query(&format!("select t::text from {table} t"), &[]).await.expect("rows");
        for row in rows {
            text.push_str(&format!("{table} {}\n", row.get::<_, String>(0)));
        }
    }
    text
}

const OBJECTS: [&str; 4] = ["customer", "charge", "event", "invoice"];

#[tokio::test(flavor = "multi_thread")]
async fn an_excluded_column_is_not_stored_even_without_the_option() {
    let mut world = world().await;
    world.config.exclude_columns = columns(&["customer.email"]);
    let report = world.backfill(&OBJECTS).await;
    assert_eq!(report.quarantined, 1, "{:?}", report.streams);
    let text = dump(&world.sql).await;
    assert!(!text.contains(SECRET), "{}", lines_with(&text, SECRET));
    assert!(text.contains("cus_ada") && text.contains("evt_ada") && text.contains("cus_bad"));
    let names = "select count(*)::text from stripe.customers where name is not null";
    assert_ne!(world.text(names).await, "0");

    // Another process runs three commands without the option.
    world.config.exclude_columns.clear();
    let engine = world.engine().await;
    assert_eq!(engine.excluded_columns().await.expect("a list"), columns(&["customers.email"]));
    world.backfill(&OBJECTS).await;
    engine.refresh(&["cus_ada".into(), "ch_ada".into()]).await.expect("refreshed");
    engine.migrate().await.expect("migrated");
    assert!(!dump(&world.sql).await.contains(SECRET));
    let any = "select count(*)::text from stripe.customers where email is not null";
    assert_eq!(world.text(any).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn excluding_a_column_clears_its_stored_values() {
    let mut world = world().await;
    world.backfill(&OBJECTS).await;
    assert!(dump(&world.sql).await.contains(SECRET));
    let rows = world.text("select count(*)::text from stripe.customers").await;

    world.config.exclude_columns = columns(&["customers.email"]);
    let done = world.engine().await.migrate().await.expect("migrated").excluded;
    assert_eq!(done.columns, columns(&["customers.email"]));
    // All customers, the charge that contains one, the quarantined one, and events about customers.
    let customers: u64 = rows.parse().expect("a number");
    assert!(done.cleared_rows >= customers + 3, "{done:?}");
    let text = dump(&world.sql).await;
    assert!(!text.contains(SECRET), "{}", lines_with(&text, SECRET));
    assert_eq!(world.text("select count(*)::text from stripe.customers").await, rows);
    let extra = "select coalesce(_extra::text, 'none') from stripe.customers where id = 'cus_odd'";
    assert_eq!(world.text(extra).await, "none");
    let data = "select data #>> '{object,name}' from stripe.events where id = 'evt_ada'";
    assert_eq!(world.text(data).await, "Ada");

    // The second time there is nothing to do.
    let again = world.engine().await.migrate().await.expect("migrated").excluded;
    assert_eq!((again.columns.len(), again.cleared_rows), (0, 0));
    // A change to an excluded value is not a change to the row.
    let before = world.text("select max(updated_at)::text from stripe.customers").await;
    world.backfill(&["customer"]).await;
    let after = world.text("select max(updated_at)::text from stripe.customers").await;
    assert_eq!(before, after);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_command_finishes_an_interrupted_clearing() {
    let world = world().await;
    world.backfill(&OBJECTS).await;
    // The state after a process was killed between storing the list and clearing.
    world
        .sql
        .batch_execute(
            "insert into stripe._meta values ('excluded_columns', 'customers.email'),
             ('columns_to_clear', 'customers.email')",
        )
        .await
        .expect("written");
    world.backfill(&["product"]).await;
    assert!(!dump(&world.sql).await.contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn items_and_their_parents_are_cleared_together() {
    let mut world = world().await;
    world.backfill(&["invoice"]).await;
    let with = "select count(*)::text from stripe.invoice_line_items where description is not null";
    let all = world.text("select count(*)::text from stripe.invoice_line_items").await;
    assert!(all.parse::<u32>().expect("a number") > 1_300);
    assert_ne!(world.text(with).await, "0");
    let inside = "select count(*)::text from stripe.invoices,
                  jsonb_array_elements(lines -> 'data') as item
                  where item ->> 'description' is not null";
    assert_ne!(world.text(inside).await, "0");

    world.config.exclude_columns = columns(&["invoice_line_items.description"]);
    let done = world.engine().await.migrate().await.expect("migrated").excluded;
    assert!(done.cleared_rows > 500, "in several chunks: {done:?}");
    for _ in 0..2 {
        assert_eq!(world.text(with).await, "0");
        assert_eq!(world.text(inside).await, "0");
        assert_eq!(
            world.text("select count(*)::text from stripe.invoice_line_items").await,
            all,
            "no row is lost"
        );
        // The same is true for the rows that a backfill writes.
        world
            .sql
            .batch_execute("delete from stripe.invoice_line_items; delete from stripe.invoices")
            .await
            .expect("deleted");
        world.backfill(&["invoice"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_computed_from_an_excluded_one_are_null() {
    let account = Account::builder(42).objects("subscription", 12).build().expect("an account");
    let mut world = World::new(account).await;
    world.config.exclude_columns = columns(&["subscription.current_period_end"]);
    let prepared = world.engine().await.prepare().await.expect("prepared");
    assert_eq!(prepared.excluded.also, columns(&["subscription_items.current_period_end"]));
    world.backfill(&["subscription"]).await;
    for sql in [
        "select count(current_period_end)::text from stripe.subscriptions",
        "select count(current_period_end)::text from stripe.subscription_items",
        "select count(*)::text from stripe.subscriptions,
         jsonb_array_elements(items -> 'data') item where item ->> 'current_period_end' is not null",
    ] {
        assert_eq!(world.text(sql).await, "0", "{sql}");
    }
    let start = "select count(current_period_start)::text from stripe.subscriptions";
    assert_ne!(world.text(start).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusion_applies_to_processes_that_are_already_running() {
    let mut world = world().await;
    let early = Arc::new(world.engine().await);
    early.refresh(&["cus_ada".into()]).await.expect("refreshed");
    assert!(dump(&world.sql).await.contains(SECRET));
    world.config.exclude_columns = columns(&["customers.email"]);
    world.engine().await.migrate().await.expect("migrated");
    early.refresh(&["cus_ada".into(), "cus_odd".into()]).await.expect("refreshed");
    let request = stripe_sync::BackfillRequest {
        objects: OBJECTS.map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let report = early.backfill(&request).await.expect("a report");
    assert_eq!(ended(&report, "customers").0, "complete");
    let text = dump(&world.sql).await;
    assert!(!text.contains(SECRET), "{}", lines_with(&text, SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_backfill_fills_an_included_column() {
    let mut world = world().await;
    world.config.exclude_columns = columns(&["customers.email", "customers.name"]);
    world.backfill(&["customer"]).await;
    world.config.exclude_columns.clear();
    let engine = world.engine().await;
    let back = engine.include_columns(&columns(&["customers.email", "charges.amount"])).await;
    assert_eq!(back.expect("included"), columns(&["customers.email"]));
    // Rows with stamps less than five seconds apart are refetched individually, and are also
    // filled.
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Incomplete, "one row is in quarantine");
    let email = "select email from stripe.customers where id = 'cus_ada'";
    assert_eq!(world.text(email).await, SECRET);
    assert_eq!(world.text("select count(name)::text from stripe.customers").await, "0");
}

fn lines_with(text: &str, what: &str) -> String {
    text.lines().filter(|line| line.contains(what)).take(5).collect::<Vec<_>>().join("\n")
}
