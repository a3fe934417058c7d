//! Runs removals in an open transaction.
//!
//! A foreign key, constraint or trigger that the user has added can forbid a removal, and a trigger,
//! rule or row-level security policy can prevent it without an error. The row is then kept, marked as
//! far as its table allows, and quarantined with the reason. All other rows are removed.

use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::quarantine::{self, Reason};
use super::removal::{Removal, mark};
use super::savepoints::Savepoints;
use super::upsert::Statements;
use crate::order::Stamp;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::row::Observation;

/// What a removal did.
#[derive(Default)]
pub(super) struct Removed {
    /// Ids of rows that were deleted or marked.
    pub(super) ids: Vec<String>,
    /// Table and id of rows that the server refused to delete or mark.
    pub(super) kept: Vec<(&'static str, String)>,
}

/// A row that should not exist: its id, and the stamp as of which it should not.
type Candidate = (String, SystemTime);

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
    /// Without savepoints, a row that the server rejects is an error as well.
    pub(super) async fn remove(
        &self,
        removal: &Removal,
        keys: &[&str],
        stamps: &[SystemTime],
    ) -> Result<Removed, PostgresError> {
        if !self.savepoints.are_off() {
            let sql = removal.candidates(self.statements);
            let found = self.select(&sql, keys, stamps).await.map_err(|e| removal.error(&e))?;
            return self.remove_refusable(removal, &found).await;
        }
        let (mut ids, remaining) = self.run(removal, &removal.column, keys, stamps).await?;
        if remaining.is_empty() {
            return Ok(Removed { ids, ..Removed::default() });
        }
        // Another transaction may have written some of them after the first attempt.
        ids.retain(|id| remaining.iter().all(|(other, _)| other != id));
        let mut removed = self.remove_refusable(removal, &remaining).await?;
        removed.ids.extend(ids);
        Ok(removed)
    }

    /// Keeps the rows of these keys, because of this error.
    pub(super) async fn keep_all(
        &self,
        removal: &Removal,
        keys: &[&str],
        stamps: &[SystemTime],
        error: &PostgresError,
    ) -> Result<Removed, PostgresError> {
        let sql = removal.candidates(self.statements);
        let found = self.select(&sql, keys, stamps).await.map_err(|e| removal.error(&e))?;
        let mut removed = Removed::default();
        for (id, stamp) in found {
            self.keep(removal, &id, stamp, error).await?;
            removed.kept.push((&removal.table.name, id));
        }
        Ok(removed)
    }

    /// Removes rows with savepoints. A rejected part is halved until a single row is left; that
    /// row is kept. So are rows that remain without an error.
    async fn remove_refusable(
        &self,
        removal: &Removal,
        rows: &[Candidate],
    ) -> Result<Removed, PostgresError> {
        let fail = |e: tokio_postgres::Error| removal.error(&e);
        let mut removed = Removed::default();
        let mut open = vec![rows];
        while let Some(rows) = open.pop() {
            let ids: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
            let stamps: Vec<SystemTime> = rows.iter().map(|(_, stamp)| *stamp).collect();
            self.transaction.batch_execute("savepoint removal").await.map_err(fail)?;
            let error = match self.run(removal, "id", &ids, &stamps).await {
                Ok((mut ids, remaining)) => {
                    let release = "release savepoint removal";
                    self.transaction.batch_execute(release).await.map_err(fail)?;
                    ids.retain(|id| remaining.iter().all(|(other, _)| other != id));
                    removed.ids.extend(ids);
                    for (id, stamp) in remaining {
                        self.keep(removal, &id, stamp, &removal.skipped()).await?;
                        removed.kept.push((&removal.table.name, id));
                    }
                    continue;
                }
                Err(error) => error,
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
            let (ids, stamps): (&[&str], &[SystemTime]) = (&[id], &[stamp]);
            let marked = self.transaction.query_typed(&mark, &self.params(&ids, &stamps)).await;
            let end = match marked.map_err(fail) {
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

    /// Runs a removal, with the rows that remain after it. Both statements take one round trip.
    async fn run(
        &self,
        removal: &Removal,
        column: &str,
        keys: &[&str],
        stamps: &[SystemTime],
    ) -> Result<(Vec<String>, Vec<Candidate>), PostgresError> {
        let fail = |e: tokio_postgres::Error| removal.error(&e);
        let sql = removal.sql(self.statements, column);
        let check = removal.remaining(self.statements, column);
        let params = self.params(&keys, &stamps);
        let (removed, remaining) = tokio::join!(
            self.transaction.query_typed(&sql, &params),
            self.select(&check, keys, stamps)
        );
        let removed = removed.map_err(fail)?;
        Ok((removed.iter().map(|row| row.get(0)).collect(), remaining.map_err(fail)?))
    }

    async fn select(
        &self,
        sql: &str,
        keys: &[&str],
        stamps: &[SystemTime],
    ) -> Result<Vec<Candidate>, tokio_postgres::Error> {
        let rows = self.transaction.query_typed(sql, &self.params(&keys, &stamps)).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    fn params<'p>(
        &'p self,
        keys: &'p (dyn ToSql + Sync),
        stamps: &'p (dyn ToSql + Sync),
    ) -> [(&'p (dyn ToSql + Sync), Type); 3] {
        [(keys, Type::TEXT_ARRAY), (stamps, Type::TIMESTAMPTZ_ARRAY), (&self.account, Type::TEXT)]
    }
}
