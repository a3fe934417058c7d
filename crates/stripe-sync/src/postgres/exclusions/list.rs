//! The columns that are permanently excluded. They are stored in `_meta` and apply to every
//! transaction that writes rows, regardless of the options of the command that started it.
//!
//! Writers read the list under a shared lock. A change of the list takes the lock exclusively, so
//! when it returns, no transaction of any process still uses the old list.

use std::sync::{Arc, Mutex};

use tokio_postgres::types::{ToSql, Type};

use crate::catalog::{ColumnName, Exclusions};
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::meta_keys::{COLUMNS_TO_CLEAR, EXCLUDED_COLUMNS};
use crate::postgres::names::Names;

/// The list as last read by a writer, and the exclusions computed from it.
pub(in crate::postgres) type ExclusionCache = Arc<Mutex<(String, Arc<Exclusions>)>>;

/// The excluded columns of a schema.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct ExcludedColumns {
    pub(crate) columns: Vec<ColumnName>,
    /// Of those, the columns whose stored values have not all been cleared.
    pub(crate) to_clear: Vec<ColumnName>,
}

/// The key of the lock that writers share and a change takes exclusively. The purpose is the same
/// as in earlier versions, so that their writers share the lock.
pub(in crate::postgres) fn lock_key(names: &Names) -> i64 {
    names.lock_key("left out")
}

/// The name of the column that [`select`] returns.
pub(in crate::postgres) const SELECTED: &str = "excluded_columns";

/// Reads the list of excluded columns, in the form that [`parse`] takes.
pub(in crate::postgres) fn select(names: &Names) -> String {
    format!(
        "select value as {SELECTED} from {} where key = '{EXCLUDED_COLUMNS}'",
        names.table("_meta")
    )
}

impl Database {
    /// The excluded columns of a schema that has been migrated.
    pub(crate) async fn excluded_columns(
        &self,
        names: &Names,
    ) -> Result<ExcludedColumns, PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new("cannot read the list of excluded columns", &e)
        };
        let client = self.get().await?;
        let sql = format!("select key, value from {} where key in ($1, $2)", names.table("_meta"));
        let keys = [
            (&EXCLUDED_COLUMNS as &(dyn ToSql + Sync), Type::TEXT),
            (&COLUMNS_TO_CLEAR, Type::TEXT),
        ];
        let mut excluded = ExcludedColumns::default();
        for row in client.query_typed(&sql, &keys).await.map_err(fail)? {
            let (key, value): (&str, &str) = (row.get(0), row.get(1));
            match key {
                EXCLUDED_COLUMNS => excluded.columns = parse(value),
                _ => excluded.to_clear = parse(value),
            }
        }
        Ok(excluded)
    }

    /// Excludes columns: every transaction that begins later, in any process, omits them. Their
    /// stored values count as not cleared until [`Database::mark_cleared`] is called.
    pub(crate) async fn exclude_columns(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let add = |excluded: &mut ExcludedColumns| {
            for column in columns {
                if !excluded.columns.contains(column) {
                    excluded.columns.push(column.clone());
                    excluded.to_clear.push(column.clone());
                }
            }
        };
        self.change_excluded(names, add, &[]).await
    }

    /// Removes columns from the list. The streams that fill them count as not read.
    pub(crate) async fn include_columns(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let remove = |excluded: &mut ExcludedColumns| {
            excluded.columns.retain(|column| !columns.contains(column));
            excluded.to_clear.retain(|column| !columns.contains(column));
        };
        let exclusions = Exclusions::new(columns);
        self.change_excluded(names, remove, &exclusions.tables().collect::<Vec<_>>()).await
    }

    /// Records that no row holds a value of these columns.
    pub(crate) async fn mark_cleared(
        &self,
        names: &Names,
        columns: &[ColumnName],
    ) -> Result<(), PostgresError> {
        let remove = |excluded: &mut ExcludedColumns| {
            excluded.to_clear.retain(|column| !columns.contains(column));
        };
        self.change_excluded(names, remove, &[]).await
    }

    /// Changes the list. Earlier runs no longer count as complete reads of the streams in
    /// `outdated`.
    async fn change_excluded(
        &self,
        names: &Names,
        change: impl FnOnce(&mut ExcludedColumns),
        outdated: &[&str],
    ) -> Result<(), PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new("cannot change the list of excluded columns", &e)
        };
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
        for key in [EXCLUDED_COLUMNS, COLUMNS_TO_CLEAR] {
            let row =
                transaction.query_typed_one(&read, &[(&key, Type::TEXT)]).await.map_err(fail)?;
            lists.push(parse(row.get(0)));
        }
        let to_clear = lists.pop().unwrap_or_default();
        let columns = lists.pop().unwrap_or_default();
        let mut excluded = ExcludedColumns { columns, to_clear };
        change(&mut excluded);
        excluded.columns.sort();
        excluded.to_clear.sort();
        let write = format!(
            "insert into {meta} (key, value) values ($1, $2)
             on conflict (key) do update set value = excluded.value"
        );
        for (key, columns) in
            [(EXCLUDED_COLUMNS, excluded.columns), (COLUMNS_TO_CLEAR, excluded.to_clear)]
        {
            let value = columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            let row = [(&key as &(dyn ToSql + Sync), Type::TEXT), (&value, Type::TEXT)];
            transaction.execute_typed(&write, &row).await.map_err(fail)?;
        }
        if !outdated.is_empty() {
            let sql = format!(
                "update {} set outdated = true where stream = any($1) and not outdated",
                names.table("_streams")
            );
            let streams = [(&outdated as &(dyn ToSql + Sync), Type::TEXT_ARRAY)];
            transaction.execute_typed(&sql, &streams).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)
    }
}

/// Parses a stored list. Names that this catalog does not have are kept, because another version
/// may have excluded them.
pub(in crate::postgres) fn parse(list: &str) -> Vec<ColumnName> {
    list.split(' ')
        .filter_map(|name| name.split_once('.'))
        .map(|(table, column)| ColumnName { table: table.to_owned(), column: column.to_owned() })
        .collect()
}
