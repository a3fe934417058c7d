//! The copy stays current: webhooks, single events, and the feed of events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::{Value, json};
use stripe_sim::{Account, Fault};
use stripe_sync::{EventEffect, RunStatus, Stop, StripeSync, WebhookSecret};

use crate::world::{World, assert_same};

const OBJECTS: [(&str, &str); 5] = [
    ("customer", "customers"),
    ("product", "products"),
    ("invoice", "invoices"),
    ("price", "prices"),
    ("payment_intent", "payment_intents"),
];

fn account(seed: u64) -> Account {
    let builder = OBJECTS
        .iter()
        .fold(Account::builder(seed), |builder, (object, _)| builder.objects(object, 20));
    builder.objects("event", 0).build().expect("an account")
}

/// An account whose copy is complete.
async fn copied(seed: u64) -> World {
    let world = World::new(account(seed)).await;
    let objects: Vec<&str> = OBJECTS.iter().map(|(object, _)| *object).collect();
    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    world
}

/// The events that the account has, oldest first.
fn events(account: &Account) -> Vec<String> {
    let mut events: Vec<String> = account
        .ids("event")
        .map(|id| account.object_json("event", &id).expect("an event"))
        .collect();
    events.reverse();
    events
}

fn last_event(account: &Account) -> String {
    events(account).pop().expect("an event")
}

/// Every row has the version that the account's object has, and no other row exists.
async fn assert_current(world: &World) {
    let account = world.sim.account();
    for (object, table) in OBJECTS {
        let deleted = if table == "customers" { "where not coalesce(deleted, false)" } else { "" };
        let sql = format!(
            "select id, coalesce(metadata ->> 'version', '') from stripe.{table} {deleted}"
        );
        let rows = world.sql.query(&sql, &[]).await.expect("rows");
        let rows: BTreeMap<String, String> =
            rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let wanted: BTreeSet<String> = account.ids(object).collect();
        assert_same(table, &wanted, &rows.keys().cloned().collect());
        for (id, version) in rows {
            let json = account.object_json(object, &id).expect("an object");
            let json: Value = serde_json::from_str(&json).expect("JSON");
            let wanted = json["metadata"]["version"].as_str().unwrap_or_default();
            assert_eq!(version, wanted, "{table} {id}");
        }
    }
    let lines = |id: String| account.nested_ids("invoice", &id, "lines");
    let wanted: BTreeSet<String> = account.ids("invoice").flat_map(lines).collect();
    assert_same("invoice_line_items", &wanted, &world.ids("invoice_line_items").await);
}

/// The header that Stripe sends with a body.
fn signature(secret: &str, body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{now}.{body}").as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={tag}")
}

/// A pseudorandom number (<https://en.wikipedia.org/wiki/Xorshift>).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

/// Creates, changes and deletes objects, several of them within a second. In a hundred changes the clock
/// advances by less than the two minutes after which the engine takes a `Date` for a wrong one.
fn change(account: &Account, random: &mut Random, version: u64) {
    if random.below(3) == 0 {
        account.advance_clock(random.below(3) as i64);
    }
    let (object, _) = OBJECTS[random.below(OBJECTS.len())];
    let ids: Vec<String> = account.ids(object).collect();
    let state = json!({"metadata": {"version": version.to_string()}});
    let id = ids[random.below(ids.len())].clone();
    match random.below(10) {
        0 => {
            account.insert(object, state).expect("inserted");
        }
        1 if ids.len() > 3 && object != "payment_intent" => {
            account.delete(object, &id).expect("deleted");
            // An id that a user chose is used again, often in the same second.
            if object == "product" && random.below(2) == 0 {
                let again = json!({"id": id, "metadata": {"version": version.to_string()}});
                account.insert(object, again).expect("inserted");
            }
        }
        2 if object == "invoice" => {
            account.insert_nested("invoice", &id, "lines", json!({})).expect("inserted");
            account.update("invoice", &id, state).expect("updated");
        }
        _ => account.update(object, &id, state).expect("updated"),
    }
}

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

    // Another process reads the last seconds again. Of objects that changed several times in them, only
    // Stripe can tell the order.
    let before = world.sim.requests();
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert!(done.fetched <= 10 && done.changes <= 10, "{done:?}");
    assert!(world.sim.requests() - before < 20);
    assert_current(&world).await;
}

/// Delivers events in any order to two processes, with duplicates; some are lost.
async fn deliver_at_random(seed: u64) {
    let world = copied(seed).await;
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let engines = [world.engine().await, world.engine().await];
    let mut version = 0;
    let mut seen = events(world.sim.account()).len();
    for _ in 0..6 {
        for _ in 0..25 {
            version += 1;
            change(world.sim.account(), &mut random, version);
        }
        let all = events(world.sim.account());
        let mut deliveries: Vec<String> = Vec::new();
        for event in &all[seen..] {
            let copies = [1, 1, 1, 2, 0][random.below(5)];
            deliveries.extend(std::iter::repeat_n(event.clone(), copies));
        }
        seen = all.len();
        random.shuffle(&mut deliveries);
        let tasks: Vec<_> = deliveries
            .into_iter()
            .map(|event| {
                let engine: StripeSync = engines[random.below(2)].clone();
                tokio::spawn(async move { engine.process_event(event.as_bytes()).await })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic").expect("processed");
        }
    }
    // The lost events are in the feed.
    engines[0].catch_up(&Stop::new()).await.expect("caught up");
    assert_current(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_any_order_with_duplicates_and_losses_end_in_stripes_state() {
    for seed in 80..84 {
        deliver_at_random(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_stored_only_with_a_valid_signature() {
    let mut world = copied(72).await;
    let secrets = ["whsec_old", "whsec_new"];
    world.config.webhook_secrets =
        secrets.iter().map(|secret| WebhookSecret::parse(secret).expect("a secret")).collect();
    let engine = world.engine().await;
    let account = world.sim.account();
    let id = account.insert("customer", json!({"metadata": {"version": "1"}})).expect("inserted");
    let body = last_event(account);

    for header in [None, Some("t=1,v1=00"), Some("x"), Some(&*signature("whsec_other", &body))] {
        let error = engine.process_webhook(body.as_bytes(), header).await.expect_err("refused");
        assert_eq!(error.code(), "webhook_signature");
        assert!(error.to_string().starts_with("Webhook signature verification failed"), "{error}");
    }
    assert!(!world.ids("customers").await.contains(&id));

    let header = signature("whsec_new", &body);
    let done = engine.process_webhook(body.as_bytes(), Some(&header)).await.expect("accepted");
    assert_eq!((done.effect, &*done.event_type), (EventEffect::Stored, "customer.created"));
    assert!(world.ids("customers").await.contains(&id));
    let again = engine.process_webhook(body.as_bytes(), Some(&header)).await.expect("accepted");
    assert_eq!(again.effect, EventEffect::Unchanged);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_table_is_counted_and_succeeds() {
    let world = copied(73).await;
    let engine = world.engine().await;
    for (event_type, object, rest) in [
        ("invoice.upcoming", r#"{"object":"invoice","amount_due":5}"#, ""),
        ("unicorn.created", r#"{"id":"uni_1","object":"unicorn"}"#, ""),
        ("charge.updated", r#"{"id":"ch_1","object":"charge"}"#, r#","livemode":true"#),
        ("charge.updated", r#"{"id":"ch_1","object":"charge"}"#, r#","account":"acct_other""#),
    ] {
        let event = format!(
            r#"{{"id":"evt_1","object":"event","type":"{event_type}","created":1,
                "data":{{"object":{object}}}{rest}}}"#
        );
        let done = engine.process_event(event.as_bytes()).await.expect("recorded");
        assert!(matches!(done.effect, EventEffect::Unstored(_)), "{done:?}");
    }
    let recorded = engine.unstored_events().await.expect("events");
    let recorded: BTreeSet<_> =
        recorded.iter().map(|e| (e.event_type.as_str(), e.reason.as_str(), e.count)).collect();
    let expected = [
        ("charge.updated", "another account", 1),
        ("charge.updated", "the other mode", 1),
        ("invoice.upcoming", "no object that can be stored", 1),
        ("unicorn.created", "no table for its object", 1),
    ];
    assert_eq!(recorded, BTreeSet::from(expected));
    for text in ["", "[]", "{}", "not json"] {
        let error = engine.process_event(text.as_bytes()).await.expect_err("no event");
        assert_eq!(error.code(), "usage", "{text}");
    }
}

/// An event of another API version changes no column to another shape: the object is fetched.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_version_fetches_its_object_once() {
    let world = copied(74).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    let id = account.ids("invoice").next().expect("an invoice");
    account.update("invoice", &id, json!({"metadata": {"version": "9"}})).expect("updated");
    let event: Value = serde_json::from_str(&last_event(account)).expect("an event");
    let mut event = event;
    event["api_version"] = json!("2020-08-27");
    event["data"]["object"] = json!({"id": id, "object": "invoice", "paid": true});
    let path = format!("/v1/invoices/{id}");
    let before = world.sim.requests_to(&path);
    let text = event.to_string();
    let deliveries = (0..5).map(|_| engine.process_event(text.as_bytes()));
    for done in futures_util::future::join_all(deliveries).await {
        assert_eq!(done.expect("processed").effect, EventEffect::Stored);
    }
    let requests = world.sim.requests_to(&path) - before;
    assert!((1..5).contains(&requests), "{requests} requests for one object");
    assert_current(&world).await;
}

/// An object that cannot be fetched makes the delivery fail, so that Stripe repeats it, and stays in the
/// inbox until it can be.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_fetched_stays_in_the_inbox() {
    let world = copied(75).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    let id = account.ids("invoice").next().expect("an invoice");
    let other = account.ids("invoice").nth(1).expect("an invoice");
    for id in [&id, &other] {
        account.update("invoice", id, json!({"metadata": {"version": "2"}})).expect("updated");
    }
    world.sim.fail_times(&format!("/v1/invoices/{id}"), 1, 1, Fault::Status(400));
    let thin = |id: &str| {
        format!(
            r#"{{"id":"evt_thin","object":"v2.core.event","type":"v1.invoice.updated",
                "created":"2026-01-01T00:00:00Z","related_object":{{"id":"{id}","type":"invoice"}}}}"#
        )
    };
    let error = engine.process_event(thin(&id).as_bytes()).await.expect_err("not fetched");
    assert!(error.hint().is_some_and(|hint| hint.contains("delivers the event again")), "{error}");
    assert_eq!(engine.inbox().await.expect("the inbox").waiting, 1);
    // Another object is not held up, and the next delivery does not wait for the pause.
    engine.process_event(thin(&other).as_bytes()).await.expect("fetched");
    engine.process_event(thin(&id).as_bytes()).await.expect("fetched");
    assert_eq!(engine.inbox().await.expect("the inbox").waiting, 0);
    assert_current(&world).await;
}

/// After many failures only a refresh or a new event tries again.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_settles_an_object_that_is_not_tried_again() {
    let world = copied(102).await;
    let engine = world.engine().await;
    let [id, _] = change_two_products(world.sim.account());
    let dead = format!(
        "insert into stripe._inbox (account_id, table_name, id, reason, attempts, dead)
         values ('{}', 'products', '{id}', 'uncertain', 16, true)",
        world.sim.account().id()
    );
    world.sql.batch_execute(&dead).await.expect("a dead entry");
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    // The event of the change has asked for it again.
    assert_eq!((done.dead, done.pending), (0, 0));
    world.sql.batch_execute(&dead).await.expect("a dead entry");
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(done.dead, 1);
    engine.refresh(&[format!("products/{id}")]).await.expect("refreshed");
    assert_eq!(engine.inbox().await.expect("the inbox").dead, 0);
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
    // A second process takes over nothing while the first one holds the lease.
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

/// A process that was killed while it read the feed: the events after its cursor are read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_that_was_cut_off_is_repeated() {
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
    // Dropping the reading has the effect of `kill -9`.
    tokio::select! {
        done = reading => { done.expect("caught up"); }
        () = reached => {}
    }
    change(account, &mut random, 1_000);
    // The lease of a killed process expires by itself; this one is expired at once.
    let expire = "update stripe._event_cursors set leased_until = now() - interval '1 second'";
    world.sql.batch_execute(expire).await.expect("expired");
    world.engine().await.catch_up(&Stop::new()).await.expect("caught up");
    assert_current(&world).await;
}

/// Two products, changed to the versions 13 and 14.
fn change_two_products(account: &Account) -> [String; 2] {
    let mut ids = account.ids("product");
    let ids = [ids.next().expect("a product"), ids.next().expect("a product")];
    for (id, version) in ids.iter().zip(["13", "14"]) {
        account.update("product", id, json!({"metadata": {"version": version}})).expect("updated");
    }
    ids
}

async fn version(world: &World, id: &str) -> String {
    let sql = format!("select metadata ->> 'version' from stripe.products where id = '{id}'");
    world.text(&sql).await
}

/// Lets the present become the past: a reading begins a little before its cursor.
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
    // jsonb has no number of this size.
    let event = json!({"id": "evt_1", "object": "event", "type": "product.updated",
        "created": event["created"], "api_version": event["api_version"],
        "data": {"object": {"id": id, "object": "product", "metadata": {"a": "NUMBER"}}}});
    let event = event.to_string().replace("\"NUMBER\"", "1e1000000");
    world.engine().await.process_event(event.as_bytes()).await.expect("stored");
    assert_eq!(version(&world, &id).await, "13");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_that_forbids_a_deletion_does_not_stop_the_feed() {
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
    assert_eq!(done.pending, 1);
    assert!(
        world.text("select last_error from stripe._inbox").await.contains("mine_id_account_fkey")
    );
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

/// A delivery can be three days late, and the object deleted before the copy was made.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_event_does_not_insert_an_object_that_stripe_does_not_have() {
    let world = copied(95).await;
    let created = world.sim.account().now() - 3_600;
    let version = stripe_sync::api_version();
    let event = format!(
        r#"{{"id":"evt_1","object":"event","type":"customer.created","created":{created},
            "api_version":"{version}","data":{{"object":{{"id":"cus_gone","object":"customer"}}}}}}"#
    );
    let done = world.engine().await.process_event(event.as_bytes()).await.expect("processed");
    assert_eq!(done.effect, EventEffect::Deleted);
    assert!(!world.ids("customers").await.contains("cus_gone"));
}

/// A replica at Stripe can still show a customer that was deleted in this second.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_is_not_restored_by_one_answer_of_a_lagging_replica() {
    let world = copied(96).await;
    let engine = world.engine().await;
    let account = world.sim.account();
    let id = account.ids("customer").next().expect("a customer");
    let event = |kind: &str, email: &str| {
        format!(
            r#"{{"id":"evt_{kind}","object":"event","type":"customer.{kind}","created":{},
                "api_version":"{}","data":{{"object":{{"id":"{id}","object":"customer",
                "email":"{email}"}}}}}}"#,
            account.now() + 20,
            stripe_sync::api_version(),
        )
    };
    engine.process_event(event("deleted", "a@b.c").as_bytes()).await.expect("deleted");
    let path = format!("/v1/customers/{id}");
    let deleted = id.clone();
    world.sim.before_nth(&path, 2, move |account| {
        account.delete("customer", &deleted).expect("deleted");
    });
    engine.process_event(event("updated", "x@y.z").as_bytes()).await.expect("fetched");
    let sql = format!("select deleted::text from stripe.customers where id = '{id}'");
    assert_eq!(world.text(&sql).await, "true");
}

/// A page of the feed without events that says that more follow is no end.
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_of_the_feed_does_not_move_the_cursor() {
    let world = copied(97).await;
    let engine = world.engine().await;
    engine.catch_up(&Stop::new()).await.expect("caught up");
    let [_, id] = change_two_products(world.sim.account());
    advance_past_overlap(world.sim.account());
    world.sim.fail_times("/v1/events", 1, 1, Fault::EmptyWithMore);
    let error = engine.catch_up(&Stop::new()).await.expect_err("no end");
    assert!(error.to_string().contains("events"), "{error}");
    advance_past_overlap(world.sim.account());
    engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(version(&world, &id).await, "14");
}

/// A later backfill of customers says nothing about products.
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
    tokio::time::timeout(limit, caught_up).await.expect("an end").expect("caught up");
    stop.request();
    following.await.expect("no panic").expect("followed");
}

/// The connection is lost while the process asks for the lease of the cursor.
#[tokio::test(flavor = "multi_thread")]
async fn following_survives_a_lost_connection() {
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

/// A stop that comes first is no success.
#[tokio::test(flavor = "multi_thread")]
async fn catching_up_says_whether_it_reached_the_present() {
    let world = copied(101).await;
    let (engine, stop) = (world.engine().await, Stop::new());
    stop.request();
    assert!(!engine.catch_up(&stop).await.expect("stopped").caught_up);
    assert!(engine.catch_up(&Stop::new()).await.expect("caught up").caught_up);
}
