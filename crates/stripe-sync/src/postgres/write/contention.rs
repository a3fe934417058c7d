//! Tests concurrent transactions that write and delete. In any order, they never leave both a row
//! and its tombstone, and no transaction waits forever.

use std::time::Duration;

use tokio_postgres::NoTls;

use super::{
    Batch, Deletion, SeenRow, Statements, StoredState, UncertainRow, WriteOutcome, WriteRequest,
};
use crate::catalog::{Catalog, Table};
use crate::order::Stamp;
use crate::postgres::{Database, DatabaseOptions, Names};
use crate::row::Observation;

struct TestDatabase {
    database: Database,
    statements: Statements,
    sql: tokio_postgres::Client,
    _server: private_postgres::Server,
}

impl TestDatabase {
    async fn new() -> TestDatabase {
        let server = private_postgres::Server::temporary().await.expect("a server");
        let url = server.connection_url();
        let (sql, connection) = tokio_postgres::connect(&url, NoTls).await.expect("a connection");
        tokio::spawn(connection);
        // With this default, a transaction does not see what was committed while it waited for a
        // lock.
        sql.batch_execute("alter role all set default_transaction_isolation = 'repeatable read'")
            .await
            .expect("a default");
        let database =
            Database::connect(&url, DatabaseOptions::impatient(8)).await.expect("a database");
        let names = Names::new("stripe", "").expect("names");
        database.migrate(&names).await.expect("a schema");
        TestDatabase { database, statements: Statements::new(names), sql, _server: server }
    }

    async fn write(&self, objects: &[(String, String)], at: Stamp) -> WriteOutcome {
        self.write_to(products(), None, objects, at).await
    }

    async fn write_to(
        &self,
        table: &'static Table,
        parent: Option<&str>,
        objects: &[(String, String)],
        at: Stamp,
    ) -> WriteOutcome {
        let seen = objects.iter().map(|(id, json)| Observation {
            id: id.into(),
            object: json.as_str().into(),
            stamp: at,
            parent,
            request_id: None,
        });
        let batches = vec![Batch::new(table, seen.collect())];
        let request = WriteRequest { account: "acct_1", batches, ..WriteRequest::default() };
        self.write_request(&request).await
    }

    async fn delete(&self, id: &str, at: Stamp) -> bool {
        self.delete_from(products(), id, at).await
    }

    async fn delete_from(&self, table: &'static Table, id: &str, at: Stamp) -> bool {
        let deletions =
            vec![Deletion { table, id, stamp: at, row: None, seen_row: SeenRow::Unknown }];
        let request = WriteRequest { account: "acct_1", deletions, ..WriteRequest::default() };
        match self.write_request(&request).await {
            WriteOutcome::Committed(committed) => !committed.deleted.is_empty(),
            other => panic!("{other:?}"),
        }
    }

    async fn write_request(&self, request: &WriteRequest<'_>) -> WriteOutcome {
        self.database.write(&self.statements, request).await.expect("an outcome")
    }

    /// Waits until `number` other connections wait for a lock.
    async fn blocked(&self, number: i64) {
        let sql = "select count(distinct pid) from pg_locks where not granted";
        while self.sql.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) < number {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Blocks every writer and every deletion after it has changed rows but before it commits,
    /// because both access the quarantine last.
    async fn hold(&self) {
        let hold = "begin; lock table stripe._quarantine in access exclusive mode";
        self.sql.batch_execute(hold).await.expect("locked");
    }

    async fn release(&self) {
        self.sql.batch_execute("commit").await.expect("released");
    }

    async fn count(&self, of: &str) -> i64 {
        let sql = format!("select count(*) from stripe.{of}");
        self.sql.query_one(&sql, &[]).await.expect("a count").get(0)
    }
}

fn products() -> &'static Table {
    Catalog::get().table("products").expect("a table")
}

fn product(id: &str, name: &str) -> (String, String) {
    (id.to_owned(), format!(r#"{{"id":"{id}","object":"product","name":"{name}"}}"#))
}

fn second(n: i64) -> Stamp {
    Stamp::from_micros((1_700_000_000 + n) * 1_000_000)
}

/// Users choose the IDs of products. A product with the same ID was created after the request that
/// found none, but before its answer is applied.
#[tokio::test]
async fn a_deletion_does_not_apply_to_a_row_that_is_newer_than_its_request() {
    let db = TestDatabase::new().await;
    db.write(&[product("gold", "old")], second(10)).await;
    let seen_row = SeenRow::Stamp(Some(second(10)));
    db.write(&[product("gold", "new")], second(16)).await;
    let deletion =
        Deletion { table: products(), id: "gold", stamp: second(15), row: None, seen_row };
    let deletions = vec![deletion.clone()];
    let request = WriteRequest { account: "acct_1", deletions, ..WriteRequest::default() };
    let outcome = db.write_request(&request).await;
    let stored = StoredState::Row(second(16));
    let row = UncertainRow { table: "products", id: "gold".to_owned(), stored };
    assert!(matches!(&outcome, WriteOutcome::Uncertain(rows) if *rows == [row]), "{outcome:?}");
    assert_eq!((db.count("products").await, db.count("_tombstones").await), (1, 0));
    // Now the request is later than the row.
    let seen_row = SeenRow::Stamp(Some(second(16)));
    let deletions = vec![Deletion { stamp: second(17), seen_row, ..deletion }];
    db.write_request(&WriteRequest { account: "acct_1", deletions, ..WriteRequest::default() })
        .await;
    assert_eq!((db.count("products").await, db.count("_tombstones").await), (0, 1));
}

/// The page was requested before the deletion was observed, and its transaction starts first.
#[tokio::test]
async fn a_deletion_waits_for_an_open_page_and_deletes_its_row() {
    let db = TestDatabase::new().await;
    let page = [product("prod_1", "old"), product("prod_2", "stays")];
    db.hold().await;
    let deletes_second = async {
        db.blocked(1).await;
        let delete = async { db.delete("prod_1", second(10)).await };
        let release = async {
            db.blocked(2).await;
            db.release().await;
        };
        tokio::join!(delete, release).0
    };
    let (written, deleted) = tokio::join!(db.write(&page, second(0)), deletes_second);
    assert!(matches!(written, WriteOutcome::Committed(_)) && deleted);
    assert_eq!((db.count("products").await, db.count("_tombstones").await), (1, 1));
}

/// The reverse order: the page sees the tombstone that was not committed when it began.
#[tokio::test]
async fn a_page_waits_for_an_open_deletion_and_does_not_store_its_row() {
    let db = TestDatabase::new().await;
    let page = [product("prod_1", "old"), product("prod_2", "stays")];
    db.hold().await;
    let writes_second = async {
        db.blocked(1).await;
        let write = async { db.write(&page, second(0)).await };
        let release = async {
            db.blocked(2).await;
            db.release().await;
        };
        tokio::join!(write, release).0
    };
    let (_, written) = tokio::join!(db.delete("prod_1", second(10)), writes_second);
    assert!(matches!(written, WriteOutcome::Committed(_)));
    assert_eq!((db.count("products").await, db.count("_tombstones").await), (1, 1));
}

/// The items of a long list are written in transactions of their own. One that is open while the
/// object is deleted must not leave its items behind.
#[tokio::test]
async fn a_deletion_waits_for_open_items_and_deletes_them() {
    let db = TestDatabase::new().await;
    let table = |name: &str| Catalog::get().table(name).expect("a table");
    let invoice = [("in_1".to_owned(), r#"{"id":"in_1","object":"invoice"}"#.to_owned())];
    db.write_to(table("invoices"), None, &invoice, second(0)).await;
    let line = [("il_1".to_owned(), r#"{"id":"il_1","object":"line_item"}"#.to_owned())];
    db.hold().await;
    let deletes_second = async {
        db.blocked(1).await;
        let delete = async { db.delete_from(table("invoices"), "in_1", second(10)).await };
        let release = async {
            db.blocked(2).await;
            db.release().await;
        };
        tokio::join!(delete, release).0
    };
    let items = db.write_to(table("invoice_line_items"), Some("in_1"), &line, second(1));
    let (_, deleted) = tokio::join!(items, deletes_second);
    assert!(deleted);
    let left = (db.count("invoices").await, db.count("invoice_line_items").await);
    assert_eq!(left, (0, 0));
}

/// One process observed the object again, while another one observed its deletion.
#[tokio::test]
async fn a_revived_object_does_not_remove_a_later_tombstone() {
    let db = TestDatabase::new().await;
    db.delete("prod_1", second(10)).await;
    let (id, json) = product("prod_1", "old");
    let row = |stamp| Observation {
        id: id.as_str().into(),
        object: json.as_str().into(),
        stamp,
        parent: None,
        request_id: None,
    };
    for (seen_at, rows) in [(second(5), 0), (second(11), 1)] {
        let request = WriteRequest {
            account: "acct_1",
            batches: vec![Batch::new(products(), vec![row(seen_at)])],
            revived: vec![(products(), id.as_str(), seen_at)],
            ..WriteRequest::default()
        };
        let outcome = db.write_request(&request).await;
        assert!(matches!(outcome, WriteOutcome::Committed(_)), "{outcome:?}");
        let found = (db.count("products").await, db.count("_tombstones").await);
        assert_eq!(found, (rows, 1 - rows), "{seen_at:?}");
    }
}

/// Concurrent batches with the same keys in different orders: the newest wins, without a deadlock
/// (the retry budget is zero here).
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_batches_with_the_same_keys_store_the_newest() {
    let db = TestDatabase::new().await;
    for round in 0..5 {
        let batch = |writer: i64| -> Vec<_> {
            let ids = (0..200_i64).map(|i| (i * (2 * writer + 7)) % 200);
            ids.map(|i| product(&format!("prod_{i}"), &format!("{round}.{writer}"))).collect()
        };
        let stamp = |writer: i64| second(round * 100 + writer * 10);
        let batches: Vec<_> = (0..6).map(|writer| (batch(writer), stamp(writer))).collect();
        let writes = batches.iter().map(|(batch, at)| db.write(batch, *at));
        futures_util::future::join_all(writes).await;
        let newest = format!("products where name = '{round}.5'");
        assert_eq!((db.count(&newest).await, db.count("products").await), (200, 200));
    }
}
