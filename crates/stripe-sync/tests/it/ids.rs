//! Ids chosen by the user: whatever characters they contain, objects with these ids can be listed,
//! used as cursors, fetched and deleted.

use serde_json::json;
use stripe_sim::Account;
use stripe_sync::{RefreshOutcome, RunStatus};

use crate::world::{World, assert_same};

fn hostile() -> Vec<String> {
    let mut ids: Vec<String> = [
        "gold",
        " leads and ends ",
        "a/b",
        "a//b/",
        "/v1/customers",
        "50% off",
        "100%",
        "%2F",
        "%00",
        "%2e%2e",
        "l'\u{e9}t\u{e9}",
        "\"quoted\"",
        "back\\slash",
        "\\u0041",
        "a?b=c&d",
        "a#b",
        "a+b c",
        "\u{96ea}\u{1f600}",
        "e\u{301}",
        "\u{202e}right",
        "null",
        "0",
        "-1",
        "[]",
        "{}",
        "$1",
        "'; drop table x; --",
        "...",
        ".",
        "..",
        "../..",
        "a:b",
        "a\tb",
        "line\nbreak",
        "*",
        ",",
    ]
    .map(str::to_owned)
    .to_vec();
    ids.push("x".repeat(255));
    ids.push("\u{96ea}".repeat(255));
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn every_id_is_stored_fetched_and_deleted_unchanged() {
    let account = Account::builder(40).objects("product", 20).build().expect("an account");
    let wanted = hostile();
    for id in &wanted {
        account.insert("product", json!({"id": id, "name": id})).expect("inserted");
    }
    let world = World::new(account).await;
    let report = world.backfill(&["product"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let account = world.sim.account();
    assert_same("products", &account.ids("product").collect(), &world.ids("products").await);
    let named = "select count(*)::text from stripe.products where id = name";
    assert_eq!(world.text(named).await, wanted.len().to_string());

    // These two cannot be part of a path; they are rejected before any request.
    let engine = world.engine().await;
    for dots in [".", ".."] {
        assert!(engine.refresh(&[format!("products/{dots}")]).await.is_err());
    }
    let ids: Vec<&String> = wanted.iter().filter(|id| !matches!(id.as_str(), "." | "..")).collect();
    for id in &ids {
        account.update("product", id, json!({"description": format!("of {id}")})).expect("updated");
    }
    let asked: Vec<String> = ids.iter().map(|id| format!("products/{id}")).collect();
    for (done, id) in engine.refresh(&asked).await.expect("refreshed").iter().zip(&ids) {
        assert_eq!((&done.id, &done.outcome), (*id, &RefreshOutcome::Stored), "{done:?}");
    }
    let described = "select count(*)::text from stripe.products where description = 'of ' || id";
    assert_eq!(world.text(described).await, ids.len().to_string());

    for id in &ids {
        account.delete("product", id).expect("deleted");
    }
    let done = engine.refresh(&asked).await.expect("refreshed");
    assert!(done.iter().all(|done| done.outcome == RefreshOutcome::Deleted), "{done:?}");
    assert_same("products", &account.ids("product").collect(), &world.ids("products").await);
}

/// Every page ends with one of these ids, so each of them is used as a cursor once.
#[tokio::test(flavor = "multi_thread")]
async fn every_id_can_be_a_cursor() {
    let account = Account::builder(41).objects("product", 0).build().expect("an account");
    let now = account.now() - 1_000_000;
    for (i, id) in hostile().iter().enumerate() {
        for n in 0..100_i64 {
            let at = now - i as i64 * 1_000 - n;
            let id = if n == 99 { id.clone() } else { format!("prod_{i}x{n}") };
            account.insert("product", json!({"id": id, "created": at})).expect("inserted");
        }
    }
    let world = World::new(account).await;
    let report = world.backfill(&["product"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_same(
        "products",
        &world.sim.account().ids("product").collect(),
        &world.ids("products").await,
    );
}
