//! Deliveries that arrive together, and deliveries whose object is fetched.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use stripe_sim::{Account, Activity, Fault, SimOptions, WebhookOptions};
use stripe_sync::{EventEffect, Stop, WebhookSecret};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::live::{account, assert_current, copied, events, last_event};
use crate::world::World;

/// Changes `count` new products to the versions 1, 2, ..., and returns the events of the changes.
fn changed_products(account: &Account, count: usize) -> Vec<String> {
    let ids: Vec<String> =
        (0..count).map(|_| account.insert("product", json!({})).expect("inserted")).collect();
    account.set_clock(account.now() + 30);
    let before = events(account).len();
    for (number, id) in ids.iter().enumerate() {
        let state = json!({"metadata": {"version": (number + 1).to_string()}});
        account.update("product", id, state).expect("updated");
    }
    events(account).split_off(before)
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_arrive_together_commit_together_without_a_bad_one() {
    let world = copied(330).await;
    let engine = world.engine().await;
    engine.process_event(last_event_of_a_change(world.sim.account()).as_bytes()).await.expect("ok");
    let check = "alter table stripe.products add check (metadata ->> 'version' <> '13')";
    world.sql.batch_execute(check).await.expect("a constraint");
    let events = changed_products(world.sim.account(), 60);

    // While the lock is held, the first transaction waits and the other events gather.
    world.sql.batch_execute("begin; lock table stripe.products").await.expect("locked");
    let deliveries = events.iter().map(|event| engine.process_event(event.as_bytes()));
    let release = async {
        let waiting = "select count(*)::text from pg_locks where not granted";
        while world.text(waiting).await == "0" {
            tokio::task::yield_now().await;
        }
        world.sql.batch_execute("commit").await.expect("released");
    };
    let (effects, ()) = tokio::join!(join_all(deliveries), release);
    let effects: Vec<EventEffect> =
        effects.into_iter().map(|done| done.expect("processed").effect).collect();
    let others = effects.iter().enumerate().filter(|(number, _)| *number != 12);
    assert!(others.into_iter().all(|(_, effect)| *effect == EventEffect::Stored), "{effects:?}");
    assert_eq!(effects[12], EventEffect::Quarantined);
    let stored = "select count(*)::text from stripe.products where metadata ? 'version'";
    assert_eq!(world.text(stored).await, "60");

    // Without a bad event, all of them need few transactions.
    let events = changed_products(world.sim.account(), 12);
    let before = world.text("select txid_current()::text").await;
    world.sql.batch_execute("begin; lock table stripe.products").await.expect("locked");
    let deliveries = events.iter().map(|event| engine.process_event(event.as_bytes()));
    let release = async {
        let waiting = "select count(*)::text from pg_locks where not granted";
        while world.text(waiting).await == "0" {
            tokio::task::yield_now().await;
        }
        world.sql.batch_execute("commit").await.expect("released");
    };
    let (done, ()) = tokio::join!(join_all(deliveries), release);
    assert!(done.into_iter().all(|done| done.is_ok_and(|d| d.effect == EventEffect::Stored)));
    let transactions = format!(
        "select count(distinct xmin::text)::text from stripe.products where xmin::text::bigint > {before}"
    );
    let transactions: u32 = world.text(&transactions).await.parse().expect("a number");
    assert!(transactions <= 4, "{transactions} transactions for 12 events");
}

/// An event to deliver first: it prepares the engine, so that later deliveries do not have to.
fn last_event_of_a_change(account: &Account) -> String {
    let id = account.ids("product").next().expect("a product");
    account.update("product", &id, json!({"metadata": {"version": "0"}})).expect("updated");
    last_event(account)
}

/// Stripe repeats a delivery that takes too long. The object is fetched nevertheless, and the next
/// delivery succeeds without waiting for an abandoned lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_continues_after_the_time_limit_of_its_delivery() {
    let mut world = copied(331).await;
    world.config.webhook_timeout = Duration::from_millis(500);
    let engine = world.engine().await;
    let account = world.sim.account();
    let id = account.ids("invoice").next().expect("an invoice");
    account.update("invoice", &id, json!({"metadata": {"version": "9"}})).expect("updated");
    let mut event: Value = serde_json::from_str(&last_event(account)).expect("an event");
    event["api_version"] = json!("2020-08-27");
    let event = event.to_string();
    let delay = Fault::Delay(Duration::from_secs(3));
    world.sim.fail_nth(&format!("/v1/invoices/{id}"), 1, delay);
    let error = engine.process_event(event.as_bytes()).await.expect_err("too late");
    assert!(error.hint().is_some_and(|hint| hint.contains("delivers the event again")), "{error}");
    let fetched = async {
        while engine.inbox().await.expect("the inbox").waiting > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    // An abandoned lease would expire after two minutes.
    tokio::time::timeout(Duration::from_secs(60), fetched).await.expect("fetched");
    engine.process_event(event.as_bytes()).await.expect("stored");
    assert_current(&world).await;
}

/// Answers each webhook with 200, 400 or 500, as a server would.
async fn receive(mut stream: TcpStream, engine: stripe_sync::StripeSync) {
    let (mut bytes, mut length) = (Vec::new(), None);
    let (signature, body) = loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let header = |name: &str| {
                let lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.filter(|(n, _)| *n == name).map(|(_, value)| value.to_owned()).next()
            };
            length = length.or_else(|| header("Content-Length")?.parse::<usize>().ok());
            if length.is_some_and(|length| bytes.len() >= end + 4 + length) {
                break (header("Stripe-Signature"), bytes.split_off(end + 4));
            }
        }
        if stream.read_buf(&mut bytes).await.expect("bytes") == 0 {
            return;
        }
    };
    let status = match engine.process_webhook(&body, signature.as_deref()).await {
        Ok(_) => 200,
        Err(error) if error.code() == "webhook_signature" => 400,
        Err(_) => 500,
    };
    let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
    // The sender may have stopped waiting.
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The simulator signs and sends webhooks over HTTP, out of order, some twice and some never. The
/// feed has the lost ones.
#[tokio::test(flavor = "multi_thread")]
async fn signed_webhooks_over_http_keep_the_copy_current() {
    let webhooks = WebhookOptions {
        jitter: Duration::from_millis(400),
        duplicates: 0.2,
        losses: 0.05,
        ..WebhookOptions::default()
    };
    let options = SimOptions { webhooks, event_lag: 5, ..SimOptions::default() };
    let mut world = World::with(account(332), options).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/webhooks", listener.local_addr().expect("an address"));
    let endpoint = world.sim.account().add_webhook_endpoint(&url).expect("an endpoint");
    world.config.webhook_secrets = vec![WebhookSecret::parse(&endpoint.secret).expect("a secret")];
    let engine = world.engine().await;
    let receiver = tokio::spawn({
        let engine = engine.clone();
        async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                tokio::spawn(receive(stream, engine.clone()));
            }
        }
    });
    world.backfill(&["customer", "product", "invoice", "price", "payment_intent"]).await;
    let mut activity = Activity::new(world.sim.account(), 333);
    for _ in 0..150 {
        activity.change(world.sim.account());
    }
    world.sim.webhooks_delivered().await;
    let counts = world.sim.deliveries();
    assert_eq!(counts.failed, 0, "{counts:?}");
    assert!(counts.lost > 0 && counts.duplicated > 0, "{counts:?}");
    world.sim.account().advance_clock(6);
    engine.catch_up(&Stop::new()).await.expect("caught up");
    let mut revisions = BTreeSet::new();
    for table in ["customers", "products", "prices", "invoices", "payment_intents"] {
        let object = table.trim_end_matches('s');
        let sql = format!("select id, metadata ->> 'revision' from stripe.{table}");
        for row in world.sql.query(&sql, &[]).await.expect("rows") {
            let (id, revision): (String, Option<String>) = (row.get(0), row.get(1));
            let json = world.sim.account().object_json(object, &id).expect("an object");
            let json: Value = serde_json::from_str(&json).expect("JSON");
            if json["deleted"] != true {
                assert_eq!(json["metadata"]["revision"].as_str(), revision.as_deref(), "{id}");
                revisions.extend(revision);
            }
        }
    }
    assert!(revisions.len() > 50, "{}", revisions.len());
    assert_current(&world).await;
    receiver.abort();
}
