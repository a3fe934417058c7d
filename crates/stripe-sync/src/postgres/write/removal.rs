//! Statements that delete rows or mark them as deleted.
//!
//! A foreign key, constraint or trigger that the user has added can forbid it. The row is then
//! kept, marked as far as its table allows, and quarantined with the reason. All other rows are
//! removed.

use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::quarantine::{self, Reason};
use super::savepoints::Savepoints;
use super::upsert::Statements;
use crate::catalog::Table;
use crate::order::Stamp;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::row::Observation;

/// The keys of a removal as a row set `e`; `key` is an id of a row, or of its parent.
pub(super) const KEYS: &str = "unnest($1::text[], $2::timestamptz[]) as e(key, stamp)";

/// Which rows `t` of a table are deleted or marked as deleted.
pub(super) struct Removal {
    pub(super) table: &'static Table,
    /// What the error says was attempted.
    pub(super) doing: &'static str,
    /// Why the row should not exist.
    pub(super) why: &'static str,
    /// The column that is compared with the keys, quoted.
    pub(super) column: String,
    /// A further condition on `t` and `e.stamp`. `$3` is the account.
    pub(super) condition: String,
    /// Marks rows instead of deleting them.
    pub(super) mark: bool,
}

/// What a removal did.
#[derive(Default)]
pub(super) struct Removed {
    /// Ids of rows that were deleted or marked.
    pub(super) ids: Vec<String>,
    /// Table and id of rows that the server refused to delete or mark.
    pub(super) kept: Vec<(&'static str, String)>,
}

impl Removal {
    fn sql(&self, statements: &Statements, column: &str) -> String {
        let name = statements.names.table(&self.table.name);
        let condition = format!("t.{column} = e.key and t._account_id = $3 and {}", self.condition);
        match self.mark {
            true => format!(
                "update {name} t set deleted = true, updated_at = now(),
                        last_synced_at = greatest(t.last_synced_at, e.stamp)
                 from {KEYS} where {condition} returning t.id"
            ),
            false => {
                format!("delete from {name} t using {KEYS} where {condition} returning t.id")
            }
        }
    }

    /// The ids of the rows, each with the stamp at which it should not exist.
    fn candidates(&self, statements: &Statements) -> String {
        format!(
            "select t.id, max(e.stamp) from {} t, {KEYS}
             where t.{} = e.key and t._account_id = $3 and {} group by t.id order by t.id",
            statements.names.table(&self.table.name),
            self.column,
            self.condition
        )
    }

    fn error(&self, error: &tokio_postgres::Error) -> PostgresError {
        PostgresError::new(format!("{} {}", self.doing, self.table.name), error)
            .refuses_row_if_raised()
            .of_table(&self.table.name)
    }
}

/// Runs removals in an open transaction.
pub(super) struct Remover<'t> {
    pub(super) transaction: &'t Transaction<'t>,
    pub(super) statements: &'t Statements,
    pub(super) account: &'t str,
    pub(super) savepoints: Savepoints,
}

impl Remover<'_> {
    /// Removes the rows of these keys.
    ///
    /// # Errors
    /// Without savepoints, also that the server rejected a row.
    pub(super) async fn remove(
        &self,
        removal: &Removal,
        keys: &[&str],
        stamps: &[SystemTime],
    ) -> Result<Removed, PostgresError> {
        if self.savepoints.are_off() {
            let sql = removal.sql(self.statements, &removal.column);
            let ids = self.run(&sql, keys, stamps).await.map_err(|e| removal.error(&e))?;
            return Ok(Removed { ids, ..Removed::default() });
        }
        let candidates = removal.candidates(self.statements);
        let found = self
            .transaction
            .query_typed(&candidates, &self.params(&keys, &stamps))
            .await
            .map_err(|e| removal.error(&e))?;
        let found: Vec<(String, SystemTime)> =
            found.iter().map(|row| (row.get(0), row.get(1))).collect();
        self.remove_refusable(removal, &found).await
    }

    /// Removes rows behind savepoints. A rejected part is halved until a single row is left; that
    /// row is kept.
    async fn remove_refusable(
        &self,
        removal: &Removal,
        rows: &[(String, SystemTime)],
    ) -> Result<Removed, PostgresError> {
        let sql = removal.sql(self.statements, "id");
        let fail = |e: tokio_postgres::Error| removal.error(&e);
        let mut removed = Removed::default();
        let mut open = vec![rows];
        while let Some(rows) = open.pop() {
            let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
            let stamps: Vec<SystemTime> = rows.iter().map(|(_, stamp)| *stamp).collect();
            self.transaction.batch_execute("savepoint removal").await.map_err(fail)?;
            let error = match self.run(&sql, &ids, &stamps).await {
                Ok(ids) => {
                    let release = "release savepoint removal";
                    self.transaction.batch_execute(release).await.map_err(fail)?;
                    removed.ids.extend(ids);
                    continue;
                }
                Err(error) => fail(error),
            };
            if error.class != ErrorClass::RowRefused {
                return Err(error);
            }
            self.transaction.batch_execute("rollback to savepoint removal").await.map_err(fail)?;
            match rows {
                [(id, stamp)] => {
                    self.keep(removal, id, *stamp, &error).await?;
                    removed.kept.push((&removal.table.name, id.clone()));
                }
                _ => {
                    let (left, right) = rows.split_at(rows.len() / 2);
                    open.extend([right, left]);
                }
            }
        }
        Ok(removed)
    }

    /// Marks a row that cannot be deleted, and quarantines it with the reason.
    async fn keep(
        &self,
        removal: &Removal,
        id: &str,
        stamp: SystemTime,
        error: &PostgresError,
    ) -> Result<(), PostgresError> {
        let fail = |e: tokio_postgres::Error| removal.error(&e);
        let Removal { table, why, .. } = removal;
        if !removal.mark {
            let mark = mark(table, self.statements);
            self.transaction.batch_execute("savepoint removal").await.map_err(fail)?;
            let end = match self.run(&mark, &[id], &[stamp]).await.map_err(fail) {
                Ok(_) => "release savepoint removal",
                // What forbids the deletion can also forbid the mark.
                Err(error) if error.class == ErrorClass::RowRefused => {
                    "rollback to savepoint removal"
                }
                Err(error) => return Err(error),
            };
            self.transaction.batch_execute(end).await.map_err(fail)?;
        }
        // What Stripe returns for a deleted object.
        let object = serde_json::json!({ "id": id, "object": table.object, "deleted": true });
        let object = object.to_string();
        let row = Observation {
            id: id.into(),
            object: object.as_str().into(),
            stamp: Stamp::from_system(stamp),
            parent: None,
            request_id: None,
        };
        let text = format!("{why}, but its row is kept: {error}");
        let reason = Reason { text: &text, sqlstate: error.sqlstate.as_deref() };
        quarantine::put(self.transaction, self.statements, &table.name, self.account, &row, reason)
            .await
            .map_err(fail)
    }

    async fn run(
        &self,
        sql: &str,
        keys: &[&str],
        stamps: &[SystemTime],
    ) -> Result<Vec<String>, tokio_postgres::Error> {
        let rows = self.transaction.query_typed(sql, &self.params(&keys, &stamps)).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    fn params<'p>(
        &'p self,
        keys: &'p (dyn ToSql + Sync),
        stamps: &'p (dyn ToSql + Sync),
    ) -> [(&'p (dyn ToSql + Sync), Type); 3] {
        [(keys, Type::TEXT_ARRAY), (stamps, Type::TIMESTAMPTZ_ARRAY), (&self.account, Type::TEXT)]
    }
}

/// Marks rows that should not exist: later than any observation before, and as deleted if the table
/// has a column for that.
fn mark(table: &Table, statements: &Statements) -> String {
    let deleted = match table.columns.iter().any(|column| column.name == "deleted") {
        true => "deleted = true, updated_at = now(), ",
        false => "",
    };
    format!(
        "update {} t set {deleted}last_synced_at = greatest(t.last_synced_at, e.stamp)
         from {KEYS} where t.id = e.key and t._account_id = $3 returning t.id",
        statements.names.table(&table.name)
    )
}
