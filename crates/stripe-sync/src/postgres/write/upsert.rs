//! Writes a batch of observations of one table.
//!
//! In the common case this is one statement. If it wrote fewer rows than it was given, the others
//! are examined: unchanged ones get the newer stamp, and those that the ordering rule calls
//! uncertain are returned (see `order`). Rows that the server accepted and that do not exist
//! afterwards are an error: a trigger or rule can drop them silently.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::param::WireArray;
use super::request::StoredState;
use super::statements::{self, Sql};
use crate::catalog::{Exclusions, Table};
use crate::order::{Stamp, Verdict, compare_observations};
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::exclusions::list::ExclusionCache;
use crate::postgres::names::Names;
use crate::row::{Observation, encode};

/// The statements of all tables of one schema.
#[derive(Clone)]
pub(crate) struct Statements {
    pub(in crate::postgres) names: Names,
    pub(super) exclusions: ExclusionCache,
    sql: Arc<Mutex<HashMap<String, Arc<Sql>>>>,
}

/// How the upsert of a batch ended.
#[derive(Debug, Default)]
pub(crate) struct UpsertOutcome {
    /// Characters that became U+FFFD.
    pub(crate) replaced_characters: u64,
    /// Ids and stored stamps of objects that have to be fetched again.
    pub(crate) uncertain: Vec<(String, StoredState)>,
    /// Ids that were not written, because the object was observed as deleted later.
    pub(crate) tombstoned: Vec<String>,
    /// Ids of items that were not written, because an item of another parent has the same id.
    pub(crate) of_another_parent: Vec<String>,
}

impl Statements {
    pub(crate) fn new(names: Names) -> Statements {
        Statements { names, exclusions: ExclusionCache::default(), sql: Arc::default() }
    }

    /// The schema and prefix of the tables.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(super) fn of(&self, table: &Table) -> Arc<Sql> {
        let mut sql = self.sql.lock().unwrap_or_else(PoisonError::into_inner);
        match sql.get(&table.name) {
            Some(found) => Arc::clone(found),
            None => {
                let written = Arc::new(statements::write(table, &self.names));
                sql.insert(table.name.clone(), Arc::clone(&written));
                written
            }
        }
    }

    /// Writes observations that [`crate::row::winners`] has reduced and sorted, without excluded
    /// columns.
    pub(in crate::postgres) async fn upsert(
        &self,
        transaction: &Transaction<'_>,
        table: &Table,
        account: &str,
        rows: &[Observation<'_>],
        exclusions: &Exclusions,
    ) -> Result<UpsertOutcome, PostgresError> {
        if rows.is_empty() {
            return Ok(UpsertOutcome::default());
        }
        let sql = self.of(table);
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot write {}", table.name), &e)
                .of_rows()
                .of_table(&table.name)
        };
        let mut encoded = encode(table, rows, exclusions);
        let arrays: Vec<WireArray<'_>> = encoded.arrays.iter_mut().map(WireArray::new).collect();
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
            arrays.iter().map(WireArray::typed).collect();
        params.push((&account, Type::TEXT));
        let written = transaction.execute_typed(&sql.upsert, &params).await.map_err(fail)?;
        let mut outcome =
            UpsertOutcome { replaced_characters: encoded.replaced, ..UpsertOutcome::default() };
        if written == rows.len() as u64 {
            return Ok(outcome);
        }
        let advanced =
            transaction.execute_typed(&sql.advance_equal, &params).await.map_err(fail)?;
        // Items follow their parent and are never uncertain.
        if table.parent.is_none() {
            let differing = transaction.query_typed(&sql.differing, &params).await.map_err(fail)?;
            outcome.uncertain = differing.iter().filter_map(uncertain).collect();
        }
        // When a list is read again, nearly every row is unchanged and needs no further check.
        if written + advanced < rows.len() as u64 {
            let covered = transaction.query_typed(&sql.tombstoned, &params).await.map_err(fail)?;
            for row in covered.iter().filter(|_| table.parent.is_none()) {
                match row.get(1) {
                    true => outcome.uncertain.push((row.get(0), StoredState::Tombstone)),
                    false => outcome.tombstoned.push(row.get(0)),
                }
            }
            if let Some(sql) = &sql.of_another_parent {
                let found = transaction.query_typed(sql, &params).await.map_err(fail)?;
                outcome.of_another_parent = found.iter().map(|row| row.get(0)).collect();
            }
            let advance = &sql.advance_changed_by_trigger;
            transaction.execute_typed(advance, &params).await.map_err(fail)?;
            let missing = transaction.query_typed_one(&sql.missing_after_upsert, &params).await;
            let missing: i64 = missing.map_err(fail)?.get(0);
            if missing > 0 {
                return Err(missing_rows(table, missing, rows.len()));
            }
        }
        Ok(outcome)
    }

    /// Overwrites one row. Returns false if it does not have the expected stamp.
    pub(super) async fn replace(
        &self,
        transaction: &Transaction<'_>,
        table: &Table,
        account: &str,
        row: &Observation<'_>,
        expected_stamp: Stamp,
        exclusions: &Exclusions,
    ) -> Result<bool, PostgresError> {
        let sql = self.of(table);
        let mut encoded = encode(table, std::slice::from_ref(row), exclusions);
        let arrays: Vec<WireArray<'_>> = encoded.arrays.iter_mut().map(WireArray::new).collect();
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
            arrays.iter().map(WireArray::typed).collect();
        let expected_stamp = expected_stamp.to_system();
        params.push((&account, Type::TEXT));
        params.push((&expected_stamp, Type::TIMESTAMPTZ));
        let written = transaction.execute_typed(&sql.replace, &params).await.map_err(|e| {
            PostgresError::new(format!("cannot write {}", table.name), &e)
                .of_rows()
                .of_table(&table.name)
        })?;
        Ok(written == 1)
    }
}

/// The id and stored stamp of a row of [`Sql::differing`], if the ordering rule cannot decide.
fn uncertain(row: &Row) -> Option<(String, StoredState)> {
    let [stored, observed, now] = [1, 2, 3].map(|i| Stamp::from_system(row.get(i)));
    let verdict = compare_observations(stored, observed, false, now);
    (verdict == Verdict::Uncertain).then(|| (row.get(0), StoredState::Row(stored)))
}

/// The error if rows do not exist although the server accepted the statement.
pub(super) fn missing_rows(
    table: &Table,
    missing: impl std::fmt::Display,
    of: usize,
) -> PostgresError {
    PostgresError::own(
        format!("cannot write {}", table.name),
        format!(
            "{missing} of {of} rows are missing after the insert, but the server reported no error"
        ),
        ErrorClass::Other,
    )
    .with_hint("a trigger, rule or policy on the table drops them: remove or change it")
}
