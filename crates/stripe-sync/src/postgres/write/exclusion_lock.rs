//! Tests that writers and changes to the excluded columns wait for each other.

use crate::catalog::ColumnName;
use crate::postgres::DatabaseOptions;
use crate::postgres::connection::pool::Database;
use crate::postgres::exclusions::list::lock_key;
use crate::postgres::names::Names;
use crate::postgres::write::exclude::enter;
use crate::postgres::write::locks::locks;
use crate::postgres::write::request::WriteRequest;
use crate::postgres::write::upsert::Statements;

#[tokio::test]
async fn a_change_of_the_excluded_columns_and_writers_wait_for_each_other() {
    let server = private_postgres::Server::temporary().await.expect("a server");
    let url = server.connection_url();
    let database =
        Database::connect(&url, DatabaseOptions::impatient(4)).await.expect("a database");
    let names = Names::new("stripe", "").expect("names");
    database.migrate(&names).await.expect("a schema");
    let statements = Statements::new(names.clone());
    let locks = locks(&statements, &WriteRequest::default());
    let somebody_waits = || async {
        let client = database.get().await.expect("a connection");
        let sql = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
        while client.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let email = vec![ColumnName::parse("customers.email").expect("a column")];

    // A change waits for a writer that has started.
    let mut client = database.get().await.expect("a connection");
    let writer = client.transaction().await.expect("a transaction");
    let before = enter(&writer, &statements, &locks).await.expect("the list");
    assert!(before.is_empty());
    let change = {
        let (database, names, email) = (database.clone(), names.clone(), email.clone());
        tokio::spawn(async move { database.exclude_columns(&names, &email).await })
    };
    somebody_waits().await;
    assert!(database.excluded_columns(&names).await.expect("the list").columns.is_empty());
    writer.commit().await.expect("committed");
    change.await.expect("a task").expect("changed");

    // The next writer reads the new list.
    let writer = client.transaction().await.expect("a transaction");
    let after = enter(&writer, &statements, &locks).await.expect("the list");
    assert!(after.has("customers", "email"));
    writer.rollback().await.expect("rolled back");

    // A writer that starts during a change waits, and then reads the new list.
    let changing = client.transaction().await.expect("a transaction");
    let exclusive = format!("select pg_advisory_xact_lock({})", lock_key(&names));
    changing.batch_execute(&exclusive).await.expect("locked");
    let late = {
        let database = database.clone();
        tokio::spawn(async move {
            let mut client = database.get().await.expect("a connection");
            let writer = client.transaction().await.expect("a transaction");
            let list = enter(&writer, &statements, &locks).await.expect("the list");
            list.is_empty()
        })
    };
    somebody_waits().await;
    changing.batch_execute("update stripe._meta set value = ''").await.expect("changed");
    changing.commit().await.expect("committed");
    assert!(late.await.expect("a task"), "the list as it was after the lock");
}
