//! A backfill ends by applying the events since its first page, so that its streams are current.

use std::sync::{Arc, Mutex};

use serde_json::json;
use stripe_sim::{Account, ApiKey, Fault, SimOptions};
use stripe_sync::{BackfillRequest, CatchUpStatus, Range, RunStatus, Stop};

use crate::live::{OBJECTS, Random, assert_current, change};
use crate::world::World;

fn account(seed: u64, objects: u64) -> Account {
    let builder = OBJECTS
        .iter()
        .fold(Account::builder(seed), |builder, (object, _)| builder.objects(object, objects));
    builder.objects("event", 0).build().expect("an account")
}

fn objects() -> Vec<&'static str> {
    OBJECTS.iter().map(|(object, _)| *object).collect()
}

/// Makes `change` happen once while the backfill reads customers.
fn during_the_backfill(world: &World, change: impl FnOnce(&Account) + Send + 'static) {
    world.sim.before_nth("/v1/customers", 1, change);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_ends_with_the_changes_made_while_it_ran() {
    let world = World::new(account(201, 250)).await;
    // Shared, so that a change does not delete the object that a concurrent one is about to change.
    let state = Arc::new(Mutex::new((Random(0x9876_5432_1fed_cba1), 0)));
    for (_, list) in OBJECTS {
        let state = Arc::clone(&state);
        world.sim.before_each(&format!("/v1/{list}"), move |account| {
            let mut state = state.lock().expect("a state");
            for _ in 0..4 {
                state.1 += 1;
                let version = state.1;
                change(account, &mut state.0, version);
            }
        });
    }
    let report = world.backfill(&objects()).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let outcome = &report.catch_up;
    assert_eq!(outcome.status, CatchUpStatus::Current, "{outcome:?}");
    assert!(outcome.events >= 40 && outcome.pending == 0, "{outcome:?}");
    assert_current(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_not_read_events_is_reported_and_the_run_completes() {
    let options = SimOptions {
        keys: vec![ApiKey::new("rk_test_51restricted000000000000").deny(["event"])],
        ..SimOptions::default()
    };
    let world = World::with(account(202, 5), options).await;
    let report = world.backfill(&objects()).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(report.catch_up.status, CatchUpStatus::Denied);
    let message = report.catch_up.message.expect("a message");
    assert!(message.contains("rak_event_read"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_cannot_be_read_is_reported_and_the_run_completes() {
    let world = World::new(account(203, 5)).await;
    world.sim.fail_times("/v1/events", 1, 1_000, Fault::Status(402));
    let report = world.backfill(&objects()).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(report.catch_up.status, CatchUpStatus::Failed);
    let message = report.catch_up.message.expect("a message");
    assert!(message.contains("402"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_without_changes_reports_no_events() {
    let world = World::new(account(204, 5)).await;
    let report = world.backfill(&objects()).await;
    assert_eq!(report.catch_up.status, CatchUpStatus::Current);
    assert_eq!((report.catch_up.events, report.catch_up.fetched), (0, 0));
    assert_eq!(world.sim.requests_to("/v1/events"), 1);
}

/// The events of other streams belong to no backfill yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_applies_only_the_events_of_its_streams() {
    let world = World::new(account(205, 5)).await;
    during_the_backfill(&world, |account| {
        account.insert("product", json!({})).expect("inserted");
        account.insert("customer", json!({})).expect("inserted");
    });
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.catch_up.events, 1, "{:?}", report.catch_up);
    assert_eq!(world.ids("customers").await, world.sim.account().ids("customer").collect());
    assert!(world.ids("products").await.is_empty());
    assert_eq!(world.text("select count(*)::text from stripe._event_cursors").await, "0");
    assert_eq!(world.text("select count(*)::text from stripe._unstored_events").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_of_a_range_applies_only_events_of_objects_in_it() {
    let world = World::new(account(206, 5)).await;
    let now = world.sim.account().now();
    during_the_backfill(&world, move |account| {
        account.insert("customer", json!({"id": "cus_in", "created": now - 50})).expect("inserted");
        account.insert("customer", json!({"id": "cus_out", "created": now - 5})).expect("inserted");
    });
    let range = Range::all().created(None, Some(now - 100), Some(now - 10), None).expect("range");
    let objects = vec!["customer".to_owned()];
    world.run(&BackfillRequest { objects, range, ..BackfillRequest::default() }).await;
    let ids = world.ids("customers").await;
    assert!(ids.contains("cus_in") && !ids.contains("cus_out"), "{ids:?}");
}

/// Later events are read from the end of the run, not from its start.
#[tokio::test(flavor = "multi_thread")]
async fn a_complete_run_of_everything_moves_the_event_cursor() {
    let world = World::new(account(207, 5)).await;
    during_the_backfill(&world, |account| account.advance_clock(60));
    let report = world.backfill(&[]).await;
    assert_eq!(report.catch_up.status, CatchUpStatus::Current);
    let moved = "select (c.second - r.event_cursor >= 300)::text
                 from stripe._event_cursors c join stripe._runs r using (account_id)";
    assert_eq!(world.text(moved).await, "true");
}

/// The account was not followed between the two backfills.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_backfill_applies_the_deletions_since_the_last_one() {
    let world = World::new(account(208, 5)).await;
    world.backfill(&[]).await;
    let deleted = delete_unnoticed(&world);
    let report = world.backfill(&[]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(report.catch_up.status, CatchUpStatus::Current, "{:?}", report.catch_up);
    assert_deleted(&world, &deleted).await;
}

/// Other events from before its first page belong to `follow`, whose cursor does not move.
#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_of_one_stream_applies_its_deletions_since_the_first_one() {
    let world = World::new(account(212, 5)).await;
    world.backfill(&["product", "customer"]).await;
    let deleted = delete_unnoticed(&world);
    let account = world.sim.account();
    let customer = account.ids("customer").next().expect("a customer");
    account.delete("customer", &customer).expect("deleted");
    account.advance_clock(600);
    let report = world.backfill(&["product"]).await;
    assert_eq!(report.catch_up.events, 1, "{:?}", report.catch_up);
    assert_deleted(&world, &deleted).await;
    assert!(world.ids("customers").await.contains(&customer));
    assert_eq!(world.text("select count(*)::text from stripe._event_cursors").await, "0");
}

/// The events since the first backfill have never been read, so there is no cursor yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_backfill_applies_the_deletions_since_the_first_backfill_of_a_stream() {
    let world = World::new(account(209, 5)).await;
    let deleted = delete_between_two_backfills(&world).await;
    world.backfill(&[]).await;
    assert_deleted(&world, &deleted).await;
}

/// Following starts where the first copy started.
#[tokio::test(flavor = "multi_thread")]
async fn following_applies_the_deletions_since_the_first_backfill() {
    let world = World::new(account(210, 5)).await;
    let deleted = delete_between_two_backfills(&world).await;
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_deleted(&world, &deleted).await;
}

/// A range is a copy, too, and so are the streams of a run that failed.
#[tokio::test(flavor = "multi_thread")]
async fn following_applies_the_deletions_since_a_backfill_of_a_range() {
    let world = World::new(account(213, 5)).await;
    let range = Range::all().created(None, Some(1), None, None).expect("a range");
    let objects = vec!["product".to_owned()];
    world.run(&BackfillRequest { objects, range, ..BackfillRequest::default() }).await;
    let deleted = delete_unnoticed(&world);
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_deleted(&world, &deleted).await;
}

/// The events are lost, so the rows that the lists do not show are fetched.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_backfill_closes_a_gap_in_the_events() {
    let world = World::new(account(211, 5)).await;
    world.backfill(&[]).await;
    let deleted = delete_unnoticed(&world);
    let account = world.sim.account();
    for event in account.ids("event").collect::<Vec<_>>() {
        account.delete("event", &event).expect("forgotten");
    }
    let long_ago = "update stripe._event_cursors set second = second - 40 * 86400;
                    update stripe._runs set event_cursor = event_cursor - 40 * 86400;
                    update stripe.products set last_synced_at = last_synced_at - interval '40 days'";
    world.sql.batch_execute(long_ago).await.expect("earlier");
    // The first attempt cannot read the events, so the cursor stays where it is.
    world.sim.fail_times("/v1/events", 1, 1, Fault::Status(402));
    let report = world.backfill(&["product"]).await;
    assert_eq!(report.catch_up.status, CatchUpStatus::Failed);
    let report = world.backfill(&[]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!((report.catch_up.fetched, report.catch_up.pending), (1, 0));
    assert_deleted(&world, &deleted).await;
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert!(!done.gap, "{done:?}");
}

/// Copies products twice. The second backfill cannot read the event of a deletion in between.
async fn delete_between_two_backfills(world: &World) -> String {
    world.backfill(&["product"]).await;
    let deleted = delete_unnoticed(world);
    world.sim.fail_times("/v1/events", 1, 1, Fault::Status(402));
    let report = world.backfill(&["product"]).await;
    assert_eq!(report.catch_up.status, CatchUpStatus::Failed);
    deleted
}

/// Deletes a product, ten minutes after the last backfill and ten before the next one.
fn delete_unnoticed(world: &World) -> String {
    let account = world.sim.account();
    account.advance_clock(600);
    let id = account.ids("product").next().expect("a product");
    account.delete("product", &id).expect("deleted");
    account.advance_clock(600);
    id
}

async fn assert_deleted(world: &World, id: &str) {
    assert_eq!(world.ids("products").await, world.sim.account().ids("product").collect());
    let tombstones = format!("select count(*)::text from stripe._tombstones where id = '{id}'");
    assert_eq!(world.text(&tombstones).await, "1");
}
