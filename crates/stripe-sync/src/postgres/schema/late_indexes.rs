//! Builds the indexes that are created after a table has been filled.
//!
//! They are built with `create index concurrently`, which does not block writers. An interrupted
//! build leaves an invalid index, which is dropped first. An index that another process builds is
//! left to it.

use deadpool_postgres::Object;
use tokio_postgres::types::Type;

use super::index_build::index_error;
use crate::catalog::Table;
use crate::postgres::connection::contended::TableUse;
use crate::postgres::connection::pool::Database;
use crate::postgres::connection::table_access::TableNames;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::{Names, quote};

/// The most statements for one index. Each can be without effect if another process creates or drops
/// the same index.
const MAX_STATEMENTS: u32 = 6;

/// The state of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexState {
    Missing,
    Valid,
    /// Another session builds it.
    InProgress,
    /// What an interrupted build has left.
    Invalid,
    /// Something else has its name.
    NameTaken,
}

impl Database {
    /// Builds the late indexes of a table that it lacks. Safe when several processes do it at once.
    /// `waits_for` is called with the session that a build waits for, and with `None` when it
    /// continues.
    ///
    /// # Errors
    /// An index could not be built. The table is complete without it.
    pub(crate) async fn build_late_indexes(
        &self,
        names: &Names,
        table: &Table,
        waits_for: &(dyn Fn(Option<&str>) + Send + Sync),
    ) -> Result<(), PostgresError> {
        for column in &table.indexes {
            self.build_late_index(names, table, column, waits_for).await?;
        }
        Ok(())
    }

    async fn build_late_index(
        &self,
        names: &Names,
        table: &Table,
        column: &str,
        waits_for: &(dyn Fn(Option<&str>) + Send + Sync),
    ) -> Result<(), PostgresError> {
        let index = names.index(&table.name, column);
        let qualified = format!("{}.{index}", names.quoted_schema());
        let doing = || format!("cannot index {}", table.name);
        for _ in 0..MAX_STATEMENTS {
            // Names no table, because building an index does not block writers of the table.
            let access = self.get_for_tables(TableUse::Write, &TableNames::new()).await?;
            let sql = match index_state(&access.client, names, table, &qualified).await? {
                IndexState::Valid | IndexState::InProgress => return Ok(()),
                IndexState::Invalid => format!("drop index concurrently if exists {qualified}"),
                IndexState::Missing => format!(
                    "create index concurrently if not exists {index} on {} ({})",
                    names.table(&table.name),
                    quote(column)
                ),
                IndexState::NameTaken => {
                    let message = format!("{qualified} exists, but is not an index of the table");
                    return Err(PostgresError::own(doing(), message, ErrorClass::Other).with_hint(
                        "rename or drop it; the next backfill of the table builds the index",
                    ));
                }
            };
            self.build_index(access, table, &sql, waits_for).await?;
        }
        let message = format!("another session creates or drops {qualified} at the same time");
        Err(PostgresError::own(doing(), message, ErrorClass::Other)
            .with_hint("the next backfill of the table builds the index"))
    }
}

async fn index_state(
    client: &Object,
    names: &Names,
    table: &Table,
    qualified: &str,
) -> Result<IndexState, PostgresError> {
    // Until the first transaction of a concurrent build has ended, its index is not known (0). A
    // lock on the table does not mean that a session builds an index: vacuum takes the same one.
    let sql = "select coalesce(i.indrelid = to_regclass($2), false), i.indisvalid,
                      exists (select 1 from pg_catalog.pg_stat_progress_create_index p
                              where p.datname = current_database() and p.relid = i.indrelid
                                and p.index_relid in (0, i.indexrelid)
                                and p.pid <> pg_catalog.pg_backend_pid())
               from pg_catalog.pg_class c
               left join pg_catalog.pg_index i on i.indexrelid = c.oid
               where c.oid = to_regclass($1)";
    let of_table = names.table(&table.name);
    let params = [(&qualified as _, Type::TEXT), (&of_table as _, Type::TEXT)];
    let row = client.query_typed_opt(sql, &params).await;
    let row = row.map_err(|e| index_error(table, &e, None))?;
    let state = row.map(|row| (row.get(0), row.get::<_, Option<bool>>(1), row.get(2)));
    Ok(match state {
        None => IndexState::Missing,
        Some((false, _, _)) => IndexState::NameTaken,
        Some((true, Some(true), _)) => IndexState::Valid,
        Some((true, _, true)) => IndexState::InProgress,
        Some((true, _, false)) => IndexState::Invalid,
    })
}
