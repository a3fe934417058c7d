//! The known defects of the TypeScript engines, each as a test of this one.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use stripe_sim::{Account, Fault};
use stripe_sync::{BackfillRequest, EventEffect, Names, RefreshOutcome, RunStatus};

use crate::live::{copied, events, last_event};
use crate::world::{World, assert_same};

/// More than a 32-bit integer can hold.
const LARGE: i64 = 5_000_000_000;

async fn world(objects: &[(&str, u64)]) -> World {
    let builder = objects
        .iter()
        .fold(Account::builder(17), |builder, (object, count)| builder.objects(object, *count));
    World::new(builder.build().expect("an account")).await
}

async fn complete(world: &World, objects: &[&str]) {
    let report = world.backfill(objects).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
}

/// Copies customers into another schema or under another prefix, and returns their ids.
async fn copied_to(world: &mut World, schema: &str, prefix: &str) -> BTreeSet<String> {
    world.config.names = Names::new(schema, prefix).expect("names");
    complete(world, &["customer"]).await;
    let separator = if prefix.is_empty() { "" } else { "_" };
    let sql = format!("select id from {schema}.{prefix}{separator}customers");
    let rows = world.sql.query(&sql, &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn defects_1_and_2_a_database_holds_several_schemas_and_prefixes() {
    let mut world = world(&[("customer", 3)]).await;
    let wanted: BTreeSet<String> = world.sim.account().ids("customer").collect();
    for (schema, prefix) in [("stripe", ""), ("second", ""), ("stripe", "billing")] {
        let found = copied_to(&mut world, schema, prefix).await;
        assert_same("customers", &wanted, &found);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_3_of_two_events_in_one_second_the_newer_is_stored() {
    let world = copied(301).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    for (round, is_reversed) in [("1", false), ("2", true)] {
        account.set_clock(account.now() + 30);
        let before = events(account).len();
        let id = account.ids("product").next().expect("a product");
        for version in ["older", "newer"] {
            let version = format!("{version} {round}");
            let state = json!({"metadata": {"version": version}});
            account.update("product", &id, state).expect("updated");
        }
        let mut new = events(account).split_off(before);
        if is_reversed {
            new.reverse();
        }
        for event in new {
            engine.process_event(event.as_bytes()).await.expect("processed");
        }
        let sql = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
        assert_eq!(world.text(&sql).await, format!("newer {round}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_4_amounts_above_32_bits_are_stored() {
    let amounts = [
        ("payment_intent", "payment_intents", "amount"),
        ("refund", "refunds", "amount"),
        ("price", "prices", "unit_amount"),
        ("credit_note", "credit_notes", "total"),
        ("checkout.session", "checkout_sessions", "amount_total"),
        ("customer", "customers", "balance"),
    ];
    let world = world(&amounts.map(|(object, ..)| (object, 1))).await;
    let engine = world.engine().await;
    for (object, table, column) in amounts {
        let account = world.sim.account();
        let read = account.ids(object).next().expect("an object");
        account.update(object, &read, json!({column: LARGE})).expect("updated");
        complete(&world, &[object]).await;
        let id = account.insert(object, json!({column: LARGE})).expect("inserted");
        // Some objects have no event of their creation.
        engine.refresh(&[format!("{table}/{id}")]).await.expect("refreshed");
        for id in [read, id] {
            let sql = format!("select {column}::text from stripe.{table} where id = '{id}'");
            assert_eq!(world.text(&sql).await, LARGE.to_string(), "{table}.{column}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn defects_5_and_6_unknown_events_and_invoices_without_an_id_are_recorded() {
    let world = copied(305).await;
    let engine = world.engine().await;
    for (event_type, object) in [
        ("unicorn.created", json!({"id": "uni_1", "object": "unicorn"})),
        ("invoice.upcoming", json!({"object": "invoice", "amount_due": 5})),
    ] {
        let event = json!({"id": "evt_1", "object": "event", "type": event_type, "created": 1,
            "data": {"object": object}});
        let done = engine.process_event(event.to_string().as_bytes()).await.expect("accepted");
        assert!(matches!(done.effect, EventEffect::Unstored(_)), "{done:?}");
    }
    assert_eq!(engine.unstored_events().await.expect("events").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_7_two_customers_can_have_the_same_feature() {
    let world = world(&[("entitlements.feature", 0)]).await;
    for _ in 0..2 {
        let feature = json!({"lookup_key": "seats"});
        world.sim.account().insert("entitlements.feature", feature).expect("inserted");
    }
    complete(&world, &["entitlements.feature"]).await;
    let count = "select count(*)::text from stripe.features where lookup_key = 'seats'";
    assert_eq!(world.text(count).await, "2");
    let entitlements = "
        insert into stripe.active_entitlements (id, _account_id, lookup_key)
        values ('ent_1', 'acct_1', 'seats'), ('ent_2', 'acct_1', 'seats')";
    world.sql.batch_execute(entitlements).await.expect("the key is not unique");
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_8_a_schedule_is_not_fetched_as_a_subscription() {
    let world = world(&[("subscription_schedule", 1)]).await;
    let id = world.sim.account().ids("subscription_schedule").next().expect("a schedule");
    assert!(id.starts_with("sub_sched_"));
    let engine = world.engine().await;
    let results = engine.refresh(std::slice::from_ref(&id)).await.expect("refreshed");
    assert_eq!(results[0].outcome, RefreshOutcome::Stored);
    assert_eq!(world.ids("subscription_schedules").await, BTreeSet::from([id.clone()]));
    assert_eq!(world.sim.requests_to(&format!("/v1/subscriptions/{id}")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_9_an_unknown_object_is_an_error() {
    let world = world(&[("customer", 1)]).await;
    let engine = world.engine().await;
    let objects = vec!["unicorn".to_owned()];
    let request = BackfillRequest { objects, ..BackfillRequest::default() };
    let error = engine.backfill(&request).await.expect_err("unknown");
    assert_eq!(error.code(), "usage");
    let error = engine.process_event(b"{}").await.expect_err("no event");
    assert_eq!(error.code(), "usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_10_an_event_is_stored_if_related_objects_have_no_rows() {
    let world = world(&[("customer", 2), ("product", 2), ("price", 2), ("event", 0)]).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    let price = account.insert("price", json!({"metadata": {"a": "b"}})).expect("inserted");
    engine.process_event(last_event(account).as_bytes()).await.expect("stored");
    assert_eq!(world.ids("prices").await, BTreeSet::from([price]));
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_11_a_late_event_does_not_restore_a_deleted_object() {
    let world = copied(311).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    for object in ["product", "customer"] {
        let id = account.ids(object).next().expect("an object");
        account.update(object, &id, json!({"metadata": {"version": "1"}})).expect("updated");
        let late = last_event(account);
        account.set_clock(account.now() + 30);
        account.delete(object, &id).expect("deleted");
        engine.process_event(last_event(account).as_bytes()).await.expect("deleted");
        engine.process_event(late.as_bytes()).await.expect("processed");
        let sql = format!(
            "select count(*)::text from stripe.{object}s t
             where id = '{id}' and to_jsonb(t) ->> 'deleted' is distinct from 'true'"
        );
        assert_eq!(world.text(&sql).await, "0", "{object}");
    }
}

/// The page shows the state before the webhook, and arrives after it.
#[tokio::test(flavor = "multi_thread")]
async fn defect_12_a_page_from_before_a_webhook_does_not_overwrite_its_row() {
    let world = copied(312).await;
    let engine = world.engine().await;
    let id = world.sim.account().ids("product").next().expect("a product");
    world.sim.fail_nth("/v1/products", 1, Fault::SentLate(Duration::from_secs(2)));
    let before = world.sim.requests_to("/v1/products");
    let reading = tokio::spawn({
        let engine = engine.clone();
        let objects = vec!["product".to_owned()];
        let request = BackfillRequest { objects, fresh: true, ..BackfillRequest::default() };
        async move { engine.backfill(&request).await }
    });
    while world.sim.requests_to("/v1/products") == before {
        tokio::task::yield_now().await;
    }
    // By the time the next request is answered, the delayed response has been computed.
    engine.refresh(&[format!("products/{id}")]).await.expect("refreshed");
    let account = world.sim.account();
    account.update("product", &id, json!({"metadata": {"version": "new"}})).expect("updated");
    engine.process_event(last_event(account).as_bytes()).await.expect("stored");
    let report = reading.await.expect("no panic").expect("a report");
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let sql = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
    assert_eq!(world.text(&sql).await, "new");
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_13_a_nul_character_in_metadata_stops_nothing() {
    let world = world(&[("customer", 2), ("event", 0)]).await;
    let account = world.sim.account();
    let id = account.insert("customer", json!({"metadata": {"a": "b\u{0}c"}})).expect("inserted");
    complete(&world, &["customer"]).await;
    let sql = format!("select metadata ->> 'a' from stripe.customers where id = '{id}'");
    assert_eq!(world.text(&sql).await, "b\u{fffd}c");
    account.update("customer", &id, json!({"metadata": {"a": "\u{0}d"}})).expect("updated");
    let engine = world.engine().await;
    account.set_clock(account.now() + 30);
    account.update("customer", &id, json!({"metadata": {"a": "\u{0}d"}})).expect("updated");
    engine.process_event(last_event(account).as_bytes()).await.expect("stored");
    assert_eq!(world.text(&sql).await, "\u{fffd}d");
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_14_canceled_subscriptions_are_copied() {
    let world = world(&[("customer", 2), ("subscription", 3)]).await;
    let account = world.sim.account();
    let id = account.ids("subscription").next().expect("a subscription");
    account.update("subscription", &id, json!({"status": "canceled"})).expect("canceled");
    complete(&world, &["subscription"]).await;
    let sql = format!("select status from stripe.subscriptions where id = '{id}'");
    assert_eq!(world.text(&sql).await, "canceled");
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_15_more_than_ten_nested_items_are_stored() {
    let builder = Account::builder(15).objects("invoice", 2).objects("event", 0);
    let account = builder.nested_at("invoice", 0, "lines", 35).build().expect("an account");
    let world = World::new(account).await;
    complete(&world, &["invoice"]).await;
    let account = world.sim.account();
    let wanted = || -> BTreeSet<String> {
        account.ids("invoice").flat_map(|id| account.nested_ids("invoice", &id, "lines")).collect()
    };
    assert_same("invoice_line_items", &wanted(), &world.ids("invoice_line_items").await);
    for id in account.ids("invoice").collect::<Vec<_>>() {
        for _ in 0..15 {
            account.insert_nested("invoice", &id, "lines", json!({})).expect("inserted");
        }
        account.update("invoice", &id, json!({"metadata": {"a": "b"}})).expect("updated");
        let event = last_event(account);
        world.engine().await.process_event(event.as_bytes()).await.expect("stored");
    }
    assert_same("invoice_line_items", &wanted(), &world.ids("invoice_line_items").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_16_a_failed_stream_is_not_reported_as_a_success() {
    let world = world(&[("customer", 3), ("product", 3)]).await;
    world.sim.fail_times("/v1/customers", 1, 1_000, Fault::Status(400));
    let report = world.backfill(&["customer", "product"]).await;
    assert_ne!(report.status, RunStatus::Complete);
    let customers = report.streams.iter().find(|s| s.table == "customers").expect("a stream");
    assert_eq!(customers.status, "failed");
    assert!(customers.message.as_deref().is_some_and(|m| m.contains("400")), "{customers:?}");
    assert_eq!(world.ids("products").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn defect_17_rows_are_written_page_by_page_in_few_transactions() {
    let world = world(&[("customer", 2_000)]).await;
    complete(&world, &["customer"]).await;
    let sql = "select count(*) || ' ' || (count(distinct xmin::text) <= 20) from stripe.customers";
    assert_eq!(world.text(sql).await, "2000 true");
}
