//! Commands that are killed or interrupted. The same command resumes, and the copy is exact.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, Sim, SimOptions};

use crate::support::{Cli, CommandOutput, wait_for_requests};

const ARGS: [&str; 5] = ["backfill", "--object", "customer", "--max-rps", "none"];
const PATH: &str = "/v1/customers";

async fn slow_sim(latency: Duration) -> Sim {
    let account = Account::builder(3).objects("customer", 4_000).build().expect("an account");
    let options = SimOptions { latency, ..SimOptions::default() };
    Sim::start(account, options).await.expect("a simulator")
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("our own child");
}

fn wait(child: Child) -> CommandOutput {
    CommandOutput::from(child.wait_with_output().expect("an end"))
}

/// Runs the command again to its end and checks that the table contains exactly Stripe's customers.
fn assert_resumes(cli: &Cli, sim: &Sim, schema: &str) {
    let again = cli.run(&ARGS);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("resuming run 1, started "), "{}", again.stderr);
    assert!(again.stdout.contains("complete: 4,000 rows; this command took"), "{}", again.stdout);
    let expected: BTreeSet<String> = sim.account().ids("customer").collect();
    assert_eq!(cli.ids(schema, "customers"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_resumes_where_it_stopped() {
    let sim = slow_sim(Duration::from_millis(40)).await;
    let cli = Cli::with_both(&sim, "killed").await;
    let mut child = cli.start(&ARGS);
    wait_for_requests(&sim, PATH, 8).await;
    child.kill().expect("our own child");
    assert_eq!(wait(child).code, None);
    assert_resumes(&cli, &sim, "killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signal_finishes_the_pages_in_flight() {
    for (schema, by) in
        [("interrupted", Signal::INT), ("terminated", Signal::TERM), ("hung_up", Signal::HUP)]
    {
        let sim = slow_sim(Duration::from_millis(40)).await;
        let cli = Cli::with_both(&sim, schema).await;
        let child = cli.start_with_default_hangup(&ARGS);
        wait_for_requests(&sim, PATH, 8).await;
        signal(&child, by);
        let output = wait(child);
        assert_eq!(output.code, Some(130), "{}", output.stderr);
        assert_eq!(
            output.messages(),
            "finishing the pages in flight; press Ctrl-C again to stop immediately\n"
        );
        assert!(output.stdout.contains("interrupted: "), "{}", output.stdout);
        assert!(
            output.stdout.contains("run the same command again to resume"),
            "{}",
            output.stdout
        );
        assert_resumes(&cli, &sim, schema);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_signals_stop_immediately() {
    let sim = slow_sim(Duration::from_secs(5)).await;
    let cli = Cli::with_both(&sim, "impatient").await;
    let mut child = cli.start(&[&ARGS[..], &["-q"]].concat());
    wait_for_requests(&sim, PATH, 1).await;
    let started = Instant::now();
    signal(&child, Signal::INT);
    let mut stderr = String::new();
    BufReader::new(child.stderr.as_mut().expect("stderr")).read_line(&mut stderr).expect("a line");
    assert!(stderr.starts_with("finishing the pages in flight"), "{stderr}");
    signal(&child, Signal::INT);
    let output = wait(child);
    assert_eq!((output.code, output.stdout.as_str()), (Some(130), ""));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signal_stops_immediately_before_any_page_is_in_flight() {
    let sim = slow_sim(Duration::from_secs(5)).await;
    let cli = Cli::with_sim(&sim);
    let child = cli.start(&ARGS);
    wait_for_requests(&sim, "/v1/account", 1).await;
    let started = Instant::now();
    signal(&child, Signal::INT);
    let output = wait(child);
    assert_eq!((output.code, output.stderr.as_str()), (Some(130), "error: interrupted\n"));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_reaches_its_deadline_stops_and_the_same_command_resumes() {
    let sim = slow_sim(Duration::from_millis(300)).await;
    let cli = Cli::with_both(&sim, "deadline").await;
    let args = [&ARGS[..], &["--deadline", "3s"]].concat();
    let output = cli.run(&args);
    assert_eq!(output.code, Some(75), "{}{}", output.stdout, output.stderr);
    assert_eq!(output.messages(), "the deadline of 3s has passed; finishing the pages in flight\n");
    assert!(output.stdout.contains("interrupted: "), "{}", output.stdout);
    assert_resumes(&cli, &sim, "deadline");
    // A run that finishes in time is not affected.
    let output = cli.run(&[&ARGS[..], &["--deadline", "1h30m"]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_that_passes_before_the_run_begins_ends_the_command() {
    let sim = slow_sim(Duration::from_secs(20)).await;
    let cli = Cli::with_sim(&sim);
    let started = Instant::now();
    let output = cli.run(&["backfill", "--object", "customer", "--deadline", "500ms"]);
    assert_eq!(output.code, Some(75), "{}", output.stderr);
    assert_eq!(
        output.stderr,
        "error: the deadline of 500ms passed before the run started\n  hint: run the same command \
         again, with a longer --deadline if this repeats\n"
    );
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn an_invalid_deadline_is_a_usage_error() {
    for text in ["0s", "-5m", "soon", "14", ""] {
        let output = Cli::new().env("STRIPE_SECRET_KEY", "sk_test_1234567890").run(&[
            "backfill",
            "--deadline",
            text,
        ]);
        assert_eq!(output.code, Some(2), "{text}: {}", output.stderr);
        assert!(output.stderr.contains("give a duration, such as 14m"), "{}", output.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_that_the_caller_ignores_does_not_stop_the_run() {
    let sim = slow_sim(Duration::from_millis(40)).await;
    let cli = Cli::with_both(&sim, "nohup").await;
    let child = cli.start_ignoring_hangup(&ARGS);
    wait_for_requests(&sim, PATH, 8).await;
    signal(&child, Signal::HUP);
    let output = wait(child);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let expected: BTreeSet<String> = sim.account().ids("customer").collect();
    assert_eq!(cli.ids("nohup", "customers"), expected);
}
