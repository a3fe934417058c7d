//! Objects that events have named and that are still to be fetched.

use std::time::Duration;

use serde_json::json;
use stripe_sim::{Account, Fault};
use stripe_sync::{FollowProgress, Stop};

use crate::live::{change_two_products, copied};
use crate::world::World;

/// Puts a product into the inbox, as an event whose object could not be fetched would.
async fn put(world: &World, id: &str, dead: bool) {
    let sql = format!(
        "insert into stripe._inbox (account_id, table_name, id, reason, attempts, dead, last_error)
         values ('{}', 'products', '{id}', 'uncertain', 16, {dead}, 'no such product')",
        world.sim.account().id()
    );
    world.sql.batch_execute(&sql).await.expect("an entry");
}

async fn version(world: &World, id: &str) -> String {
    let sql = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
    world.text(&sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backfill_fetches_what_is_in_the_inbox() {
    let world = copied(301).await;
    let [id, _] = change_two_products(world.sim.account());
    put(&world, &id, false).await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!((report.catch_up.fetched, report.catch_up.pending), (1, 0));
    assert_eq!(version(&world, &id).await, "13");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_objects_are_shown_and_can_be_retried() {
    let world = copied(302).await;
    let [id, other] = change_two_products(world.sim.account());
    put(&world, &id, true).await;
    put(&world, &other, true).await;
    let engine = world.engine().await;
    let status = engine.live_status().await.expect("a status");
    assert_eq!((status.inbox.waiting, status.inbox.dead), (0, 2));
    let shown = status.inbox.dead_objects.iter().find(|o| o.id == id).expect("the object");
    assert_eq!((shown.table.as_str(), shown.attempts), ("products", 16));
    assert_eq!(shown.error.as_deref(), Some("no such product"));

    let done = engine.fetch_inbox(false, &Stop::new()).await.expect("fetched");
    assert_eq!((done.fetched, done.dead), (0, 2));
    // One of them fails again.
    world.sim.fail_times(&format!("/v1/products/{other}"), 1, 1_000, Fault::Status(402));
    let done = engine.fetch_inbox(true, &Stop::new()).await.expect("fetched");
    assert_eq!((done.fetched, done.pending, done.dead), (1, 0, 1));
    assert_eq!(version(&world, &id).await, "13");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_shows_how_current_the_copy_is() {
    let world = copied(303).await;
    let engine = world.engine().await;
    let [id, _] = change_two_products(world.sim.account());
    let event = json!({"id": "evt_1", "object": "event", "type": "balance.available",
        "created": world.sim.account().now(), "data": {"object": {"object": "balance"}}});
    engine.process_event(event.to_string().as_bytes()).await.expect("processed");
    engine.catch_up(&Stop::new()).await.expect("caught up");
    put(&world, &id, false).await;
    let status = engine.live_status().await.expect("a status");
    let feed = &status.feeds[0];
    assert_eq!(feed.account, world.sim.account().id());
    assert!((0..60).contains(&feed.lag) && !feed.is_followed, "{feed:?}");
    assert!(status.inbox.waiting == 1 && status.inbox.oldest.is_some(), "{:?}", status.inbox);
    let unstored = &status.unstored[0];
    assert_eq!((unstored.event_type.as_str(), unstored.count), ("balance.available", 1));
    assert_eq!(unstored.last_id, "evt_1");
}

/// Puts all customers into the inbox, to be fetched.
async fn put_customers(world: &World) {
    let sql = "insert into stripe._inbox (account_id, table_name, id, reason)
               select _account_id, 'customers', id, 'uncertain' from stripe.customers";
    world.sql.batch_execute(sql).await.expect("entries");
}

async fn customers(seed: u64, count: u64) -> World {
    let builder = Account::builder(seed).objects("customer", count).objects("event", 0);
    let world = World::new(builder.build().expect("an account")).await;
    world.backfill(&["customer"]).await;
    put_customers(&world).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_inbox_is_fetched_between_the_reads_of_the_feed() {
    let world = customers(304, 300).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    let mut first = None;
    let report = |progress: &FollowProgress| {
        first.get_or_insert_with(|| progress.clone());
        if progress.pending == 0 {
            stop.request();
        }
    };
    let done = engine.follow(&stop, report).await.expect("followed");
    let first = first.expect("a report");
    assert!(first.fetched < 100 && first.pending > 200, "{first:?}");
    assert_eq!((done.fetched, done.pending), (300, 0));

    // Catching up includes the whole inbox.
    put_customers(&world).await;
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!((done.fetched, done.pending), (300, 0));
}

/// Stripe does not answer the request for one object.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_being_fetched_does_not_delay_events() {
    let mut world = copied(305).await;
    world.config.request_timeout = Duration::from_secs(3_600);
    let [id, _] = change_two_products(world.sim.account());
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    put(&world, &id, false).await;
    let path = format!("/v1/products/{id}");
    let requests = world.sim.requests_to(&path);
    world.sim.fail_times(&path, 1, 1, Fault::Hang);
    let (engine, stop) = (world.engine().await, Stop::new());
    let following = tokio::spawn({
        let stop = stop.clone();
        async move { engine.follow(&stop, |_| {}).await }
    });
    while world.sim.requests_to(&path) == requests {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let created = world.sim.account().insert("customer", json!({})).expect("inserted");
    let applied = async {
        while !world.ids("customers").await.contains(&created) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), applied).await.expect("in time");
    stop.request();
    let done = following.await.expect("no panic").expect("followed");
    assert!(done.events > 0 && done.pending == 1, "{done:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_the_inbox_can_be_fetched() {
    let world = customers(306, 50).await;
    let engine = world.engine().await;
    let done = engine.fetch_from_inbox(40, &Stop::new()).await.expect("fetched");
    assert_eq!((done.fetched, done.pending), (40, 10));
    let done = engine.fetch_from_inbox(40, &Stop::new()).await.expect("fetched");
    assert_eq!((done.fetched, done.pending), (10, 0));
}
