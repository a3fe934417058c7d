//! The handle of a run (subscribe, cancel, drop), and the data that its engine caches.

use std::time::Duration;

use stripe_sim::{Account, Fault, SimOptions};
use stripe_sync::{AccountHandle, BackfillRequest, ErrorKind, RefreshOutcome, RunStatus};

use crate::world::{World, ended, wait_for_rows};

fn customers() -> BackfillRequest {
    BackfillRequest { objects: vec!["customer".into()], ..Default::default() }
}

async fn slow_world(seed: u64) -> World {
    let account = Account::builder(seed).objects("customer", 4_000).build().expect("an account");
    let options = SimOptions { latency: Duration::from_millis(20), ..SimOptions::default() };
    World::with(account, options).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subscriber_sees_the_run_until_its_end() {
    let world = slow_world(90).await;
    let mut run = world.engine().await.start_backfill(customers()).await.expect("a run");
    let follow = |mut updates: stripe_sync::ProgressUpdates| async move {
        let mut last = None;
        while let Some(snapshot) = updates.next().await {
            last = Some(snapshot);
        }
        let last = last.expect("an update");
        last.streams.iter().map(|s| s.rows).sum::<i64>()
    };
    let (one, two) = (follow(run.subscribe()), follow(run.subscribe()));
    let (report, one, two) = tokio::join!(run.join(), one, two);
    assert_eq!(report.expect("a report").status, RunStatus::Complete);
    assert_eq!((one, two), (4_000, 4_000));
    assert!(run.subscribe().next().await.is_none(), "the run has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_run_stops_and_the_same_request_resumes_it() {
    let world = slow_world(91).await;
    let engine = world.engine().await;
    let run = engine.start_backfill(customers()).await.expect("a run");
    wait_for_rows(&run, 500).await;
    let dropped = run.progress().run.expect("a run").run_id;
    drop(run);
    let report = engine.backfill(&customers()).await.expect("a report");
    assert_eq!((report.run_id, report.status), (dropped, RunStatus::Complete));
    assert_eq!(ended(&report, "customers").1, 4_000);
}

/// A caller may use one [`stripe_sync::Stop`] for several runs.
#[tokio::test(flavor = "multi_thread")]
async fn an_engine_error_does_not_request_the_callers_stop() {
    let world = slow_world(92).await;
    let engine = world.engine().await;
    let mut run = engine.start_backfill(customers()).await.expect("a run");
    let canceller = run.canceller();
    wait_for_rows(&run, 1).await;
    world.sim.fail_times("/v1/customers", 1, 1_000, Fault::Status(401));
    let error = run.join().await.expect_err("the key is revoked");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Access, "stripe_unauthorized"));
    assert!(!canceller.is_requested());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_reads_the_account_once_and_prepares_the_schema_once() {
    let account = Account::builder(93).objects("customer", 3).build().expect("an account");
    let world = World::new(account).await;
    let account = AccountHandle::open(&world.config).await.expect("an account");
    let engine = world.engine().await.for_account(account);
    assert!(engine.prepare().await.expect("prepared").changed);
    let ids: Vec<String> = world.sim.account().ids("customer").collect();
    engine.refresh(&ids).await.expect("refreshed");
    engine.backfill(&customers()).await.expect("a report");
    assert_eq!(world.sim.requests_to("/v1/account"), 1);
    assert!(engine.prepare().await.expect("prepared").changed, "the result of the first call");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_dropped_while_the_engine_exists_is_recreated() {
    let account = Account::builder(94).objects("customer", 3).build().expect("an account");
    let world = World::new(account).await;
    let engine = world.engine().await;
    engine.backfill(&customers()).await.expect("a report");
    world.sql.batch_execute("drop table stripe.customers").await.expect("dropped");
    let ids: Vec<String> = world.sim.account().ids("customer").collect();
    let refreshed = engine.refresh(&ids).await.expect("refreshed");
    assert!(refreshed.iter().all(|r| r.outcome == RefreshOutcome::Stored), "{refreshed:?}");
    world.sql.batch_execute("alter table stripe.customers drop column email").await.expect("done");
    let report = engine.backfill(&customers()).await.expect("a report");
    assert_eq!(report.status, RunStatus::Complete);
}
