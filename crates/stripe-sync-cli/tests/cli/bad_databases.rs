//! Databases that cannot be used: one clear message with the next step, exit code 1, no password
//! in it, and nothing half-made.

use private_postgres::Server;
use stripe_sim::Sim;
use tokio_postgres::Client;

use crate::fake_postgres::{Behaviour, start};
use crate::support::{Cli, as_user, connect, fresh_database, small_sim};

const SECRET: &str = "SeCrEtSeCrEt";

fn masked() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"/\S*stripe-sync-\d+/[\w/.-]+", "[directory]");
    settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:[port]");
    settings.add_filter(r"(failed to lookup address information): [^\n]+", "$1: [why]");
    settings.add_filter(r"req_\w+", "[request]");
    // Which of the first statements is too slow.
    settings.add_filter(r"cannot [^:\n]+: canceling", "cannot [do]: canceling");
    settings.bind_to_scope()
}

/// What came of a command with each database.
struct Told<'a> {
    sim: &'a Sim,
    text: String,
}

impl Told<'_> {
    fn try_it(&mut self, what: &str, url: &str, args: &[&str]) {
        let cli = Cli::with_sim(self.sim).env("DATABASE_URL", url);
        let ran = cli.run(args);
        assert_eq!(ran.stdout, "", "{what}");
        assert!(!ran.stderr.contains(SECRET), "{what}: {}", ran.stderr);
        let code = ran.code.expect("a code");
        self.text.push_str(&format!(
            "# {what}\n$ {}\n{}exit {code}\n\n",
            args.join(" "),
            ran.stderr
        ));
    }
}

async fn schemas(sql: &Client) -> i64 {
    let sql = sql.query_one("select count(*) from pg_namespace where nspname = 'stripe'", &[]);
    sql.await.expect("a count").get(0)
}

/// A role whose password the server asks for.
async fn with_password(url: &str, role: &str) {
    let sql = connect(url).await;
    sql.batch_execute(&format!("create role {role} login password 'right'")).await.expect("a role");
    let row = sql.query_one("show hba_file", &[]).await.expect("a setting");
    let rules: String = row.get(0);
    let old = std::fs::read_to_string(&rules).expect("pg_hba.conf");
    std::fs::write(&rules, format!("local all {role} scram-sha-256\n{old}")).expect("written");
    sql.batch_execute("select pg_reload_conf()").await.expect("reloaded");
    // The server reads it in its own time.
    while tokio_postgres::connect(&as_user(url, role), tokio_postgres::NoTls).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_let_nobody_in() {
    let _masked = masked();
    let sim = small_sim().await;
    let mut told = Told { sim: &sim, text: String::new() };
    let fake = |behaviour| format!("postgres://u:{SECRET}@127.0.0.1:{}/app", start(behaviour));
    let args = ["migrate"];
    told.try_it("nobody listens", &format!("postgres://u:{SECRET}@127.0.0.1:1/x"), &args);
    told.try_it("no such host", &format!("postgres://u:{SECRET}@host.invalid/x"), &args);
    told.try_it("no such socket", &format!("postgres://u:{SECRET}@/x?host=/nowhere"), &args);
    told.try_it("not PostgreSQL", &fake(Behaviour::SpeaksHttp), &args);
    let url = format!("{}?connect_timeout=1", fake(Behaviour::IsSilent));
    told.try_it("no answer", &url, &args);
    let refusals = [
        (
            "28000",
            "no pg_hba.conf entry for host \"10.0.0.1\", user \"u\", database \"app\", no encryption",
        ),
        ("53300", "sorry, too many clients already"),
        ("57P03", "the database system is starting up"),
    ];
    for (code, message) in refusals {
        told.try_it(message, &fake(Behaviour::Refuses(code, message)), &args);
    }
    let url = format!("{}?sslmode=require", fake(Behaviour::Refuses("28000", "no TLS here")));
    told.try_it("no TLS", &url, &args);

    let url = fresh_database("closed", "").await;
    let sql = connect(&url).await;
    with_password(&url, "guarded").await;
    let guarded = as_user(&url, "guarded");
    told.try_it("wrong password", &format!("{guarded}&password={SECRET}"), &args);
    told.try_it("no password", &guarded, &args);
    told.try_it("no such role", &as_user(&url, "nobody_there"), &args);
    told.try_it("no such database", &url.replace("/closed?", "/missing?"), &args);
    sql.batch_execute("create role full_role login connection limit 0").await.expect("a role");
    told.try_it("no connection left", &as_user(&url, "full_role"), &args);
    sql.batch_execute("revoke connect on database closed from public; create role outside login")
        .await
        .expect("revoked");
    told.try_it("no right to connect", &as_user(&url, "outside"), &args);
    insta::assert_snapshot!(told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_that_are_of_no_use() {
    let _masked = masked();
    let sim = small_sim().await;
    let mut told = Told { sim: &sim, text: String::new() };
    let fake = |number, version, standby| {
        let port = start(Behaviour::Is { number, version, standby });
        format!("postgres://u:{SECRET}@127.0.0.1:{port}/app")
    };
    let args = ["backfill", "--object", "customer"];
    told.try_it("too old", &fake(130_022, "13.22", false), &args);
    told.try_it("a standby", &fake(150_004, "15.4", true), &args);
    let url = fresh_database("latin", "encoding 'LATIN1' locale 'C' template template0").await;
    told.try_it("LATIN1", &url, &args);
    let url = fresh_database("ascii", "encoding 'SQL_ASCII' locale 'C' template template0").await;
    told.try_it("SQL_ASCII", &url, &args);
    let url = fresh_database("pattern", "is_template true").await;
    told.try_it("a template", &url, &args);
    let url = fresh_database("hasty", "").await;
    connect(&url)
        .await
        .batch_execute("alter database hasty set statement_timeout = '1ms'")
        .await
        .expect("hasty");
    told.try_it("statement_timeout", &url, &args);
    let url = fresh_database("readable", "").await;
    let sql = connect(&url).await;
    sql.batch_execute("alter database readable set default_transaction_read_only = on")
        .await
        .expect("read-only");
    told.try_it("read-only", &url, &args);
    assert_eq!(schemas(&sql).await, 0);
    insta::assert_snapshot!(told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_may_not() {
    let _masked = masked();
    let sim = small_sim().await;
    let mut told = Told { sim: &sim, text: String::new() };
    let url = fresh_database("guarded", "").await;
    let sql = connect(&url).await;
    sql.batch_execute("create role weak login").await.expect("a role");
    let weak = as_user(&url, "weak");
    let args = ["backfill", "--object", "customer"];
    told.try_it("no right to create a schema", &weak, &args);
    assert_eq!(schemas(&sql).await, 0);
    sql.batch_execute("create schema stripe; grant usage on schema stripe to weak")
        .await
        .expect("a schema");
    told.try_it("no right to create tables", &weak, &args);
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
    told.try_it("no right to insert", &weak, &args);
    insta::assert_snapshot!(told.text);
    // What is lacking is given, and the same command goes on.
    sql.batch_execute("grant insert on stripe.customers to weak").await.expect("granted");
    let ran = Cli::with_sim(&sim).env("DATABASE_URL", &weak).run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("continuing run 1"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_and_is_cleared() {
    let _masked = masked();
    let sim = small_sim().await;
    let mut told = Told { sim: &sim, text: String::new() };
    let url = fresh_database("crammed", "").await;
    let owner = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    assert_eq!(owner.run(&["migrate"]).code, Some(0));
    let sql = connect(&url).await;
    // What the server says when it cannot extend a file.
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
    told.try_it("the disk is full", &url, &args);
    insta::assert_snapshot!(told.text);
    let count = |table: &str| {
        let sql_text = format!("select count(*) from stripe.{table}");
        let sql = &sql;
        async move { sql.query_one(&sql_text, &[]).await.expect("a count").get::<_, i64>(0) }
    };
    assert_eq!(count("_quarantine").await, 0, "the rows are not at fault");
    assert_eq!(count("customers").await, 0);
    sql.batch_execute("drop trigger full_disk on stripe.customers").await.expect("room");
    let ran = owner.run(&args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("continuing run 1"), "{}", ran.stderr);
    assert_eq!(count("customers").await.cast_unsigned(), sim.account().count("customer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_other_mode() {
    let _masked = masked();
    let test = small_sim().await;
    let live = stripe_sim::Account::builder(8).livemode(true).small().build().expect("an account");
    let live = Sim::start(live, Default::default()).await.expect("a simulator");
    let url = fresh_database("modes", "").await;
    let cli = Cli::with_sim(&test).env("DATABASE_URL", &url);
    assert_eq!(cli.run(&["backfill", "--object", "product"]).code, Some(0));
    let sql = connect(&url).await;
    let state = "select count(*) from stripe._runs";
    let mut told = Told { sim: &live, text: String::new() };
    told.try_it("a live key for test data", &url, &["backfill", "--object", "customer"]);
    told.try_it("a live key for test data", &url, &["refresh", "cus_123"]);
    assert_eq!(sql.query_one(state, &[]).await.expect("a count").get::<_, i64>(0), 1);
    insta::assert_snapshot!(told.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone() {
    let _masked = masked();
    let sim = small_sim().await;
    let server = Server::temporary().await.expect("a server");
    let url = server.connection_url();
    server.stop().await.expect("stopped");
    let ran = Cli::with_sim(&sim).env("DATABASE_URL", &url).run(&["status"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.stderr);
}
