//! Webhook endpoints and deliveries, the event feed, and random changes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use stripe_sim::{Account, Activity, SimOptions, WebhookOptions, webhook_signature};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::client::{Answer, customers, get, http, start};

const LIST: &str = "/v1/webhook_endpoints";

/// A request with a form and an idempotency key.
async fn send(base: &str, key: &str, method: Method, path: &str, form: &str) -> Answer {
    let request = http().request(method, format!("{base}{path}")).bearer_auth(key);
    let request = request.header("idempotency-key", format!("{path}{form}"));
    let response = request.body(form.to_owned()).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

/// What a receiver has received: the header and the body of each request.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// A receiver that answers its first requests with `statuses`, and later ones with 200.
async fn receiver(statuses: &'static [u16]) -> (String, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
    let received = Received::default();
    let requests = Arc::clone(&received);
    tokio::spawn(async move {
        for number in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            let (head, body) = loop {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let length = header(&text, "Content-Length").and_then(|l| l.parse::<usize>().ok());
                match (text.split_once("\r\n\r\n"), length) {
                    (Some((head, body)), Some(length)) if body.len() == length => {
                        break (head.to_owned(), body.to_owned());
                    }
                    _ => assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0),
                }
            };
            let signature = header(&head, "Stripe-Signature").unwrap();
            requests.lock().unwrap().push((signature, body));
            let status = statuses.get(number).copied().unwrap_or(200);
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, received)
}

fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.filter(|(n, _)| *n == name).map(|(_, value)| value.to_owned()).next()
}

#[tokio::test]
async fn endpoints_are_created_updated_and_deleted_over_http() {
    let sim = customers(SimOptions::default()).await;
    let (base, key) = (sim.base_url(), sim.key().to_owned());
    let form =
        "url=https%3A%2F%2Fexample.com&enabled_events[]=charge.updated&api_version=2020-08-27";
    let created = send(&base, &key, Method::POST, LIST, form).await;
    assert_eq!(created.status, 200, "{}", created.text);
    let endpoint = created.json();
    let id = endpoint["id"].as_str().unwrap();
    assert!(endpoint["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(endpoint["url"], "https://example.com");
    let again = send(&base, &key, Method::POST, LIST, form).await;
    assert_eq!(again.text, created.text);
    let one = format!("{LIST}/{id}");
    let read = get(&sim, &one).await.json();
    assert_eq!((read.get("secret"), &read["status"]), (None, &json!("enabled")));
    let updated = send(&base, &key, Method::POST, &one, "disabled=true&enabled_events[]=*").await;
    assert_eq!(updated.json()["status"], "disabled");
    assert_eq!(updated.json()["enabled_events"], json!(["*"]));
    assert_eq!(send(&base, &key, Method::DELETE, &one, "").await.json()["deleted"], true);
    assert_eq!(get(&sim, &one).await.status, 404);

    for (form, param) in [
        ("enabled_events[]=*", "url"),
        ("url=https%3A%2F%2Fexample.com", "enabled_events"),
        ("url=example.com&enabled_events[]=*", "url"),
        ("url=https%3A%2F%2Fexample.com&enabled_events[]=unicorn.created", "enabled_events"),
        ("url=https%3A%2F%2Fexample.com&enabled_events[]=*&color=red", "color"),
    ] {
        let refused = send(&base, &key, Method::POST, LIST, form).await;
        assert_eq!((refused.status, &refused.error()["param"]), (400, &json!(param)), "{form}");
    }
    let other = send(&base, &key, Method::POST, "/v1/customers", "name=a").await;
    assert_eq!(other.status, 405);
}

#[tokio::test]
async fn an_account_has_at_most_16_endpoints() {
    let sim = customers(SimOptions::default()).await;
    let form = |n: i32| format!("url=https%3A%2F%2Fexample.com%2F{n}&enabled_events[]=*");
    for number in 0..17 {
        let answer = send(&sim.base_url(), sim.key(), Method::POST, LIST, &form(number)).await;
        assert_eq!(answer.status, if number < 16 { 200 } else { 400 }, "{}", answer.text);
    }
}

#[tokio::test]
async fn each_change_is_delivered_with_a_signature() {
    let sim = customers(SimOptions::default()).await;
    let (url, received) = receiver(&[]).await;
    let endpoint = sim.account().add_webhook_endpoint(&url).unwrap();
    let id = sim.account().insert("customer", json!({})).unwrap();
    sim.account().update("customer", &id, json!({"name": "New"})).unwrap();
    sim.webhooks_delivered().await;
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 2);
    let mut types = BTreeSet::new();
    for (signature, body) in received.iter() {
        let second = signature.strip_prefix("t=").unwrap().split(',').next().unwrap();
        let second: i64 = second.parse().unwrap();
        assert_eq!(*signature, webhook_signature(&endpoint.secret, second, body));
        assert!(body.starts_with("{\n  \"id\": \"evt_"), "{body}");
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["data"]["object"]["id"], id);
        types.insert(event["type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types, ["customer.created", "customer.updated"].map(String::from).into());
}

#[tokio::test]
async fn a_failed_delivery_is_repeated() {
    let webhooks =
        WebhookOptions { retries: 2, first_retry: Duration::from_millis(1), ..Default::default() };
    let sim = customers(SimOptions { webhooks, ..SimOptions::default() }).await;
    let (url, received) = receiver(&[500, 302, 204, 400, 400, 400]).await;
    sim.account().add_webhook_endpoint(&url).unwrap();
    for expected in [3, 6] {
        sim.account().insert("customer", json!({})).unwrap();
        sim.webhooks_delivered().await;
        assert_eq!(received.lock().unwrap().len(), expected);
    }
    let counts = sim.deliveries();
    assert_eq!((counts.sent, counts.accepted, counts.refused, counts.failed), (6, 1, 5, 1));
}

#[tokio::test]
async fn deliveries_are_lost_duplicated_and_reordered() {
    let webhooks = WebhookOptions {
        jitter: Duration::from_millis(200),
        duplicates: 0.3,
        losses: 0.3,
        ..Default::default()
    };
    let sim = customers(SimOptions { webhooks, seed: 3, ..SimOptions::default() }).await;
    let (url, received) = receiver(&[]).await;
    sim.account().add_webhook_endpoint(&url).unwrap();
    let ids: Vec<String> =
        (0..100).map(|_| sim.account().insert("customer", json!({})).unwrap()).collect();
    sim.webhooks_delivered().await;
    let counts = sim.deliveries();
    assert!((15..45).contains(&counts.lost) && counts.duplicated > 5, "{counts:?}");
    let received = received.lock().unwrap();
    assert_eq!(received.len() as u64, 100 - counts.lost + counts.duplicated);
    let order: Vec<usize> = received
        .iter()
        .map(|(_, body)| serde_json::from_str::<Value>(body).unwrap())
        .map(|e| ids.iter().position(|id| e["data"]["object"]["id"] == **id).unwrap())
        .collect();
    assert!(!order.is_sorted());
}

#[tokio::test]
async fn events_appear_late_and_out_of_order_if_the_option_is_set() {
    let account = Account::builder(1).objects("customer", 2).objects("event", 0);
    let sim = start(account, SimOptions { event_lag: 20, ..SimOptions::default() }).await;
    let account = sim.account();
    let now = account.now();
    account.set_clock(now);
    for _ in 0..40 {
        account.insert("customer", json!({})).unwrap();
    }
    let all: Vec<String> = account.ids("event").collect();
    let mut seen = Vec::new();
    for second in 0..=20 {
        account.set_clock(now + second);
        seen.push(get(&sim, "/v1/events?limit=100").await.ids());
    }
    assert!((1..20).contains(&seen[0].len()), "{}", seen[0].len());
    assert_eq!(seen[20], all);
    assert!(seen.is_sorted_by_key(Vec::len));
    // An event that appears is not always newer than those that appeared before.
    assert!(seen[10] != all[all.len() - seen[10].len()..]);
}

#[test]
fn random_changes_create_update_and_delete() {
    let account = Account::builder(4).small().objects("event", 0).build().unwrap();
    let mut activity = Activity::new(&account, 5);
    for _ in 0..400 {
        activity.change(&account);
    }
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for id in account.ids("event") {
        let event = account.object_json("event", &id).unwrap();
        let event: Value = serde_json::from_str(&event).unwrap();
        *counts.entry(event["type"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    for name in ["customer.created", "product.updated", "product.deleted", "coupon.deleted"] {
        assert!(counts.contains_key(name), "{name}: {counts:?}");
    }
    let created_again = counts.values().sum::<u32>() - 400;
    assert!((1..40).contains(&created_again), "{created_again}");
}
