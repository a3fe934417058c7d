//! Transient database errors, which are retried within the outage limit.

use std::time::Duration;

use stripe_sim::{Account, SimOptions};
use stripe_sync::{BackfillRequest, Config, Names, RunStatus};

use crate::proxy::{self, CommitLoss, RoundTrips};
use crate::world::{World, connect, ended, wait_for_rows};

/// Makes the first `times` inserts into `customers` fail. They are counted with a sequence, because
/// a rollback does not reset it.
async fn fail_inserts(world: &World, sqlstate: &str, times: u32) {
    let sql = format!(
        "create sequence public.failures;
         create function public.fail() returns trigger language plpgsql as $$ begin
             if nextval('public.failures') <= {times} then
                 raise exception 'not at present' using errcode = '{sqlstate}';
             end if;
             return null; end $$;
         create trigger fail after insert on stripe.customers for each statement
             execute function public.fail()"
    );
    world.sql.batch_execute(&sql).await.expect("a trigger");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_database_error_is_retried() {
    for sqlstate in ["25006", "25P03", "55P03", "57014", "57P05", "57P03", "08P01", "XX000"] {
        let account = Account::builder(61).objects("customer", 30).build().expect("an account");
        let world = World::new(account).await;
        world.engine().await.migrate().await.expect("tables");
        fail_inserts(&world, sqlstate, 3).await;
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{sqlstate}: {report:?}");
        assert_eq!(ended(&report, "customers").1, 30);
        assert_eq!(world.ids("customers").await.len(), 30);
        assert_eq!(world.text("select count(*)::text from stripe._quarantine").await, "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_outage_limit_the_hint_names_the_setting() {
    for (sqlstate, code, hint) in [
        ("25P03", "database_transient", "idle_in_transaction_session_timeout"),
        ("57014", "database_transient", "statement_timeout"),
        ("25006", "database_read_only", "read-only"),
        ("XX000", "database_error", "log of the server"),
    ] {
        let account = Account::builder(62).objects("customer", 3).build().expect("an account");
        let mut world = World::new(account).await;
        world.config.max_outage = Duration::from_millis(500);
        world.engine().await.migrate().await.expect("tables");
        fail_inserts(&world, sqlstate, 1_000).await;
        let request =
            BackfillRequest { objects: vec!["customer".into()], ..BackfillRequest::default() };
        let error = world.engine().await.backfill(&request).await.expect_err(sqlstate);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.hint().is_some_and(|found| found.contains(hint)), "{:?}", error.hint());
    }
}

/// More workers want to write to the table than there are connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_locked_by_another_session_does_not_block_the_others() {
    let account = Account::builder(63).objects("customer", 8_000).objects("product", 3_000);
    let options = SimOptions { latency: Duration::from_millis(100), ..SimOptions::default() };
    let mut world = World::with(account.build().expect("an account"), options).await;
    world.config.max_connections = 2;
    world.engine().await.migrate().await.expect("tables");
    let objects = vec!["customer".into(), "product".into()];
    let request = BackfillRequest { objects, ..BackfillRequest::default() };
    let mut run = world.engine().await.start_backfill(request).await.expect("a run");
    let slices = "select (count(*) > 5)::text from stripe._slices where stream = 'customers'";
    while world.text(slices).await != "true" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.sql.batch_execute("begin; lock table stripe.customers").await.expect("locked");
    while run.progress().locked_table.is_none_or(|locked| locked.name != "customers") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // Statements that began to wait before the table was known to be locked have ended.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let waiting = "select count(*)::text from pg_locks
                   where not granted and relation = 'stripe.customers'::regclass";
    for _ in 0..200 {
        let count: usize = world.text(waiting).await.parse().expect("a number");
        assert!(count <= 1, "{count} connections wait");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while world.ids("products").await.len() < 3_000 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let locked = run.progress().locked_table.expect("still locked");
    assert!(locked.holders.is_some_and(|holders| holders.contains("idle in transaction")));
    world.sql.batch_execute("commit").await.expect("unlocked");
    assert_eq!(run.join().await.expect("a report").status, RunStatus::Complete);
    assert_eq!(world.ids("customers").await.len(), 8_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_stays_locked_fails_only_its_stream() {
    let account = Account::builder(66).objects("customer", 30).objects("product", 30);
    let mut world = World::new(account.build().expect("an account")).await;
    world.config.max_outage = Duration::from_millis(500);
    world.engine().await.migrate().await.expect("tables");
    world.sql.batch_execute("begin; lock table stripe.customers").await.expect("locked");
    let report = world.backfill(&["customer", "product"]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    let (status, _, message) = ended(&report, "customers");
    assert_eq!(status, "failed");
    assert!(message.contains("customers") && message.contains("55P03"), "{message}");
    assert!(message.contains("lock_timeout; run the same command again"), "{message}");
    assert_eq!(ended(&report, "products").0, "complete");
    world.sql.batch_execute("commit").await.expect("unlocked");
    let again = world.backfill(&["customer", "product"]).await;
    assert_eq!((again.run_id, again.status), (report.run_id, RunStatus::Complete));
    assert_eq!(world.ids("customers").await.len(), 30);
}

/// The connection stays open, so no network error ends the wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_without_a_response_times_out_and_is_repeated() {
    let account = Account::builder(65).objects("customer", 1_000).build().expect("an account");
    let mut world = World::new(account).await;
    world.engine().await.migrate().await.expect("tables");
    let losses = CommitLoss::silent_after(2);
    let directory = crate::world::server().await.socket_dir().to_owned();
    let port = proxy::start(directory, losses.clone(), RoundTrips::default()).await;
    let (database, user) =
        (world.text("select current_database()::text").await, crate::world::server().await.user());
    let url = format!("postgres://{user}@127.0.0.1:{port}/{database}");
    let mut config = Config::new(url, Names::new("stripe", "").expect("names"));
    config.key = world.config.key.clone();
    config.api_base = world.config.api_base.clone();
    config.rate = world.config.rate;
    config.database_timeout = Duration::from_secs(2);
    world.config = config;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(losses.lost.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(report.status, RunStatus::Complete, "{report:?}");
    assert_eq!(world.ids("customers").await.len(), 1_000);
}

/// After a failover, a connection can lead to the old primary, which is read-only.
#[tokio::test(flavor = "multi_thread")]
async fn connections_of_a_server_that_became_read_only_are_replaced() {
    let account = Account::builder(64).objects("customer", 2_000).build().expect("an account");
    let world = World::new(account).await;
    world.engine().await.migrate().await.expect("tables");
    world
        .sql
        .batch_execute(
            "create table public.failover (at timestamptz);
             create function public.fail() returns trigger language plpgsql as $$ begin
                 if exists (select from public.failover, pg_catalog.pg_stat_activity
                            where pid = pg_backend_pid() and backend_start < at) then
                     raise exception 'cannot execute INSERT in a read-only transaction'
                     using errcode = '25006';
                 end if;
                 return null; end $$;
             create trigger fail after insert on stripe.customers for each statement
                 execute function public.fail()",
        )
        .await
        .expect("a trigger");
    let request =
        BackfillRequest { objects: vec!["customer".into()], ..BackfillRequest::default() };
    let mut run = world.engine().await.start_backfill(request).await.expect("a run");
    wait_for_rows(&run, 100).await;
    let database = world.text("select current_database()::text").await;
    let url = crate::world::server().await.connection_url_to(&database);
    let sql = "insert into public.failover values (clock_timestamp())";
    connect(&url).await.batch_execute(sql).await.expect("a failover");
    assert_eq!(run.join().await.expect("a report").status, RunStatus::Complete);
    assert_eq!(world.ids("customers").await.len(), 2_000);
}
