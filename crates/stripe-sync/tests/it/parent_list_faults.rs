//! Rejections and changes while payment methods are read from the lists of their customers.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use stripe_sync::RunStatus;

use crate::scripted_stripe::{Answer, ReceivedRequest, ScriptedStripe, error, list, ok, page_of};
use crate::world::ended;

/// Stripe's own list of payment methods, and the customers' lists.
const OWN: &str = "/v1/payment_methods";
const OF_CUSTOMER: &str = "/v1/customers/cus_a/payment_methods";

/// An account with one customer, in an API version with which the own list omits payment methods.
async fn serve(
    answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> ScriptedStripe {
    let customer = json!({"id": "cus_a", "object": "customer", "created": 1_700_000_000});
    let mut server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/customers" => ok(page_of(std::slice::from_ref(&customer), asked)),
        "/v1/events" => ok(list(&[], false)),
        _ => answer(asked),
    })
    .await;
    server.config.api_version = Some("2020-08-27".to_owned());
    server
}

fn methods(ids: impl IntoIterator<Item = usize>) -> Vec<Value> {
    let method =
        |i| json!({"id": format!("pm_{i}"), "object": "payment_method", "customer": "cus_a"});
    ids.into_iter().map(method).collect()
}

fn rejected(status: u16, code: &str, param: &str) -> Answer {
    let error = json!({"type": "invalid_request_error", "code": code, "param": param,
                       "message": "Not this one."});
    (status, json!({ "error": error }).to_string())
}

async fn stored(server: &ScriptedStripe) -> BTreeSet<String> {
    let rows = server.sql.query("select id from stripe.payment_methods", &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

fn ids(ids: impl IntoIterator<Item = usize>) -> BTreeSet<String> {
    ids.into_iter().map(|i| format!("pm_{i}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejection_that_does_not_concern_the_customer_fails_the_stream() {
    for own in [error(400, "Not now."), rejected(400, "parameter_invalid", "limit")] {
        let server = serve(move |asked| match asked.path.as_str() {
            OWN => own.clone(),
            _ => ok(page_of(&methods(0..1), asked)),
        })
        .await;
        let report = server.backfill("payment_method").await;
        assert_eq!(ended(&report, "payment_methods").0, "failed", "{:?}", report.streams);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_lists_are_read_if_a_part_of_the_own_list_is_rejected() {
    let server = serve(|asked| match (asked.path.as_str(), asked.get("type")) {
        (OWN, Some(_)) => rejected(400, "parameter_missing", "customer"),
        // It shows a payment method of a customer.
        (OWN, None) => ok(page_of(&methods(0..1), asked)),
        _ => ok(page_of(&methods(0..2), asked)),
    })
    .await;
    let report = server.backfill("payment_method").await;
    let (status, synced, message) = ended(&report, "payment_methods");
    assert_eq!((status, synced), ("complete", 2), "{message}");
    let note = "also read from the lists of customers: Stripe returned status 400 for GET \
                /v1/payment_methods: ";
    assert!(message.starts_with(note), "{message}");
    assert_eq!(stored(&server).await, ids(0..2));
}

/// The list has worked, so it is not replaced.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_rejected_after_rows_were_read_fails() {
    let first_pages = AtomicUsize::new(0);
    let server = serve(move |asked| match asked.path.as_str() {
        OWN if asked.get("starting_after").is_some() => {
            rejected(404, "resource_missing", "starting_after")
        }
        OWN if first_pages.fetch_add(1, Ordering::Relaxed) == 0 => ok(list(&methods(0..100), true)),
        OWN => rejected(400, "parameter_missing", "customer"),
        _ => ok(page_of(&methods(0..1), asked)),
    })
    .await;
    let report = server.backfill("payment_method").await;
    assert_eq!(ended(&report, "payment_methods").0, "failed", "{:?}", report.streams);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_cursors_are_always_missing_is_not_that_of_a_deleted_customer() {
    let server = serve(|asked| match (asked.path.as_str(), asked.get("starting_after")) {
        (OF_CUSTOMER, None) => ok(list(&methods(0..100), true)),
        (OF_CUSTOMER, Some(_)) => rejected(404, "resource_missing", "starting_after"),
        _ => ok(list(&[], false)),
    })
    .await;
    let report = server.backfill("payment_method").await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    let entry = server.text("select id from stripe._quarantine").await;
    assert_eq!(entry, "payment_methods of cus_a");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_method_that_is_detached_while_its_list_is_read_is_not_stored() {
    let cursors = AtomicUsize::new(0);
    let server = serve(move |asked| match (asked.path.as_str(), asked.get("starting_after")) {
        (OF_CUSTOMER, None) if cursors.load(Ordering::Relaxed) == 0 => {
            ok(page_of(&methods(0..150), asked))
        }
        (OF_CUSTOMER, Some(_)) if cursors.fetch_add(1, Ordering::Relaxed) == 0 => {
            rejected(404, "resource_missing", "starting_after")
        }
        // The last one of the first page was detached.
        (OF_CUSTOMER, _) => ok(page_of(&methods((0..150).filter(|i| *i != 99)), asked)),
        _ => ok(list(&[], false)),
    })
    .await;
    let report = server.backfill("payment_method").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(ended(&report, "payment_methods").1, 149);
    assert_eq!(stored(&server).await, ids((0..150).filter(|i| *i != 99)));
}
