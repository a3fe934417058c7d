//! Promise 6: whatever Stripe sends is stored, kept in `_extra`, or set aside by name.

use stripe_sim::Account;
use stripe_sync::RunStatus;

use crate::world::{World, ended};

async fn with(objects: &[(&str, &str, String)]) -> World {
    let account = Account::builder(30).objects("customer", 150).build().expect("an account");
    let at = account.now() - 1_000;
    for (object, id, json) in objects {
        account.insert_raw(object, id, at, json.clone()).expect("inserted");
    }
    World::new(account).await
}

fn customer(id: &str, rest: &str) -> (&'static str, String, String) {
    let json = format!(r#"{{"id":"{id}","object":"customer","created":1700000000{rest}}}"#);
    ("customer", id.to_owned(), json)
}

async fn customers(rows: &[(&'static str, String, String)]) -> World {
    let rows: Vec<_> = rows.iter().map(|(o, id, json)| (*o, id.as_str(), json.clone())).collect();
    with(&rows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_values_are_stored_or_kept() {
    let long = format!("cus_{}", "x".repeat(250));
    let world = customers(&[
        customer("cus_big", r#","balance":9007199254740993,"next_invoice_sequence":50.0"#),
        customer("cus_nul", r#","name":"a\u0000b","metadata":{"k\u0000":"v\ud800"}"#),
        customer("cus_emoji", r#","name":"😀\ud83d\ude00","description":"\\u0000""#),
        customer("cus_odd", r#","balance":"12","delinquent":"no","name":7,"email":true"#),
        customer("cus_new", r#","brand_new":{"a":[1,2.50,null]},"other":null"#),
        customer("cus_ref", r#","default_source":{"id":"card_1","object":"card","last4":"4242"}"#),
        customer("cus_mb", &format!(r#","metadata":{{"big":"{}"}}"#, "y".repeat(1 << 20))),
        customer(&long, ""),
    ])
    .await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert!(report.replaced_characters >= 3);
    let get = |column: &str, id: &str| {
        let sql = format!("select ({column})::text from stripe.customers where id = '{id}'");
        let world = &world;
        async move { world.text(&sql).await }
    };
    assert_eq!(get("balance", "cus_big").await, "9007199254740993");
    assert_eq!(get("next_invoice_sequence", "cus_big").await, "50");
    assert_eq!(get("name", "cus_nul").await, "a\u{fffd}b");
    assert_eq!(get("metadata", "cus_nul").await, "{\"k\u{fffd}\": \"v\u{fffd}\"}");
    assert_eq!(get("name", "cus_emoji").await, "😀😀");
    assert_eq!(get("description", "cus_emoji").await, "\\u0000");
    assert_eq!(get("balance", "cus_odd").await, "(null)");
    assert_eq!(get("name", "cus_odd").await, "7");
    let extra = r#"{"name": 7, "email": true, "balance": "12", "delinquent": "no"}"#;
    assert_eq!(get("_extra", "cus_odd").await, extra);
    let extra = r#"{"other": null, "brand_new": {"a": [1, 2.50, null]}}"#;
    assert_eq!(get("_extra", "cus_new").await, extra);
    assert_eq!(get("default_source", "cus_ref").await, "card_1");
    let kept = get("_extra -> 'default_source' ->> 'last4'", "cus_ref").await;
    assert_eq!(kept, "4242");
    assert_eq!(get("length(metadata ->> 'big')", "cus_mb").await, (1 << 20).to_string());
    assert!(world.ids("customers").await.contains(&long));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_refuses_is_set_aside_alone() {
    let deep = format!(",\"metadata\":{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let world = customers(&[
        customer("cus_deep", &deep),
        customer("cus_huge", r#","metadata":{"n":1e400000}"#),
    ])
    .await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert_eq!(ended(&report, "customers").0, "complete");
    assert_eq!(world.ids("customers").await.len(), 150);
    let (rows, total) = world.engine().await.quarantined(10).await.expect("quarantine");
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((ids, total), (vec!["cus_deep", "cus_huge"], 2));
    assert!(rows.iter().all(|row| row.request_id.is_some()), "{rows:?}");
    assert!(!rows.iter().any(|row| row.reason.contains("400000")), "no values: {rows:?}");

    // Once Stripe sends it in a form that fits, the next run takes it out again.
    let account = world.sim.account();
    for id in ["cus_deep", "cus_huge"] {
        account.delete("customer", id).expect("deleted");
    }
    let done = world.engine().await.refresh(&["cus_deep".into(), "cus_huge".into()]).await;
    done.expect("refreshed");
    assert_eq!(world.engine().await.quarantined(10).await.expect("quarantine").1, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_item_goes_by_its_date() {
    let account = Account::builder(31).objects("invoiceitem", 350).build().expect("an account");
    let world = World::new(account).await;
    let report = world.backfill(&["invoiceitem"]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(world.ids("invoiceitems").await.len(), 350);
    assert_eq!(
        world.text("select count(*)::text from stripe.invoiceitems where date is null").await,
        "0"
    );
}
