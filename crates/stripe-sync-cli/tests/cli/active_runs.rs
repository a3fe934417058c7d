//! `status` while a run is in progress and after its process was killed: the processes, their
//! slices, their wait reasons, and the advice.

use std::time::{Duration, Instant};

use serde_json::Value;
use stripe_sim::{Account, Fault, Sim, SimOptions};

use crate::support::{Cli, wait_for_requests};

const ARGS: [&str; 5] = ["backfill", "--object", "customer,product", "--max-rps", "none"];

async fn sim(latency: Duration) -> Sim {
    let account = Account::builder(3).objects("customer", 4_000).objects("product", 20);
    let account = account.build().expect("an account");
    Sim::start(account, SimOptions { latency, ..SimOptions::default() }).await.expect("a simulator")
}

/// Runs `status` until its latest run satisfies the condition.
async fn wait_for_status(cli: &Cli, condition: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let output = cli.run(&["status", "--output", "json"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let status = output.json();
        if condition(&status["runs"][0]) {
            return status["runs"][0].clone();
        }
        assert!(Instant::now() < deadline, "{status}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_active_and_dead_processes() {
    let sim = sim(Duration::from_millis(100)).await;
    let cli = Cli::with_both(&sim, "active_runs").await;
    let mut child = cli.start(&ARGS);
    let pid = child.id().to_string();
    wait_for_requests(&sim, "/v1/customers", 4).await;
    let run = wait_for_status(&cli, |run| {
        run["processes"][0]["state"] == "alive" && run["streams"]["customers"]["is_held"] == true
    })
    .await;
    assert_eq!(run["processes"][0]["pid"], pid.as_str());
    assert!(run["processes"][0]["slices"].as_i64() >= Some(1), "{run}");
    assert_eq!(run["status"], "running");
    child.kill().expect("our own child");
    child.wait().expect("its end");

    let _snapshots = crate::support::stable_snapshots();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(
        r"process \d+ on \S+ has exited with \d+ slices? unfinished",
        "process [pid] on [host] has exited with [n] slices unfinished",
    );
    settings.add_filter(r"(customers|products) +[\d,]+ +[\d,]+ +\[n\] +(\w+)", "$1 [numbers] $2");
    settings.add_filter(r"acct_\w+", "acct_[id]");
    settings.add_filter(
        r"stream +rows +requests +slices +status",
        "stream rows requests slices status",
    );
    let _more = settings.bind_to_scope();
    insta::assert_snapshot!(cli.run(&["status"]).stdout);
    let output = cli.run(&ARGS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let status = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(status["runs"][0]["processes"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_shows_the_wait_reason() {
    let sim = sim(Duration::ZERO).await;
    sim.fail_times("/v1/customers", 3, 1_000_000, Fault::Status(503));
    let cli = Cli::with_both(&sim, "waiting").await;
    let mut child = cli.start(&ARGS);
    let run = wait_for_status(&cli, |run| run["processes"][0]["waits_for"].is_string()).await;
    assert_eq!(run["processes"][0]["waits_for"], "the retry of a failed request");
    let text = cli.run(&["status"]).stdout;
    assert!(text.contains(" and waiting for the retry of a failed request\n"), "{text}");
    child.kill().expect("our own child");
    child.wait().expect("its end");
    // A dead process is not waiting.
    let text = cli.run(&["status"]).stdout;
    assert!(!text.contains("waiting for"), "{text}");
    assert!(
        text.contains("no process is working on this run; run the same command to resume it\n"),
        "{text}"
    );
}
