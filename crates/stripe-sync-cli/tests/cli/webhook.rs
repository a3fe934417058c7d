//! `stripe-sync webhook`: endpoints in Stripe, without a database.

use serde_json::{Value, json};
use stripe_sim::{Account, ApiKey, Fault, Sim, SimOptions};

use crate::support::Cli;

const URL: &str = "https://example.com/webhooks";
const LIST: &str = "/v1/webhook_endpoints";

async fn sim(key: ApiKey) -> Sim {
    let account = Account::builder(9).objects("webhook_endpoint", 0).build().expect("an account");
    let options = SimOptions { keys: vec![key], ..SimOptions::default() };
    Sim::start(account, options).await.expect("a simulator")
}

async fn test_sim() -> Sim {
    sim(ApiKey::new("sk_test_SeCrEtSeCrEt")).await
}

/// The endpoints as Stripe returns them.
fn endpoints(sim: &Sim) -> Vec<Value> {
    let account = sim.account();
    let json = |id: String| account.object_json("webhook_endpoint", &id).expect("an endpoint");
    let ids = account.ids("webhook_endpoint");
    ids.map(|id| serde_json::from_str(&json(id)).expect("JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_created_once_and_its_secret_is_printed_once() {
    let sim = test_sim().await;
    let cli = Cli::with_sim(&sim);
    let created = cli.run(&["webhook", "create", "--url", URL]);
    assert_eq!(created.code, Some(0), "{}", created.stderr);
    let secret = created.stdout.lines().find_map(|line| line.strip_prefix("secret    "));
    assert!(secret.is_some_and(|secret| secret.starts_with("whsec_")), "{}", created.stdout);
    assert_eq!(created.stdout.matches("whsec_").count(), 1, "{}", created.stdout);
    assert!(!created.stderr.contains("whsec_") && created.stderr.contains("only once"));

    let [endpoint] = &endpoints(&sim)[..] else { panic!("one endpoint") };
    assert_eq!(endpoint["api_version"], stripe_sync::api_version());
    assert_eq!(endpoint["enabled_events"], json!(stripe_sync::event_types()));

    let again = cli.run(&["webhook", "create", "--url", URL, "--output", "json"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    let again = again.json();
    assert_eq!(
        (&again["id"], &again["change"], &again["secret"]),
        (&endpoint["id"], &json!("unchanged"), &Value::Null)
    );
    // Nothing is stored: no private database was started.
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incomplete_endpoint_of_the_url_is_completed() {
    let sim = test_sim().await;
    let version = stripe_sync::api_version();
    let insert = |url: &str, version: &str| {
        let endpoint = json!({"url": url, "status": "disabled", "api_version": version,
            "enabled_events": ["charge.updated", "invoice.upcoming"]});
        sim.account().insert("webhook_endpoint", endpoint).expect("inserted")
    };
    let id = insert(URL, version);
    let cli = Cli::with_sim(&sim);
    let output = cli.run(&["webhook", "create", "--url", URL, "--output", "json"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let updated = output.json();
    assert_eq!((&updated["id"], &updated["change"]), (&json!(id), &json!("updated")));
    assert_eq!((&updated["status"], &updated["missing_events"]), (&json!("enabled"), &json!([])));
    // Types that the user has enabled stay.
    let events = updated["enabled_events"].as_array().expect("an array");
    assert!(events.contains(&json!("invoice.upcoming")));
    assert_eq!(events.len(), stripe_sync::event_types().len() + 1);

    let other = insert("https://example.com/other", "2020-08-27");
    let output = cli.run(&["webhook", "create", "--url", "https://example.com/other"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    assert!(output.stderr.contains(&format!("stripe-sync webhook delete {other}")));
}

/// The response is lost after Stripe has created the endpoint. The retry creates no second one.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_response_creates_no_second_endpoint() {
    let sim = test_sim().await;
    // The first request lists the endpoints.
    sim.fail_nth(LIST, 2, Fault::Reset);
    let cli = Cli::with_sim(&sim);
    let created = cli.run(&["webhook", "create", "--url", URL, "--output", "json"]);
    assert_eq!(created.code, Some(0), "{}", created.stderr);
    let created = created.json();
    assert!(created["secret"].is_string());
    assert_eq!(endpoints(&sim).len(), 1);

    let id = created["id"].as_str().expect("an id");
    sim.fail_nth(&format!("{LIST}/{id}"), 1, Fault::Reset);
    let deleted = cli.run(&["webhook", "delete", id]);
    assert_eq!(deleted.code, Some(0), "{}", deleted.stderr);
    assert_eq!(endpoints(&sim).len(), 0);
    let again = cli.run(&["webhook", "delete", id]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("stripe-sync webhook list"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_endpoints_is_named() {
    let sim = test_sim().await;
    for number in 0..16 {
        let url = format!("https://example.com/{number}");
        sim.account().add_webhook_endpoint(&url).expect("created");
    }
    let cli = Cli::with_sim(&sim);
    let output = cli.run(&["webhook", "create", "--url", URL]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    for text in ["16 webhook endpoints", "webhook list", "webhook delete"] {
        assert!(output.stderr.contains(text), "{}", output.stderr);
    }
    let listed = cli.run(&["webhook", "list", "--output", "json"]).json();
    assert_eq!(listed["endpoints"].as_array().map(Vec::len), Some(16));
    let listed = cli.run(&["webhook", "list"]).stdout;
    assert!(listed.contains("https://example.com/7") && listed.contains("all types"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named() {
    for key in [
        ApiKey::new("rk_test_SeCrEtSeCrEt").deny(["webhook_endpoint"]),
        ApiKey::new("rk_test_SeCrEtSeCrEt").deny_write(["webhook_endpoint"]),
    ] {
        let sim = sim(key).await;
        let output = Cli::with_sim(&sim).run(&["webhook", "create", "--url", URL]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
        assert!(output.stderr.contains("the key lacks the permission rak_webhook_endpoint_"));
        assert!(output.stderr.contains("Webhook Endpoints: Write"), "{}", output.stderr);
        assert!(!output.stderr.contains("SeCrEt"), "{}", output.stderr);
        assert_eq!(endpoints(&sim).len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_url_that_stripe_cannot_reach_is_a_usage_error() {
    for (key, url, expected) in [
        ("sk_live_SeCrEtSeCrEt", "http://example.com/SeCrEt", "delivers only to https"),
        ("sk_test_SeCrEtSeCrEt", "example.com/SeCrEt", "not an http(s) URL"),
        ("sk_test_SeCrEtSeCrEt", "http://localhost:3000/SeCrEt", "stripe-sync follow"),
        ("sk_test_SeCrEtSeCrEt", "https://u:SeCrEt@example.com", "user name or password"),
    ] {
        let cli = Cli::new().env("STRIPE_SECRET_KEY", key);
        let output = cli.run(&["webhook", "create", "--url", url]);
        assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""), "{}", output.stderr);
        assert!(output.stderr.contains(expected), "{}", output.stderr);
        assert!(output.stderr.contains("hint") && !output.stderr.contains("SeCrEt"));
    }
    let sim = test_sim().await;
    let output = Cli::with_sim(&sim).run(&["webhook", "delete", "cus_1"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    // Stripe rejects other URLs.
    sim.fail_nth(LIST, 2, Fault::Status(400));
    let output = Cli::with_sim(&sim).run(&["webhook", "create", "--url", URL]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("POST /v1/webhook_endpoints"), "{}", output.stderr);
}
