//! The queries of the guides for the TypeScript engines, as they are printed there, and corrected
//! where they depend on columns that the tables do not have.

use stripe_sim::Account;
use stripe_sync::RunStatus;

use crate::world::World;

const OBJECTS: [&str; 8] = [
    "customer",
    "product",
    "price",
    "subscription",
    "invoice",
    "payment_intent",
    "charge",
    "dispute",
];

async fn copied() -> World {
    let builder = Account::builder(130).window(1_700_000_000, 1_720_000_000);
    let builder = OBJECTS.iter().fold(builder, |builder, object| builder.objects(object, 12));
    let world = World::new(builder.build().expect("an account")).await;
    let report = world.backfill(&OBJECTS).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    world
}

/// The rows of a query, each as JSON.
async fn rows(world: &World, sql: &str) -> Vec<serde_json::Value> {
    let sql = format!("select to_jsonb(q)::text from ({sql}) q");
    let rows = world.sql.query(&sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
    let json = |row: &tokio_postgres::Row| serde_json::from_str(row.get(0)).expect("JSON");
    rows.iter().map(json).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_result_of_a_backfill_can_be_verified_as_the_guide_says() {
    let world = copied().await;
    let counts = rows(
        &world,
        "-- Count synced objects
SELECT
  'customers' as type, COUNT(*) as count FROM stripe.customers
UNION ALL
SELECT 'products', COUNT(*) FROM stripe.products
UNION ALL
SELECT 'subscriptions', COUNT(*) FROM stripe.subscriptions
UNION ALL
SELECT 'invoices', COUNT(*) FROM stripe.invoices",
    )
    .await;
    let counts: Vec<(&str, i64)> = counts
        .iter()
        .map(|row| (row["type"].as_str().expect("text"), row["count"].as_i64().expect("a count")))
        .collect();
    let expected = ["customers", "products", "subscriptions", "invoices"].map(|type_| (type_, 12));
    assert_eq!(counts, expected);
    let range = rows(
        &world,
        "-- Check date range of synced data
SELECT
  MIN(to_timestamp(created)) as earliest,
  MAX(to_timestamp(created)) as latest
FROM stripe.customers",
    )
    .await;
    let year = |name: &str| range[0][name].as_str().expect("a time")[..4].to_owned();
    assert!(["2023", "2024"].contains(&year("earliest").as_str()));
    assert!(["2023", "2024"].contains(&year("latest").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_migrations_can_be_verified_as_the_guide_says() {
    let world = copied().await;
    let schema = "SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'stripe'";
    assert_eq!(rows(&world, schema).await.len(), 1);
    let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'stripe'
                  ORDER BY table_name";
    let tables = rows(&world, tables).await;
    for name in ["customers", "invoices", "invoice_line_items", "stripe_migrations"] {
        assert!(tables.iter().any(|row| row["table_name"] == name), "{name}");
    }
    let migrations = "SELECT * FROM stripe.stripe_migrations ORDER BY id";
    let before = rows(&world, migrations).await;
    assert_eq!(before.len(), 1);
    assert_eq!(before[0]["id"], 1);
    let text = |name: &str| before[0][name].as_str().is_some_and(|text| !text.is_empty());
    assert!(text("name") && text("hash") && text("executed_at"), "{before:?}");

    // It is created again, unless its name belongs to a table of another engine.
    world.sql.batch_execute("drop view stripe.stripe_migrations").await.expect("dropped");
    let revision = "update stripe._meta set value = '4' where key = 'schema_revision'";
    world.sql.batch_execute(revision).await.expect("an earlier revision");
    world.engine().await.migrate().await.expect("migrated");
    assert_eq!(rows(&world, migrations).await, before);
    let table = "drop view stripe.stripe_migrations;
         create table stripe.stripe_migrations (id integer primary key, name varchar(100) not null,
             hash varchar(40) not null, executed_at timestamp default current_timestamp);
         insert into stripe.stripe_migrations (id, name, hash) values (7, 'theirs', 'x')";
    world.sql.batch_execute(table).await.expect("a table of another engine");
    world.sql.batch_execute(revision).await.expect("an earlier revision");
    world.engine().await.migrate().await.expect("migrated");
    assert_eq!(rows(&world, migrations).await[0]["name"], "theirs");
}

/// The columns that the guide's queries select.
#[tokio::test(flavor = "multi_thread")]
async fn the_columns_of_the_guides_queries_are_filled() {
    let world = copied().await;
    for sql in [
        "SELECT id, email, created, name, metadata FROM stripe.customers
         WHERE email IS NOT NULL ORDER BY created DESC",
        "SELECT id, status, canceled_at, created, current_period_start, current_period_end
         FROM stripe.subscriptions WHERE created IS NOT NULL",
        "SELECT id, status, amount_paid, created FROM stripe.invoices WHERE created IS NOT NULL",
        "SELECT id, status, amount, created FROM stripe.payment_intents WHERE amount IS NOT NULL",
        "SELECT id, name, description, active FROM stripe.products WHERE name IS NOT NULL",
        "SELECT id, unit_amount, currency, active FROM stripe.prices WHERE currency IS NOT NULL",
        // The guide applies date_trunc to the number of seconds.
        "SELECT date_trunc('month', to_timestamp(created)) AS month, sum(amount_paid) AS revenue
         FROM stripe.invoices GROUP BY 1 ORDER BY 1",
        // The guide reads prices from the JSON of a subscription's items.
        "SELECT s.id, i.price AS price_id FROM stripe.subscriptions s
         JOIN stripe.subscription_items i ON i.subscription = s.id WHERE i.price IS NOT NULL",
    ] {
        assert!(!rows(&world, sql).await.is_empty(), "{sql}");
    }
}
