//! Keys: authentication schemes, restricted and revoked keys, and products that are not enabled.

use stripe_sim::{Account, ApiKey, SimOptions};

use crate::client::{get, get_with, http, start};

#[tokio::test]
async fn keys_are_checked_and_errors_name_the_missing_permission() {
    let restricted = ApiKey::new("rk_test_restricted_key")
        .deny(["subscription", "checkout.session"])
        .deny_account();
    let keys = vec![ApiKey::new("sk_test_full"), restricted, ApiKey::new("sk_test_gone").revoke()];
    let sim =
        start(Account::builder(1).small(), SimOptions { keys, ..SimOptions::default() }).await;
    let basic = http()
        .get(format!("{}/v1/customers", sim.base_url()))
        .basic_auth("sk_test_full", Some(""))
        .send();
    assert_eq!(basic.await.unwrap().status(), 200);
    let none = http().get(format!("{}/v1/customers", sim.base_url())).send().await.unwrap();
    assert_eq!(none.status(), 401);
    for (key, code) in [("sk_test_wrong", None), ("sk_test_gone", Some("api_key_expired"))] {
        let answer = get_with(&sim, "/v1/customers", key).await.unwrap();
        assert_eq!(answer.status, 401);
        assert_eq!(answer.error()["code"].as_str(), code);
    }
    let key = "rk_test_restricted_key";
    assert_eq!(get_with(&sim, "/v1/customers", key).await.unwrap().status, 200);
    for (target, permission) in [
        ("/v1/subscriptions", "rak_subscription_read"),
        ("/v1/checkout/sessions", "rak_checkout_session_read"),
        ("/v1/account", "rak_accounts_kyc_basic_read"),
    ] {
        let answer = get_with(&sim, target, key).await.unwrap();
        assert_eq!(answer.status, 403);
        let error = answer.error();
        assert_eq!(error["type"], "invalid_request_error");
        assert!(error.get("code").is_none());
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(&format!("'{permission}'")), "{message}");
        assert!(message.contains(sim.account().id()), "{message}");
        assert!(!message.contains("restricted_key"), "{message}");
    }
    assert_eq!(get_with(&sim, "/v1/accounts", key).await.unwrap().status, 200);
    let own = get(&sim, "/v1/account").await.json();
    assert_eq!(get(&sim, &format!("/v1/accounts/{}", sim.account().id())).await.json(), own);
    assert_eq!(own["id"], sim.account().id());
}

#[tokio::test]
async fn requests_for_products_that_are_not_enabled_get_400_without_code_and_param() {
    let options = SimOptions {
        unavailable: vec!["/v1/issuing/".into(), "/v1/climate/".into()],
        ..SimOptions::default()
    };
    let sim = start(Account::builder(1).uniform(3), options).await;
    for target in ["/v1/issuing/cards", "/v1/climate/orders?limit=3"] {
        let answer = get(&sim, target).await;
        assert_eq!(answer.status, 400);
        let error = answer.error();
        assert_eq!(
            (error["type"].as_str(), error.get("code"), error.get("param")),
            (Some("invalid_request_error"), None, None)
        );
    }
    assert_eq!(get(&sim, "/v1/customers").await.status, 200);
}

#[tokio::test]
async fn keys_ids_and_objects_match_the_mode_of_the_account() {
    let live = start(Account::builder(1).small().livemode(true), SimOptions::default()).await;
    let test = start(Account::builder(1).small(), SimOptions::default()).await;
    assert!(live.key().starts_with("sk_live_") && test.key().starts_with("sk_test_"));
    assert_eq!(live.account().id(), test.account().id(), "the id is the same in both modes");
    assert_eq!(get(&live, "/v1/customers").await.json()["data"][0]["livemode"], true);
    assert!(live.account().ids("checkout.session").all(|id| id.starts_with("cs_live_")));
    assert!(test.account().ids("checkout.session").all(|id| id.starts_with("cs_test_")));
}
