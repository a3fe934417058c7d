//! Changes of the account, their events, deleted cursors and raw objects.

use serde_json::{Value, json};
use stripe_sim::{Account, SimOptions};

use crate::client::{customers, get, start};

#[tokio::test]
async fn a_change_takes_effect_between_two_requests() {
    let sim = customers(SimOptions::default()).await;
    let ids: Vec<String> = sim.account().ids("customer").collect();
    let deleted_id = ids[9].clone();
    let updated_id = ids[10].clone();
    sim.before_nth("/v1/customers", 2, move |account| {
        account.delete("customer", &deleted_id).unwrap();
        account
            .update("customer", &updated_id, json!({"name": "Changed", "metadata": {"a": "b"}}))
            .unwrap();
    });
    let first = get(&sim, "/v1/customers").await;
    assert_eq!(first.ids(), ids[..10]);
    let refused = get(&sim, &format!("/v1/customers?starting_after={}", ids[9])).await;
    assert_eq!((refused.status, refused.error()["code"].as_str()), (400, Some("resource_missing")));
    let second = get(&sim, &format!("/v1/customers?starting_after={}", ids[8])).await;
    assert_eq!(second.ids(), ids[10..20]);
    assert_eq!(second.json()["data"][0]["name"], "Changed");
    let deleted = get(&sim, &format!("/v1/customers/{}", ids[9])).await;
    assert_eq!(deleted.json(), json!({"id": ids[9], "object": "customer", "deleted": true}));
    assert_eq!(sim.account().count("customer"), 29);
}

#[tokio::test]
async fn a_deleted_cursor_is_accepted_if_the_option_is_set() {
    let sim =
        customers(SimOptions { deleted_cursor_accepted: true, ..SimOptions::default() }).await;
    let ids: Vec<String> = sim.account().ids("customer").collect();
    sim.account().delete("customer", &ids[9]).unwrap();
    let page = get(&sim, &format!("/v1/customers?starting_after={}", ids[9])).await;
    assert_eq!(page.ids(), ids[10..20]);
}

#[tokio::test]
async fn a_cursor_that_no_longer_matches_the_filter_is_rejected() {
    let sim = start(
        Account::builder(1).objects("customer", 5).objects("subscription", 60),
        SimOptions::default(),
    )
    .await;
    let ids = get(&sim, "/v1/subscriptions").await.ids();
    sim.account().update("subscription", &ids[9], json!({"status": "canceled"})).unwrap();
    let refused = get(&sim, &format!("/v1/subscriptions?starting_after={}", ids[9])).await;
    assert_eq!((refused.status, refused.error()["param"].as_str()), (400, Some("starting_after")));
    let all = get(&sim, &format!("/v1/subscriptions?status=all&starting_after={}", ids[9])).await;
    assert_eq!(all.status, 200);
}

#[tokio::test]
async fn changes_append_events_dated_by_the_accounts_clock() {
    let sim = customers(SimOptions::default()).await;
    let now = sim.account().now() + 1_000;
    sim.account().set_clock(now);
    let id = sim.account().insert("customer", json!({"name": "New", "id": "cus_mine"})).unwrap();
    assert_eq!(id, "cus_mine");
    sim.account().advance_clock(5);
    sim.account().update("customer", &id, json!({"name": "Newer"})).unwrap();
    sim.account().advance_clock(5);
    sim.account().delete("customer", &id).unwrap();
    let page = get(&sim, &format!("/v1/events?created[gte]={now}")).await.json();
    let events: Vec<(&str, i64, &Value)> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            (
                e["type"].as_str().unwrap(),
                e["created"].as_i64().unwrap(),
                &e["data"]["object"]["name"],
            )
        })
        .collect();
    assert_eq!(
        events,
        [
            ("customer.deleted", now + 10, &json!("Newer")),
            ("customer.updated", now + 5, &json!("Newer")),
            ("customer.created", now, &json!("New")),
        ]
    );
    assert_eq!(page["data"][1]["data"]["previous_attributes"], json!({"name": "New"}));
    let event = page["data"][0]["id"].as_str().unwrap();
    assert_eq!(get(&sim, &format!("/v1/events/{event}")).await.status, 200);
}

#[tokio::test]
async fn items_of_nested_lists_can_be_inserted_and_deleted() {
    let account = Account::builder(1).objects("customer", 3).objects("invoice", 3).nested(
        "invoice",
        "lines",
        12..=12,
    );
    let sim = start(account, SimOptions::default()).await;
    let invoice = sim.account().ids("invoice").next().unwrap();
    let lines = sim.account().nested_ids("invoice", &invoice, "lines");
    sim.account().remove_nested_item("invoice", &invoice, "lines", &lines[3]).unwrap();
    let new =
        sim.account().insert_nested("invoice", &invoice, "lines", json!({"amount": 7})).unwrap();
    let now = get(&sim, &format!("/v1/invoices/{invoice}/lines?limit=100")).await.ids();
    assert_eq!(now.len(), 12);
    assert_eq!(now, sim.account().nested_ids("invoice", &invoice, "lines"));
    assert!(now.contains(&new) && !now.contains(&lines[3]));
    let embedded = get(&sim, &format!("/v1/invoices/{invoice}")).await.json();
    assert_eq!(embedded["lines"]["data"][0]["id"], new.as_str());
    assert_eq!(sim.account().nested_count_total("invoice", "lines"), 36);
}

#[tokio::test]
async fn raw_objects_are_served_byte_for_byte() {
    let sim = customers(SimOptions::default()).await;
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let raw = format!(
        "{{\"id\":\"cus_raw\",\"object\":\"customer\",\"name\":\"a\\u0000b\\ud800\",\"balance\":1e400000,\"x\":{deep},\"x\":1 }}"
    );
    let created = sim.account().now();
    sim.account().insert_raw("customer", "cus_raw", created, raw.clone()).unwrap();
    let list = get(&sim, "/v1/customers?limit=2").await;
    assert!(list.text.contains(&raw));
    assert_eq!(get(&sim, "/v1/customers/cus_raw").await.text, raw);
    assert_eq!(sim.account().ids("customer").next().as_deref(), Some("cus_raw"));
    let next = get(&sim, "/v1/customers?limit=100&starting_after=cus_raw").await.ids();
    assert_eq!(next.len(), 30);
}

#[tokio::test]
async fn invalid_changes_are_rejected() {
    let account = Account::builder(1).objects("customer", 3).build().unwrap();
    assert!(account.delete("customer", "cus_nope").is_err());
    assert!(account.update("nothing", "x", json!({})).is_err());
    let id = account.ids("customer").next().unwrap();
    assert!(account.insert("customer", json!({"id": id})).is_err());
    assert!(account.insert("customer", json!(7)).is_err());
    assert_eq!(account.count("customer"), 3);
    assert!(
        Account::builder(1)
            .objects("custmer", 3)
            .build()
            .unwrap_err()
            .to_string()
            .contains("custmer")
    );
    let nested = Account::builder(1).nested("invoice", "rows", 1..=2).build().unwrap_err();
    assert!(nested.to_string().contains("lines"), "{nested}");
}
