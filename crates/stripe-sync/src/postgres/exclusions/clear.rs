//! Clears the stored values of columns that have been excluded.
//!
//! Each table is processed in the order of its key, in short transactions: columns are set to null
//! and no row is deleted. An interrupted clearing is repeated from the start. Dead row versions,
//! statistics and WAL keep values until the server's own maintenance removes them.

use tokio_postgres::types::{ToSql, Type};

use crate::catalog::{Catalog, Exclusions};
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::connection::retry::RetryBudget;
use crate::postgres::error::PostgresError;
use crate::postgres::exclusions::clear_table::{ClearStatements, Cleared};
use crate::postgres::names::Names;
use crate::row::redact;

/// Rows of one transaction. Objects can be large.
const CHUNK: usize = 200;

type Param<'a> = (&'a (dyn ToSql + Sync), Type);

/// The id and account of a row.
type Key = (String, String);

impl Database {
    /// Clears excluded values in all tables and in the quarantine. Returns how many rows changed.
    pub(crate) async fn clear_excluded_values(
        &self,
        names: &Names,
        exclusions: &Exclusions,
    ) -> Result<u64, PostgresError> {
        let mut cleared = self.clear_quarantine(names, exclusions).await?;
        for table in &Catalog::get().tables {
            let rows = self.clear_table(&ClearStatements::new(table, names, exclusions)).await?;
            if rows > 0 {
                tracing::info!(table = table.name, rows, "cleared excluded values");
            }
            cleared += rows;
        }
        Ok(cleared)
    }

    async fn clear_quarantine(
        &self,
        names: &Names,
        exclusions: &Exclusions,
    ) -> Result<u64, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot clear the quarantine", &e);
        let quarantine = names.table("_quarantine");
        let key = "(table_name, account_id, id)";
        let read = format!(
            "select table_name, account_id, id, object from {quarantine}
             where {key} > ($1, $2, $3) order by {key} limit {CHUNK}"
        );
        // An object that has been quarantined again in the meantime was written without the values.
        let write = format!(
            "update {quarantine} set object = $5
             where table_name = $1 and account_id = $2 and id = $3 and object = $4"
        );
        let client = self.get().await?;
        let mut last = [String::new(), String::new(), String::new()];
        let mut cleared = 0;
        loop {
            let params: Vec<Param<'_>> = last.iter().map(|t| (t as _, Type::TEXT)).collect();
            let rows = client.query_typed(&read, &params).await.map_err(fail)?;
            for row in &rows {
                let [table, account, id, object]: [&str; 4] = [0, 1, 2, 3].map(|i| row.get(i));
                let redacted = redact(object, table, exclusions);
                if redacted != object {
                    let redacted = redacted.as_ref();
                    let params =
                        [&table, &account, &id, &object, &redacted].map(|t| (t as _, Type::TEXT));
                    cleared += client.execute_typed(&write, &params).await.map_err(fail)?;
                }
                last = [table.to_owned(), account.to_owned(), id.to_owned()];
            }
            if rows.len() < CHUNK {
                return Ok(cleared);
            }
        }
    }

    async fn clear_table(&self, statements: &ClearStatements<'_>) -> Result<u64, PostgresError> {
        let mut budget = RetryBudget::new(self);
        let (mut after, mut cleared) = (Key::default(), 0);
        loop {
            match self.clear_chunk(statements, &after).await {
                Ok((rows, last)) => {
                    cleared += rows;
                    match last {
                        Some(last) => after = last,
                        None => return Ok(cleared),
                    }
                }
                Err(error) if budget.wait_before_retry(&error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Clears one chunk of rows, those after the key `after`. Returns how many rows changed, and
    /// the last key of the chunk unless the table ends there.
    async fn clear_chunk(
        &self,
        statements: &ClearStatements<'_>,
        after: &Key,
    ) -> Result<(u64, Option<Key>), PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot clear {}", statements.table.name), &e)
        };
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lower: [Param<'_>; 2] = [(&after.0, Type::TEXT), (&after.1, Type::TEXT)];
        let last =
            transaction.query_typed_opt(&statements.last_key(CHUNK), &lower).await.map_err(fail)?;
        let last: Option<Key> = last.map(|row| (row.get(0), row.get(1)));
        let mut params = lower.to_vec();
        if let Some((id, account)) = &last {
            params.extend([(id as _, Type::TEXT), (account as _, Type::TEXT)]);
        }
        let select = statements.select(last.is_some());
        let rows = transaction.query_typed(&select, &params).await.map_err(fail)?;
        let mut changes = Cleared::new(statements);
        rows.iter().for_each(|row| changes.add(statements, row));
        let mut written = 0;
        if !changes.ids.is_empty() {
            let mut params: Vec<Param<'_>> =
                vec![(&changes.ids, Type::TEXT_ARRAY), (&changes.accounts, Type::TEXT_ARRAY)];
            params.extend(changes.json.iter().map(|texts| (texts as _, Type::TEXT_ARRAY)));
            written =
                transaction.execute_typed(&statements.update(), &params).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)?;
        Ok((written, last))
    }
}
