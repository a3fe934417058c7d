//! Schemas in which somebody has dropped, renamed or taken what a copy needs: what can be made
//! again is made again, what cannot is named before anything is written, and no row is lost
//! without a word.

use stripe_sim::Sim;
use tokio_postgres::Client;

use crate::support::{Cli, connect, fresh_database, small_sim};

struct Place {
    sim: Sim,
    sql: Client,
    url: String,
    told: String,
}

impl Place {
    async fn new(database: &str) -> Place {
        let url = fresh_database(database, "").await;
        Place { sim: small_sim().await, sql: connect(&url).await, url, told: String::new() }
    }

    /// A schema of its own for each case, made by the program unless `sql` makes it.
    async fn try_it(&mut self, name: &str, migrated: bool, sql: &str, lines: &[&str]) {
        self.told.push_str(&format!("# {name}\n"));
        let cli = Cli::with_sim(&self.sim).env("DATABASE_URL", &self.url);
        self.sql.batch_execute("drop schema if exists stripe cascade").await.expect("dropped");
        if migrated {
            let ran = cli.run(&["backfill", "--object", "customer,product", "-q"]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
        self.sql.batch_execute(sql).await.expect(name);
        for line in lines {
            let args: Vec<&str> = line.split(' ').collect();
            let ran = cli.run(&args);
            let shown: Vec<&str> = ran.stdout.lines().filter(|line| is_telling(line)).collect();
            self.told.push_str(&format!("$ {line}\n{}", ran.stderr));
            shown.iter().for_each(|line| self.told.push_str(&format!("{line}\n")));
            self.told.push_str(&format!("exit {}\n\n", ran.code.expect("a code")));
        }
    }

    async fn count(&self, what: &str) -> i64 {
        let sql = format!("select count(*) from {what}");
        self.sql.query_one(&sql, &[]).await.expect("a count").get(0)
    }
}

/// Not what differs from run to run.
fn is_telling(line: &str) -> bool {
    const BEGINNINGS: [&str; 8] =
        ["schema", "problem", "  next", "a backfill", "ready", "cus_", "customers", "products"];
    BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
}

const COPY: &str = "backfill --object customer,product -q";
const CHECK: &str = "check --object customer";

#[tokio::test(flavor = "multi_thread")]
async fn names_that_other_things_have() {
    let mut place = Place::new("taken").await;
    for (name, sql) in [
        ("a sequence", "create sequence stripe.customers"),
        ("an index", "create table stripe.x (id text); create index customers on stripe.x (id)"),
        ("a type", "create type stripe.customers as (id text)"),
        ("a ledger", "create table stripe._runs (id text); create table stripe._meta (k text)"),
        ("a record of migrations", "create table stripe._migrations (version int)"),
        ("the view", "create table stripe.sync_status (x int)"),
    ] {
        let sql = format!("create schema stripe; {sql}");
        let before = "pg_class where relnamespace = 'stripe'::regnamespace";
        place.try_it(name, false, &sql, &["migrate"]).await;
        let made = place.count(before).await;
        place.try_it(name, false, &sql, &[COPY, CHECK, "status"]).await;
        assert_eq!(place.count(before).await, made, "{name}");
        assert!(made <= 4, "{name}: {made}");
    }
    insta::assert_snapshot!(place.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_dropped() {
    let mut place = Place::new("dropped").await;
    for (name, sql) in [
        ("a column", "alter table stripe.customers drop column email"),
        ("a column of ours", "alter table stripe.customers drop column _extra"),
        ("a table", "drop table stripe.customers"),
        ("the ledger", "drop table stripe._runs, stripe._slices cascade"),
        ("the quarantine", "drop table stripe._quarantine"),
        ("the view", "drop view stripe.sync_status"),
    ] {
        place.try_it(name, true, sql, &[CHECK, "migrate", "migrate", COPY, CHECK]).await;
        let emails = place.count("stripe.customers where email is not null").await;
        assert_eq!(emails, place.sim.account().count("customer").cast_signed(), "{name}");
    }
    for (name, sql) in [
        ("a key", "alter table stripe.customers drop constraint customers_pkey"),
        ("what the schema knows", "drop table stripe._meta"),
        ("a type", "alter table stripe.customers alter column metadata type text"),
    ] {
        place.try_it(name, true, sql, &[CHECK, "migrate", COPY]).await;
    }
    insta::assert_snapshot!(place.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_are_dropped_on_the_way() {
    let mut place = Place::new("swallowed").await;
    let function = "create function stripe.drop_it() returns trigger language plpgsql as
                    $$ begin return null; end $$;";
    let trigger = |when: &str| {
        format!(
            "{function} create trigger t before {when} on stripe.customers
             for each row execute function stripe.drop_it()"
        )
    };
    let one = format!(
        "truncate stripe.customers; {function} create trigger t before insert on stripe.customers
         for each row when (new.created % 2 = 0) execute function stripe.drop_it()"
    );
    let id = place.sim.account().ids("customer").next().expect("a customer");
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
        place.try_it(name, true, &sql, &[COPY, &refresh]).await;
    }
    insta::assert_snapshot!(place.told);
}
