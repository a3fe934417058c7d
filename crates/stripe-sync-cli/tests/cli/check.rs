//! `check`: every finding is told, nothing is written.

use stripe_sim::{Account, ApiKey, Fault, Sim, SimOptions};

use crate::support::{Cli, as_user, connect, database_url, fresh_database, masked, small_sim};

const KEY: &str = "rk_test_SeCrEtSeCrEt";

fn masked_server() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"PostgreSQL [\d.]+ \([^)]*\)|PostgreSQL \d[\d.]*", "PostgreSQL [version]");
    settings.add_filter(r"database \S+ as user \S+", "database [name] as user [name]");
    settings.add_filter(r"http://127.0.0.1:\d+", "[base]");
    settings.add_filter(r"version 20\d\d\S+", "version [api]");
    settings.add_filter(r"acct_\w+", "acct_[id]");
    settings.add_filter(r"req_\w+", "[request]");
    settings.bind_to_scope()
}

async fn restricted_sim() -> Sim {
    let account = Account::builder(7).small().build().expect("an account");
    let keys = vec![ApiKey::new(KEY).deny(["charge", "issuing.card"]).deny_account()];
    let unavailable = vec!["/v1/treasury/".into(), "/v1/customers".into()];
    let options = SimOptions { keys, unavailable, ..SimOptions::default() };
    Sim::start(account, options).await.expect("a simulator")
}

fn schemas(cli: &Cli) -> String {
    let ran = cli.run(&["query", "select string_agg(nspname, ' ' order by 1) from pg_namespace"]);
    ran.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restricted_key_lacks() {
    let (_masked, _server) = (masked(), masked_server());
    let sim = restricted_sim().await;
    let cli = Cli::with_both(&sim, "check_restricted").await;
    let ran = cli.run(&["check"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""));
    insta::assert_snapshot!("restricted", ran.stdout);
    // One request for the account, one for each stream.
    assert_eq!(sim.requests(), 75);

    let denied = ["check", "--object", "charge,issuing.card,invoice"];
    assert_eq!(cli.run(&denied).code, Some(3));
    let accepted = cli.run(&[&denied[..], &["--skip-denied"]].concat());
    assert_eq!(accepted.code, Some(0), "{}", accepted.stdout);
    let skipped = cli.run(&["check", "--object", "treasury.financial_account"]);
    assert_eq!(skipped.code, Some(1));
    insta::assert_snapshot!("nothing_available", skipped.stdout);
    let all = cli.run(&["check", "--object", "invoice,product,treasury.financial_account", "-v"]);
    insta::assert_snapshot!("all_streams", all.stdout);
    assert!(!schemas(&cli).contains("check_restricted"), "check writes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_programs_read_of_it() {
    let sim = restricted_sim().await;
    let cli = Cli::with_both(&sim, "check_json").await;
    let ran = cli.run(&["check", "--output", "json", "--object", "customer,charge,invoice"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(3), ""));
    let found = ran.json();
    assert_eq!(found["status"], "incomplete");
    assert_eq!(
        found["key"],
        serde_json::json!({ "kind": "rk_test_...", "restricted": true, "mode": "test", "accepted": true })
    );
    assert_eq!(found["account"]["id"], sim.account().id());
    assert_eq!(found["account"]["found_by"], "refusal");
    assert_eq!(found["database"]["encoding"], "UTF8");
    assert_eq!(
        found["database"]["schema"],
        serde_json::json!({ "name": "check_json", "state": "missing" })
    );
    assert_eq!(found["streams"]["charges"]["status"], "denied");
    assert_eq!(found["streams"]["charges"]["missing_permission"], "rak_charge_read");
    assert!(found["streams"]["charges"]["request_id"].is_string());
    assert_eq!(found["streams"]["customers"]["status"], "failed");
    assert_eq!(found["streams"]["invoices"], serde_json::json!({ "status": "ok" }));
    assert_eq!(found["problems"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_ends_it_early() {
    let (_masked, _server) = (masked(), masked_server());
    let sim = small_sim().await;
    // Neither end is usable, and both are told.
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "pk_test_SeCrEtSeCrEt");
    let cli = cli.env("DATABASE_URL", "postgres://u:SeCrEt@127.0.0.1:1/x");
    let ran = cli.run(&["check"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    assert!(!ran.stdout.contains("SeCrEt"));
    insta::assert_snapshot!("both_unusable", ran.stdout);
    assert_eq!(sim.requests(), 0);
    // A setting that makes no sense, and a key that Stripe does not know.
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "sk_test_SeCrEtSeCrEt");
    let ran = cli.env("DATABASE_URL", "postgres://u:SeCrEt@db:port/x").run(&["check"]);
    assert_eq!(ran.code, Some(1));
    assert!(!ran.stdout.contains("SeCrEt"));
    insta::assert_snapshot!("unknown_key", ran.stdout);
    let cli = Cli::new().env("DATABASE_URL", &database_url().await);
    let ran = cli.run(&["check"]);
    assert_eq!(ran.code, Some(2), "only what was typed is wrong: {}", ran.stdout);
    let unknown = cli.run(&["check", "--object", "unicorn"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_read_before_fails_when_it_is_refused() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "check_before").await;
    let objects = ["--object", "topup,transfer"];
    let checked = |cli: &Cli| {
        let ran = cli.run(&[&["check", "--output", "json"], &objects[..]].concat());
        (ran.code, ran.json())
    };
    sim.fail_times("/v1/topups", 1, 1, Fault::Status(400));
    let (code, found) = checked(&cli);
    assert_eq!((code, &found["streams"]["topups"]["status"]), (Some(0), &"skipped".into()));
    assert_eq!(cli.run(&[&["backfill"], &objects[..]].concat()).code, Some(0));
    sim.fail_times("/v1/topups", 1, 1, Fault::Status(400));
    let (code, found) = checked(&cli);
    assert_eq!((code, &found["streams"]["topups"]["status"]), (Some(3), &"failed".into()));
    sim.fail_times("/v1/topups", 1, 1, Fault::EmptyWithMore);
    let (code, found) = checked(&cli);
    let topups = &found["streams"]["topups"];
    assert_eq!((code, &topups["status"]), (Some(3), &"failed".into()), "{topups}");
    assert!(topups["error"].as_str().is_some_and(|e| e.contains("has_more")), "{topups}");
    let schema = &found["database"]["schema"];
    assert_eq!((&schema["state"], &schema["mode"]), (&"migrated".into(), &"test".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_schema_holds_and_allows() {
    let (_masked, _server) = (masked(), masked_server());
    let sim = small_sim().await;
    let url = fresh_database("check_rights", "").await;
    let sql = connect(&url).await;
    let as_weak = as_user(&url, "check_weak");
    sql.batch_execute("create role check_weak login").await.expect("a role");
    let owner = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    let weak = Cli::with_sim(&sim).env("DATABASE_URL", &as_weak);
    let mut told = String::new();
    let mut look = |what: &str, cli: &Cli| {
        let ran = cli.run(&["check", "--object", "customer"]);
        told.push_str(&format!("# {what}\n{}exit {}\n\n", ran.stdout, ran.code.expect("a code")));
    };
    look("no schema, no right to make it", &weak);
    sql.batch_execute("create schema stripe").await.expect("a schema");
    look("a schema, no right to make tables", &weak);
    look("an empty schema", &owner);
    sql.batch_execute("create table stripe.customers (id text)").await.expect("theirs");
    look("tables of somebody else", &owner);
    sql.batch_execute("drop table stripe.customers").await.expect("gone");
    assert_eq!(owner.run(&["backfill", "--object", "customer"]).code, Some(0));
    look("copied", &owner);
    look("no right to write", &weak);
    sql.batch_execute(
        "grant usage on schema stripe to check_weak;
         grant select, insert, update, delete on all tables in schema stripe to check_weak",
    )
    .await
    .expect("granted");
    look("the rights that a backfill needs", &weak);
    sql.batch_execute("revoke insert on stripe.customers from check_weak").await.expect("revoked");
    look("no right to insert", &weak);
    sql.batch_execute("update stripe._meta set value = 'live' where key = 'mode'")
        .await
        .expect("bound");
    look("the other mode", &owner);
    sql.batch_execute("update stripe._migrations set catalog_version = 'old'").await.expect("old");
    sql.batch_execute("grant all on all tables in schema stripe to check_weak").await.expect("all");
    look("another version, not the owner", &weak);
    insta::assert_snapshot!("schemas", told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_server_is_told_and_not_made() {
    let (_masked, _server) = (masked(), masked_server());
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim);
    let ran = cli.run(&["check", "--object", "customer", "--data-dir", "a place"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("would make a private PostgreSQL"), "{}", ran.stdout);
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    std::fs::write(cli.home().join("file"), "").expect("a file");
    let ran = cli.run(&["check", "--object", "customer", "--data-dir", "file/below"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stdout.contains("file is not a directory"), "{}", ran.stdout);

    // One that exists is started, looked at and stopped.
    assert_eq!(cli.run(&["migrate", "--data-dir", "made"]).code, Some(0));
    let ran = cli.run(&["check", "--object", "customer", "--data-dir", "made"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("the private PostgreSQL in made"), "{}", ran.stdout);
    assert!(ran.stdout.contains("stripe: migrated, not used yet"), "{}", ran.stdout);
    assert!(!cli.home().join("made/cluster/postmaster.pid").exists(), "the last one stops it");
}
