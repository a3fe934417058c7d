//! Schemas in which objects that a copy needs were dropped, renamed or replaced. Objects that can
//! be recreated are recreated, everything else is reported before anything is written, and no row
//! is lost silently.

use stripe_sim::Sim;
use tokio_postgres::Client;

use crate::support::{Cli, connect, new_database, small_sim};

struct TestDatabase {
    sim: Sim,
    sql: Client,
    url: String,
    transcript: String,
}

impl TestDatabase {
    async fn new(database: &str) -> TestDatabase {
        let url = new_database(database, "").await;
        TestDatabase {
            sim: small_sim().await,
            sql: connect(&url).await,
            url,
            transcript: String::new(),
        }
    }

    /// Runs commands in a new schema, after a backfill if `migrated`, and after `sql`.
    async fn run_case(&mut self, name: &str, migrated: bool, sql: &str, lines: &[&str]) {
        self.transcript.push_str(&format!("# {name}\n"));
        let cli = Cli::with_sim(&self.sim).env("DATABASE_URL", &self.url);
        self.sql.batch_execute("drop schema if exists stripe cascade").await.expect("dropped");
        if migrated {
            let output = cli.run(&["backfill", "--object", "customer,product", "-q"]);
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        }
        self.sql.batch_execute(sql).await.expect(name);
        for line in lines {
            let args: Vec<&str> = line.split(' ').collect();
            let output = cli.run(&args);
            let shown: Vec<&str> = output.stdout.lines().filter(|line| is_stable(line)).collect();
            self.transcript.push_str(&format!("$ {line}\n{}", output.stderr));
            shown.iter().for_each(|line| self.transcript.push_str(&format!("{line}\n")));
            self.transcript.push_str(&format!("exit {}\n\n", output.code.expect("a code")));
        }
    }

    async fn count(&self, what: &str) -> i64 {
        let sql = format!("select count(*) from {what}");
        self.sql.query_one(&sql, &[]).await.expect("a count").get(0)
    }
}

/// Whether a line is the same in every run.
fn is_stable(line: &str) -> bool {
    const BEGINNINGS: [&str; 8] =
        ["schema", "problem", "  hint", "a backfill", "ready", "cus_", "customers", "products"];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

const COPY: &str = "backfill --object customer,product -q";
const CHECK: &str = "check --object customer";

#[tokio::test(flavor = "multi_thread")]
async fn foreign_objects_with_our_names_are_reported_and_left_unchanged() {
    let mut database = TestDatabase::new("taken").await;
    for (name, sql) in [
        ("a sequence", "create sequence stripe.customers"),
        ("an index", "create table stripe.x (id text); create index customers on stripe.x (id)"),
        ("a type", "create type stripe.customers as (id text)"),
        (
            "ledger tables",
            "create table stripe._runs (id text); create table stripe._meta (k text)",
        ),
        ("the table of migrations", "create table stripe._migrations (version int)"),
        ("the view", "create table stripe.sync_status (x int)"),
    ] {
        let sql = format!("create schema stripe; {sql}");
        let before = "pg_class where relnamespace = 'stripe'::regnamespace";
        database.run_case(name, false, &sql, &["migrate"]).await;
        let count = database.count(before).await;
        database.run_case(name, false, &sql, &[COPY, CHECK, "status"]).await;
        assert_eq!(database.count(before).await, count, "{name}");
        assert!(count <= 4, "{name}: {count}");
    }
    insta::assert_snapshot!(database.transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_objects_are_recreated_or_reported() {
    let mut database = TestDatabase::new("dropped").await;
    for (name, sql) in [
        ("a column", "alter table stripe.customers drop column email"),
        ("a system column", "alter table stripe.customers drop column _extra"),
        ("a table", "drop table stripe.customers"),
        ("the ledger", "drop table stripe._runs, stripe._slices cascade"),
        ("the quarantine", "drop table stripe._quarantine"),
        ("the view", "drop view stripe.sync_status"),
    ] {
        database.run_case(name, true, sql, &[CHECK, "migrate", "migrate", COPY, CHECK]).await;
        let emails = database.count("stripe.customers where email is not null").await;
        assert_eq!(emails, database.sim.account().count("customer").cast_signed(), "{name}");
    }
    for (name, sql) in [
        ("a primary key", "alter table stripe.customers drop constraint customers_pkey"),
        ("the metadata", "drop table stripe._meta"),
        ("a type", "alter table stripe.customers alter column metadata type text"),
    ] {
        database.run_case(name, true, sql, &[CHECK, "migrate", COPY]).await;
    }
    insta::assert_snapshot!(database.transcript);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_discarded_by_a_trigger_or_rule_are_an_error() {
    let mut database = TestDatabase::new("swallowed").await;
    let function = "create function stripe.discard() returns trigger language plpgsql as
                    $$ begin return null; end $$;";
    let trigger = |when: &str| {
        format!(
            "{function} create trigger t before {when} on stripe.customers
             for each row execute function stripe.discard()"
        )
    };
    let one = format!(
        "truncate stripe.customers; {function} create trigger t before insert on stripe.customers
         for each row when (new.created % 2 = 0) execute function stripe.discard()"
    );
    let id = database.sim.account().ids("customer").next().expect("a customer");
    let refresh = format!("refresh {id}");
    for (name, sql) in [
        ("a trigger on insert", format!("truncate stripe.customers; {}", trigger("insert"))),
        ("a trigger for some", one),
        (
            "a trigger on update",
            format!(
                "update stripe.customers set email = 'x', last_synced_at = now() - interval '1 day';
                 {}",
                trigger("update")
            ),
        ),
        (
            "a rule",
            "truncate stripe.customers;
             create rule r as on insert to stripe.customers do instead nothing"
                .to_owned(),
        ),
    ] {
        database.run_case(name, true, &sql, &[COPY, &refresh]).await;
    }
    insta::assert_snapshot!(database.transcript);
}
