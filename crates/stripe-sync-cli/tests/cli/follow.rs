//! `stripe-sync follow`: changes in Stripe appear in the tables without a webhook.

use std::io::{BufRead as _, BufReader};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use stripe_sim::{Account, Fault, Sim, SimOptions};

use crate::support::{Cli, CommandOutput, connect, database_url, wait_for_requests};

#[tokio::test(flavor = "multi_thread")]
async fn changes_appear_until_the_first_signal() {
    let builder = Account::builder(5).objects("customer", 30).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "followed").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    let new = sim.account().insert("customer", json!({})).expect("inserted");
    let once = cli.run(&["follow", "--once", "--output", "json"]);
    assert_eq!(once.code, Some(0), "{}", once.stderr);
    assert_eq!(once.json()["changes"], 1, "{}", once.stdout);
    assert!(cli.ids("followed", "customers").contains(&new));

    let mut child = cli.start(&["follow", "--output", "json"]);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let newer = sim.account().insert("customer", json!({})).expect("inserted");
    // The first lines can report changes from the last seconds before the start.
    while !cli.ids("followed", "customers").contains(&newer) {
        let line = lines.next().expect("following").expect("a line");
        let progress: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(progress["failed"], 0, "{line}");
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::TERM).expect("our own child");
    let last = lines.last().expect("a last line").expect("a line");
    let progress: Value = serde_json::from_str(&last).expect("JSON");
    assert_eq!((&progress["waiting"], &progress["gap"]), (&json!(false), &json!(false)));
    let output = CommandOutput::from(child.wait_with_output().expect("an end"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn following_ends_if_nobody_reads_its_output() {
    let builder = Account::builder(5).objects("customer", 30).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "unread").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    let mut child = cli.start(&["follow", "--output", "json"]);
    drop(child.stdout.take());
    sim.account().insert("customer", json!({})).expect("inserted");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_shows_events_and_objects_that_could_not_be_fetched() {
    let builder = Account::builder(6).objects("customer", 30).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "current").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    let id = sim.account().ids("customer").next().expect("a customer");
    let dead = format!(
        "insert into current._inbox (account_id, table_name, id, reason, attempts, dead, last_error)
         values ('{}', 'customers', '{id}', 'uncertain', 16, true, 'it timed out')",
        sim.account().id()
    );
    let sql = connect(&database_url().await).await;
    sql.batch_execute(&dead).await.expect("a dead entry");
    assert_eq!(cli.run(&["follow", "--once"]).code, Some(3));
    let text = cli.run(&["status"]).stdout;
    for expected in
        ["events: applied up to", "1 changed object could not be fetched", "it timed out"]
    {
        assert!(text.contains(expected), "{text}");
    }
    let json = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(json["events"][0]["is_followed"], false);
    assert_eq!(json["inbox"]["dead"]["objects"][0]["id"], id.as_str());
    assert_eq!(json["unstored_events"], json!([]));
    let refresh = cli.run(&["refresh", "--failed", "--output", "json"]);
    assert_eq!((refresh.code, &refresh.json()["inbox"]["fetched"]), (Some(0), &json!(1)));
    let json = cli.run(&["status", "--output", "json"]).json();
    assert_eq!(json["inbox"]["dead"]["count"], 0);
}

/// Stripe does not answer a list of objects without events.
#[tokio::test(flavor = "multi_thread")]
async fn catching_up_that_is_interrupted_while_it_lists_exits_with_130() {
    let builder = Account::builder(7).objects("shipping_rate", 5).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "listing").await;
    assert_eq!(cli.run(&["backfill", "--object", "shipping_rate"]).code, Some(0));
    let path = "/v1/shipping_rates";
    let number = sim.requests_to(path) + 1;
    sim.fail_times(path, 1, 1, Fault::Hang);
    let child = cli.start(&["follow", "--once", "--output", "json"]);
    wait_for_requests(&sim, path, number).await;
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("our own child");
    let output = CommandOutput::from(child.wait_with_output().expect("an end"));
    assert_eq!(output.code, Some(130), "{}", output.stderr);
    assert_eq!(output.json()["caught_up"], false, "{}", output.stdout);
}

/// The object that was asked for is shown before the others have been fetched.
#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_prints_its_objects_before_it_fetches_a_part_of_the_inbox() {
    let builder = Account::builder(8).objects("customer", 300).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "refreshed").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    let sql = connect(&database_url().await).await;
    let put = "insert into refreshed._inbox (account_id, table_name, id, reason)
               select _account_id, 'customers', id, 'uncertain' from refreshed.customers";
    sql.batch_execute(put).await.expect("entries");
    let mut ids = sim.account().ids("customer");
    let (id, other) = (ids.next().expect("a customer"), ids.next().expect("a customer"));

    let output = cli.run(&["refresh", &id, "--max-rps", "none", "--output", "json"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let inbox = &output.json()["inbox"];
    let (fetched, pending) = (inbox["fetched"].as_i64(), inbox["pending"].as_i64());
    let (fetched, pending) = (fetched.expect("a number"), pending.expect("a number"));
    assert!(fetched > 0 && pending > 0 && fetched + pending == 299, "{inbox}");

    for id in sim.account().ids("customer").filter(|other_id| *other_id != other) {
        sim.fail_times(&format!("/v1/customers/{id}"), 1, 1, Fault::Hang);
    }
    let mut child = cli.start(&["refresh", &other]);
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let shown = lines.any(|line| line.expect("a line").contains(&other));
    assert!(shown && child.try_wait().expect("a child").is_none());
    child.kill().expect("our own child");
    child.wait().expect("an end");
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_can_be_fetched_instead_of_being_stored_as_events_contain_them() {
    let builder = Account::builder(9).objects("customer", 5).objects("event", 0);
    let account = builder.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "revalidated").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    assert_eq!(cli.run(&["follow", "--once"]).code, Some(0));
    let create = || sim.account().insert("customer", json!({})).expect("inserted");
    let requests = |id: &str| sim.requests_to(&format!("/v1/customers/{id}"));

    let id = create();
    assert_eq!(cli.run(&["follow", "--once"]).code, Some(0));
    assert_eq!(requests(&id), 0);
    let id = create();
    assert_eq!(cli.run(&["follow", "--once", "--revalidate", "invoice,customers"]).code, Some(0));
    assert_eq!(requests(&id), 1);
    let id = create();
    let cli = cli.env("REVALIDATE_OBJECTS_VIA_STRIPE_API", "entitlements, customer");
    assert_eq!(cli.run(&["follow", "--once"]).code, Some(0));
    assert_eq!(requests(&id), 1);

    let unknown = cli.run(&["follow", "--once", "--revalidate", "unicorn"]);
    assert_eq!(unknown.code, Some(2));
    let expected = "--revalidate: \"unicorn\" is not an object that can be revalidated";
    assert!(unknown.stderr.contains(expected), "{}", unknown.stderr);
}
