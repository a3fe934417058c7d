//! Lists: hidden objects, filters, nested lists and large accounts.

use std::collections::HashSet;

use serde_json::json;
use stripe_sim::{Account, Sim, SimOptions};

use crate::client::{get, start};

async fn all(sim: &Sim, path: &str, query: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    loop {
        let cursor = ids.last().map(|id| format!("&starting_after={id}")).unwrap_or_default();
        let page = get(sim, &format!("{path}?limit=100{cursor}&{query}")).await;
        ids.extend(page.ids());
        if page.json()["has_more"] == false {
            return ids;
        }
    }
}

#[tokio::test]
async fn objects_that_stripe_hides_are_hidden() {
    let account = Account::builder(8)
        .objects("customer", 50)
        .objects("subscription", 300)
        .objects("price", 300)
        .objects("review", 60)
        .objects("payment_method", 100)
        .objects("tax_id", 3)
        .objects("account", 4)
        .nested("customer", "tax_ids", 1..=1)
        .custom_payment_methods(true);
    let sim = start(account, SimOptions::default()).await;
    let default = all(&sim, "/v1/subscriptions", "").await;
    let canceled = all(&sim, "/v1/subscriptions", "status=canceled").await;
    let every = all(&sim, "/v1/subscriptions", "status=all").await;
    assert_eq!(every.len(), 300);
    assert!(!canceled.is_empty());
    assert_eq!(default.len() + canceled.len(), 300);
    assert!(default.iter().all(|id| !canceled.contains(id)));

    let default = all(&sim, "/v1/prices", "").await;
    let active = all(&sim, "/v1/prices", "active=true").await;
    let inactive = all(&sim, "/v1/prices", "active=false").await;
    assert_eq!(default, active);
    assert!(!inactive.is_empty());
    let listed: HashSet<&String> = active.iter().chain(&inactive).collect();
    assert!(listed.len() < 300, "inline prices must not be listed");
    assert_eq!(listed.len() as u64, sim.account().count("price"));

    assert!(sim.account().count("review") < 60);
    assert_eq!(all(&sim, "/v1/reviews", "").await.len() as u64, sim.account().count("review"));
    let cards = all(&sim, "/v1/payment_methods", "").await.len();
    let custom = all(&sim, "/v1/payment_methods", "type=custom").await.len();
    assert!(custom > 0 && cards + custom == 100, "{cards} + {custom}");
    assert_eq!(all(&sim, "/v1/tax_ids", "").await.len(), 3, "only tax ids of the account");
    let accounts = all(&sim, "/v1/accounts", "").await;
    assert!(accounts.len() == 4 && !accounts.contains(&sim.account().id().to_owned()));

    sim.account().insert("customer", json!({"test_clock": "clock_1"})).unwrap();
    assert_eq!(all(&sim, "/v1/customers", "").await.len(), 50);
    assert_eq!(all(&sim, "/v1/customers", "test_clock=clock_1").await.len(), 1);
}

#[tokio::test]
async fn filters_select_objects_by_their_properties() {
    let sim = start(Account::builder(8).demo(), SimOptions::default()).await;
    let customer = sim.account().ids("customer").nth(700).unwrap();
    for (object, path, property) in [
        ("invoice", "/v1/invoices", "customer"),
        ("charge", "/v1/charges", "customer"),
        ("payment_method", "/v1/payment_methods", "customer"),
    ] {
        let expected: Vec<String> = sim
            .account()
            .ids(object)
            .filter(|id| {
                let text = sim.account().object_json(object, id).unwrap();
                serde_json::from_str::<serde_json::Value>(&text).unwrap()[property]
                    == customer.as_str()
            })
            .collect();
        assert_eq!(all(&sim, path, &format!("{property}={customer}")).await, expected, "{object}");
    }
    let through_parent = all(&sim, &format!("/v1/customers/{customer}/payment_methods"), "").await;
    assert_eq!(
        through_parent,
        all(&sim, "/v1/payment_methods", &format!("customer={customer}")).await
    );
    let statuses = ["draft", "open", "paid", "uncollectible", "void"];
    let mut total = 0;
    for status in statuses {
        total += all(&sim, "/v1/invoices", &format!("status={status}")).await.len();
    }
    assert_eq!(total as u64, sim.account().count("invoice"));
    let monthly = all(&sim, "/v1/prices", "recurring[interval]=month").await;
    assert!(!monthly.is_empty() && monthly.len() < sim.account().count("price") as usize);
    let lookups =
        all(&sim, "/v1/prices", "lookup_keys[]=key-3&lookup_keys[]=key-9&active=true").await;
    assert!(lookups.len() <= 2);
    let updates = all(&sim, "/v1/events", "type=customer.*").await;
    let every = all(&sim, "/v1/events", "").await;
    assert!(!updates.is_empty() && updates.len() < every.len());
    sim.account().advance_clock(20 * 86_400);
    let later = all(&sim, "/v1/events", "").await;
    assert!(later.len() < every.len(), "events older than 30 days must not be listed");
}

#[tokio::test]
async fn embedded_lists_contain_ten_items_and_the_path_of_the_complete_list() {
    let account = Account::builder(8)
        .objects("customer", 5)
        .objects("price", 8)
        .objects("product", 2)
        .objects("subscription", 5)
        .objects("invoice", 5)
        .nested_at("invoice", 4, "lines", 250)
        .nested_at("invoice", 3, "lines", 100_000)
        .nested_at("subscription", 4, "items", 25);
    let sim = start(account, SimOptions::default()).await;
    let page = get(&sim, "/v1/invoices?limit=2").await.json();
    for (invoice, size) in [(&page["data"][0], 250), (&page["data"][1], 100_000)] {
        let id = invoice["id"].as_str().unwrap();
        let lines = &invoice["lines"];
        assert_eq!(
            (lines["data"].as_array().unwrap().len(), lines["has_more"].as_bool()),
            (10, Some(true))
        );
        assert_eq!(lines["url"], format!("/v1/invoices/{id}/lines"));
        assert_eq!(sim.account().nested_ids("invoice", id, "lines").len(), size);
        let first = get(&sim, &format!("{}?limit=10", lines["url"].as_str().unwrap())).await;
        assert_eq!(first.json()["data"], lines["data"]);
    }
    let id = page["data"][0]["id"].as_str().unwrap();
    assert_eq!(
        all(&sim, &format!("/v1/invoices/{id}/lines"), "").await,
        sim.account().nested_ids("invoice", id, "lines")
    );
    let subscription = sim.account().ids("subscription").next().unwrap();
    let items = all(&sim, "/v1/subscription_items", &format!("subscription={subscription}")).await;
    assert_eq!(items.len(), 25);
    let one = get(&sim, &format!("/v1/subscription_items/{}", items[24])).await.json();
    assert_eq!(one["subscription"], subscription.as_str());
}

#[tokio::test]
async fn a_million_objects_are_computed_on_demand() {
    let sim =
        start(Account::builder(8).objects("customer", 1_000_000), SimOptions::default()).await;
    let page = get(&sim, "/v1/customers?limit=100&created[lt]=1700000000").await;
    assert_eq!(page.status, 200);
    assert_eq!(sim.account().count("customer"), 1_000_000);
    let oldest = get(&sim, "/v1/customers?limit=1").await.ids();
    assert_eq!(get(&sim, &format!("/v1/customers/{}", oldest[0])).await.status, 200);
}
