//! Which commands share a run, and runs whose lists change while they are read.

use std::time::Duration;

use stripe_sim::{Account, Fault, SimOptions};
use stripe_sync::{BackfillRequest, Range, Report, RunStatus, StripeSync};

use crate::world::{World, assert_same, ended, wait_for_rows};

fn request(objects: &[&str], since: Option<&str>, now: i64) -> BackfillRequest {
    let range = Range::parse(since, None, now).expect("a range");
    let objects = objects.iter().map(|o| (*o).to_owned()).collect();
    BackfillRequest { objects, range, fresh: false }
}

/// Runs until the first rows are stored, then stops.
async fn interrupted_run(engine: &StripeSync, request: &BackfillRequest) -> Report {
    let mut run = engine.start_backfill(request.clone()).await.expect("a run");
    wait_for_rows(&run, 1).await;
    run.cancel();
    let report = run.join().await.expect("a report");
    assert_eq!(report.status, RunStatus::Interrupted);
    report
}

async fn slow(seed: u64, customers: u64) -> World {
    let account = Account::builder(seed).objects("customer", customers).objects("invoice", 300);
    let options = SimOptions { latency: Duration::from_millis(20), ..SimOptions::default() };
    World::with(account.build().expect("an account"), options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arguments_of_a_command_decide_which_run_is_resumed() {
    let world = slow(80, 6_000).await;
    let engine = world.engine().await;
    let now = world.sim.account().now();
    let whole = interrupted_run(&engine, &request(&["customer"], None, now)).await;
    // Other arguments start another run. The first one stays interrupted.
    let ranged = interrupted_run(&engine, &request(&["customer"], Some("900d"), now)).await;
    let both = interrupted_run(&engine, &request(&["customer", "invoice"], None, now)).await;
    let mut config = world.config.clone();
    config.api_version = Some("2023-08-16".to_owned());
    let other = StripeSync::connect(config).await.expect("the engine");
    let other_version = interrupted_run(&other, &request(&["customer"], None, now)).await;
    assert!(other_version.run_id > both.run_id);
    assert!(whole.run_id < ranged.run_id && ranged.run_id < both.run_id);
    // The same arguments, later and in another spelling, resume the run with the bounds from its
    // start.
    let since = "select since::text from stripe._runs where id = ";
    let bound = world.text(&format!("{since}{}", ranged.run_id)).await;
    let later = request(&["customers"], Some("900d"), now + 86_400);
    assert_eq!(interrupted_run(&engine, &later).await.run_id, ranged.run_id);
    assert_eq!(world.text(&format!("{since}{}", ranged.run_id)).await, bound);
    let done = world.run(&request(&["invoices", "customer"], None, now)).await;
    assert_eq!((done.run_id, done.status), (both.run_id, RunStatus::Complete));
    // After a restart, no command resumes the old run.
    let fresh = BackfillRequest { fresh: true, ..request(&["customer"], None, now) };
    let done = world.run(&fresh).await;
    assert_eq!(done.status, RunStatus::Complete);
    let status = format!("select status from stripe._runs where id = {}", whole.run_id);
    assert_eq!(world.text(&status).await, "abandoned");
    assert!(world.run(&request(&["customer"], None, now)).await.run_id > done.run_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn different_concurrent_commands_are_different_runs() {
    let world = slow(81, 3_000).await;
    world.engine().await.migrate().await.expect("a schema");
    let now = world.sim.account().now();
    let requests = [
        request(&["customer"], None, now),
        request(&["customer"], Some("500d"), now),
        request(&["customer", "invoice"], None, now),
    ];
    let reports = futures_util::future::join_all(requests.iter().map(|r| world.run(r))).await;
    let mut ids: Vec<i64> = reports.iter().map(|report| report.run_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(reports.iter().all(|report| report.status == RunStatus::Complete), "{reports:?}");
    for (object, table) in [("customer", "customers"), ("invoice", "invoices")] {
        assert_same(table, &world.sim.account().ids(object).collect(), &world.ids(table).await);
    }
    assert_eq!(ended(&reports[0], "customers").1, 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_stops_with_an_error_if_its_run_is_restarted_elsewhere() {
    let world = slow(82, 6_000).await;
    let engine = world.engine().await;
    let request = BackfillRequest { objects: vec!["customer".into()], ..Default::default() };
    let mut first = engine.start_backfill(request.clone()).await.expect("a run");
    wait_for_rows(&first, 1).await;
    let second = world.run(&BackfillRequest { fresh: true, ..request.clone() }).await;
    let first = first.join().await.expect("a report");
    assert_eq!((first.status, second.status), (RunStatus::Incomplete, RunStatus::Complete));
    let (status, _, message) = ended(&first, "customers");
    assert!(status == "failed" && message.contains("--fresh"), "{status}: {message}");
    assert_eq!(ended(&second, "customers").1, 6_000);
    assert_same(
        "customers",
        &world.sim.account().ids("customer").collect(),
        &world.ids("customers").await,
    );
    let statuses = "select string_agg(status, ' ' order by id) from stripe._runs";
    assert_eq!(world.text(statuses).await, "abandoned complete");
}

/// The last rows read are deleted before each request. The list cannot be filtered by time, so it
/// is not split, and a single slice sends all requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_cursors_are_always_deleted_fails_and_can_be_resumed() {
    let account =
        Account::builder(83).objects("terminal.location", 900).build().expect("an account");
    let world = World::new(account).await;
    let deleting = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let deletes = std::sync::Arc::clone(&deleting);
    world.sim.before_each("/v1/terminal/locations", move |account| {
        if deletes.load(std::sync::atomic::Ordering::Relaxed) {
            let last: Vec<_> = account.ids("terminal.location").skip(94).take(6).collect();
            last.iter().for_each(|id| account.delete("terminal.location", id).expect("deleted"));
        }
    });
    let report = world.backfill(&["terminal.location"]).await;
    let (status, _, message) = ended(&report, "terminal_locations");
    assert_eq!(status, "failed", "{message}");
    assert!(message.contains("cursor of a slice 5 times"), "{message}");
    deleting.store(false, std::sync::atomic::Ordering::Relaxed);
    let again = world.backfill(&["terminal.location"]).await;
    assert_eq!((again.run_id, again.status), (report.run_id, RunStatus::Complete));
    let found = world.ids("terminal_locations").await;
    assert!(world.sim.account().ids("terminal.location").all(|id| found.contains(&id)));
}

/// A process must keep its slice if a page takes longer than a lease. It therefore sends
/// heartbeats.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_extended_while_a_slow_page_is_in_flight() {
    let account = Account::builder(84).objects("customer", 250).build().expect("an account");
    let mut world = World::new(account).await;
    world.config.request_timeout = Duration::from_secs(120);
    world.engine().await.migrate().await.expect("a schema");
    world.sim.fail_nth("/v1/customers", 2, Fault::Delay(Duration::from_secs(14)));
    let watch = async {
        while world.sim.requests_to("/v1/customers") < 2 || world.ids("customers").await.is_empty()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Most of the lease has expired.
        let short = "update stripe._slices set lease_until = now() + interval '13 seconds'";
        world.sql.batch_execute(short).await.expect("shortened");
        let first_page = world.ids("customers").await.len();
        let extended =
            "select bool_or(lease_until > now() + interval '20 seconds')::text from stripe._slices";
        while world.text(extended).await != "true" {
            let rows = world.ids("customers").await.len();
            assert_eq!(rows, first_page, "the page arrived without a heartbeat");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let rows = world.ids("customers").await.len();
        assert_eq!(rows, first_page, "the page must still be in flight");
    };
    let (report, ()) = tokio::join!(world.backfill(&["customer"]), watch);
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(world.ids("customers").await.len(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_runs_are_removed_except_the_last_complete_one_of_each_command() {
    let account = Account::builder(86).objects("customer", 3).build().expect("an account");
    let world = World::new(account).await;
    for _ in 0..3 {
        world.backfill(&["customer"]).await;
    }
    world.backfill(&["product"]).await;
    let age = "update stripe._runs set finished_at = finished_at - interval '91 days'";
    world.sql.batch_execute(age).await.expect("old runs");
    let report = world.backfill(&["invoice"]).await;
    let ids = "select string_agg(id::text, ',' order by id) from stripe._runs";
    assert_eq!(world.text(ids).await, format!("3,4,{}", report.run_id));
    let streams = "select string_agg(run_id::text, ',' order by run_id) from stripe._streams";
    assert_eq!(world.text(streams).await, format!("3,4,{}", report.run_id));
}

/// The events of the account have never been read, and its first run is removed.
#[tokio::test(flavor = "multi_thread")]
async fn the_second_from_which_events_are_needed_outlives_its_run() {
    let account = Account::builder(88).objects("customer", 3).build().expect("an account");
    let world = World::new(account).await;
    world.backfill(&["customer"]).await;
    let age = "update stripe._runs set finished_at = finished_at - interval '91 days',
                                       event_cursor = event_cursor - 91 * 86400";
    world.sql.batch_execute(age).await.expect("old runs");
    let first = world.text("select event_cursor::text from stripe._runs").await;
    world.backfill(&["customer"]).await;
    assert_eq!(world.text("select string_agg(id::text, ',') from stripe._runs").await, "2");
    assert_eq!(world.text("select second::text from stripe._event_cursors").await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_run_that_shows_whether_a_stream_is_available_is_kept() {
    let account = Account::builder(87).objects("customer", 3).build().expect("an account");
    let refused = r#"{"id":"cus_refused","object":"customer","metadata":{"n":1e400000}}"#;
    let at = account.now() - 1_000;
    account.insert_raw("customer", "cus_refused", at, refused.to_owned()).expect("inserted");
    let world = World::new(account).await;
    for _ in 0..2 {
        assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Incomplete);
    }
    let age = "update stripe._runs set finished_at = finished_at - interval '91 days'";
    world.sql.batch_execute(age).await.expect("old runs");
    world.backfill(&["product"]).await;
    let ids = "select string_agg(id::text, ',' order by id) from stripe._runs";
    assert_eq!(world.text(ids).await, "2,3");
}
