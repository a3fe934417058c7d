//! Streams that are listed again: those whose objects have no events, and those whose events were
//! lost.

use serde_json::json;
use stripe_sim::{Account, Fault};
use stripe_sync::{RunStatus, Stop};

use crate::live::{assert_current, change_two_products, copied};
use crate::world::World;

async fn world(seed: u64) -> World {
    let account = Account::builder(seed)
        .objects("shipping_rate", 30)
        .objects("terminal.location", 5)
        .objects("event", 0);
    World::new(account.build().expect("an account")).await
}

async fn assert_listed(world: &World, object: &str, table: &str) {
    assert_eq!(world.ids(table).await, world.sim.account().ids(object).collect(), "{table}");
}

async fn backfill(world: &World) {
    let report = world.backfill(&["shipping_rate", "terminal.location"]).await;
    assert_eq!(report.status, RunStatus::Complete);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_lists_objects_without_events_again() {
    let world = world(401).await;
    world.sim.before_nth("/v1/terminal/locations", 1, |account| {
        account.insert("shipping_rate", json!({})).expect("inserted");
    });
    // The first page of the other stream has been read by then.
    world.sim.before_nth("/v1/shipping_rates", 2, |account| {
        account.insert("shipping_rate", json!({})).expect("inserted");
    });
    backfill(&world).await;
    // Both were inserted: 30 objects are one page, and the list is read once more.
    assert!(world.sim.requests_to("/v1/terminal/locations") >= 1);
    assert!(world.sim.requests_to("/v1/shipping_rates") >= 2);
    assert_eq!(world.sim.account().count("shipping_rate"), 32);
    assert_listed(&world, "shipping_rate", "shipping_rates").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn following_lists_objects_without_events_again() {
    let world = world(402).await;
    backfill(&world).await;
    let account = world.sim.account();
    let first = account.ids("shipping_rate").next().expect("a rate");
    let now = account.now();
    account.insert("shipping_rate", json!({})).expect("inserted");
    // It becomes visible some minutes after its creation.
    account.insert("shipping_rate", json!({"created": now - 300})).expect("inserted");
    let engine = world.engine().await;
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(done.listed >= 2, "{done:?}");
    assert_listed(&world, "shipping_rate", "shipping_rates").await;

    // Once a day, older objects and lists without a filter are read as well.
    account.insert("terminal.location", json!({})).expect("inserted");
    account
        .update("shipping_rate", &first, json!({"metadata": {"version": "2"}}))
        .expect("updated");
    engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(world.ids("terminal_locations").await.len(), 5);
    let a_day_ago = "update stripe._streams set updated_at = updated_at - interval '1 day';
                     update stripe._listings set thorough_at = thorough_at - interval '1 day'";
    world.sql.batch_execute(a_day_ago).await.expect("earlier");
    engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_listed(&world, "terminal.location", "terminal_locations").await;
}

/// The account has gone unfollowed for longer than Stripe keeps events.
#[tokio::test(flavor = "multi_thread")]
async fn a_gap_in_the_events_is_reported_and_closed_by_listing_the_streams_again() {
    let world = copied(403).await;
    let engine = world.engine().await;
    engine.catch_up(&Stop::new()).await.expect("caught up");
    let account = world.sim.account();
    change_two_products(account);
    let deleted = account.ids("product").last().expect("a product");
    account.delete("product", &deleted).expect("deleted");
    account.insert("customer", json!({})).expect("inserted");
    let events: Vec<String> = account.ids("event").collect();
    for event in events {
        account.delete("event", &event).expect("forgotten");
    }
    let long_ago = "update stripe._event_cursors set second = second - 40 * 86400;
                    update stripe._runs set event_cursor = event_cursor - 40 * 86400;
                    update stripe.products set last_synced_at = last_synced_at - interval '40 days'";
    world.sql.batch_execute(long_ago).await.expect("earlier");
    // The first attempt cannot list products.
    world.sim.fail_times("/v1/products", 1, 1, Fault::Status(402));
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    let unlisted = done.unlisted.clone().unwrap_or_default();
    assert!(done.gap && unlisted.contains("products"), "{done:?}");
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(!done.gap && done.unlisted.is_none() && done.listed > 0, "{done:?}");
    assert_current(&world).await;
}

/// Such as a row that another program has written: it is unknown which state it shows.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_without_a_stamp_is_fetched_when_a_gap_is_closed() {
    let world = copied(404).await;
    let engine = world.engine().await;
    engine.catch_up(&Stop::new()).await.expect("caught up");
    let account = world.sim.account();
    let deleted = account.ids("product").last().expect("a product");
    account.delete("product", &deleted).expect("deleted");
    for event in account.ids("event").collect::<Vec<_>>() {
        account.delete("event", &event).expect("forgotten");
    }
    let long_ago = "update stripe._event_cursors set second = second - 40 * 86400;
                    update stripe.products set last_synced_at = null";
    world.sql.batch_execute(long_ago).await.expect("earlier");
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(!done.gap && done.pending == 0, "{done:?}");
    assert_current(&world).await;
}
