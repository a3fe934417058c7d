//! Writes a batch of observations of one table.
//!
//! In the common case this is one statement. Only if it wrote fewer rows than it was given are
//! there rows to look at again: unchanged ones get the newer stamp, and those that differ while
//! their stamps are too close to order them are handed back (see `order`). Rows that the server
//! took and that are not there are an error: a trigger or rule can drop them without a word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::catalog::{Exclusions, Table};
use crate::order::Stamp;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::exclusions::list::Remembered;
use crate::postgres::names::Names;
use crate::postgres::write::param::WireArray;
use crate::postgres::write::statements::{self, Sql};
use crate::row::{Observation, encode};

/// The statements of all tables of one schema.
#[derive(Clone)]
pub(crate) struct Statements {
    pub(in crate::postgres) names: Names,
    pub(in crate::postgres) left_out: Remembered,
    sql: Arc<Mutex<HashMap<String, Arc<Sql>>>>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// Characters that became U+FFFD.
    pub(crate) replaced: u64,
    /// Ids and stored stamps of objects that only Stripe can order.
    pub(crate) uncertain: Vec<(String, Stamp)>,
}

impl Statements {
    pub(crate) fn new(names: Names) -> Statements {
        Statements { names, left_out: Remembered::default(), sql: Arc::default() }
    }

    /// Where the tables are.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    fn of(&self, table: &Table) -> Arc<Sql> {
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

    /// Writes observations that [`crate::row::winners`] has reduced and sorted, and from which
    /// [`crate::postgres::left_out`] has taken what is left out.
    pub(in crate::postgres) async fn upsert(
        &self,
        transaction: &Transaction<'_>,
        table: &Table,
        account: &str,
        rows: &[Observation<'_>],
        left_out: &Exclusions,
    ) -> Result<Settled, PostgresError> {
        if rows.is_empty() {
            return Ok(Settled::default());
        }
        let sql = self.of(table);
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot write {}", table.name), &e)
        };
        let mut encoded = encode(table, rows, left_out);
        let arrays: Vec<WireArray<'_>> = encoded.arrays.iter_mut().map(WireArray::new).collect();
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
            arrays.iter().map(WireArray::typed).collect();
        params.push((&account, Type::TEXT));
        let written = transaction.execute_typed(&sql.upsert, &params).await.map_err(fail)?;
        let mut settled = Settled { replaced: encoded.replaced, uncertain: Vec::new() };
        if written < rows.len() as u64 {
            let stamped = transaction.execute_typed(&sql.stamp, &params).await.map_err(fail)?;
            if table.parent.is_none() {
                let close = transaction.query_typed(&sql.uncertain, &params).await.map_err(fail)?;
                settled.uncertain =
                    close.iter().map(|row| (row.get(0), Stamp::from_system(row.get(1)))).collect();
            }
            // In a second reading nearly every row is unchanged: nothing is left to ask then.
            if written + stamped < rows.len() as u64 {
                transaction.execute_typed(&sql.follow, &params).await.map_err(fail)?;
                let lost = transaction.query_typed_one(&sql.swallowed, &params).await;
                let lost: i64 = lost.map_err(fail)?.get(0);
                if lost > 0 {
                    return Err(swallowed(table, lost, rows.len()));
                }
            }
        }
        Ok(settled)
    }

    /// Overwrites one row if its stamp is still `seen`; false if it has moved.
    pub(in crate::postgres) async fn replace(
        &self,
        transaction: &Transaction<'_>,
        table: &Table,
        account: &str,
        row: &Observation<'_>,
        seen: Stamp,
        left_out: &Exclusions,
    ) -> Result<bool, PostgresError> {
        let sql = self.of(table);
        let mut encoded = encode(table, std::slice::from_ref(row), left_out);
        let arrays: Vec<WireArray<'_>> = encoded.arrays.iter_mut().map(WireArray::new).collect();
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
            arrays.iter().map(WireArray::typed).collect();
        let seen = seen.to_system();
        params.push((&account, Type::TEXT));
        params.push((&seen, Type::TIMESTAMPTZ));
        let written = transaction
            .execute_typed(&sql.replace, &params)
            .await
            .map_err(|e| PostgresError::new(format!("cannot write {}", table.name), &e))?;
        Ok(written == 1)
    }
}

/// The server has taken the statement, and the rows are not there.
fn swallowed(table: &Table, lost: i64, of: usize) -> PostgresError {
    PostgresError::own(
        format!("cannot write {}", table.name),
        format!("{lost} of {of} rows did not arrive, and the server says nothing of it"),
        ErrorClass::Other,
    )
    .with_hint("a trigger, rule or policy of yours on the table drops them: remove or change it")
}
