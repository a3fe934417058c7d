//! Errors of the database that end by themselves: they are waited for, within the outage limit.

use std::time::Duration;

use stripe_sim::Account;
use stripe_sync::{BackfillRequest, RunStatus};

use crate::world::{World, connect, ended, wait_for_rows};

/// Makes inserts into the customers fail until so many have failed. A sequence counts across
/// transactions that are rolled back.
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
async fn an_error_that_ends_by_itself_is_waited_for() {
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
        ("55P03", "database_transient", "lock_timeout"),
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

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_locked_for_longer_than_lock_timeout_is_waited_for() {
    let account = Account::builder(63).objects("customer", 30).objects("product", 30);
    let world = World::new(account.build().expect("an account")).await;
    world.engine().await.migrate().await.expect("tables");
    let database = world.text("select current_database()::text").await;
    let sql = format!("alter database {database} set lock_timeout = '50ms'");
    world.sql.batch_execute(&sql).await.expect("a timeout");
    world.sql.batch_execute("begin; lock table stripe.customers").await.expect("locked");
    let objects = vec!["customer".into(), "product".into()];
    let request = BackfillRequest { objects, ..BackfillRequest::default() };
    let mut run = world.engine().await.start_backfill(request).await.expect("a run");
    wait_for_rows(&run, 30).await;
    while !run.progress().database_outage {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.sql.batch_execute("commit").await.expect("unlocked");
    assert_eq!(run.join().await.expect("a report").status, RunStatus::Complete);
    assert_eq!(world.ids("customers").await.len(), 30);
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
