//! Without `DATABASE_URL`, a private PostgreSQL in a directory chosen by the user is used.

use std::time::Duration;

use stripe_sim::{Account, Sim, SimOptions};

use crate::support::{Cli, small_sim, wait_for_requests};

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_needs_no_database_url() {
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim);
    let dir = cli.home().join("a directory");
    let dir = dir.to_str().expect("UTF-8");

    let early = cli.run(&["query", "select 1", "--data-dir", dir]);
    assert_eq!(early.code, Some(1));
    assert!(early.stderr.contains("there is no private PostgreSQL in"), "{}", early.stderr);
    let early = cli.run(&["status", "--data-dir", dir]);
    assert!(early.stdout.starts_with("nothing has been copied into schema stripe yet"));
    assert!(!cli.home().join("a directory").exists(), "nothing is created");

    let args = ["backfill", "--object", "customer", "--max-rps", "none", "--data-dir", dir];
    let first = cli.run(&args);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    assert_eq!(first.stderr.lines().count(), 2, "{}", first.stderr);
    assert!(
        first.stderr.contains(dir) && first.stderr.contains("psql 'postgresql:///stripe?host=")
    );
    let again = cli.run(&args);
    assert_eq!((again.code, again.messages()), (Some(0), ""));

    // The variable has the same effect as the option.
    let cli = cli.env("STRIPE_SYNC_DATA", dir);
    assert_eq!(cli.ids("stripe", "customers").len() as u64, sim.account().count("customer"));
    assert!(
        !cli.home().join("a directory/cluster/postmaster.pid").exists(),
        "the last command stops the server"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_stops_after_its_last_user_was_killed() {
    let account = Account::builder(3).objects("customer", 4_000).build().expect("an account");
    let options = SimOptions { latency: Duration::from_millis(200), ..SimOptions::default() };
    let sim = Sim::start(account, options).await.expect("a simulator");
    let cli = Cli::with_sim(&sim);
    let args = ["backfill", "--object", "customer", "--data-dir", "data"];
    let mut child = cli.start(&args);
    wait_for_requests(&sim, "/v1/customers", 2).await;
    let pid_file = cli.home().join("data/cluster/postmaster.pid");
    assert!(pid_file.exists());
    child.kill().expect("our own child");
    child.wait().expect("an end");
    let stopped = async {
        while pid_file.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let limit = Duration::from_secs(120);
    tokio::time::timeout(limit, stopped).await.expect("the server to stop");
    let again = cli.run(&args);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("resuming run 1"), "{}", again.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_does_not_write_into_a_directory_with_files() {
    let cli = Cli::new();
    std::fs::write(cli.home().join("something"), "").expect("a file");
    let dir = cli.home().to_str().expect("UTF-8");
    let output = cli.run(&["demo", "--keep", dir]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("is not a new or empty directory"), "{}", output.stderr);
}
