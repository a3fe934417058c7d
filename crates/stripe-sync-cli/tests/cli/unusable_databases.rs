//! Databases that cannot be used: the command prints one clear message with a hint and without a
//! password, exits with code 1, and creates nothing.

use private_postgres::Server;
use stripe_sim::Sim;
use tokio_postgres::Client;

use crate::fake_postgres::{Behavior, start};
use crate::support::{Cli, as_user, connect, new_database, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

fn stable_snapshots() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"/\S*stripe-sync-\d+/[\w/.-]+", "[directory]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[port]");
    settings.add_filter(r"(failed to lookup address information): [^\n]+", "$1: [why]");
    settings.add_filter(r"req_\w+", "[request]");
    // Any of the first statements can exceed the timeout.
    settings.add_filter(r"cannot [^:\n]+: canceling", "cannot [do]: canceling");
    settings.bind_to_scope()
}

/// The commands run with each database, and their output.
struct Transcript<'a> {
    sim: &'a Sim,
    text: String,
}

impl Transcript<'_> {
    fn run_case(&mut self, what: &str, url: &str, args: &[&str]) {
        let cli = Cli::with_sim(self.sim).env("DATABASE_URL", url);
        let output = cli.run(args);
        assert_eq!(output.stdout, "", "{what}");
        assert!(!output.stderr.contains(SECRET), "{what}: {}", output.stderr);
        let code = output.code.expect("a code");
        self.text.push_str(&format!(
            "# {what}\n$ {}\n{}exit {code}\n\n",
            args.join(" "),
            output.stderr
        ));
    }
}

async fn schemas(sql: &Client) -> i64 {
    let sql = sql.query_one("select count(*) from pg_namespace where nspname = 'stripe'", &[]);
    sql.await.expect("a count").get(0)
}

/// Creates a role for which the server requires a password.
async fn create_role_with_password(url: &str, role: &str) {
    let sql = connect(url).await;
    sql.batch_execute(&format!("create role {role} login password 'right'")).await.expect("a role");
    let row = sql.query_one("show hba_file", &[]).await.expect("a setting");
    let rules: String = row.get(0);
    let old = std::fs::read_to_string(&rules).expect("pg_hba.conf");
    std::fs::write(&rules, format!("local all {role} scram-sha-256\n{old}")).expect("written");
    sql.batch_execute("select pg_reload_conf()").await.expect("reloaded");
    // The server reloads the file asynchronously.
    while tokio_postgres::connect(&as_user(url, role), tokio_postgres::NoTls).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_connection_is_explained() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let mut transcript = Transcript { sim: &sim, text: String::new() };
    let fake = |behavior| format!("postgres://u:{SECRET}@127.0.0.1:{}/app", start(behavior));
    let args = ["migrate"];
    transcript.run_case("no server", &format!("postgres://u:{SECRET}@127.0.0.1:1/x"), &args);
    transcript.run_case("no such host", &format!("postgres://u:{SECRET}@host.invalid/x"), &args);
    transcript.run_case(
        "no such socket",
        &format!("postgres://u:{SECRET}@/x?host=/nowhere"),
        &args,
    );
    transcript.run_case("not PostgreSQL", &fake(Behavior::Http), &args);
    let url = format!("{}?connect_timeout=1", fake(Behavior::NoResponse));
    transcript.run_case("no answer", &url, &args);
    let rejections = [
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"app\", no encryption",
        ),
        ("53300", "sorry, too many clients already"),
        ("57P03", "the database system is starting up"),
    ];
    for (code, message) in rejections {
        transcript.run_case(message, &fake(Behavior::Rejects(code, message)), &args);
    }
    let url = format!("{}?sslmode=require", fake(Behavior::Rejects("28000", "no TLS here")));
    transcript.run_case("no TLS", &url, &args);

    let url = new_database("closed", "").await;
    let sql = connect(&url).await;
    create_role_with_password(&url, "guarded").await;
    let guarded = as_user(&url, "guarded");
    transcript.run_case("wrong password", &format!("{guarded}&password={SECRET}"), &args);
    transcript.run_case("no password", &guarded, &args);
    transcript.run_case("no such role", &as_user(&url, "nobody_there"), &args);
    transcript.run_case("no such database", &url.replace("/closed?", "/missing?"), &args);
    sql.batch_execute("create role full_role login connection limit 0").await.expect("a role");
    transcript.run_case("no connection left", &as_user(&url, "full_role"), &args);
    sql.batch_execute("revoke connect on database closed from public; create role outside login")
        .await
        .expect("revoked");
    transcript.run_case("no privilege to connect", &as_user(&url, "outside"), &args);
    insta::assert_snapshot!(transcript.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_the_required_properties_is_rejected() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let mut transcript = Transcript { sim: &sim, text: String::new() };
    let fake = |number, version, standby| {
        let port = start(Behavior::Reports { number, version, standby });
        format!("postgres://u:{SECRET}@127.0.0.1:{port}/app")
    };
    let args = ["backfill", "--object", "customer"];
    transcript.run_case("too old", &fake(130_022, "13.22", false), &args);
    transcript.run_case("a standby", &fake(150_004, "15.4", true), &args);
    let url = new_database("latin", "encoding 'LATIN1' locale 'C' template template0").await;
    transcript.run_case("LATIN1", &url, &args);
    let url = new_database("ascii", "encoding 'SQL_ASCII' locale 'C' template template0").await;
    transcript.run_case("SQL_ASCII", &url, &args);
    let url = new_database("pattern", "is_template true").await;
    transcript.run_case("a template", &url, &args);
    let url = new_database("hasty", "").await;
    connect(&url)
        .await
        .batch_execute("alter database hasty set statement_timeout = '1ms'")
        .await
        .expect("hasty");
    transcript.run_case("statement_timeout", &url, &args);
    let url = new_database("readable", "").await;
    let sql = connect(&url).await;
    sql.batch_execute("alter database readable set default_transaction_read_only = on")
        .await
        .expect("read-only");
    transcript.run_case("read-only", &url, &args);
    assert_eq!(schemas(&sql).await, 0);
    insta::assert_snapshot!(transcript.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_privilege_is_named_and_the_run_resumes_once_granted() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let mut transcript = Transcript { sim: &sim, text: String::new() };
    let url = new_database("guarded", "").await;
    let sql = connect(&url).await;
    sql.batch_execute("create role weak login").await.expect("a role");
    let weak = as_user(&url, "weak");
    let args = ["backfill", "--object", "customer"];
    transcript.run_case("no privilege to create a schema", &weak, &args);
    assert_eq!(schemas(&sql).await, 0);
    sql.batch_execute("create schema stripe; grant usage on schema stripe to weak")
        .await
        .expect("a schema");
    transcript.run_case("no privilege to create tables", &weak, &args);
    let tables = "select count(*) from pg_class where relnamespace = 'stripe'::regnamespace";
    assert_eq!(sql.query_one(tables, &[]).await.expect("a count").get::<_, i64>(0), 0);
    let owner = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    assert_eq!(owner.run(&["migrate"]).code, Some(0));
    sql.batch_execute(
        "grant select, insert, update, delete on all tables in schema stripe to weak;
         revoke insert on stripe.customers from weak",
    )
    .await
    .expect("granted");
    transcript.run_case("no privilege to insert", &weak, &args);
    insta::assert_snapshot!(transcript.text);
    // Once the privilege is granted, the same command resumes the run.
    sql.batch_execute("grant insert on stripe.customers to weak").await.expect("granted");
    let output = Cli::with_sim(&sim).env("DATABASE_URL", &weak).run(&args);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("resuming run 1"), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_resumes_after_a_full_disk() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let mut transcript = Transcript { sim: &sim, text: String::new() };
    let url = new_database("crammed", "").await;
    let owner = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    assert_eq!(owner.run(&["migrate"]).code, Some(0));
    let sql = connect(&url).await;
    // The error of a server that cannot extend a file.
    sql.batch_execute(
        "create function full_disk() returns trigger language plpgsql as $$ begin
             raise exception 'could not extend file \"base/5/1259\": No space left on device'
             using errcode = '53100'; end $$;
         create trigger full_disk before insert on stripe.customers for each statement
             execute function full_disk()",
    )
    .await
    .expect("a full disk");
    let args = ["backfill", "--object", "customer,product"];
    transcript.run_case("the disk is full", &url, &args);
    insta::assert_snapshot!(transcript.text);
    let count = |table: &str| {
        let sql_text = format!("select count(*) from stripe.{table}");
        let sql = &sql;
        async move { sql.query_one(&sql_text, &[]).await.expect("a count").get::<_, i64>(0) }
    };
    assert_eq!(count("_quarantine").await, 0, "the rows are not quarantined");
    assert_eq!(count("customers").await, 0);
    sql.batch_execute("drop trigger full_disk on stripe.customers").await.expect("room");
    let output = owner.run(&args);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("resuming run 1"), "{}", output.stderr);
    assert_eq!(count("customers").await.cast_unsigned(), sim.account().count("customer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_other_mode_is_rejected() {
    let _snapshots = stable_snapshots();
    let test = small_sim().await;
    let live = stripe_sim::Account::builder(8).livemode(true).small().build().expect("an account");
    let live = Sim::start(live, Default::default()).await.expect("a simulator");
    let url = new_database("modes", "").await;
    let cli = Cli::with_sim(&test).env("DATABASE_URL", &url);
    assert_eq!(cli.run(&["backfill", "--object", "product"]).code, Some(0));
    let sql = connect(&url).await;
    let state = "select count(*) from stripe._runs";
    let mut transcript = Transcript { sim: &live, text: String::new() };
    transcript.run_case("a live key for test data", &url, &["backfill", "--object", "customer"]);
    transcript.run_case("a live key for test data", &url, &["refresh", "cus_123"]);
    assert_eq!(sql.query_one(state, &[]).await.expect("a count").get::<_, i64>(0), 1);
    insta::assert_snapshot!(transcript.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_reported() {
    let _snapshots = stable_snapshots();
    let sim = small_sim().await;
    let server = Server::temporary().await.expect("a server");
    let url = server.connection_url();
    server.stop().await.expect("stopped");
    let output = Cli::with_sim(&sim).env("DATABASE_URL", &url).run(&["status"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(output.stderr);
}
