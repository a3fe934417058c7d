//! Late indexes with a real server.

use std::time::Duration;

use tokio_postgres::NoTls;

use crate::catalog::{Catalog, Table};
use crate::postgres::error::PostgresError;
use crate::postgres::{Database, DatabaseOptions, Names};

struct TestDatabase {
    database: Database,
    names: Names,
    sql: tokio_postgres::Client,
    url: String,
    _server: private_postgres::Server,
}

fn invoices() -> &'static Table {
    Catalog::get().table("invoices").expect("invoices")
}

impl TestDatabase {
    async fn new(connections: usize) -> TestDatabase {
        let server = private_postgres::Server::temporary().await.expect("a server");
        let url = server.connection_url();
        let database = Database::connect(&url, DatabaseOptions::impatient(connections));
        let database = database.await.expect("a database");
        let names = Names::new("stripe", "").expect("names");
        database.migrate(&names).await.expect("a schema");
        let sql = connect(&url).await;
        TestDatabase { database, names, sql, url, _server: server }
    }

    async fn run(&self, sql: &str) {
        self.sql.batch_execute(sql).await.expect("a statement");
    }

    async fn build(&self) -> Result<(), PostgresError> {
        self.database.build_late_indexes(&self.names, invoices(), &|_| ()).await
    }

    /// The name of the first late index, without quotes.
    fn index(&self) -> String {
        self.names.index("invoices", &invoices().indexes[0]).replace('"', "")
    }

    async fn count(&self, condition: &str) -> i64 {
        let sql = format!(
            "select count(*) from pg_index
             where indrelid = 'stripe.invoices'::regclass and not indisprimary and {condition}"
        );
        self.sql.query_one(&sql, &[]).await.expect("a count").get(0)
    }
}

async fn connect(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// A session whose transaction the build of an index has to wait for.
async fn hold_a_row(test: &TestDatabase) -> tokio_postgres::Client {
    let writer = connect(&test.url).await;
    let insert = "begin; insert into stripe.invoices (id, _account_id) values ('in_x', 'acct_x')";
    writer.batch_execute(insert).await.expect("a row");
    writer
}

/// What an interrupted build leaves.
async fn invalidate(test: &TestDatabase) {
    test.run(
        "update pg_index set indisvalid = false where indrelid = 'stripe.invoices'::regclass
              and not indisprimary",
    )
    .await;
}

/// Vacuum takes the same lock as the build of an index.
#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_index_is_not_skipped_while_the_table_is_vacuumed() {
    let test = TestDatabase::new(4).await;
    test.build().await.expect("built");
    invalidate(&test).await;
    let vacuum = connect(&test.url).await;
    let lock = "begin; lock table stripe.invoices in share update exclusive mode";
    vacuum.batch_execute(lock).await.expect("locked");
    let error = test.build().await.expect_err("the build waits").to_string();
    assert!(error.contains("cannot index invoices: the build waits for"), "{error}");
    vacuum.batch_execute("commit").await.expect("unlocked");
    test.build().await.expect("built");
    assert_eq!(test.count("not indisvalid").await, 0);
    assert_eq!(test.count("indisvalid").await, invoices().indexes.len() as i64);
}

/// The build uses the only connection, so its state is read on another one.
#[tokio::test(flavor = "multi_thread")]
async fn a_build_on_the_only_connection_names_the_session_that_it_waits_for() {
    let test = TestDatabase::new(1).await;
    let writer = hold_a_row(&test).await;
    let error = test.build().await.expect_err("the build waits").to_string();
    assert!(error.contains("the build waits for the transaction of backend"), "{error}");
    writer.batch_execute("commit").await.expect("committed");
    test.build().await.expect("built");
    assert_eq!(test.count("indisvalid").await, invoices().indexes.len() as i64);
}

/// A build that is abandoned does not delay the next operation on its connection.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_build_does_not_keep_its_connection() {
    let test = TestDatabase::new(1).await;
    let writer = hold_a_row(&test).await;
    tokio::select! {
        _ = test.build() => panic!("the build waits"),
        () = waits(&test) => {}
    }
    test.database.server().await.expect("the connection is free while the transaction is open");
    writer.batch_execute("commit").await.expect("committed");
}

async fn waiting(test: &TestDatabase) -> i64 {
    let sql = "select count(*) from pg_stat_activity
               where query like 'create index%' and wait_event_type = 'Lock'";
    test.sql.query_one(sql, &[]).await.expect("a count").get(0)
}

async fn waits(test: &TestDatabase) {
    while waiting(test).await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_with_the_name_of_an_index_is_named() {
    let test = TestDatabase::new(4).await;
    let index = test.index();
    for (create, drop) in [
        (format!("create sequence stripe.{index}"), format!("drop sequence stripe.{index}")),
        (
            format!(
                "create table public.other (id text); alter table public.other set schema stripe;
                     create index {index} on stripe.other (id)"
            ),
            "drop table stripe.other".to_owned(),
        ),
    ] {
        test.run(&create).await;
        let error = test.build().await.expect_err("refused").to_string();
        assert!(
            error.contains(&index) && error.contains("is not an index of the table"),
            "{error}"
        );
        test.run(&drop).await;
    }
    test.build().await.expect("built");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_cannot_be_indexed_is_an_error() {
    let test = TestDatabase::new(4).await;
    let column = &invoices().indexes[0];
    test.run(&format!("alter table stripe.invoices alter column {column} type json using null"))
        .await;
    let error = test.build().await.expect_err("refused").to_string();
    assert!(error.contains("SQLSTATE 42704"), "{error}");
}
