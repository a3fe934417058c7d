//! Responses: headers, errors and expansions.

use serde_json::Value;
use stripe_sim::{Account, CustomIds, SimOptions};

use crate::client::{customers, get, http, start};

#[tokio::test]
async fn every_response_has_stripes_headers_and_is_compressed_on_request() {
    let sim = customers(SimOptions::default()).await;
    sim.account().set_clock(784_111_777);
    for target in ["/v1/customers", "/v1/nothing"] {
        let answer = get(&sim, target).await;
        assert!(answer.header("request-id").unwrap().starts_with("req_"));
        assert_eq!(answer.header("date"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!(answer.header("stripe-version"), Some("2026-07-29.dahlia"));
    }
    let plain = http()
        .get(format!("{}/v1/customers", sim.base_url()))
        .bearer_auth(sim.key())
        .header("accept-encoding", "identity")
        .header("stripe-version", "2020-08-27")
        .send()
        .await
        .unwrap();
    let length = plain.content_length().unwrap();
    assert_eq!(plain.text().await.unwrap().len() as u64, length);
    let client = reqwest::Client::builder().no_proxy().gzip(false).build().unwrap();
    let compressed = client
        .get(format!("{}/v1/customers", sim.base_url()))
        .bearer_auth(sim.key())
        .header("accept-encoding", "br, gzip")
        .send()
        .await
        .unwrap();
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    assert!(compressed.content_length().unwrap() < length / 2);
    assert!(sim.client_headers().versions.contains("2020-08-27"));
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_stripes_errors() {
    let account = Account::builder(1).objects("customer", 30).objects("subscription", 5);
    let sim = start(account, SimOptions::default()).await;
    let id = sim.account().ids("customer").next().unwrap();
    let both = format!("/v1/customers?starting_after={id}&ending_before={id}");
    let outside = format!("/v1/customers?starting_after={id}&created[lt]=5");
    // target, status, code, param
    let cases: &[(&str, u16, Option<&str>, Option<&str>)] = &[
        ("/v1/customers?limit=0", 400, Some("parameter_invalid_integer"), Some("limit")),
        ("/v1/customers?limit=101", 400, Some("parameter_invalid_integer"), Some("limit")),
        ("/v1/customers?limit=x", 400, Some("parameter_invalid_integer"), Some("limit")),
        (
            "/v1/customers?created[gte]=1.5",
            400,
            Some("parameter_invalid_integer"),
            Some("created[gte]"),
        ),
        ("/v1/customers?created[from]=1", 400, Some("parameter_unknown"), Some("created[from]")),
        ("/v1/customers?foo=1", 400, Some("parameter_unknown"), Some("foo")),
        (
            "/v1/payment_methods?created[gte]=1",
            400,
            Some("parameter_unknown"),
            Some("created[gte]"),
        ),
        ("/v1/reporting/report_types?limit=1", 400, Some("parameter_unknown"), Some("limit")),
        ("/v1/customers?email=", 400, Some("parameter_invalid_empty"), Some("email")),
        (
            "/v1/customers?starting_after=cus_nope",
            400,
            Some("resource_missing"),
            Some("starting_after"),
        ),
        (
            "/v1/customers?ending_before=cus_nope",
            400,
            Some("resource_missing"),
            Some("ending_before"),
        ),
        (&both, 400, None, Some("ending_before")),
        (&outside, 400, Some("resource_missing"), Some("starting_after")),
        ("/v1/subscriptions?status=sleeping", 400, None, Some("status")),
        ("/v1/subscription_items", 400, Some("parameter_missing"), Some("subscription")),
        (
            "/v1/customers?expand[]=data.a.b.c.d",
            400,
            Some("property_expansion_max_depth"),
            Some("expand"),
        ),
        ("/v1/customers?expand[]=subscriptions", 400, None, Some("expand")),
        ("/v1/customers/cus_nope", 404, Some("resource_missing"), Some("id")),
        ("/v1/invoices/in_nope/lines", 404, Some("resource_missing"), Some("invoice")),
        ("/v1/nothing", 404, None, None),
        ("/v1/billing/credit_balance_transactions", 400, None, None),
    ];
    for (target, status, code, param) in cases {
        let answer = get(&sim, target).await;
        assert_eq!(answer.status, *status, "{target}: {}", answer.text);
        let error = answer.error();
        assert_eq!(error["type"], "invalid_request_error", "{target}");
        assert_eq!((error["code"].as_str(), error["param"].as_str()), (*code, *param), "{target}");
    }
    let unknown = get(&sim, "/v1/customers?starting_after=cus_nope").await;
    assert_eq!(unknown.error()["message"], "No such customer: 'cus_nope'");
    let write = http()
        .post(format!("{}/v1/customers", sim.base_url()))
        .bearer_auth(sim.key())
        .body("name=x")
        .send();
    assert_eq!(write.await.unwrap().status(), 405);
}

#[tokio::test]
async fn an_expansion_replaces_an_id_with_its_object() {
    let account = Account::builder(2)
        .objects("customer", 10)
        .objects("product", 3)
        .objects("price", 8)
        .objects("subscription", 20)
        .objects("payment_intent", 20)
        .objects("charge", 20);
    let sim = start(account, SimOptions::default()).await;
    let page = get(
        &sim,
        "/v1/charges?limit=5&expand[]=data.payment_intent.customer&expand%5B%5D=data.refunds",
    )
    .await
    .json();
    let charge = &page["data"][0];
    assert_eq!(charge["payment_intent"]["object"], "payment_intent");
    assert_eq!(charge["payment_intent"]["customer"]["object"], "customer");
    assert!(charge["customer"].is_string());
    assert_eq!(charge["refunds"]["object"], "list");
    let plain = get(&sim, "/v1/charges?limit=5").await.json();
    assert!(plain["data"][0].get("refunds").is_none());
    let id = sim.account().ids("subscription").next().unwrap();
    let one = get(
        &sim,
        &format!("/v1/subscriptions/{id}?expand[]=items.data.price.product&expand[0]=customer"),
    )
    .await
    .json();
    assert_eq!(one["items"]["data"][0]["price"]["product"]["object"], "product");
    assert_eq!(one["customer"]["object"], "customer");
    let customer = one["customer"]["id"].as_str().unwrap();
    let whole = get(&sim, &format!("/v1/customers/{customer}?expand[]=subscriptions")).await.json();
    let listed = get(&sim, &format!("/v1/subscriptions?customer={customer}")).await.ids();
    let embedded: Vec<&str> = whole["subscriptions"]["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    assert_eq!(embedded, listed);
}

#[tokio::test]
async fn objects_can_be_retrieved_by_ids_with_any_characters() {
    let account = Account::builder(4)
        .objects("product", 40)
        .objects("price", 40)
        .objects("plan", 30)
        .objects("coupon", 40);
    let sim = start(account.custom_ids(CustomIds::Hostile), SimOptions::default()).await;
    let mut hostile = 0;
    for (object, path) in
        [("product", "/v1/products"), ("plan", "/v1/plans"), ("coupon", "/v1/coupons")]
    {
        for id in sim.account().ids(object) {
            let escaped: String = id.bytes().map(|b| format!("%{b:02X}")).collect();
            let answer = get(&sim, &format!("{path}/{escaped}")).await;
            assert_eq!(answer.json()["id"], id.as_str());
            hostile += u32::from(!id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        }
    }
    assert!(hostile > 30, "{hostile}");
    let plan = sim.account().ids("plan").next().unwrap();
    assert!(
        sim.account().object_json("price", &plan).is_some(),
        "the id of a plan must be the id of a price"
    );
}

#[tokio::test]
async fn every_object_is_valid_json_with_its_type_id_and_mode() {
    let sim = start(Account::builder(6).uniform(12), SimOptions::default()).await;
    for object in stripe_sim::listable_objects() {
        for id in sim.account().ids(object) {
            let text = sim.account().object_json(object, &id).unwrap();
            let value: Value =
                serde_json::from_str(&text).unwrap_or_else(|e| panic!("{object}: {e}: {text}"));
            assert_eq!(value["object"], object);
            assert_eq!(value["id"], id.as_str());
            if let Some(mode) = value.get("livemode") {
                assert_eq!(mode, false);
            }
        }
    }
}
