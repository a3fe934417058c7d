//! Another session holds a lock on one table. Whatever needs that table waits without using up the
//! connections, says what it waits for, and everything else continues.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use stripe_sim::Account;
use stripe_sync::{RefreshOutcome, RunStatus, Stop};

use crate::live::copied;
use crate::scripted_stripe::{ScriptedStripe, error};
use crate::world::{World, connect};

/// Connections of the engine that wait for a lock on a table.
async fn waiting(world: &World, table: &str) -> usize {
    let sql = format!(
        "select count(*)::text from pg_locks
         where not granted and relation = 'stripe.{table}'::regclass"
    );
    world.text(&sql).await.parse().expect("a number")
}

/// Waits until the statements that began before the table was known to be locked have ended.
async fn assert_one_waits(world: &World, table: &str) {
    tokio::time::sleep(Duration::from_secs(6)).await;
    for _ in 0..100 {
        let count = waiting(world, table).await;
        assert!(count <= 1, "{count} connections wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A refresh reads the row of each object, and deletes or replaces it.
#[tokio::test(flavor = "multi_thread")]
async fn refreshes_of_a_locked_table_leave_connections_for_other_tables() {
    let mut world = copied(120).await;
    world.config.max_connections = 3;
    let account = world.sim.account();
    let invoices: Vec<String> = account.ids("invoice").take(8).collect();
    let customer = account.ids("customer").next().expect("a customer");
    account.update("customer", &customer, json!({"name": "changed"})).expect("updated");
    for id in &invoices[..4] {
        account.delete("invoice", id).expect("deleted");
    }
    let engine = world.engine().await;
    world.sql.batch_execute("begin; lock table stripe.invoices").await.expect("locked");
    let refreshes = tokio::spawn({
        let (engine, invoices) = (engine.clone(), invoices.clone());
        async move { engine.refresh(&invoices).await }
    });
    while waiting(&world, "invoices").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_one_waits(&world, "invoices").await;
    let done = engine.refresh(&[customer]).await.expect("refreshed");
    assert_eq!(done[0].outcome, RefreshOutcome::Stored);
    assert!(!refreshes.is_finished());
    world.sql.batch_execute("commit").await.expect("unlocked");
    let done = refreshes.await.expect("a task").expect("refreshed");
    for (result, deleted) in done.iter().zip([true, true, true, true, false, false, false, false]) {
        let expected = if deleted { RefreshOutcome::Deleted } else { RefreshOutcome::Stored };
        assert_eq!(result.outcome, expected);
    }
}

/// Another session locks the table for writers only, as the build of an index does. A refresh first
/// reads the row of each object, which succeeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_can_only_be_read_is_still_known_to_be_locked() {
    let mut world = copied(124).await;
    world.config.max_connections = 8;
    let invoices: Vec<String> = world.sim.account().ids("invoice").take(6).collect();
    let engine = world.engine().await;
    world.sql.batch_execute("begin; lock table stripe.invoices in share mode").await.unwrap();
    let refresh = |id: &String| {
        let (engine, id) = (engine.clone(), id.clone());
        tokio::spawn(async move { engine.refresh(&[id]).await })
    };
    let mut refreshes = vec![refresh(&invoices[0])];
    while waiting(&world, "invoices").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The first attempt has ended, so the table is known to be locked.
    while waiting(&world, "invoices").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    refreshes.extend(invoices[1..].iter().map(refresh));
    for _ in 0..100 {
        let count = waiting(&world, "invoices").await;
        assert!(count <= 1, "{count} connections wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.sql.batch_execute("commit").await.expect("unlocked");
    for refresh in refreshes {
        let done = refresh.await.expect("a task").expect("refreshed");
        assert_eq!(done[0].outcome, RefreshOutcome::Stored);
    }
}

/// The lock is on the table of the objects, or on that of their items.
#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_locked_table_are_postponed_and_name_who_locks_it() {
    for table in ["invoices", "invoice_line_items"] {
        let world = copied(121).await;
        let account = world.sim.account();
        let id = account.ids("invoice").next().expect("an invoice");
        account.update("invoice", &id, json!({"description": "changed"})).expect("updated");
        let created = account.insert("customer", json!({"name": "new"})).expect("inserted");
        let database = world.text("select current_database()::text").await;
        let url = crate::world::server().await.connection_url_to(&database);
        let session = connect(&format!("{url}&application_name=nightly")).await;
        let pid = session.query_one("select pg_backend_pid()::text", &[]).await.expect("a pid");
        session.batch_execute(&format!("begin; lock table stripe.{table}")).await.expect("locked");
        let engine = world.engine().await;
        let mut error = String::new();
        // The holder is known from the second attempt on.
        for _ in 0..2 {
            let done = engine.catch_up(&Stop::new()).await.expect("caught up");
            assert_eq!(done.pending, 1, "{done:?}");
            assert!(world.ids("customers").await.contains(&created));
            error = world.text("select last_error from stripe._inbox").await;
            let due = "update stripe._inbox set next_attempt_at = now()";
            world.sql.batch_execute(due).await.expect("due");
        }
        let holder = format!("backend {} (nightly), idle in transaction", pid.get::<_, &str>(0));
        assert!(error.contains(table) && error.contains(&holder), "{error}");
        assert!(error.contains("55P03") && !error.contains("lock table"), "{error}");
        session.batch_execute("commit").await.expect("unlocked");
        while engine.catch_up(&Stop::new()).await.expect("caught up").pending > 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let sql = format!("select description from stripe.invoices where id = '{id}'");
        assert_eq!(world.text(&sql).await, "changed");
    }
}

/// The table is locked after the lists have been read.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_ends_although_a_table_is_locked_when_its_events_are_applied() {
    let world = copied(125).await;
    let account = world.sim.account().clone();
    let id = account.ids("invoice").next().expect("an invoice");
    let database = world.text("select current_database()::text").await;
    let url = crate::world::server().await.connection_url_to(&database);
    let session = std::sync::Arc::new(connect(&url).await);
    let runtime = tokio::runtime::Handle::current();
    let locks = std::sync::Arc::clone(&session);
    world.sim.before_nth("/v1/events", 1, move |account| {
        account.update("invoice", &id, json!({"description": "changed"})).expect("updated");
        let lock = async { locks.batch_execute("begin; lock table stripe.invoices").await };
        tokio::task::block_in_place(|| runtime.block_on(lock)).expect("locked");
    });
    let report = world.backfill(&["invoice", "customer"]).await;
    assert_eq!(report.catch_up.pending, 1, "{:?}", report.catch_up);
    for table in ["invoices", "customers"] {
        assert_eq!(crate::world::ended(&report, table).0, "complete");
    }
    session.batch_execute("commit").await.expect("unlocked");
    let due = "update stripe._inbox set next_attempt_at = now()";
    world.sql.batch_execute(due).await.expect("due");
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!((done.pending, done.failed), (0, 0), "{done:?}");
}

/// A stream that no run has ended, such as one of an adopted database. Stripe rejects its list, and
/// its rows decide whether it has been available.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_does_not_wait_for_a_locked_table() {
    let server = ScriptedStripe::start(|_| error(404, "Unrecognized request URL")).await;
    server.engine().await.migrate().await.expect("a schema");
    let lock = "begin; lock table stripe.issuing_cards";
    server.sql.batch_execute(lock).await.expect("locked");
    let objects = vec!["issuing.card".to_owned()];
    let request = stripe_sync::CheckRequest { objects, ..Default::default() };
    let report = stripe_sync::check(&server.config, &request).await.expect("a report");
    let stripe = report.stripe.expect("Stripe was checked");
    let message = stripe.streams[0].message.clone().unwrap_or_default();
    assert_eq!(stripe.streams[0].access, stripe_sync::StreamAccess::Failed);
    assert!(message.contains("issuing_cards") && message.contains("55P03"), "{message}");
}

/// A gap in the events is closed by reading the rows that its lists have not shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_of_a_locked_table_stays_open_and_the_others_are_closed() {
    let mut world = copied(126).await;
    world.config.max_outage = Duration::from_secs(1);
    let gaps = "insert into stripe._listings (account_id, table_name, gap_until)
         select account_id, t, 1 from stripe._runs, unnest('{products,customers}'::text[]) t
         on conflict (account_id, table_name) do update set gap_until = 1";
    world.sql.batch_execute(gaps).await.expect("gaps");
    let database = world.text("select current_database()::text").await;
    let url = crate::world::server().await.connection_url_to(&database);
    let session = connect(&url).await;
    session.batch_execute("begin; lock table stripe.customers").await.expect("locked");
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert!(done.gap && done.unlisted.is_some_and(|text| text.contains("customers")));
    let open = "select string_agg(table_name, ' ') from stripe._listings
         where gap_until is not null";
    assert_eq!(world.text(open).await, "customers");
    session.batch_execute("commit").await.expect("unlocked");
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert!(!done.gap, "{done:?}");
}

/// A transaction of another session has changed one table, which needs no new column.
#[tokio::test(flavor = "multi_thread")]
async fn a_migration_alters_only_tables_that_lack_something() {
    let mut world = copied(122).await;
    world.config.max_outage = Duration::ZERO;
    let other = "alter table stripe.customers drop column email;
        drop table stripe.coupons; drop index stripe.invoice_line_items_invoice_idx";
    world.sql.batch_execute(other).await.expect("changed");
    let changes = "begin; update stripe.invoices set updated_at = updated_at;
        update stripe._runs set status = status; update stripe._streams set status = status";
    world.sql.batch_execute(changes).await.expect("changed");
    let done = world.engine().await.migrate().await.expect("migrated");
    assert!(done.changed);
    world.sql.batch_execute("commit").await.expect("committed");
    let found = "select concat_ws(' ', count(email), to_regclass('stripe.coupons'),
                        to_regclass('stripe.invoice_line_items_invoice_idx')) from stripe.customers";
    assert_eq!(world.text(found).await, "0 stripe.coupons stripe.invoice_line_items_invoice_idx");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_is_built_by_the_next_run_if_an_open_transaction_delays_it() {
    let account = Account::builder(123).objects("invoice", 20).build().expect("an account");
    let mut world = World::new(account).await;
    world.config.max_outage = Duration::from_secs(2);
    world.engine().await.migrate().await.expect("tables");
    let valid = "select count(*)::text from pg_index
                 where indrelid = 'stripe.invoices'::regclass and indisvalid and not indisprimary";
    let invalid = valid.replace("indisvalid", "not indisvalid");
    let writes = "begin; insert into stripe.invoices (id, _account_id) values ('in_x', 'acct_x')";
    world.sql.batch_execute(writes).await.expect("a row");
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{report:?}");
    assert_eq!(world.text(valid).await, "0");
    // An interrupted build.
    assert_ne!(world.text(&invalid).await, "0");
    world.sql.batch_execute("commit").await.expect("committed");
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{report:?}");
    assert_ne!(world.text(valid).await, "0");
    assert_eq!(world.text(&invalid).await, "0");
}

/// No object can be postponed, because the table of postponed objects is locked.
#[tokio::test(flavor = "multi_thread")]
async fn following_waits_for_a_locked_table_of_the_engine() {
    let world = copied(124).await;
    let account = world.sim.account();
    let id = account.ids("product").next().expect("a product");
    // Two changes in one second, so that the product is fetched.
    for version in ["1", "2"] {
        account.update("product", &id, json!({"metadata": {"version": version}})).expect("updated");
    }
    world.sql.batch_execute("begin; lock table stripe._inbox").await.expect("locked");
    let engine = world.engine().await;
    let following = tokio::spawn(async move { engine.catch_up(&Stop::new()).await });
    let waiting_since = "select max(waitstart)::text from pg_locks
                         where not granted and relation = 'stripe._inbox'::regclass";
    let mut waits = BTreeSet::new();
    // The first wait has ended without the lock when the second one begins.
    while waits.len() < 2 {
        assert!(!following.is_finished(), "{:?}", following.await);
        let since = world.text(waiting_since).await;
        if since != "(null)" {
            waits.insert(since);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.sql.batch_execute("commit").await.expect("unlocked");
    let done = following.await.expect("a task").expect("caught up");
    assert!(done.caught_up && done.pending == 0, "{done:?}");
    let version = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
    assert_eq!(world.text(&version).await, "2");
}
