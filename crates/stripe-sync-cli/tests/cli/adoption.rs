//! `migrate` of a schema that a TypeScript engine created.

use crate::support::{Cli, database_url, small_sim, stable_snapshots};

async fn create_typescript_schema(schema: &str) {
    let (sql, connection) =
        tokio_postgres::connect(&database_url().await, tokio_postgres::NoTls).await.expect("sql");
    tokio::spawn(connection);
    sql.batch_execute(&format!(
        "create schema {schema};
         create type {schema}.pricing_type as enum ('one_time', 'recurring');
         create table {schema}.prices (id text primary key, object text, unit_amount int,
           type {schema}.pricing_type, created int, last_synced_at timestamptz);
         create table {schema}.products (id text primary key, object text);
         insert into {schema}.prices values ('price_1', 'price', 7, 'one_time', 5, now());
         create view {schema}.once as select id from {schema}.prices where type = 'one_time';
         create table {schema}.cart (price text references {schema}.prices);"
    ))
    .await
    .expect("a schema");
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_reports_what_it_adopts_and_keeps_every_row() {
    let _snapshots = stable_snapshots();
    create_typescript_schema("adopted").await;
    let sim = small_sim().await;
    let cli = Cli::with_both(&sim, "adopted").await;
    let status = cli.run(&["status"]);
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let backfill = cli.run(&["backfill"]);
    assert_eq!((backfill.code, backfill.stdout.as_str()), (Some(1), ""));
    let without_key =
        Cli::new().env("DATABASE_URL", &database_url().await).env("SCHEMA", "adopted");
    let without_key = without_key.run(&["migrate"]);
    assert_eq!((without_key.code, without_key.stdout.as_str()), (Some(2), ""));
    let migrate = cli.run(&["migrate"]);
    assert_eq!(migrate.code, Some(0), "{}", migrate.stderr);
    insta::assert_snapshot!(format!(
        "# status\n{}\n# backfill\n{}\n# migrate without a key\n{}\n# migrate\n{}{}",
        status.stdout, backfill.stderr, without_key.stderr, migrate.stderr, migrate.stdout
    ));
    let again = cli.run(&["migrate", "--output", "json"]).json();
    assert_eq!(again["changed"], false);
    assert_eq!(again["adopted"], serde_json::json!([]));
    let price = cli.run(&["query", "select unit_amount, type from adopted.prices"]);
    assert!(price.stdout.contains("one_time"), "{}", price.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_obstacle_to_adoption_is_named() {
    let _snapshots = stable_snapshots();
    create_typescript_schema("in_the_way").await;
    let (sql, connection) =
        tokio_postgres::connect(&database_url().await, tokio_postgres::NoTls).await.expect("sql");
    tokio::spawn(connection);
    sql.batch_execute("create policy mine on in_the_way.prices using (true)").await.expect("sql");
    let sim = small_sim().await;
    let output = Cli::with_both(&sim, "in_the_way").await.run(&["migrate"]);
    assert_eq!((output.code, output.stdout.as_str()), (Some(1), ""));
    insta::assert_snapshot!(output.stderr);
}
