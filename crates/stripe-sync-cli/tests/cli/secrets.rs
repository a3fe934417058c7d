//! The key, the webhook secret and the database's password are nowhere but where the user put
//! them: not in what is said at any loudness, not in errors, tables, titles, the server's log.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use private_postgres::Server;
use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, ApiKey, Sim, SimOptions};
use tokio_postgres::{Client, NoTls};

use crate::support::{Cli, Ran, requests_to};

const KEY: &str = "sk_test_KeyZq7XwKeyZq7Xw";
const WEBHOOK: &str = "whsec_HookZq7Xw/HookZq7Xw+=";
const PASSWORD: &str = "Pass/Zq7Xw+Word Zq7Xw";
/// The password as a url has it.
const PASSWORD_IN_URL: &str = "Pass%2FZq7Xw%2BWord%20Zq7Xw";
const ROLE: &str = "reader";

/// Every form in which a secret can leak, each without the prefix that is no secret.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for secret in [&KEY["sk_test_".len()..], &WEBHOOK["whsec_".len()..], PASSWORD] {
        forms.push(secret.to_owned());
        forms.push(percent_encoded(secret));
        forms.push(secret.bytes().map(|b| format!("{b:02x}")).collect());
        // In base64 a text has three forms, by what stands before it.
        for before in 0..3 {
            let text = ["x".repeat(before).as_bytes(), secret.as_bytes()].concat();
            let (from, to) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
            forms.push(base64(&text)[from..to].to_owned());
        }
    }
    forms
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
fn assert_clean(place: &str, text: &str) {
    for form in forms() {
        let found = text.lines().find(|line| line.contains(&form));
        assert!(found.is_none(), "{place} holds {form}: {}", found.unwrap_or_default());
    }
}

#[test]
fn every_form_is_recognised() {
    assert_eq!(base64(b"Many hands"), "TWFueSBoYW5kcwAA");
    assert_eq!(percent_encoded(PASSWORD), PASSWORD_IN_URL);
    for text in [
        format!("Authorization: Bearer {KEY}"),
        format!("Basic {}", base64(format!("{KEY}:").as_bytes())),
        format!("Basic {}", base64(format!("user:{PASSWORD}").as_bytes())),
        format!("postgres://u:{PASSWORD_IN_URL}@host"),
        format!("{{\"secret\":\"{WEBHOOK}\"}}"),
    ] {
        assert!(forms().iter().any(|form| text.contains(form)), "{text}");
    }
}

/// A server that logs every statement and asks the role for its password.
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
    // What the test itself says of the password is not to be found in the log.
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
    // The server reads it in its own time.
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

fn check(what: &str, ran: &Ran) {
    assert_clean(&format!("stdout of {what}"), &ran.stdout);
    assert_clean(&format!("stderr of {what}"), &ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_where_the_user_put_them() {
    let (server, sim) = (server().await, sim(Duration::ZERO).await);
    let right = url(&server, PASSWORD_IN_URL);
    let cli = cli(&sim, &right);
    for loudness in ["-q", "", "-v", "-vv", "-vvv"] {
        for form in ["text", "json"] {
            let mut args = vec!["backfill", "--fresh", "--max-rps", "none", "--output", form];
            args.extend(Some(loudness).filter(|l| !l.is_empty()));
            let ran = cli.run(&args);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            check(&args.join(" "), &ran);
            assert!(loudness != "-vv" || ran.stderr.contains("DEBUG"), "the log is on");
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

    // Every table, the view, and what the server shows and logs.
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
async fn errors_of_every_kind_keep_them_too() {
    let (server, sim) = (server().await, sim(Duration::ZERO).await);
    let right = url(&server, PASSWORD_IN_URL);
    let far = format!("postgres://u:{PASSWORD_IN_URL}@127.0.0.1:1/x");
    let unknown = format!("sk_test_{}", &WEBHOOK["whsec_".len()..].replace(['/', '+', '='], ""));
    let keyed = format!("https://{KEY}@api.example.com");
    let passwords = format!("host=/nowhere user=u password='{PASSWORD}' what=x");
    let lies = format!("{right}&sslmode={KEY}");
    for (variable, value, args) in [
        // The password is right for nobody else.
        ("DATABASE_URL", right.replace(ROLE, "nobody"), vec!["migrate", "-vv"]),
        ("DATABASE_URL", right.replace("Word", "Wort"), vec!["backfill", "-vv"]),
        ("DATABASE_URL", far, vec!["migrate", "-vv"]),
        ("DATABASE_URL", format!("postgres://u:{PASSWORD}@host:notaport/x"), vec!["migrate"]),
        ("DATABASE_URL", passwords, vec!["migrate", "-vv"]),
        ("DATABASE_URL", lies, vec!["migrate", "-vv"]),
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
        let ran = cli(&sim, &right).env(variable, &value).run(&args);
        assert!(matches!(ran.code, Some(1 | 2)), "{variable} {args:?}: {}", ran.stderr);
        check(&format!("{args:?} with another {variable}"), &ran);
    }
    let log = std::fs::read(server.log_file()).expect("the log");
    assert_clean("the server's log", &String::from_utf8_lossy(&log));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_process_shows_none_and_leaves_no_core() {
    let (server, sim) = (server().await, sim(Duration::from_millis(150)).await);
    let cli = cli(&sim, &url(&server, PASSWORD_IN_URL));
    let mut child = cli.start_with_core(&["backfill", "-vv", "--max-rps", "none"]);
    requests_to(&sim, "/v1/customers", 1).await;
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

    // The worst end: where cores are allowed, this one would write one.
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::ABORT).expect("sent");
    let status = child.wait().expect("an end");
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    let left: Vec<_> = std::fs::read_dir(cli.home()).expect("home").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    let mut said = String::new();
    child.stderr.take().expect("stderr").read_to_string(&mut said).expect("read");
    assert_clean("stderr", &said);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_stripe_and_a_private_server() {
    let sim = sim(Duration::ZERO).await;
    // Stripe is waited for; what is said meanwhile is what counts.
    let away = cli(&sim, "").env("STRIPE_API_BASE", "http://127.0.0.1:1");
    let mut child = away.start(&["backfill", "-vv"]);
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let first = lines.next().expect("something").expect("UTF-8");
    assert!(first.contains("127.0.0.1:1"), "{first}");
    assert_clean("stderr", &first);
    child.kill().expect("killed");
    child.wait().expect("an end");
    lines.map_while(Result::ok).for_each(|line| assert_clean("stderr", &line));

    // A server that is started from here gets nothing of the environment.
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
    // So that the server's user, where we are root, can have its directory here.
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(private.home(), open).expect("opened");
    let dir = private.home().join("data");
    let dir = dir.to_str().expect("UTF-8");
    let mut child = private.start(&["backfill", "--object", "customer", "--data-dir", dir]);
    requests_to(&slow, "/v1/customers", 2).await;
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
