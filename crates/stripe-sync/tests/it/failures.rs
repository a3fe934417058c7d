//! Promise 4: every stream is reported by name, and a failure of one does not stop the others.

use stripe_sim::{Account, ApiKey, Fault, SimOptions};
use stripe_sync::{ErrorKind, RunStatus};

use crate::world::{World, ended};

#[tokio::test(flavor = "multi_thread")]
async fn denied_and_unavailable_streams_are_named() {
    let account = Account::builder(7).small().build().expect("an account");
    let options = SimOptions {
        keys: vec![ApiKey::new("rk_test_51restricted000000000000").deny(["charge"]).deny_account()],
        unavailable: vec!["/v1/issuing/".into()],
        ..SimOptions::default()
    };
    let world = World::with(account, options).await;
    let report = world.backfill(&[]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert!(report.only_denied());
    let (status, _, message) = ended(&report, "charges");
    assert_eq!(status, "denied");
    assert!(message.contains("rak_charge_read"), "{message}");
    assert_eq!(ended(&report, "issuing_cards").0, "skipped");
    assert_eq!(ended(&report, "customers").0, "complete");
    // The error response to GET /v1/account contains the id of the account.
    let account = world.text("select distinct _account_id from stripe.customers").await;
    assert_eq!(account, world.sim.account().id());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_stream_is_named_and_the_same_command_resumes_it() {
    let account = Account::builder(8).objects("customer", 900).objects("product", 50);
    let world = World::new(account.build().expect("an account")).await;
    // A 402 is not retried.
    world.sim.fail_times("/v1/customers", 4, 1_000, Fault::Status(402));
    let first = world.backfill(&["customer", "product"]).await;
    assert_eq!(first.status, RunStatus::Incomplete);
    assert!(!first.only_denied());
    let (status, _, message) = ended(&first, "customers");
    assert_eq!(status, "failed");
    assert!(message.contains("402"), "{message}");
    let stream = first.streams.iter().find(|s| s.table == "customers").expect("customers");
    assert!(stream.request_id.as_deref().is_some_and(|id| id.starts_with("req_")));
    assert_eq!(ended(&first, "products").0, "complete");

    let world = world.without_faults().await;
    let products = world.sim.requests_to("/v1/products");
    let second = world.backfill(&["customer", "product"]).await;
    assert_eq!((second.run_id, second.status), (first.run_id, RunStatus::Complete));
    assert_eq!(ended(&second, "customers").1, 900);
    assert_eq!(world.ids("customers").await.len(), 900);
    assert_eq!(
        world.sim.requests_to("/v1/products"),
        products,
        "a complete stream is not read again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_stream_that_returns_400_after_it_had_rows_fails() {
    let account = Account::builder(9).objects("customer", 20).build().expect("an account");
    let world = World::new(account).await;
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
    world.sim.fail_times("/v1/customers", 1, 1_000, Fault::Status(400));
    let report = world.backfill(&["customer"]).await;
    assert_eq!(ended(&report, "customers").0, "failed");
    assert_eq!(world.ids("customers").await.len(), 20, "no row must be lost");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_stream_that_returns_400_is_never_skipped() {
    let account = Account::builder(13).objects("product", 20).build().expect("an account");
    let unavailable = vec!["/v1/customers".into(), "/v1/issuing/".into()];
    let world = World::with(account, SimOptions { unavailable, ..SimOptions::default() }).await;
    let report = world.backfill(&["customer", "issuing.card", "product"]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    let (status, _, message) = ended(&report, "customers");
    assert_eq!(status, "failed");
    assert!(message.contains("status 400 for GET /v1/customers"), "{message}");
    assert_eq!(ended(&report, "issuing_cards").0, "skipped");
    assert_eq!(ended(&report, "products").0, "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_only_unavailable_streams_fails() {
    let account = Account::builder(10).small().build().expect("an account");
    let options = SimOptions { unavailable: vec!["/v1/issuing/".into()], ..SimOptions::default() };
    let world = World::with(account, options).await;
    let report = world.backfill(&["issuing.card"]).await;
    assert_eq!(report.status, RunStatus::Failed);
}

#[tokio::test(flavor = "multi_thread")]
async fn has_more_without_rows_fails_and_does_not_loop() {
    let account = Account::builder(11).objects("customer", 300).build().expect("an account");
    let world = World::new(account).await;
    world.sim.fail_times("/v1/customers", 2, 1_000, Fault::EmptyWithMore);
    let report = world.backfill(&["customer"]).await;
    let (status, _, message) = ended(&report, "customers");
    assert_eq!(status, "failed");
    assert!(message.contains("has_more"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_is_an_error_before_the_database_is_changed() {
    let account = Account::builder(12).small().build().expect("an account");
    let mut world = World::new(account).await;
    world.config.key = Some(
        stripe_sync::ApiKey::parse("sk_test_51wrongwrongwrongwrong").expect("a well-formed key"),
    );
    let error = world.engine().await.backfill(&Default::default()).await.expect_err("an error");
    assert_eq!(error.kind(), ErrorKind::Access, "{error}");
    assert!(!format!("{error:?}{error}").contains("wrongwrong"));
    let schema = world.text("select to_regnamespace('stripe')::text").await;
    assert_eq!(schema, "(null)");
}

/// Stripe has retired a list, or the account no longer uses a product.
#[tokio::test(flavor = "multi_thread")]
async fn a_retired_list_is_reported_as_gone_once() {
    let account = Account::builder(97).objects("issuing.card", 3).build().expect("an account");
    let world = World::new(account).await;
    assert_eq!(world.backfill(&["issuing.card"]).await.status, RunStatus::Complete);
    world.sim.fail_times("/v1/issuing/cards", 1, 1_000, Fault::Status(404));
    let report = world.backfill(&["issuing.card", "customer"]).await;
    let (status, _, message) = ended(&report, "issuing_cards");
    assert!(
        status == "gone" && message.contains("an earlier run could read this list"),
        "{status}: {message}"
    );
    assert_eq!(report.status, RunStatus::Incomplete);
    let next = world.backfill(&["issuing.card", "customer"]).await;
    assert_ne!(next.run_id, report.run_id, "the first run has ended");
    assert_eq!(ended(&next, "issuing_cards").0, "skipped");
    assert_eq!(next.status, RunStatus::Complete);
    assert_eq!(world.ids("issuing_cards").await.len(), 3, "the rows must be kept");
}
