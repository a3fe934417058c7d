//! The exit code of a backfill also says whether the changes made during the run were applied.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, ApiKey, Fault, Sim, SimOptions};

use crate::support::{Cli, CommandOutput, connect, database_url, wait_for_requests};

const ARGS: [&str; 5] = ["backfill", "--object", "customer", "--max-rps", "none"];
const NOT_CURRENT: &str = "complete, except for changes made during the run: 30 rows";

async fn customers(options: SimOptions) -> Sim {
    let builder = Account::builder(8).objects("customer", 30).objects("event", 0);
    Sim::start(builder.build().expect("an account"), options).await.expect("a simulator")
}

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("our own child");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_events_cannot_be_read_is_incomplete() {
    let sim = customers(SimOptions::default()).await;
    sim.fail_times("/v1/events", 1, 1_000, Fault::Status(402));
    let cli = Cli::with_both(&sim, "no_events").await;
    let output = cli.run(&ARGS);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    assert!(output.stdout.contains("events could not be applied: "), "{}", output.stdout);
    assert!(output.stdout.contains(NOT_CURRENT), "{}", output.stdout);
    // The suggested command reaches the same Stripe and the same copy.
    let next = cli.run(&[&ARGS[..], &["--schema", "no_events_2"]].concat());
    let expected = "run: stripe-sync follow --once --schema no_events_2 --max-rps none\n";
    assert!(next.stdout.contains(expected), "{}", next.stdout);
    let output = cli.run(&[&ARGS[..], &["--output", "json"]].concat());
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    let report = output.json();
    assert_eq!(
        (&report["status"], &report["older_than_events"]),
        (&"complete".into(), &false.into())
    );
    assert_eq!(report["catch_up"]["status"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_of_a_key_that_is_not_allowed_to_read_events_is_complete_with_a_note() {
    let keys = vec![ApiKey::new("rk_test_51restricted000000000000").deny(["event"])];
    let sim = customers(SimOptions { keys, ..SimOptions::default() }).await;
    let cli = Cli::with_both(&sim, "denied_events").await;
    let output = cli.run(&ARGS);
    assert_eq!(output.code, Some(0), "{}", output.stdout);
    let note = "the key is not allowed to read events: ";
    assert!(output.stdout.contains(note), "{}", output.stdout);
    assert!(output.stdout.contains("\ncomplete: 30 rows"), "{}", output.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_leaves_changed_objects_unfetched_is_incomplete() {
    let sim = customers(SimOptions::default()).await;
    let cli = Cli::with_both(&sim, "unfetched").await;
    assert_eq!(cli.run(&ARGS).code, Some(0));
    let sql = connect(&database_url().await).await;
    let ids: Vec<String> = sim.account().ids("customer").take(2).collect();
    for (id, dead, key) in [(&ids[0], false, "pending"), (&ids[1], true, "dead")] {
        let entry = format!(
            "truncate unfetched._inbox;
             insert into unfetched._inbox
               (account_id, table_name, id, reason, attempts, next_attempt_at, dead)
             values ('{}', 'customers', '{id}', 'uncertain', 5, now() + interval '1 day', {dead})",
            sim.account().id()
        );
        sql.batch_execute(&entry).await.expect("an entry");
        let output = cli.run(&[&ARGS[..], &["--output", "json"]].concat());
        assert_eq!((output.code, &output.json()["catch_up"][key]), (Some(3), &1.into()), "{key}");
        let output = cli.run(&ARGS);
        assert_eq!(output.code, Some(3), "{}", output.stdout);
        assert!(output.stdout.contains(NOT_CURRENT), "{}", output.stdout);
    }
    sql.batch_execute("truncate unfetched._inbox").await.expect("no entries");
    assert_eq!(cli.run(&ARGS).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_older_than_stripes_events_is_incomplete() {
    let failing = customers(SimOptions::default()).await;
    failing.fail_times("/v1/customers", 1, 1_000, Fault::Status(402));
    assert_eq!(Cli::with_both(&failing, "old_run").await.run(&ARGS).code, Some(3));
    // The same account.
    let sim = customers(SimOptions::default()).await;
    let cli = Cli::with_both(&sim, "old_run").await;
    let sql = connect(&database_url().await).await;
    let earlier = "update old_run._runs set started_at = started_at - interval '40 days',
                                            event_cursor = event_cursor - 40 * 86400";
    sql.batch_execute(earlier).await.expect("an older run");
    let output = cli.run(&[&ARGS[..], &["--output", "json"]].concat());
    let report = output.json();
    assert_eq!((output.code, &report["older_than_events"]), (Some(3), &true.into()), "{report}");
    assert_eq!(report["status"], "complete");
    assert_eq!(cli.run(&[&ARGS[..], &["--fresh"]].concat()).code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_stopped_while_it_applies_events_is_not_complete() {
    let sim = customers(SimOptions::default()).await;
    sim.fail_times("/v1/events", 1, 1_000, Fault::Hang);
    let cli = Cli::with_both(&sim, "stopped_events").await;
    let child = cli.start(&ARGS);
    wait_for_requests(&sim, "/v1/events", 1).await;
    interrupt(&child);
    let output = CommandOutput::from(child.wait_with_output().expect("an end"));
    assert_eq!(output.code, Some(130), "{}{}", output.stdout, output.stderr);
    assert!(
        output.stdout.contains("stopped before all events were applied: "),
        "{}",
        output.stdout
    );
    assert!(output.stdout.contains(NOT_CURRENT), "{}", output.stdout);
    let output = cli.run(&[&ARGS[..], &["--deadline", "5s"]].concat());
    assert_eq!(output.code, Some(75), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains(NOT_CURRENT), "{}", output.stdout);
}
