//! Commands that are interrupted while they wait for something that may never come, and a terminal that is
//! closed.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Child, Stdio};

use rustix::io::ioctl_fionread;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::json;
use stripe_sim::{Account, Sim, SimOptions};

use crate::support::{Cli, CommandOutput, connect, database_url, wait_for_requests};

fn interrupt(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("our own child");
}

fn wait(child: Child) -> CommandOutput {
    CommandOutput::from(child.wait_with_output().expect("an end"))
}

async fn customers(number: u64) -> Sim {
    let builder = Account::builder(5).objects("customer", number).objects("event", 0);
    let account = builder.build().expect("an account");
    Sim::start(account, SimOptions::default()).await.expect("a simulator")
}

/// The lock is released only after the end of the command.
#[tokio::test(flavor = "multi_thread")]
async fn one_signal_ends_a_command_that_waits_for_a_lock() {
    let sim = customers(30).await;
    let cli = Cli::with_both(&sim, "waiting").await;
    assert_eq!(cli.run(&["backfill", "--object", "customer"]).code, Some(0));
    let id = sim.account().ids("customer").next().expect("a customer");
    sim.account().update("customer", &id, json!({ "name": "new" })).expect("updated");
    let sql = connect(&database_url().await).await;
    sql.batch_execute("begin; lock table waiting.customers").await.expect("locked");
    let waits = "select count(*) from pg_locks \
                 where not granted and relation = 'waiting.customers'::regclass";
    for args in [&["follow"][..], &["refresh", &id], &["query", "select * from customers"]] {
        let child = cli.start(args);
        while sql.query_one(waits, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        interrupt(&child);
        let output = wait(child);
        // A signal is how `follow` is meant to end.
        let expected = if args[0] == "follow" { 0 } else { 130 };
        assert_eq!(output.code, Some(expected), "{args:?}: {}{}", output.stdout, output.stderr);
        // The server notices the end of the command when the statement ends.
        let blocked = "select pg_terminate_backend(pid) from pg_locks \
                       where not granted and relation = 'waiting.customers'::regclass";
        sql.batch_execute(blocked).await.expect("terminated");
        while sql.query_one(waits, &[]).await.expect("a count").get::<_, i64>(0) > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// The server continues what it is doing after the connection has ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_query_also_ends_at_the_server() {
    let sql = connect(&database_url().await).await;
    let cli = Cli::new().env("DATABASE_URL", &database_url().await);
    let active = "select count(*) from pg_stat_activity
                  where state = 'active' and query like '%pg_sleep(600)%' and pid <> pg_backend_pid()";
    let count = async || sql.query_one(active, &[]).await.expect("a count").get::<_, i64>(0);
    for format in ["text", "json"] {
        let child = cli.start(&["query", "select pg_sleep(600)", "--output", format]);
        while count().await == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        interrupt(&child);
        let output = wait(child);
        let remaining = count().await;
        sql.batch_execute(&active.replace("count(*)", "pg_terminate_backend(pid)"))
            .await
            .expect("terminated");
        assert_eq!((output.code, output.stderr.as_str()), (Some(130), "error: interrupted\n"));
        assert_eq!(remaining, 0, "{format}");
    }
}

/// The build of an index waits for every transaction that writes to the table.
#[tokio::test(flavor = "multi_thread")]
async fn one_signal_ends_a_backfill_that_builds_an_index() {
    let builder = Account::builder(6).objects("customer", 5).objects("invoice", 30);
    let account = builder.objects("event", 0).build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "late_index").await;
    assert_eq!(cli.run(&["migrate"]).code, Some(0));
    // A transaction sees one state of pg_stat_activity.
    let (blocker, sql) =
        (connect(&database_url().await).await, connect(&database_url().await).await);
    let lock = "begin; lock table late_index.invoices in row exclusive mode";
    blocker.batch_execute(lock).await.expect("locked");
    let builds = "select count(*) from pg_stat_activity a
                  where query like 'create index concurrently % on \"late_index\".\"invoices\" %'";
    let waits = format!(
        "{builds} and exists (select 1 from pg_locks l where l.pid = a.pid and not l.granted)"
    );
    let count = async |sql_text: &str| {
        sql.query_one(sql_text, &[]).await.expect("a count").get::<_, i64>(0)
    };
    let mut child = cli.start(&["backfill", "--object", "invoice"]);
    while count(&waits).await == 0 {
        if child.try_wait().expect("a child").is_some() {
            let output = wait(child);
            panic!("no index was built: {}{}", output.stdout, output.stderr);
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    interrupt(&child);
    let output = wait(child);
    assert_eq!(output.code, Some(130), "{}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains("the same command resumes the run"), "{}", output.stderr);

    blocker.batch_execute("rollback").await.expect("unlocked");
    // The server notices the end of the command when the statement ends.
    while count(builds).await > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let again = cli.run(&["backfill", "--object", "invoice"]);
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    assert!(again.stderr.contains("resuming run 1, started "), "{}", again.stderr);
    let expected = sim.account().ids("invoice").collect();
    assert_eq!(cli.ids("late_index", "invoices"), expected);
    let valid = "select count(*) from pg_index
                 where indrelid = 'late_index.invoices'::regclass and indisvalid and not indisunique";
    assert_eq!(count(valid).await, 2);
}

#[test]
fn one_signal_ends_a_query_that_waits_for_its_input() {
    let cli = Cli::new().env("DATABASE_URL", "postgres://u@127.0.0.1:1/x");
    let mut command = cli.command(&["query", "-"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary");
    let mut input = child.stdin.take().expect("a pipe");
    input.write_all(b"select 1;").expect("written");
    while ioctl_fionread(&input).expect("a number of bytes") > 0 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&child);
    let output = wait(child);
    assert_eq!((output.code, output.stderr.as_str()), (Some(130), "error: interrupted\n"));
    drop(input);
}

/// Without a controlling terminal there is no SIGHUP, as if it were ignored.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_continues_to_its_end_after_its_terminal_was_closed() {
    let account = Account::builder(3).objects("customer", 2_000).build().expect("an account");
    let latency = std::time::Duration::from_millis(100);
    let options = SimOptions { latency, ..SimOptions::default() };
    let sim = Sim::start(account, options).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "detached").await;
    for args in
        [&["backfill", "--object", "customer"][..], &["backfill", "--object=customer", "-v"]]
    {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).expect("granted");
        unlockpt(&terminal).expect("unlocked");
        let path = ptsname(&terminal, Vec::new()).expect("a name").into_string().expect("UTF-8");
        let open = || OpenOptions::new().read(true).write(true).open(&path).expect("a terminal");
        let before = sim.requests_to("/v1/customers");
        let mut command = cli.command(args);
        command.env("TERM", "xterm").stdin(open()).stdout(open()).stderr(open());
        let mut child = command.spawn().expect("the binary");
        drop(command);
        wait_for_requests(&sim, "/v1/customers", before + 2).await;
        drop(terminal);
        assert_eq!(child.wait().expect("an end").code(), Some(0), "{args:?}");
        assert_eq!(cli.ids("detached", "customers").len(), 2_000);
    }
}
