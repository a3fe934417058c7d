//! Runs the binary in an isolated environment, against a simulator and one temporary PostgreSQL
//! that all tests share, each with its own schema.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use private_postgres::Server;
use stripe_sim::{Account, Sim, SimOptions};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

/// The server stops when the test process exits or is killed.
static SERVER: OnceCell<Server> = OnceCell::const_new();

/// The URL of a database that all tests share.
pub(crate) async fn database_url() -> String {
    server().await.connection_url()
}

/// The server of all tests.
pub(crate) async fn server() -> &'static Server {
    SERVER.get_or_init(|| async { Server::temporary().await.expect("PostgreSQL") }).await
}

/// The URL of a new database for one test.
pub(crate) async fn new_database(name: &str, options: &str) -> String {
    let admin = connect(&database_url().await).await;
    admin.batch_execute(&format!("create database {name} {options}")).await.expect("a database");
    SERVER.get().expect("a server").connection_url_to(name)
}

/// The same database URL for another user.
pub(crate) fn as_user(url: &str, user: &str) -> String {
    let (head, _) = url.rsplit_once("&user=").expect("the user comes last");
    format!("{head}&user={user}")
}

/// A direct connection of the test.
pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// A simulator with a small account and no latency.
pub(crate) async fn small_sim() -> Sim {
    let account = Account::builder(7).small().build().expect("an account");
    Sim::start(account, SimOptions::default()).await.expect("a simulator")
}

/// Runs the binary without the environment of the test process.
pub(crate) struct Cli {
    home: TempDir,
    env: Vec<(String, String)>,
}

/// The result of a command.
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Cli {
    pub(crate) fn new() -> Cli {
        // Most tests do not wait for a database that refuses connections.
        let env = vec![("STRIPE_SYNC_WAIT_FOR_DATABASE".to_owned(), "0s".to_owned())];
        Cli { home: tempfile::tempdir().expect("a directory"), env }
    }

    /// Uses the simulator as Stripe.
    pub(crate) fn with_sim(sim: &Sim) -> Cli {
        Cli::new().env("STRIPE_SECRET_KEY", sim.key()).env("STRIPE_API_BASE", &sim.base_url())
    }

    /// Uses the simulator and a schema of the shared database.
    pub(crate) async fn with_both(sim: &Sim, schema: &str) -> Cli {
        Cli::with_sim(sim).env("DATABASE_URL", &database_url().await).env("SCHEMA", schema)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Cli {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stripe-sync"));
        command.args(args).env_clear().current_dir(self.home());
        command.env("HOME", self.home()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command and waits for its end.
    pub(crate) fn run(&self, args: &[&str]) -> CommandOutput {
        CommandOutput::from(self.command(args).output().expect("the binary"))
    }

    /// Starts a command.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().expect("the binary")
    }

    /// Like [`Cli::start`], from a shell that allows core files of any size.
    pub(crate) fn start_with_core(&self, args: &[&str]) -> Child {
        let mut shell = self.shell("ulimit -c unlimited", args);
        shell.stdout(Stdio::null());
        shell.spawn().expect("the binary")
    }

    /// Like [`Cli::start`], with SIGHUP ignored, as by `nohup`.
    pub(crate) fn start_ignoring_hangup(&self, args: &[&str]) -> Child {
        self.shell("trap '' HUP", args).spawn().expect("the binary")
    }

    /// Like [`Cli::start`], with the default action of SIGHUP even if this process ignores it.
    pub(crate) fn start_with_default_hangup(&self, args: &[&str]) -> Child {
        let binary = self.command(args);
        let mut env = Command::new("env");
        env.arg("--default-signal=HUP").arg(binary.get_program());
        env.args(binary.get_args()).env_clear().current_dir(self.home());
        env.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        env.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        env.spawn().expect("env and the binary")
    }

    /// Runs `first` in a shell, which is then replaced by the binary.
    fn shell(&self, first: &str, args: &[&str]) -> Command {
        let binary = self.command(args);
        let mut shell = Command::new("/bin/sh");
        let script = format!("{first}; exec \"$0\" \"$@\"");
        shell.args(["-c", &script]).arg(binary.get_program());
        shell.args(binary.get_args()).env_clear().current_dir(self.home());
        shell.envs(binary.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }

    /// The IDs in a table, read with `stripe-sync query`.
    pub(crate) fn ids(&self, schema: &str, table: &str) -> BTreeSet<String> {
        let sql = format!("select id from {schema}.{table}");
        let result = self.run(&["query", &sql, "--output", "json"]);
        assert_eq!(result.code, Some(0), "{}", result.stderr);
        let rows: Vec<serde_json::Value> = serde_json::from_str(&result.stdout).expect("an array");
        let ids: BTreeSet<String> =
            rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
        assert_eq!(ids.len(), rows.len(), "the table contains an ID twice");
        ids
    }
}

impl CommandOutput {
    /// stderr of a backfill without its first line, which says what is copied to where.
    pub(crate) fn messages(&self) -> &str {
        let (first, messages) = self.stderr.split_once('\n').expect("a first line");
        assert!(first.starts_with("copying account acct_"), "{first}");
        messages
    }

    /// stdout, parsed as one JSON value.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }
}

impl From<Output> for CommandOutput {
    fn from(output: Output) -> CommandOutput {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        CommandOutput {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

/// Replaces the parts of snapshots that differ between runs.
pub(crate) fn stable_snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    for (pattern, replacement) in [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "[time]"),
        (r"\d+\.\d s", "[seconds]"),
        (r"\([\d,.]+/s\)", "([rate])"),
        (r"[\d,]+ requests", "[n] requests"),
        (r"request req_\w+", "request [id]"),
        (r"on /tmp/stripe-sync-\S+,", "on [host],"),
        // The column with the number of requests, which is not guaranteed.
        (r"  +\d+  (complete|running|interrupted|skipped|denied|failed)", "  [n]  $1"),
    ] {
        settings.add_filter(pattern, replacement);
    }
    settings.bind_to_scope()
}

/// Waits until the simulator has received this many requests to a path.
pub(crate) async fn wait_for_requests(sim: &Sim, path: &str, number: u64) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while sim.requests_to(path) < number {
        assert!(std::time::Instant::now() < deadline, "fewer than {number} requests to {path}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
