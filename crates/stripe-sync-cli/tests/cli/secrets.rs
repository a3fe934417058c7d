//! The key, the webhook secret and the database password appear only where the user put them: not
//! in output at any verbosity, errors, tables, process titles or the server's log.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use private_postgres::Server;
use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, ApiKey, Sim, SimOptions};
use tokio_postgres::{Client, NoTls};

use crate::support::{Cli, CommandOutput, wait_for_requests};

const KEY: &str = "sk_test_KeyZq7XwKeyZq7Xw";
const WEBHOOK: &str = "whsec_HookZq7Xw/HookZq7Xw+=";
const PASSWORD: &str = "Pass/Zq7Xw+Word Zq7Xw";
/// The password as it is written in a URL.
const PASSWORD_IN_URL: &str = "Pass%2FZq7Xw%2BWord%20Zq7Xw";
const ROLE: &str = "reader";

/// Every encoding in which a secret can leak, without the prefix, which is not secret.
fn encodings() -> Vec<String> {
    let mut encodings = Vec::new();
    for secret in [&KEY["sk_test_".len()..], &WEBHOOK["whsec_".len()..], PASSWORD] {
        encodings.push(secret.to_owned());
        encodings.push(percent_encoded(secret));
        encodings.push(secret.bytes().map(|b| format!("{b:02x}")).collect());
        // The base64 encoding of a text depends on its offset modulo three.
        for before in 0..3 {
            let text = ["x".repeat(before).as_bytes(), secret.as_bytes()].concat();
            let (from, to) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
            encodings.push(base64(&text)[from..to].to_owned());
        }
    }
    encodings
}

fn percent_encoded(text: &str) -> String {
    let byte = |b: u8| match b.is_ascii_alphanumeric() {
        true => char::from(b).to_string(),
        false => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | usize::from(*group.get(i).unwrap_or(&0)));
        text.extend([18, 12, 6, 0].map(|shift| char::from(DIGITS[bits >> shift & 63])));
    }
    text
}

#[track_caller]
fn assert_clean(source: &str, text: &str) {
    for encoding in encodings() {
        let found = text.lines().find(|line| line.contains(&encoding));
        assert!(found.is_none(), "{source} contains {encoding}: {}", found.unwrap_or_default());
    }
}

#[test]
fn every_encoding_of_a_secret_is_recognized() {
    assert_eq!(base64(b"Many hands"), "TWFueSBoYW5kcwAA");
    assert_eq!(percent_encoded(PASSWORD), PASSWORD_IN_URL);
    for text in [
        format!("Authorization: Bearer {KEY}"),
        format!("Basic {}", base64(format!("{KEY}:").as_bytes())),
        format!("Basic {}", base64(format!("user:{PASSWORD}").as_bytes())),
        format!("postgres://u:{PASSWORD_IN_URL}@host"),
        format!("{{\"secret\":\"{WEBHOOK}\"}}"),
    ] {
        assert!(encodings().iter().any(|encoding| text.contains(encoding)), "{text}");
    }
}

/// A server that logs every statement and requires the role's password.
async fn server() -> Server {
    let server = Server::temporary_with(&[
        ("log_statement", "all"),
        ("log_connections", "on"),
        ("log_min_error_statement", "error"),
        ("log_error_verbosity", "verbose"),
        ("log_parameter_max_length", "-1"),
        ("log_parameter_max_length_on_error", "-1"),
    ])
    .await
    .expect("a server");
    let admin = connect(&server.connection_url()).await.expect("the superuser");
    // The test's own statement with the password must not be logged.
    admin.batch_execute("set log_statement = 'none'").await.expect("set");
    admin
        .batch_execute(&format!(
            "create role {ROLE} login password '{PASSWORD}';
             grant create on database {} to {ROLE}",
            server.database()
        ))
        .await
        .expect("a role");
    let rules = server.cluster_dir().join("pg_hba.conf");
    let old = std::fs::read_to_string(&rules).expect("pg_hba.conf");
    std::fs::write(&rules, format!("local all {ROLE} scram-sha-256\n{old}")).expect("written");
    admin.batch_execute("select pg_reload_conf()").await.expect("reloaded");
    // The server reloads the file asynchronously.
    while connect(&url(&server, "wrong")).await.is_ok() {
        tokio::task::yield_now().await;
    }
    connect(&url(&server, PASSWORD_IN_URL)).await.expect("the password is right");
    server
}

fn url(server: &Server, password: &str) -> String {
    let (database, dir) = (server.database(), server.socket_dir().display());
    format!("postgres://{ROLE}:{password}@/{database}?host={dir}")
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn sim(latency: Duration) -> Sim {
    let account = Account::builder(7).small().build().expect("an account");
    let keys = vec![ApiKey::new(KEY)];
    let options = SimOptions { keys, fault_rate: 0.05, latency, ..SimOptions::default() };
    Sim::start(account, options).await.expect("a simulator")
}

fn cli(sim: &Sim, url: &str) -> Cli {
    Cli::with_sim(sim)
        .env("STRIPE_SECRET_KEY", KEY)
        .env("STRIPE_WEBHOOK_SECRET", WEBHOOK)
        .env("DATABASE_URL", url)
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full")
}

fn check(what: &str, output: &CommandOutput) {
    assert_clean(&format!("stdout of {what}"), &output.stdout);
    assert_clean(&format!("stderr of {what}"), &output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_output_table_or_server_log_contains_a_secret() {
    let (server, sim) = (server().await, sim(Duration::ZERO).await);
    let right = url(&server, PASSWORD_IN_URL);
    let cli = cli(&sim, &right);
    for verbosity in ["-q", "", "-v", "-vv", "-vvv"] {
        for form in ["text", "json"] {
            let mut args = vec!["backfill", "--fresh", "--max-rps", "none", "--output", form];
            args.extend(Some(verbosity).filter(|l| !l.is_empty()));
            let output = cli.run(&args);
            assert_eq!(output.code, Some(0), "{}", output.stderr);
            check(&args.join(" "), &output);
            assert!(
                verbosity != "-vv" || output.stderr.contains("debug: "),
                "debug messages are enabled"
            );
        }
    }
    for args in [
        vec!["migrate", "-vv"],
        vec!["status", "-vv"],
        vec!["status", "--output", "json"],
        vec!["refresh", "cus_missing", "-vv"],
        vec!["query", "select 1 as one", "-vv"],
        vec!["query", "select * from pg_stat_activity", "-vv"],
        vec!["migrate", "--help"],
        vec!["--version"],
    ] {
        check(&args.join(" "), &cli.run(&args));
    }

    // Every table, the view, and the server's statistics, settings and log.
    let admin = connect(&server.connection_url()).await.expect("the superuser");
    let tables = "select format('%I.%I', n.nspname, c.relname) from pg_class c
                  join pg_namespace n on n.oid = c.relnamespace
                  where c.relkind in ('r', 'v') and n.nspname = 'stripe'";
    let mut tables: Vec<String> =
        admin.query(tables, &[]).await.expect("tables").iter().map(|row| row.get(0)).collect();
    assert!(tables.len() > 80, "{tables:?}");
    tables.extend(["pg_stat_activity".to_owned(), "pg_settings".to_owned()]);
    for table in tables {
        let rows = admin.query(&format!("select t::text from {table} t"), &[]).await.expect("rows");
        for row in rows {
            assert_clean(&table, row.get(0));
        }
    }
    let log = std::fs::read(server.log_file()).expect("the log");
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("on conflict") && log.contains(ROLE), "statements are logged");
    assert_clean("the server's log", &log);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_error_contains_a_secret() {
    let (server, sim) = (server().await, sim(Duration::ZERO).await);
    let right = url(&server, PASSWORD_IN_URL);
    let far = format!("postgres://u:{PASSWORD_IN_URL}@127.0.0.1:1/x");
    let unknown = format!("sk_test_{}", &WEBHOOK["whsec_".len()..].replace(['/', '+', '='], ""));
    let keyed = format!("https://{KEY}@api.example.com");
    let passwords = format!("host=/nowhere user=u password='{PASSWORD}' what=x");
    let invalid_mode = format!("{right}&sslmode={KEY}");
    for (variable, value, args) in [
        // A wrong user, and a wrong password.
        ("DATABASE_URL", right.replace(ROLE, "nobody"), vec!["migrate", "-vv"]),
        ("DATABASE_URL", right.replace("Word", "Wort"), vec!["backfill", "-vv"]),
        ("DATABASE_URL", far, vec!["migrate", "-vv"]),
        ("DATABASE_URL", format!("postgres://u:{PASSWORD}@host:notaport/x"), vec!["migrate"]),
        ("DATABASE_URL", passwords, vec!["migrate", "-vv"]),
        ("DATABASE_URL", invalid_mode, vec!["migrate", "-vv"]),
        ("DATABASE_URL", KEY.to_owned(), vec!["migrate", "-vv"]),
        ("STRIPE_SECRET_KEY", unknown, vec!["backfill", "-vv"]),
        ("STRIPE_SECRET_KEY", WEBHOOK.to_owned(), vec!["backfill", "-vv"]),
        ("STRIPE_SECRET_KEY", format!("{KEY}\n{KEY}"), vec!["backfill", "-vv"]),
        ("STRIPE_API_KEY", format!("{KEY}x"), vec!["backfill", "-vv"]),
        ("STRIPE_API_BASE", keyed, vec!["backfill", "-vv"]),
        ("SCHEMA", KEY.to_owned(), vec!["query", "select x", "-vv"]),
        ("STRIPE_SYNC_EXCLUDE_COLUMNS", KEY.to_owned(), vec!["migrate"]),
        ("STRIPE_ACCOUNT_ID", KEY.to_owned(), vec!["backfill"]),
        ("X", String::new(), vec!["backfill", "--object", KEY]),
        ("X", String::new(), vec!["backfill", "--since", WEBHOOK]),
        ("X", String::new(), vec!["refresh", KEY]),
        ("X", String::new(), vec!["backfill", KEY]),
    ] {
        let output = cli(&sim, &right).env(variable, &value).run(&args);
        assert!(matches!(output.code, Some(1 | 2)), "{variable} {args:?}: {}", output.stderr);
        check(&format!("{args:?} with another {variable}"), &output);
    }
    let log = std::fs::read(server.log_file()).expect("the log");
    assert_clean("the server's log", &String::from_utf8_lossy(&log));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_process_shows_no_secret_and_leaves_no_core() {
    let (server, sim) = (server().await, sim(Duration::from_millis(150)).await);
    let cli = cli(&sim, &url(&server, PASSWORD_IN_URL));
    let mut child = cli.start_with_core(&["backfill", "-vv", "--max-rps", "none"]);
    wait_for_requests(&sim, "/v1/customers", 1).await;
    let read = |file: &str| {
        let path = format!("/proc/{}/{file}", child.id());
        String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
    };
    let command_line = read("cmdline");
    assert!(command_line.contains("backfill"), "{command_line}");
    assert_clean("the command line", &command_line);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id())).expect("tasks");
    for task in tasks.flatten() {
        let title = std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        assert_clean("a thread's title", &title);
    }
    let limits = read("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let soft = core.and_then(|line| line.split_whitespace().nth(4));
    assert_eq!(soft, Some("0"), "{core:?}");
    let admin = connect(&server.connection_url()).await.expect("the superuser");
    let rows = admin.query("select t::text from pg_stat_activity t", &[]).await.expect("rows");
    let shown: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(shown.iter().any(|row| row.contains("stripe-sync") && row.contains(ROLE)));
    shown.iter().for_each(|row| assert_clean("pg_stat_activity", row));

    // SIGABRT writes a core file if core files are allowed.
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::ABORT).expect("sent");
    let status = child.wait().expect("an end");
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    let left: Vec<_> = std::fs::read_dir(cli.home()).expect("home").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    let mut stderr = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut stderr).expect("read");
    assert_clean("stderr", &stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_and_the_private_server_leak_no_secret() {
    let sim = sim(Duration::ZERO).await;
    // While the command waits for Stripe, its log must not contain a secret.
    let away = cli(&sim, "").env("STRIPE_API_BASE", "http://127.0.0.1:1");
    let mut child = away.start(&["backfill", "-vv"]);
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    loop {
        let line = lines.next().expect("a line about the outage").expect("UTF-8");
        assert_clean("stderr", &line);
        if line.contains("127.0.0.1:1") {
            break;
        }
    }
    child.kill().expect("killed");
    child.wait().expect("an end");
    lines.map_while(Result::ok).for_each(|line| assert_clean("stderr", &line));

    // The private server does not inherit the environment.
    let slow = Sim::start(
        Account::builder(3).objects("customer", 3_000).build().expect("an account"),
        SimOptions {
            keys: vec![ApiKey::new(KEY)],
            latency: Duration::from_millis(300),
            ..SimOptions::default()
        },
    )
    .await
    .expect("a simulator");
    let private = cli(&slow, "");
    // If the test runs as root, the server's user needs access to this directory.
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(private.home(), open).expect("opened");
    let dir = private.home().join("data");
    let dir = dir.to_str().expect("UTF-8");
    let mut child = private.start(&["backfill", "--object", "customer", "--data-dir", dir]);
    wait_for_requests(&slow, "/v1/customers", 2).await;
    let file = private.home().join("data/cluster/postmaster.pid");
    let file = std::fs::read_to_string(file).expect("a server runs");
    let postmaster = file.lines().next().expect("its pid");
    let children =
        std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"))
            .unwrap_or_default();
    for process in [postmaster].into_iter().chain(children.split_whitespace()) {
        let read =
            |file: &str| std::fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
        let lines = |file: &str| String::from_utf8_lossy(&read(file)).replace('\0', "\n");
        assert!(process != postmaster || lines("environ").contains("LC_ALL"));
        assert_clean("the server's title", &lines("cmdline"));
        assert_clean("the server's environment", &lines("environ"));
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("sent");
    child.wait().expect("an end");
}
