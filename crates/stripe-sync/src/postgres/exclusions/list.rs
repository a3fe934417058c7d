//! The columns that are left out for good: remembered in `_meta`, and obeyed by every transaction
//! that writes rows, whoever began it and with which options.
//!
//! Writers read the list under a lock that they share; a change of the list takes it alone. So
//! when a change returns, no transaction is under way that has not seen it, in any process.

use tokio_postgres::types::Type;

use crate::catalog::ColumnName;
use crate::postgres::connection::pool::begin;
use crate::postgres::{Database, Names, PostgresError};

const DOING: &str = "cannot change what is left out";
/// The keys in `_meta`: what is left out, and the part of it whose stored values are still there.
const LIST: &str = "left_out_columns";
const UNCLEARED: &str = "uncleared_columns";

/// What the schema remembers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) left_out: Vec<ColumnName>,
    /// Of those, the ones whose stored values have not all been cleared.
    pub(crate) uncleared: Vec<ColumnName>,
}

pub(in crate::postgres) fn lock_key(names: &Names) -> i64 {
    names.lock_key("left out")
}

/// Name of the column that [`select`] returns.
pub(in crate::postgres) const SELECTED: &str = "excluded_columns";

/// Reads the list of excluded columns, in the form that [`parse`] takes.
pub(in crate::postgres) fn select(names: &Names) -> String {
    format!("select value as {SELECTED} from {} where key = '{LIST}'", names.table("_meta"))
}

impl Database {
    /// What the schema, which must have been migrated, leaves out.
    pub(crate) async fn left_out(&self, names: &Names) -> Result<Choice, PostgresError> {
        let fail =
            |e: tokio_postgres::Error| PostgresError::new("cannot read what is left out", &e);
        let client = self.get().await?;
        let sql = format!("select key, value from {} where key in ($1, $2)", names.table("_meta"));
        let keys = [
            (&LIST as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
            (&UNCLEARED, Type::TEXT),
        ];
        let mut choice = Choice::default();
        for row in client.query_typed(&sql, &keys).await.map_err(fail)? {
            let (key, value): (&str, &str) = (row.get(0), row.get(1));
            match key {
                LIST => choice.left_out = parse(value),
                _ => choice.uncleared = parse(value),
            }
        }
        Ok(choice)
    }

    /// Remembers that these columns are left out, from the next transaction of anybody on. Their
    /// stored values are uncleared until [`Database::is_cleared`] is told.
    pub(crate) async fn leave_out(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let more = |mut choice: Choice| {
            for column in columns {
                if !choice.left_out.contains(column) {
                    choice.left_out.push(column.clone());
                    choice.uncleared.push(column.clone());
                }
            }
            choice
        };
        self.choose(names, more).await
    }

    /// Forgets that these columns are left out.
    pub(crate) async fn take_in(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let fewer = |mut choice: Choice| {
            choice.left_out.retain(|column| !columns.contains(column));
            choice.uncleared.retain(|column| !columns.contains(column));
            choice
        };
        self.choose(names, fewer).await
    }

    /// No row holds a value of these columns any more.
    pub(crate) async fn is_cleared(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let done = |mut choice: Choice| {
            choice.uncleared.retain(|column| !columns.contains(column));
            choice
        };
        self.choose(names, done).await
    }

    async fn choose(
        &self,
        names: &Names,
        change: impl FnOnce(Choice) -> Choice,
    ) -> Result<(), PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = lock_key(names);
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let meta = names.table("_meta");
        let read = format!("select coalesce(max(value), '') from {meta} where key = $1");
        let mut lists = Vec::new();
        for key in [LIST, UNCLEARED] {
            let row =
                transaction.query_typed_one(&read, &[(&key, Type::TEXT)]).await.map_err(fail)?;
            lists.push(parse(row.get(0)));
        }
        let uncleared = lists.pop().unwrap_or_default();
        let left_out = lists.pop().unwrap_or_default();
        let mut choice = change(Choice { left_out, uncleared });
        choice.left_out.sort();
        choice.uncleared.sort();
        let write = format!(
            "insert into {meta} (key, value) values ($1, $2)
             on conflict (key) do update set value = excluded.value"
        );
        for (key, columns) in [(LIST, choice.left_out), (UNCLEARED, choice.uncleared)] {
            let value = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let row = [
                (&key as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
                (&value, Type::TEXT),
            ];
            transaction.execute_typed(&write, &row).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)
    }
}

/// Also names that this build's catalog does not know: another build may have left them out.
pub(in crate::postgres) fn parse(list: &str) -> Vec<ColumnName> {
    list.split(' ')
        .filter_map(|name| name.split_once('.'))
        .map(|(table, column)| ColumnName { table: table.to_owned(), column: column.to_owned() })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::postgres::write::{Statements, enter, locks};

    #[tokio::test]
    async fn a_change_waits_for_writers_and_they_for_it() {
        let server = private_postgres::Server::temporary().await.expect("a server");
        let url = server.connection_url();
        let database = Database::connect(&url, 4, Duration::ZERO).await.expect("a database");
        let names = Names::new("stripe", "").expect("names");
        database.migrate(&names).await.expect("a schema");
        let statements = Statements::new(names.clone());
        let locks = locks(&statements, &crate::postgres::WriteRequest::default());
        let waiting = || async {
            let client = database.get().await.expect("a connection");
            let sql = "select count(*) from pg_locks where locktype = 'advisory' and not granted";
            while client.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
                tokio::task::yield_now().await;
            }
        };
        let email = vec![ColumnName::parse("customers.email").expect("a column")];

        // A writer that has begun is waited for.
        let mut client = database.get().await.expect("a connection");
        let writer = client.transaction().await.expect("a transaction");
        assert!(enter(&writer, &statements, &locks).await.expect("entered").is_empty());
        let change = {
            let (database, names, email) = (database.clone(), names.clone(), email.clone());
            tokio::spawn(async move { database.leave_out(&names, &email).await })
        };
        waiting().await;
        assert!(database.left_out(&names).await.expect("a list").left_out.is_empty());
        writer.commit().await.expect("committed");
        change.await.expect("a task").expect("changed");

        // The next one knows.
        let writer = client.transaction().await.expect("a transaction");
        let rules = enter(&writer, &statements, &locks).await.expect("entered");
        assert!(rules.has("customers", "email"));
        writer.rollback().await.expect("rolled back");

        // A writer that comes during a change waits, and then reads what was changed.
        let changing = client.transaction().await.expect("a transaction");
        let alone = format!("select pg_advisory_xact_lock({})", lock_key(&names));
        changing.batch_execute(&alone).await.expect("locked");
        let late = {
            let (database, statements) = (database.clone(), statements.clone());
            tokio::spawn(async move {
                let mut client = database.get().await.expect("a connection");
                let writer = client.transaction().await.expect("a transaction");
                enter(&writer, &statements, &locks).await.expect("entered").is_empty()
            })
        };
        waiting().await;
        changing.batch_execute("update stripe._meta set value = ''").await.expect("changed");
        changing.commit().await.expect("committed");
        assert!(late.await.expect("a task"), "the list as it was after the lock");
    }
}
