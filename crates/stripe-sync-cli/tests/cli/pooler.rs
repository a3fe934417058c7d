//! The program with PgBouncer in transaction mode. Each transaction may use another server
//! connection, so anything that depends on a session would fail.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, Sim, SimOptions};
use tempfile::TempDir;
use tokio_postgres::NoTls;
use tokio_postgres::error::SqlState;

use crate::support::{Cli, CommandOutput, connect, new_database, wait_for_requests};

const PORT: u16 = 6432;
/// Runs the pooler until the shell's input is closed, which also happens if the test is killed.
const HOLD: &str = r#""$0" "$1" & read -r _; kill $!; wait"#;

/// A pooler with two connections to a server.
struct PgBouncer {
    shell: Child,
    dir: TempDir,
}

impl PgBouncer {
    /// Starts a pooler for the server of `url`; `settings` are additional lines of its
    /// configuration.
    fn start(url: &str, settings: &str) -> PgBouncer {
        let server = url.split("host=").nth(1).and_then(|rest| rest.split('&').next());
        let server = Path::new(server.expect("a socket"));
        let dir = tempfile::tempdir().expect("a directory");
        let users = dir.path().join("users");
        std::fs::write(&users, "\"postgres\" \"\"\n").expect("written");
        let config = dir.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={}\n[pgbouncer]\npool_mode = transaction\n\
             default_pool_size = 2\nlisten_port = {PORT}\nunix_socket_dir = {}\n\
             auth_type = trust\nauth_file = {}\nlog_connections = 0\nlog_disconnections = 0\n\
             {settings}\n",
            server.display(),
            dir.path().display(),
            users.display(),
        );
        std::fs::write(&config, text).expect("written");
        // PgBouncer does not run as root, and only the server's user can access its socket.
        let owner = std::fs::metadata(server).expect("the server's socket");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", HOLD]).arg(program()).arg(&config).current_dir("/");
        if std::fs::metadata(dir.path()).expect("ours").uid() != owner.uid() {
            for path in [dir.path(), &users, &config] {
                chown(path, Some(owner.uid()), Some(owner.gid())).expect("given");
            }
            shell.uid(owner.uid()).gid(owner.gid());
        }
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut shell = shell.spawn().expect("a shell");
        let mut log = BufReader::new(shell.stderr.take().expect("stderr")).lines();
        let mut log_text = String::new();
        let is_up = log.by_ref().map_while(Result::ok).any(|line| {
            log_text.push_str(&format!("{line}\n"));
            line.contains("process up")
        });
        assert!(is_up, "PgBouncer did not start: {log_text}");
        // A full pipe would block the pooler.
        std::thread::spawn(move || log.for_each(drop));
        PgBouncer { shell, dir }
    }

    fn url(&self, database: &str, more: &str) -> String {
        let dir = self.dir.path().display();
        format!("postgresql:///{database}?host={dir}&port={PORT}&user=postgres{more}")
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        self.shell.wait().expect("the shell's end");
    }
}

fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    dirs.map(|dir| dir.join("pgbouncer")).find(|program| program.is_file()).expect(
        "PgBouncer is not installed: `cargo xtask test` installs the system's package pgbouncer",
    )
}

fn assert_success(output: &CommandOutput) {
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_works_in_transaction_mode() {
    let account = Account::builder(21).small().objects("customer", 2_500);
    let account = account.build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let direct = new_database("pooled", "").await;
    let pooler = PgBouncer::start(&direct, "");
    let cli = Cli::with_sim(&sim).env("DATABASE_URL", &pooler.url("pooled", ""));

    assert_success(&cli.run(&["migrate"]));
    assert_success(&cli.run(&["check", "--object", "customer"]));
    // Two concurrent processes, each with more connections than the pooler has.
    let args = ["backfill", "--max-rps", "none", "--max-connections", "8"];
    let other = cli.start(&args);
    assert_success(&cli.run(&args));
    assert_success(&CommandOutput::from(other.wait_with_output().expect("an end")));
    let status = cli.run(&["status"]);
    assert_success(&status);
    assert!(status.stdout.starts_with("run 1: complete"), "{}", status.stdout);
    let customer = sim.account().ids("customer").next().expect("a customer");
    assert_success(&cli.run(&["refresh", &customer]));

    // Named statements that a process leaves would conflict with those of the next one. The driver
    // looks up custom types with its own statements.
    let sql = connect(&direct).await;
    sql.batch_execute("create type color as enum ('red')").await.expect("a type");
    for _ in 0..6 {
        assert_success(&cli.run(&["query", "select 'red'::color, count(*) from stripe.customers"]));
    }
    let mut rows = 0;
    for (object, table) in stripe_sync::objects() {
        // Stripe rejects this list without a parent.
        if object == "billing.credit_balance_transaction" {
            continue;
        }
        let wanted: BTreeSet<String> = sim.account().ids(object).collect();
        assert!(cli.ids("stripe", table) == wanted, "{table}");
        rows += wanted.len();
    }
    assert!(rows > 3_000, "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_in_the_url_work_or_are_rejected_with_an_explanation() {
    let direct = new_database("pooled_settings", "").await;
    let options = "&options=-c%20statement_timeout%3D60000&application_name=x";
    let strict = PgBouncer::start(&direct, "");
    let url = strict.url("pooled_settings", options);
    let output = Cli::new().env("DATABASE_URL", &url).run(&["migrate"]);
    assert_eq!(output.code, Some(1), "{}", output.stdout);
    assert!(output.stderr.contains("ignore_startup_parameters"), "{}", output.stderr);
    let lenient = PgBouncer::start(&direct, "ignore_startup_parameters = options");
    let url = lenient.url("pooled_settings", options);
    assert_success(&Cli::new().env("DATABASE_URL", &url).run(&["migrate"]));
}

/// The server ends all sessions and recovers while the pooler keeps running. Clients receive errors
/// of the pooler itself, at login and while a query runs.
/// The process of a new connection. Waits while the server is still restarting.
async fn backend_of(url: &str) -> Pid {
    loop {
        let pid = async {
            let (sql, connection) = tokio_postgres::connect(url, NoTls).await?;
            tokio::spawn(connection);
            sql.query_one("select pg_backend_pid()", &[]).await
        };
        match pid.await {
            Ok(row) => return Pid::from_raw(row.get(0)).expect("a pid"),
            Err(error)
                if error.is_closed() || error.code() == Some(&SqlState::CANNOT_CONNECT_NOW) =>
            {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_continues_when_the_server_behind_the_pooler_restarts() {
    let account = Account::builder(22).objects("customer", 6_000).build().expect("an account");
    let options =
        SimOptions { latency: std::time::Duration::from_millis(100), ..SimOptions::default() };
    let sim = Sim::start(account, options).await.expect("a simulator");
    let server = private_postgres::Server::temporary().await.expect("a server");
    let direct = server.connection_url();
    let pooler = PgBouncer::start(&direct, "server_login_retry = 1");
    let url = pooler.url(server.database(), "");
    let cli = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    assert_success(&cli.run(&["migrate"]));
    let run = cli.start(&["backfill", "--object", "customer", "--max-rps", "none"]);
    for restart in 1..=3 {
        wait_for_requests(&sim, "/v1/customers", restart * 15).await;
        let backend = backend_of(&direct).await;
        // A backend that ends abnormally makes the server restart.
        kill_process(backend, Signal::KILL).expect("our own server's backend");
    }
    assert_success(&CommandOutput::from(run.wait_with_output().expect("an end")));
    let wanted: BTreeSet<String> = sim.account().ids("customer").collect();
    let stored = cli.ids("stripe", "customers");
    let all: Vec<String> = sim.account().ids("customer").collect();
    let missing: Vec<usize> =
        all.iter().enumerate().filter(|(_, id)| !stored.contains(*id)).map(|(i, _)| i).collect();
    assert!(stored == wanted, "missing {}: {missing:?}", missing.len());
}
