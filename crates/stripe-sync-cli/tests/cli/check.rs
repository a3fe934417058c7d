//! `check`: every finding is reported, and nothing is written.

use stripe_sim::{Account, ApiKey, Fault, Sim, SimOptions};

use crate::support::{
    Cli, as_user, connect, database_url, new_database, small_sim, stable_snapshots,
};

const KEY: &str = "rk_test_SeCrEtSeCrEt";

fn stable_server_facts() -> insta::internals::SettingsBindDropGuard {
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
    let output =
        cli.run(&["query", "select string_agg(nspname, ' ' order by 1) from pg_namespace"]);
    output.stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_permissions_are_named() {
    let (_snapshots, _server) = (stable_snapshots(), stable_server_facts());
    let sim = restricted_sim().await;
    let cli = Cli::with_both(&sim, "check_restricted").await;
    let output = cli.run(&["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(3), ""));
    insta::assert_snapshot!("restricted", output.stdout);
    // One request for the account, one for each stream, and one for each list inside their first objects.
    let requests = sim.requests();
    assert!((76..=100).contains(&requests), "{requests}");

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
async fn json_output_contains_the_findings() {
    let sim = restricted_sim().await;
    let cli = Cli::with_both(&sim, "check_json").await;
    let output = cli.run(&["check", "--output", "json", "--object", "customer,charge,invoice"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(3), ""));
    let found = output.json();
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
async fn every_problem_is_reported_at_once() {
    let (_snapshots, _server) = (stable_snapshots(), stable_server_facts());
    let sim = small_sim().await;
    // Both the key and the database are unusable, and both are reported.
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "pk_test_SeCrEtSeCrEt");
    let cli = cli.env("DATABASE_URL", "postgres://u:SeCrEt@127.0.0.1:1/x");
    let output = cli.run(&["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (Some(1), ""));
    assert!(!output.stdout.contains("SeCrEt"));
    insta::assert_snapshot!("both_unusable", output.stdout);
    assert_eq!(sim.requests(), 0);
    // An invalid setting, and a key that Stripe rejects.
    let cli = Cli::with_sim(&sim).env("STRIPE_SECRET_KEY", "sk_test_SeCrEtSeCrEt");
    let output = cli.env("DATABASE_URL", "postgres://u:SeCrEt@db:port/x").run(&["check"]);
    assert_eq!(output.code, Some(1));
    assert!(!output.stdout.contains("SeCrEt"));
    insta::assert_snapshot!("rejected_key", output.stdout);
    let cli = Cli::new().env("DATABASE_URL", &database_url().await);
    let output = cli.run(&["check"]);
    assert_eq!(output.code, Some(2), "a missing key is a usage error: {}", output.stdout);
    let unknown = cli.run(&["check", "--object", "unicorn"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (Some(2), ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_read_before_fails_if_stripe_rejects_it() {
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "check_before").await;
    let objects = ["--object", "topup,transfer"];
    let checked = |cli: &Cli| {
        let output = cli.run(&[&["check", "--output", "json"], &objects[..]].concat());
        (output.code, output.json())
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
async fn the_state_and_privileges_of_the_schema_are_reported() {
    let (_snapshots, _server) = (stable_snapshots(), stable_server_facts());
    let sim = small_sim().await;
    let url = new_database("check_rights", "").await;
    let sql = connect(&url).await;
    let as_weak = as_user(&url, "check_weak");
    sql.batch_execute("create role check_weak login").await.expect("a role");
    let owner = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    let weak = Cli::with_sim(&sim).env("DATABASE_URL", &as_weak);
    let mut transcript = String::new();
    let mut check = |what: &str, cli: &Cli| {
        let output = cli.run(&["check", "--object", "customer"]);
        transcript.push_str(&format!(
            "# {what}\n{}exit {}\n\n",
            output.stdout,
            output.code.expect("a code")
        ));
    };
    check("no schema, no privilege to create it", &weak);
    sql.batch_execute("create schema stripe").await.expect("a schema");
    check("a schema, no privilege to create tables", &weak);
    check("an empty schema", &owner);
    sql.batch_execute("create table stripe.customers (id text)").await.expect("theirs");
    check("tables of another program", &owner);
    sql.batch_execute("drop table stripe.customers").await.expect("gone");
    assert_eq!(owner.run(&["backfill", "--object", "customer"]).code, Some(0));
    check("after a backfill", &owner);
    check("no privilege to write", &weak);
    sql.batch_execute(
        "grant usage on schema stripe to check_weak;
         grant select, insert, update, delete on all tables in schema stripe to check_weak",
    )
    .await
    .expect("granted");
    check("the privileges that a backfill needs", &weak);
    sql.batch_execute("revoke insert on stripe.customers from check_weak").await.expect("revoked");
    check("no privilege to insert", &weak);
    sql.batch_execute("update stripe._meta set value = 'live' where key = 'mode'")
        .await
        .expect("bound");
    check("the other mode", &owner);
    sql.batch_execute("update stripe._migrations set catalog_version = 'old'").await.expect("old");
    sql.batch_execute("grant all on all tables in schema stripe to check_weak").await.expect("all");
    check("another version, not the owner", &weak);
    insta::assert_snapshot!("schemas", transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_private_server_is_reported_and_not_created() {
    let (_snapshots, _server) = (stable_snapshots(), stable_server_facts());
    let sim = small_sim().await;
    let cli = Cli::with_sim(&sim);
    let output = cli.run(&["check", "--object", "customer", "--data-dir", "a directory"]);
    assert_eq!(output.code, Some(0));
    assert!(output.stdout.contains("would create a private PostgreSQL"), "{}", output.stdout);
    assert_eq!(std::fs::read_dir(cli.home()).expect("home").count(), 0);
    std::fs::write(cli.home().join("file"), "").expect("a file");
    let output = cli.run(&["check", "--object", "customer", "--data-dir", "file/below"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stdout.contains("file is not a directory"), "{}", output.stdout);

    // An existing server is started, inspected and stopped.
    assert_eq!(cli.run(&["migrate", "--data-dir", "existing"]).code, Some(0));
    let output = cli.run(&["check", "--object", "customer", "--data-dir", "existing"]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("the private PostgreSQL in existing"), "{}", output.stdout);
    assert!(output.stdout.contains("stripe: migrated, not used yet"), "{}", output.stdout);
    assert!(!cli.home().join("existing/cluster/postmaster.pid").exists(), "the server is stopped");
}
