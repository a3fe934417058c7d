//! The feed of events keeps the copy current without webhooks.

use std::time::Duration;

use serde_json::{Value, json};
use stripe_sim::{Account, Fault};
use stripe_sync::Stop;

use crate::live::{
    Random, assert_current, change, change_two_products, copied, events, last_event,
};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn catching_up_applies_creations_updates_and_deletions() {
    let world = copied(71).await;
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for version in 0..150 {
        change(world.sim.account(), &mut random, version);
    }
    let engine = world.engine().await;
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(done.events >= 150 && done.failed == 0, "{done:?}");
    assert_current(&world).await;
    assert_eq!(engine.inbox().await.expect("the inbox").waiting, 0);

    // Another process reads the events of the last seconds again. Objects that changed several
    // times in them are refetched, because the order of their events is unknown.
    let before = world.sim.requests();
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(done.fetched <= 10 && done.changes <= 10, "{done:?}");
    assert!(world.sim.requests() - before < 20);
    assert_current(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn following_applies_changes_until_it_is_stopped() {
    let world = copied(76).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    let (reports, mut rounds) = tokio::sync::mpsc::unbounded_channel();
    let following = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move {
            engine.follow(&stop, |progress| reports.send(progress.clone()).expect("read")).await
        }
    });
    let mut random = Random(0x1234_5678_9abc_def1);
    for version in 0..60 {
        change(world.sim.account(), &mut random, version);
        if version % 10 == 0 {
            rounds.recv().await.expect("following");
        }
    }
    // The process holds the lease of the cursor.
    let lease = "select count(*)::text from stripe._event_cursors where owner is not null";
    assert_eq!(world.text(lease).await, "1");
    let wanted = events(world.sim.account()).len() as u64;
    let limit = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let progress = tokio::time::timeout_at(limit, rounds.recv()).await.expect("in time");
        let progress = progress.expect("following");
        if progress.events >= wanted {
            break;
        }
    }
    stop.request();
    let done = following.await.expect("no panic").expect("followed");
    assert!(!done.gap && done.failed == 0, "{done:?}");
    engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_current(&world).await;
}

/// A process was killed while it read the feed. The events after its cursor are read again.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_read_of_the_feed_is_repeated() {
    let world = copied(77).await;
    let mut random = Random(0x0fed_cba9_8765_4321);
    for version in 0..250 {
        change(world.sim.account(), &mut random, version);
    }
    let engine = world.engine().await;
    let (account, second_page) = (world.sim.account(), world.sim.requests_to("/v1/events") + 2);
    let stop = Stop::new();
    let reading = engine.catch_up(&stop);
    let reached = async {
        while world.sim.requests_to("/v1/events") < second_page {
            tokio::task::yield_now().await;
        }
    };
    // Dropping the future has the effect of `kill -9`.
    tokio::select! {
        done = reading => { done.expect("caught up"); }
        () = reached => {}
    }
    change(account, &mut random, 1_000);
    // The lease of a killed process expires after a time limit. Here it expires immediately.
    let expire = "update stripe._event_cursors set leased_until = now() - interval '1 second'";
    world.sql.batch_execute(expire).await.expect("expired");
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_current(&world).await;
}

async fn version(world: &World, id: &str) -> String {
    let sql = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
    world.text(&sql).await
}

/// Advances the clock by more than the overlap: reading starts shortly before the cursor.
fn advance_past_overlap(account: &Account) {
    account.advance_clock(100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_server_refuses_does_not_stop_the_feed() {
    let world = copied(91).await;
    let check = "alter table stripe.products add check (metadata ->> 'version' <> '13')";
    world.sql.batch_execute(check).await.expect("a constraint");
    advance_past_overlap(world.sim.account());
    let [refused, stored] = change_two_products(world.sim.account());
    let engine = world.engine().await;
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!((done.quarantined, done.pending), (1, 0));
    assert_ne!(version(&world, &refused).await, "13");
    assert_eq!(version(&world, &stored).await, "14");
    assert_eq!(world.text("select string_agg(id, ' ') from stripe._quarantine").await, refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_that_the_server_cannot_read_is_fetched() {
    let world = copied(92).await;
    let [id, _] = change_two_products(world.sim.account());
    let event: Value = serde_json::from_str(&last_event(world.sim.account())).expect("JSON");
    // jsonb cannot store a number of this size.
    let event = json!({"id": "evt_1", "object": "event", "type": "product.updated",
        "created": event["created"], "api_version": event["api_version"],
        "data": {"object": {"id": id, "object": "product", "metadata": {"a": "NUMBER"}}}});
    let event = event.to_string().replace("\"NUMBER\"", "1e1000000");
    world.engine().await.process_event(event.as_bytes()).await.expect("stored");
    assert_eq!(version(&world, &id).await, "13");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_that_prevents_a_deletion_does_not_stop_the_feed() {
    let world = copied(93).await;
    let [kept, stored] = change_two_products(world.sim.account());
    let sql = format!(
        "create table public.mine (id text, account text,
             foreign key (id, account) references stripe.products (id, _account_id));
         insert into public.mine select id, _account_id from stripe.products where id = '{kept}'"
    );
    world.sql.batch_execute(&sql).await.expect("a foreign key");
    world.sim.account().delete("product", &kept).expect("deleted");
    let done = world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(version(&world, &stored).await, "14");
    assert_eq!((done.pending, done.quarantined), (0, 1));
    let reason = world.text("select reason from stripe._quarantine").await;
    assert!(reason.contains("mine_id_account_fkey"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_a_trigger_discards_is_not_reported_as_stored() {
    let world = copied(94).await;
    advance_past_overlap(world.sim.account());
    let [discarded, stored] = change_two_products(world.sim.account());
    let trigger = format!(
        "create function discard() returns trigger language plpgsql as $$ begin
            if old.id = '{discarded}' then return null; end if; return new; end $$;
        create trigger discard before update on stripe.products
            for each row execute function discard()"
    );
    world.sql.batch_execute(&trigger).await.expect("a trigger");
    let engine = world.engine().await;
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!((done.pending, done.failed), (1, 1));
    assert_eq!(version(&world, &stored).await, "14");
    assert_eq!(world.text("select string_agg(id, ' ') from stripe._inbox").await, discarded);
}

/// A page of the feed without events, but with `has_more: true`, is not the end of the feed.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_of_the_feed_does_not_move_the_cursor() {
    let world = copied(97).await;
    let engine = world.engine().await;
    engine.catch_up(&Stop::new()).await.expect("caught up");
    let [_, id] = change_two_products(world.sim.account());
    advance_past_overlap(world.sim.account());
    world.sim.fail_times("/v1/events", 1, 1, Fault::EmptyWithMore);
    let error = engine.catch_up(&Stop::new()).await.expect_err("an empty page");
    assert!(error.to_string().contains("events"), "{error}");
    advance_past_overlap(world.sim.account());
    engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(version(&world, &id).await, "14");
}

/// A later backfill of customers does not include changes of products.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_read_from_the_oldest_backfill_that_a_stream_depends_on() {
    let world = copied(98).await;
    let [_, id] = change_two_products(world.sim.account());
    advance_past_overlap(world.sim.account());
    world.backfill(&["customer"]).await;
    let later = "update stripe._runs set event_cursor = event_cursor + 390
                 where id = (select max(id) from stripe._runs)";
    world.sql.batch_execute(later).await.expect("later");
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(version(&world, &id).await, "14");
}

#[tokio::test(flavor = "multi_thread")]
async fn catching_up_ends_while_another_process_follows() {
    let world = copied(99).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    let following = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.follow(&stop, |_| {}).await }
    });
    let owner = "select count(*)::text from stripe._event_cursors where owner is not null";
    while world.text(owner).await != "1" {
        tokio::task::yield_now().await;
    }
    let other = world.engine().await;
    let stop_of_other = Stop::new();
    let caught_up = other.catch_up(&stop_of_other);
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, caught_up).await.expect("in time").expect("caught up");
    stop.request();
    following.await.expect("no panic").expect("followed");
}

/// The connection is lost while the process requests the lease of the cursor.
#[tokio::test(flavor = "multi_thread")]
async fn following_reconnects_after_a_lost_connection() {
    let world = copied(100).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    engine.catch_up(&Stop::new()).await.expect("caught up");
    world.sql.batch_execute("begin; lock table stripe._event_cursors").await.expect("locked");
    let following = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.follow(&stop, |_| {}).await }
    });
    let waiting = "select count(*)::text from pg_locks where not granted";
    while world.text(waiting).await == "0" {
        tokio::task::yield_now().await;
    }
    let cut = "select pg_terminate_backend(pid) from pg_locks where not granted; commit";
    world.sql.batch_execute(cut).await.expect("cut");
    let [_, id] = change_two_products(world.sim.account());
    while version(&world, &id).await != "14" {
        assert!(!following.is_finished(), "{:?}", following.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.request();
    following.await.expect("no panic").expect("followed");
}

/// If it is stopped before, it has not caught up.
#[tokio::test(flavor = "multi_thread")]
async fn catching_up_reports_whether_it_reached_the_newest_event() {
    let world = copied(101).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    stop.request();
    assert!(!engine.catch_up(&stop).await.expect("stopped").caught_up);
    assert!(engine.catch_up(&Stop::new()).await.expect("caught up").caught_up);
}

/// Stripe fails for longer than a single request is retried.
#[tokio::test(flavor = "multi_thread")]
async fn following_continues_after_stripe_fails() {
    let world = copied(104).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    engine.catch_up(&Stop::new()).await.expect("caught up");
    world.sim.fail_times("/v1/events", 1, 2, Fault::Status(402));
    let [_, id] = change_two_products(world.sim.account());
    let following = tokio::spawn({
        let (engine, stop) = (engine.clone(), stop.clone());
        async move { engine.follow(&stop, |_| {}).await }
    });
    while version(&world, &id).await != "14" {
        assert!(!following.is_finished(), "{:?}", following.await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stop.request();
    following.await.expect("no panic").expect("followed");
}
