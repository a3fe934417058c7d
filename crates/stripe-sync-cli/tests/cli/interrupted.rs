//! Killed, interrupted, terminated: the same command goes on, and the copy is exact.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, Sim, SimOptions};

use crate::support::{Cli, Ran, requests_to};

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

fn end(child: Child) -> Ran {
    Ran::from(child.wait_with_output().expect("an end"))
}

/// The command again, to its end: exactly Stripe's customers.
fn goes_on(cli: &Cli, sim: &Sim, schema: &str) {
    let again = cli.run(&ARGS);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(again.stderr.contains("continuing run 1, begun "), "{}", again.stderr);
    assert!(again.stdout.contains("complete: 4,000 rows; this command took"), "{}", again.stdout);
    let expected: BTreeSet<String> = sim.account().ids("customer").collect();
    assert_eq!(cli.ids(schema, "customers"), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle() {
    let sim = slow_sim(Duration::from_millis(40)).await;
    let cli = Cli::with_both(&sim, "killed").await;
    let mut child = cli.start(&ARGS);
    requests_to(&sim, PATH, 8).await;
    child.kill().expect("our own child");
    assert_eq!(end(child).code, None);
    goes_on(&cli, &sim, "killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signal_finishes_what_is_in_flight() {
    for (schema, by) in [("interrupted", Signal::INT), ("terminated", Signal::TERM)] {
        let sim = slow_sim(Duration::from_millis(40)).await;
        let cli = Cli::with_both(&sim, schema).await;
        let child = cli.start(&ARGS);
        requests_to(&sim, PATH, 8).await;
        signal(&child, by);
        let ran = end(child);
        assert_eq!(ran.code, Some(130), "{}", ran.stderr);
        assert_eq!(
            ran.stderr,
            "finishing the pages in flight; press Ctrl-C again to stop at once\n"
        );
        assert!(ran.stdout.contains("interrupted: "), "{}", ran.stdout);
        assert!(ran.stdout.contains("the same command goes on from here"), "{}", ran.stdout);
        goes_on(&cli, &sim, schema);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_signals_leave_at_once() {
    let sim = slow_sim(Duration::from_secs(5)).await;
    let cli = Cli::with_both(&sim, "impatient").await;
    let mut child = cli.start(&[&ARGS[..], &["-q"]].concat());
    requests_to(&sim, PATH, 1).await;
    let begun = Instant::now();
    signal(&child, Signal::INT);
    let mut said = String::new();
    BufReader::new(child.stderr.as_mut().expect("stderr")).read_line(&mut said).expect("a line");
    assert!(said.starts_with("finishing the pages in flight"), "{said}");
    signal(&child, Signal::INT);
    let ran = end(child);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anything_is_in_flight_one_signal_is_enough() {
    let sim = slow_sim(Duration::from_secs(5)).await;
    let cli = Cli::with_sim(&sim);
    let child = cli.start(&ARGS);
    requests_to(&sim, "/v1/account", 1).await;
    let begun = Instant::now();
    signal(&child, Signal::INT);
    let ran = end(child);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(130), "error: interrupted\n"));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
}
