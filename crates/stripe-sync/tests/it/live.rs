//! Keeping the copy current with webhooks, single events, and the feed of events.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use ring::hmac;
use serde_json::{Value, json};
use stripe_sim::{Account, Fault};
use stripe_sync::{EventEffect, RunStatus, Stop, StripeSync, WebhookSecret};

use crate::world::{World, assert_same};

pub(crate) const OBJECTS: [(&str, &str); 5] = [
    ("customer", "customers"),
    ("product", "products"),
    ("invoice", "invoices"),
    ("price", "prices"),
    ("payment_intent", "payment_intents"),
];

pub(crate) fn account(seed: u64) -> Account {
    let builder = OBJECTS
        .iter()
        .fold(Account::builder(seed), |builder, (object, _)| builder.objects(object, 20));
    builder.objects("event", 0).build().expect("an account")
}

/// An account and its complete copy.
pub(crate) async fn copied(seed: u64) -> World {
    let world = World::new(account(seed)).await;
    let objects: Vec<&str> = OBJECTS.iter().map(|(object, _)| *object).collect();
    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    world
}

/// The events that the account has, oldest first.
pub(crate) fn events(account: &Account) -> Vec<String> {
    let mut events: Vec<String> = account
        .ids("event")
        .map(|id| account.object_json("event", &id).expect("an event"))
        .collect();
    events.reverse();
    events
}

pub(crate) fn last_event(account: &Account) -> String {
    events(account).pop().expect("an event")
}

/// Asserts that the tables contain exactly the account's objects, in their current versions.
pub(crate) async fn assert_current(world: &World) {
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

/// The `Stripe-Signature` header for a body.
fn signature(secret: &str, body: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("{now}.{body}").as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={tag}")
}

/// A pseudorandom number generator (<https://en.wikipedia.org/wiki/Xorshift>).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for place in (1..items.len()).rev() {
            items.swap(place, self.below(place + 1));
        }
    }
}

/// Creates, changes and deletes objects, several of them within a second. In a hundred changes, the
/// clock advances by less than two minutes. Beyond that, the engine considers a `Date` header
/// wrong.
pub(crate) fn change(account: &Account, random: &mut Random, version: u64) {
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
            // Half of the ids chosen by a user are used again, often in the same second.
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

/// Delivers events in random order to two processes, with duplicates and losses.
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

/// Changes two products to the versions 13 and 14, and returns their ids.
pub(crate) fn change_two_products(account: &Account) -> [String; 2] {
    let mut ids = account.ids("product");
    let ids = [ids.next().expect("a product"), ids.next().expect("a product")];
    for (id, version) in ids.iter().zip(["13", "14"]) {
        account.update("product", id, json!({"metadata": {"version": version}})).expect("updated");
    }
    ids
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

/// The payload of another API version can have another shape, so the object is fetched instead.
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

/// If an object cannot be fetched, the delivery fails, so Stripe repeats it. The object stays in
/// the inbox until it has been fetched.
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
    // Another object is not delayed, and the next delivery does not wait for the retry delay.
    engine.process_event(thin(&other).as_bytes()).await.expect("fetched");
    engine.process_event(thin(&id).as_bytes()).await.expect("fetched");
    assert_eq!(engine.inbox().await.expect("the inbox").waiting, 0);
    assert_current(&world).await;
}

/// After many failures, only a refresh or a new event retries the object.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_resolves_an_object_that_is_no_longer_retried() {
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
    // The event of the change has added it to the inbox again.
    assert_eq!((done.dead, done.pending), (0, 0));
    world.sql.batch_execute(&dead).await.expect("a dead entry");
    let done = engine.catch_up(&Stop::new()).await.expect("caught up");
    assert_eq!(done.dead, 1);
    engine.refresh(&[format!("products/{id}")]).await.expect("refreshed");
    assert_eq!(engine.inbox().await.expect("the inbox").dead, 0);
}

/// A delivery can be three days late. The object may have been deleted before the copy was created.
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

/// A lagging replica of Stripe's can still return a customer that has just been deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_customer_is_not_restored_by_one_response_from_a_lagging_replica() {
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

/// A process whose machine was suspended stamps its requests too early until Stripe responds. Its 404
/// still deletes the row that it has seen before, although another process read that row later.
#[tokio::test(flavor = "multi_thread")]
async fn a_404_deletes_the_row_that_a_process_with_a_later_clock_has_read() {
    let world = copied(97).await;
    let suspended = world.engine().await;
    let account = world.sim.account();
    let id = account.ids("product").next().expect("a product");
    suspended.refresh(&[format!("products/{id}")]).await.expect("stored");
    account.advance_clock(30);
    world.engine().await.refresh(&[format!("products/{id}")]).await.expect("stored");
    account.delete("product", &id).expect("deleted");
    let deleted = suspended.process_event(last_event(account).as_bytes()).await.expect("processed");
    assert_eq!(deleted.effect, EventEffect::Deleted);
    assert!(!world.ids("products").await.contains(&id));
}
