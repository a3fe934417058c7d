//! Promise 2: the newest state is stored, in whatever order states arrive.

use serde_json::json;
use stripe_sim::{Account, CustomIds, Fault, SimOptions};
use stripe_sync::{BackfillRequest, ErrorKind, RefreshOutcome, RunStatus};

use crate::world::{World, assert_same, ended};

async fn one_customer(seed: u64) -> (World, String) {
    let account = Account::builder(seed).objects("customer", 1).build().expect("an account");
    let world = World::new(account).await;
    world.backfill(&["customer"]).await;
    let id = world.sim.account().ids("customer").next().expect("a customer");
    (world, id)
}

async fn set_row(world: &World, name: &str, stamp: &str) {
    let sql = format!("update stripe.customers set name = '{name}', last_synced_at = {stamp}");
    world.sql.execute(&sql, &[]).await.expect("an update");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_observation_is_stored_and_an_uncertain_one_is_refetched() {
    let (world, id) = one_customer(20).await;
    let stripes = world.text("select name from stripe.customers").await;
    // Certainly older: overwritten by the page. Certainly newer: kept.
    for (stamp, expected) in [
        ("now() - interval '1 hour'", stripes.as_str()),
        ("now() + interval '30 seconds'", "other"),
    ] {
        set_row(&world, "other", stamp).await;
        world.backfill(&["customer"]).await;
        assert_eq!(world.text("select name from stripe.customers").await, expected, "{stamp}");
    }
    // The times are too close to be ordered, or a clock is wrong: the object is refetched, and the
    // response is stored.
    for stamp in ["now()", "now() + interval '300 milliseconds'", "now() + interval '400 days'"] {
        set_row(&world, "other", stamp).await;
        let before = world.sim.requests_to(&format!("/v1/customers/{id}"));
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete);
        assert_eq!(world.text("select name from stripe.customers").await, stripes, "{stamp}");
        assert!(world.sim.requests_to(&format!("/v1/customers/{id}")) > before, "{stamp}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_retrieval_fails_keeps_its_listed_row() {
    let (world, id) = one_customer(28).await;
    let path = format!("/v1/customers/{id}");
    set_row(&world, "other", "now()").await;
    world.sim.fail_nth(&path, 1, Fault::Status(402));
    let report = world.backfill(&["customer"]).await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Complete, 0));
    let name = world.text("select (name = 'other')::text from stripe.customers").await;
    assert_eq!(name, "false", "the row from the list must be stored");

    set_row(&world, "other", "now()").await;
    world.sim.fail_nth(&path, 1, Fault::Status(401));
    let objects = vec!["customer".to_owned()];
    let request = BackfillRequest { objects, ..Default::default() };
    let engine = world.engine().await;
    let ended = engine.backfill(&request).await;
    assert_eq!(ended.expect_err("the key is revoked").kind(), ErrorKind::Access);
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_with_another_object_is_not_stored() {
    let (world, id) = one_customer(29).await;
    let before = world.text("select name from stripe.customers").await;
    let account = world.sim.account();
    let other = format!(r#"{{"id":"{id}","object":"customer","created":1,"name":"other"}}"#);
    account.insert_raw("customer", "cus_other", 1, other).expect("inserted");
    let done = world.engine().await.refresh(&["cus_other".to_owned()]).await.expect("an answer");
    let RefreshOutcome::Failed(why) = &done[0].outcome else { panic!("{done:?}") };
    assert!(why.contains("another object (request req_"), "{why}");
    assert_eq!(world.text("select name from stripe.customers").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn unchanged_content_updates_only_the_stamp() {
    let (world, _) = one_customer(21).await;
    set_row(
        &world,
        &world.text("select name from stripe.customers").await,
        "now() - interval '1 hour'",
    )
    .await;
    let content = "select (to_jsonb(c) - 'last_synced_at')::text from stripe.customers c";
    let before = world.text(content).await;
    world.backfill(&["customer"]).await;
    assert_eq!(world.text(content).await, before, "updated_at must not change either");
    let fresh = "select (last_synced_at > now() - interval '1 minute')::text from stripe.customers";
    assert_eq!(world.text(fresh).await, "true");
}

/// A user's trigger may change a row. Rows that it discards are an error; see
/// `rows_discarded_by_a_trigger_or_rule_are_an_error` in the tests of the command line.
#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_changes_inserted_rows_is_respected() {
    let account = Account::builder(24).objects("customer", 120).build().expect("an account");
    let world = World::new(account).await;
    world.engine().await.migrate().await.expect("a schema");
    world
        .sql
        .batch_execute(
            "create function public.uppercase() returns trigger language plpgsql as
             $$ begin new.email = upper(new.email); return new; end $$;
             create trigger uppercase before insert on stripe.customers
             for each row execute function public.uppercase()",
        )
        .await
        .expect("a trigger");
    for _ in 0..3 {
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        let emails = "select bool_and(email = upper(email) and last_synced_at > now() - interval '1 minute')::text
                      from stripe.customers";
        assert_eq!(world.text(emails).await, "true");
        let aged = "update stripe.customers set last_synced_at = now() - interval '1 hour'";
        world.sql.execute(aged, &[]).await.expect("aged");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_stores_deletes_and_reports_missing_objects() {
    let account = Account::builder(22)
        .objects("customer", 3)
        .objects("product", 3)
        .custom_ids(CustomIds::Hostile)
        .build()
        .expect("an account");
    let world = World::new(account).await;
    world.backfill(&["customer", "product"]).await;
    let account = world.sim.account();
    let customers: Vec<_> = account.ids("customer").collect();
    let product = account.ids("product").next().expect("a product");
    account.update("customer", &customers[0], json!({"name": "Ada"})).expect("updated");
    account.delete("customer", &customers[1]).expect("deleted");
    account.delete("product", &product).expect("deleted");
    let ids = vec![
        customers[0].clone(),
        customers[1].clone(),
        format!("products/{product}"),
        "cus_doesnotexist".to_owned(),
    ];
    let done = world.engine().await.refresh(&ids).await.expect("an answer");
    let outcomes: Vec<_> = done.into_iter().map(|d| d.outcome).collect();
    assert_eq!(
        outcomes,
        [
            RefreshOutcome::Stored,
            RefreshOutcome::Deleted,
            RefreshOutcome::Deleted,
            RefreshOutcome::NotFound
        ]
    );
    let name = format!("select name from stripe.customers where id = '{}'", customers[0]);
    assert_eq!(world.text(&name).await, "Ada");
    let gone = format!("select deleted::text from stripe.customers where id = '{}'", customers[1]);
    assert_eq!(world.text(&gone).await, "true");
    let kept = "select count(*)::text from stripe.customers where not deleted";
    assert_eq!(world.text(kept).await, "2");
    assert_same("products", &account.ids("product").collect(), &world.ids("products").await);
    assert_eq!(world.text("select count(*)::text from stripe._tombstones").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_requested_before_a_deletion_does_not_restore_the_row() {
    let account = Account::builder(23).objects("product", 3).build().expect("an account");
    let world = World::new(account).await;
    world.backfill(&["product"]).await;
    let id = world.sim.account().ids("product").next().expect("a product");
    let tombstone = |when: &str| {
        format!(
            "delete from stripe.products where id = '{id}';
             insert into stripe._tombstones
             select 'products', _account_id, '{id}', {when} from stripe.products limit 1
             on conflict (table_name, account_id, id) do update set deleted_at = {when}"
        )
    };
    // The deletion was observed after the page was requested.
    world.sql.batch_execute(&tombstone("now() + interval '1 minute'")).await.expect("a tombstone");
    world.backfill(&["product"]).await;
    assert_eq!(world.ids("products").await.len(), 2);
    // A tombstone is removed after 35 days, but not while an older run is open.
    let count = "select count(*)::text from stripe._tombstones";
    world.sql.batch_execute(&tombstone("now() - interval '40 days'")).await.expect("a tombstone");
    let open = "insert into stripe._runs
                    (account_id, identity, objects, range, catalog_version, event_cursor, started_at)
                values ('acct', 'x', '', '', '', 0, now() - interval '50 days')";
    world.sql.batch_execute(open).await.expect("an open run");
    world.backfill(&["product"]).await;
    assert_eq!(world.text(count).await, "1");
    world.sql.batch_execute("delete from stripe._runs where identity = 'x'").await.expect("closed");
    world.backfill(&["product"]).await;
    assert_eq!(world.text(count).await, "0");
    // An object with that id was created again later.
    world.sql.batch_execute(&tombstone("now() - interval '1 minute'")).await.expect("a tombstone");
    world.backfill(&["product"]).await;
    assert_eq!(world.ids("products").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_deleted_during_the_backfill_loses_no_row() {
    for accepted in [false, true] {
        let account = Account::builder(24).objects("customer", 800).build().expect("an account");
        let options =
            SimOptions { deleted_cursor_accepted: accepted, log: true, ..SimOptions::default() };
        let world = World::with(account, options).await;
        let all: Vec<_> = world.sim.account().ids("customer").collect();
        let ids = all.clone();
        world.sim.before_nth("/v1/customers", 2, move |account| {
            // One of these is the cursor, wherever the page ends.
            for id in ids.iter().skip(95).take(10) {
                account.delete("customer", id).expect("deleted");
            }
        });
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        let found = world.ids("customers").await;
        let missing: Vec<_> =
            world.sim.account().ids("customer").filter(|id| !found.contains(id)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_archived_during_the_backfill_is_still_read() {
    let account = Account::builder(25).objects("product", 2).objects("price", 250).build();
    let world = World::new(account.expect("an account")).await;
    let prices: Vec<_> = world.sim.account().ids("price").collect();
    let flipped = prices.clone();
    world.sim.before_nth("/v1/prices", 2, move |account| {
        for id in flipped.iter().rev().take(20) {
            account.update("price", id, json!({"active": false})).expect("archived");
        }
    });
    let flipped = prices.clone();
    world.sim.before_nth("/v1/prices", 5, move |account| {
        for id in flipped.iter().rev().skip(20).take(20) {
            account.update("price", id, json!({"active": true})).expect("activated");
        }
    });
    let report = world.backfill(&["price"]).await;
    assert_eq!(ended(&report, "prices").0, "complete");
    assert_same("prices", &prices.into_iter().collect(), &world.ids("prices").await);
}

/// Nearly every page ends in the middle of a second, and the next request returns the rows of that
/// second in a different order.
#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_changes_within_a_second_loses_no_row() {
    let now = Account::builder(26).build().expect("an account").now();
    let account = Account::builder(26)
        .objects("customer", 3_000)
        .objects("payment_method", 1_500)
        .window(now - 250, now)
        .build()
        .expect("an account");
    for (objects, table) in [("customer", "customers"), ("payment_method", "payment_methods")] {
        let options = SimOptions { unstable_order: true, ..SimOptions::default() };
        let world = World::with(account.clone(), options).await;
        let report = world.backfill(&[objects]).await;
        assert_eq!(report.status, RunStatus::Complete);
        let wanted = world.sim.account().ids(objects).collect();
        assert_same(table, &wanted, &world.ids(table).await);
    }
}

/// An account with `crowd` customers of one second among 400.
async fn crowded_world(crowd: u64, options: SimOptions) -> World {
    let share = (crowd as f64 + 0.5) / 400.0;
    let account = Account::builder(32).objects("customer", 400).same_second(share).build();
    World::with(account.expect("an account"), options).await
}

async fn crowded_backfill(world: &World) -> stripe_sync::Report {
    let request = BackfillRequest { objects: vec!["customer".to_owned()], ..Default::default() };
    world.engine().await.backfill(&request).await.expect("a report")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_of_more_than_a_page_is_read_from_both_ends() {
    for (crowd, options) in [
        (150, SimOptions::default()),
        (350, SimOptions::default()),
        // The pass from the other end shows the rows that the cursor skipped.
        (150, SimOptions { cursor_skips_second: true, ..SimOptions::default() }),
        (190, SimOptions { cursor_skips_second: true, ..SimOptions::default() }),
    ] {
        let world = crowded_world(crowd, options).await;
        let report = crowded_backfill(&world).await;
        assert_eq!(report.status, RunStatus::Complete, "{crowd} {:?}", report.streams);
        let wanted = world.sim.account().ids("customer").collect();
        assert_same("customers", &wanted, &world.ids("customers").await);
        let (_, synced, _) = ended(&report, "customers");
        assert_eq!(synced, 400, "{crowd}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_that_cannot_be_read_whole_is_never_complete() {
    for (crowd, options) in [
        (350, SimOptions { unstable_order: true, ..SimOptions::default() }),
        (350, SimOptions { cursor_skips_second: true, ..SimOptions::default() }),
    ] {
        let world = crowded_world(crowd, options).await;
        // A second run continues at this second, and must not pass over it.
        for _ in 0..2 {
            let report = crowded_backfill(&world).await;
            assert_eq!(report.status, RunStatus::Incomplete, "{:?}", report.streams);
            let why = format!("{:?}", report.streams);
            assert!(why.contains("more than a page of objects created at"), "{why}");
        }
        assert!(world.sim.requests_to("/v1/customers") < 150, "bounded");
    }
}
