//! Schemas and prefixes of any name, several in one database, and repeated migrations.

use std::collections::BTreeSet;

use stripe_sim::Account;
use stripe_sync::{Config, Names, RunStatus, StripeSync};

use crate::world::World;

async fn world() -> World {
    World::new(Account::builder(40).small().build().expect("an account")).await
}

async fn engine_for(world: &World, schema: &str, prefix: &str) -> StripeSync {
    let mut config = world.config.clone();
    config.names = Names::new(schema, prefix).expect("names");
    StripeSync::connect(config).await.expect("the engine")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_database_holds_several_schemas_and_prefixes() {
    let world = world().await;
    let long = "s".repeat(63);
    for (schema, prefix) in [
        ("stripe", ""),
        ("stripe", "billing"),
        ("stripe", "p23456789012345678901234567890"),
        ("My \"Schema\"", "it's"),
        ("öffentlich; drop table x", ""),
        (long.as_str(), ""),
    ] {
        let engine = engine_for(&world, schema, prefix).await;
        let request = stripe_sync::BackfillRequest {
            objects: vec!["invoice".into(), "customer".into()],
            ..Default::default()
        };
        let report =
            engine.backfill(&request).await.unwrap_or_else(|e| panic!("{schema} {prefix}: {e}"));
        assert_eq!(report.status, RunStatus::Complete, "{schema} {prefix}");
        assert!(!engine.status(1).await.expect("a status").is_empty());
    }
    let wanted: BTreeSet<String> = world.sim.account().ids("customer").collect();
    let count = wanted.len().to_string();
    for table in
        ["stripe.customers", "stripe.billing_customers", "\"My \"\"Schema\"\"\".\"it's_customers\""]
    {
        assert_eq!(
            world.text(&format!("select count(*)::text from {table}")).await,
            count,
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_and_repeated_migrations_change_the_schema_once() {
    let world = world().await;
    let (one, two) = (world.engine().await, world.engine().await);
    let (one, two) = tokio::join!(one.migrate(), two.migrate());
    let changed = [one.expect("migrated").changed, two.expect("migrated").changed];
    assert_eq!(changed.iter().filter(|c| **c).count(), 1, "only one changes the schema");
    assert!(!world.engine().await.migrate().await.expect("again").changed);
    let columns =
        "select count(*)::text from information_schema.columns where table_schema = 'stripe'";
    let before = world.text(columns).await;
    // A schema of an older version.
    world
        .sql
        .batch_execute(
            "delete from stripe._migrations; alter table stripe.customers drop column tax;
             drop table stripe.topups",
        )
        .await
        .expect("aged");
    assert!(world.engine().await.migrate().await.expect("newer").changed);
    assert_eq!(world.text(columns).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_program_are_not_changed() {
    let world = world().await;
    world
        .sql
        .batch_execute("create schema stripe; create table stripe.customers (id text primary key)")
        .await
        .expect("theirs");
    let error = world.engine().await.migrate().await.expect_err("refused");
    assert!(error.to_string().contains("table customers has no column object"), "{error}");
    assert!(error.hint().unwrap_or_default().contains("nothing was changed"), "{error:?}");
    let tables = "select count(*)::text from pg_tables where schemaname = 'stripe'";
    assert_eq!(world.text(tables).await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_belongs_to_one_mode() {
    let mut world = world().await;
    world.backfill(&["customer"]).await;
    let live = Account::builder(41).livemode(true).small().build().expect("an account");
    let sim = stripe_sim::Sim::start(live, Default::default()).await.expect("a simulator");
    world.config.key = Some(stripe_sync::ApiKey::parse(sim.key()).expect("a key"));
    world.config.api_base = stripe_sync::ApiBase::parse(&sim.base_url()).expect("a base");
    let before = world.ids("customers").await;
    let error = world.engine().await.backfill(&Default::default()).await.expect_err("refused");
    assert!(error.to_string().contains("live key"), "{error}");
    assert_eq!(world.ids("customers").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_cannot_write_or_leave_their_transaction() {
    let world = world().await;
    let engine = world.engine().await;
    engine.migrate().await.expect("a schema");
    let answer = engine.query("select 1 as one, null as nothing").await.expect("an answer");
    assert_eq!(answer.columns, ["one", "nothing"]);
    assert_eq!(answer.rows, [[Some("1".to_owned()), None]]);
    for sql in [
        "delete from stripe.customers",
        "commit; drop table stripe.customers",
        "drop table stripe.customers",
        "selec",
    ] {
        assert!(engine.query(sql).await.is_err(), "{sql}");
    }
    assert_eq!(
        world.text("select to_regclass('stripe.customers')::text").await,
        "stripe.customers"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_first_migrations_with_different_prefixes_both_succeed() {
    for round in 0..10 {
        let account = Account::builder(71).objects("customer", 3).build().expect("an account");
        let mut world = World::new(account).await;
        let mut engines = Vec::new();
        for prefix in ["a", "b"] {
            world.config.names = Names::new("stripe", prefix).expect("names");
            engines.push(world.engine().await);
        }
        let (first, second) = tokio::join!(engines[0].migrate(), engines[1].migrate());
        assert!(first.is_ok() && second.is_ok(), "round {round}: {first:?} {second:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_privileges_on_a_schema_of_another_role_suffice() {
    let account = Account::builder(72).objects("customer", 3).build().expect("an account");
    let mut world = World::new(account).await;
    let database = world.text("select current_database()::text").await;
    world
        .sql
        .batch_execute(&format!(
            "create role granted_{database} login; create schema stripe;
             grant all on schema stripe to granted_{database};
             revoke create on database {database} from public, granted_{database};
             revoke create on schema public from public"
        ))
        .await
        .expect("a role");
    let url = crate::world::server().await.connection_url_to(&database);
    let (head, _) = url.rsplit_once("&user=").expect("the user comes last");
    let mut config =
        Config::new(format!("{head}&user=granted_{database}"), world.config.names.clone());
    config.key = world.config.key.clone();
    config.api_base = world.config.api_base.clone();
    world.config = config;
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
    assert_eq!(world.ids("customers").await.len(), 3);
}
