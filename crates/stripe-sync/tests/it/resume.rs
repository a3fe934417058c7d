//! Promise 3: whatever interrupts a run, the same command resumes it, and no row is lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use stripe_sim::{Account, Fault, SimOptions};
use stripe_sync::{BackfillRequest, Config, Names, RunStatus};

use crate::proxy::{self, CommitLoss, RoundTrips};
use crate::world::{World, assert_same, ended, server, wait_for_rows};

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_run_resumes_where_it_stopped() {
    let account = Account::builder(3).objects("customer", 6_000).build().expect("an account");
    let options = SimOptions { latency: Duration::from_millis(20), ..SimOptions::default() };
    let world = World::with(account, options).await;
    let engine = world.engine().await;
    let request = BackfillRequest { objects: vec!["customer".into()], ..Default::default() };
    let mut run = engine.start_backfill(request.clone()).await.expect("a run");
    wait_for_rows(&run, 1_000).await;
    run.cancel();
    let first = run.join().await.expect("a report");
    assert_eq!(first.status, RunStatus::Interrupted);
    let kept = world.ids("customers").await.len();
    assert!((1_000..6_000).contains(&kept), "{kept} rows");

    let second = world.run(&request).await;
    assert_eq!(second.run_id, first.run_id);
    assert_eq!(second.status, RunStatus::Complete);
    let wanted = world.sim.account().ids("customer").collect();
    assert_same("customers", &wanted, &world.ids("customers").await);
    assert_eq!(ended(&second, "customers").1, 6_000);
    assert!(second.requests < 60, "only missing pages are read: {} requests", second.requests);
    assert_eq!(world.text("select count(*)::text from stripe._slices").await, "0");

    let third = world.run(&request).await;
    assert!(third.run_id > second.run_id, "a complete run is not resumed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_commit_response_loses_no_row() {
    let account = Account::builder(4)
        .objects("customer", 3_000)
        .objects("invoice", 500)
        .build()
        .expect("an account");
    let mut world = World::new(account).await;
    let losses = CommitLoss::every(3);
    let port =
        proxy::start(server().await.socket_dir().to_owned(), losses.clone(), RoundTrips::default())
            .await;
    let database = world.text("select current_database()::text").await;
    let user = server().await.user();
    let mut config = Config::new(
        format!("postgres://{user}@127.0.0.1:{port}/{database}"),
        Names::new("stripe", "").expect("names"),
    );
    config.key = world.config.key.clone();
    config.api_base = world.config.api_base.clone();
    config.rate = world.config.rate;
    world.config = config;
    // The backfill below repeats the migration if it fails here.
    let _migrated = world.engine().await.migrate().await;
    let report = loop {
        let request = BackfillRequest {
            objects: vec!["customer".into(), "invoice".into()],
            ..Default::default()
        };
        let engine = world.engine().await;
        match engine.backfill(&request).await {
            Ok(report) => break report,
            // The engine does not retry the statements that start a run.
            Err(error) => println!("retried after: {error}"),
        }
    };
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert!(losses.lost.load(Ordering::Relaxed) >= 3);
    for (object, table) in [("customer", "customers"), ("invoice", "invoices")] {
        let wanted = world.sim.account().ids(object).collect();
        assert_same(table, &wanted, &world.ids(table).await);
    }
    assert_eq!(ended(&report, "customers").1, 3_000);
}

/// Commits of pages do not wait for the disk. After a crash, the server may have lost the last of
/// them, both rows and cursors, and the backfill must detect this.
#[tokio::test(flavor = "multi_thread")]
async fn commits_undone_by_a_server_crash_are_repeated() {
    // This list is a single slice.
    let account = Account::builder(31).objects("payment_link", 3_000).build().expect("an account");
    let options = SimOptions { latency: Duration::from_millis(20), ..SimOptions::default() };
    let world = World::with(account, options).await;
    world.engine().await.migrate().await.expect("a schema");
    let request = BackfillRequest { objects: vec!["payment_link".into()], ..Default::default() };
    let crash = async {
        for _ in 0..3 {
            while world.text("select coalesce(max(seq), 0)::text from stripe._slices").await == "0"
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            // The state on disk, from a single snapshot.
            for statement in [
                "drop table if exists public.slice, public.links",
                "begin isolation level repeatable read",
                "create table public.slice as select * from stripe._slices",
                "create table public.links as select id from stripe.payment_links",
                "commit",
            ] {
                world.sql.batch_execute(statement).await.expect("a copy");
            }
            let seq = "select (max(seq) - (select seq from public.slice) >= 3)::text \
                       from stripe._slices";
            while world.text(seq).await == "false" {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            world
                .sql
                .batch_execute(
                    "begin; select 1 from stripe._slices for update;
                     update stripe._slices l set seq = s.seq, trail = s.trail, cursor_created = s.cursor_created,
                            rows = s.rows, pages = s.pages, requests = s.requests
                     from public.slice s where s.id = l.id;
                     delete from stripe.payment_links where id not in (select id from public.links);
                     commit",
                )
                .await
                .expect("a crash");
        }
    };
    let (report, ()) = tokio::join!(world.run(&request), crash);
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let wanted = world.sim.account().ids("payment_link").collect();
    assert_same("payment_links", &wanted, &world.ids("payment_links").await);
    assert_eq!(ended(&report, "payment_links").1, 3_000);
    assert!(report.requests > 34, "no page was read again: {} requests", report.requests);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_one_run() {
    // Invoices have indexes that both processes may try to build at the end.
    let account = Account::builder(5).objects("customer", 4_000).objects("invoice", 600).build();
    let options = SimOptions { latency: Duration::from_millis(10), ..SimOptions::default() };
    let world = World::with(account.expect("an account"), options).await;
    let request = BackfillRequest {
        objects: vec!["customer".into(), "invoice".into()],
        ..Default::default()
    };
    world.engine().await.migrate().await.expect("a schema");
    let (one, two) = (world.engine().await, world.engine().await);
    let (one, two) = tokio::join!(one.backfill(&request), two.backfill(&request));
    let (one, two) = (one.expect("a report"), two.expect("a report"));
    assert_eq!(one.run_id, two.run_id);
    assert_eq!((one.status, two.status), (RunStatus::Complete, RunStatus::Complete));
    let wanted = world.sim.account().ids("customer").collect();
    assert_same("customers", &wanted, &world.ids("customers").await);
    assert_eq!(ended(&one, "customers").1, 4_000);
    let wanted = world.sim.account().ids("invoice").collect();
    assert_same("invoices", &wanted, &world.ids("invoices").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn repeatedly_terminated_connections_lose_no_row() {
    let account = Account::builder(27)
        .objects("customer", 5_000)
        .objects("invoice", 500)
        .build()
        .expect("an account");
    let options = SimOptions { latency: Duration::from_millis(20), ..SimOptions::default() };
    let world = World::with(account, options).await;
    let engine = world.engine().await;
    let request = BackfillRequest {
        objects: vec!["customer".into(), "invoice".into()],
        ..Default::default()
    };
    let mut run = engine.start_backfill(request).await.expect("a run");
    {
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and pid <> pg_backend_pid()";
        for wanted in [500, 2_000, 3_500] {
            wait_for_rows(&run, wanted).await;
            world.sql.batch_execute(cut).await.expect("cut");
        }
    }
    let report = run.join().await.expect("a report");
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    for (object, table) in [("customer", "customers"), ("invoice", "invoices")] {
        let wanted = world.sim.account().ids(object).collect();
        assert_same(table, &wanted, &world.ids(table).await);
    }
    assert_eq!(ended(&report, "customers").1, 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slice_of_a_dead_owner_is_claimed_by_the_next_run() {
    let account = Account::builder(6).objects("customer", 500).build().expect("an account");
    let world = World::new(account).await;
    let engine = world.engine().await;
    engine.migrate().await.expect("a schema");
    let request = BackfillRequest { objects: vec!["customer".into()], ..Default::default() };
    let mut run = engine.start_backfill(request.clone()).await.expect("a run");
    run.cancel();
    let first = run.join().await.expect("a report");
    assert_eq!(first.status, RunStatus::Interrupted);
    // The state after `kill -9`: a process of this machine that does not exist holds the lease.
    let machine = |file: &str| std::fs::read_to_string(file).expect("linux").trim().to_owned();
    let namespace = std::fs::read_link("/proc/self/ns/pid").expect("linux");
    let number: String = namespace.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    let owner = format!(
        "{}/{}.{number}/1/1/1",
        machine("/proc/sys/kernel/hostname"),
        machine("/proc/sys/kernel/random/boot_id")
    );
    world
        .sql
        .execute(
            "update stripe._slices set owner = $1, epoch = 7, lease_until = now() + interval '1 day'",
            &[&owner],
        )
        .await
        .expect("an update");
    let second = world.run(&request).await;
    assert_eq!((second.run_id, second.status), (first.run_id, RunStatus::Complete));
    assert_eq!(world.ids("customers").await.len(), 500);
}

/// A server that does not wait for the disk, or a replica that takes over, can lose a split that the
/// workers have seen. The rows of the part that was split off are then in the old slice again.
#[tokio::test(flavor = "multi_thread")]
async fn a_split_that_the_server_lost_loses_no_row() {
    let account = Account::builder(35).objects("charge", 6_000).build().expect("an account");
    let options = SimOptions { latency: Duration::from_millis(100), ..SimOptions::default() };
    let world = World::with(account, options).await;
    world.engine().await.migrate().await.expect("a schema");
    let request = BackfillRequest { objects: vec!["charge".into()], ..Default::default() };
    let lose_splits = async {
        let first = "select coalesce((select min(id)::text from stripe._slices), '0')";
        let mut id = world.text(first).await;
        while id == "0" {
            tokio::time::sleep(Duration::from_millis(5)).await;
            id = world.text(first).await;
        }
        let lost = format!(
            "with first as (update stripe._slices set created_from = null
                            where id = {id} and created_from is not null
                              and exists (select 1 from stripe._slices where id > {id} and seq = 0)
                            returning id)
             delete from stripe._slices s using first where s.id > first.id"
        );
        let mut losses = 0;
        while losses < 3 {
            losses += u32::from(world.sql.execute(&lost, &[]).await.expect("a state") > 0);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (report, ()) = tokio::join!(world.run(&request), lose_splits);
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(world.ids("charges").await.len(), 6_000);
}

/// An error that the former owner of a slice receives does not affect its current owner.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_of_a_former_owner_does_not_end_the_stream() {
    let account = Account::builder(34).objects("payment_link", 500).build().expect("an account");
    let options = SimOptions { latency: Duration::from_secs(1), ..SimOptions::default() };
    let world = World::with(account, options).await;
    world.engine().await.migrate().await.expect("a schema");
    world.sim.fail_times("/v1/payment_links", 1, 1, Fault::Status(400));
    let request = BackfillRequest { objects: vec!["payment_link".into()], ..Default::default() };
    let claim_slice = async {
        let asked = "select (count(*) = 1)::text from stripe._slices where owner is not null";
        while world.text(asked).await == "false" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        while world.sim.requests_to("/v1/payment_links") == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let claim = "update stripe._slices set epoch = epoch + 1, owner = 'somebody',
                           lease_until = now() + interval '3 seconds'";
        assert_eq!(world.sql.execute(claim, &[]).await.expect("claimed"), 1);
    };
    let (report, ()) = tokio::join!(world.run(&request), claim_slice);
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let wanted = world.sim.account().ids("payment_link").collect();
    assert_same("payment_links", &wanted, &world.ids("payment_links").await);
}
