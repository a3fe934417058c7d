//! `status` while a run is under way, and after its process was killed: who reads how many slices,
//! what is waited for, and what to do.

use std::time::{Duration, Instant};

use serde_json::Value;
use stripe_sim::{Account, Fault, Sim, SimOptions};

use crate::support::{Cli, requests_to};

const ARGS: [&str; 5] = ["backfill", "--object", "customer,product", "--max-rps", "none"];

async fn sim(latency: Duration) -> Sim {
    let account = Account::builder(3).objects("customer", 4_000).objects("product", 20);
    let account = account.build().expect("an account");
    Sim::start(account, SimOptions { latency, ..SimOptions::default() }).await.expect("a simulator")
}

/// Asks for the status until it tells what is looked for.
async fn until(cli: &Cli, found: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let ran = cli.run(&["status", "--output", "json"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let status = ran.json();
        if found(&status["runs"][0]) {
            return status["runs"][0].clone();
        }
        assert!(Instant::now() < deadline, "{status}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_and_who_was_killed() {
    let sim = sim(Duration::from_millis(100)).await;
    let cli = Cli::with_both(&sim, "under_way").await;
    let mut child = cli.start(&ARGS);
    let pid = child.id().to_string();
    requests_to(&sim, "/v1/customers", 4).await;
    let run = until(&cli, |run| {
        run["processes"][0]["state"] == "alive" && run["streams"]["customers"]["is_held"] == true
    })
    .await;
    assert_eq!(run["processes"][0]["pid"], pid.as_str());
    assert!(run["processes"][0]["slices"].as_i64() >= Some(1), "{run}");
    assert_eq!(run["status"], "running");
    child.kill().expect("our own child");
    child.wait().expect("its end");

    let _masked = crate::support::masked();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(
        r"process \d+ on \S+ is gone and left \d+ slices?",
        "process [pid] on [host] is gone and left [n] slices",
    );
    settings.add_filter(r"(customers|products) +[\d,]+ +[\d,]+ +\[n\] +(\w+)", "$1 [numbers] $2");
    settings.add_filter(r"acct_\w+", "acct_[id]");
    settings.add_filter(
        r"stream +rows +requests +slices +status",
        "stream rows requests slices status",
    );
    let _more = settings.bind_to_scope();
    insta::assert_snapshot!(cli.run(&["status"]).stdout);
    let ran = cli.run(&ARGS);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let status = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(status["runs"][0]["processes"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_waited_for() {
    let sim = sim(Duration::ZERO).await;
    sim.fail_times("/v1/customers", 3, 1_000_000, Fault::Status(503));
    let cli = Cli::with_both(&sim, "waiting").await;
    let mut child = cli.start(&ARGS);
    let run = until(&cli, |run| run["processes"][0]["waits_for"].is_string()).await;
    assert_eq!(run["processes"][0]["waits_for"], "Stripe to answer a request that failed");
    let text = cli.run(&["status"]).stdout;
    assert!(text.contains(" and waits for Stripe to answer a request that failed\n"), "{text}");
    child.kill().expect("our own child");
    child.wait().expect("its end");
    // A dead process waits for nothing.
    let text = cli.run(&["status"]).stdout;
    assert!(!text.contains("waits for Stripe"), "{text}");
    assert!(text.contains("nobody reads this run; the same command goes on with it\n"), "{text}");
}
