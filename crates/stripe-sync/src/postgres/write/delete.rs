//! Deletions. Rows of some tables, such as customers, are kept and marked as deleted. Other rows
//! are deleted and get a tombstone, so that no older page or event restores them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::quarantine;
use super::request::{Batch, Deletion};
use super::upsert::Statements;
use crate::catalog::{Catalog, Table};
use crate::order::{Stamp, sql as order_sql};
use crate::postgres::error::PostgresError;
use crate::postgres::names::{literal, quote};
use crate::row::Observation;

/// Deletions of one table.
pub(super) struct TableDeletions<'d> {
    table: &'static Table,
    deletions: Vec<&'d Deletion<'d>>,
}

pub(super) fn by_table<'d>(deletions: &'d [Deletion<'d>]) -> Vec<TableDeletions<'d>> {
    let mut tables: BTreeMap<&str, TableDeletions<'d>> = BTreeMap::new();
    for deletion in deletions {
        tables
            .entry(deletion.table.name.as_str())
            .or_insert_with(|| TableDeletions { table: deletion.table, deletions: Vec::new() })
            .deletions
            .push(deletion);
    }
    tables.into_values().collect()
}

impl<'d> TableDeletions<'d> {
    /// The rows of objects that had no row to mark.
    pub(super) fn rows_to_insert(&self, marked: &[String]) -> Option<Batch<'d>> {
        if !self.table.marks_deleted() {
            return None;
        }
        let missing = self.deletions.iter().filter(|d| !marked.iter().any(|id| id == d.id));
        let rows: Vec<Observation<'d>> = missing.filter_map(|d| d.row.clone()).collect();
        (!rows.is_empty()).then(|| Batch::new(self.table, rows))
    }
}

/// Applies the deletions of one table. Returns the ids whose rows were deleted or marked: not those
/// that had no row, or a row of a later object with the same id.
pub(super) async fn apply(
    transaction: &Transaction<'_>,
    statements: &Statements,
    account: &str,
    batch: &TableDeletions<'_>,
) -> Result<Vec<String>, PostgresError> {
    let table = batch.table;
    let fail = |e: tokio_postgres::Error| {
        PostgresError::new(format!("cannot delete from {}", table.name), &e)
    };
    let ids: Vec<&str> = batch.deletions.iter().map(|d| d.id).collect();
    let stamps: Vec<SystemTime> = batch.deletions.iter().map(|d| d.stamp.to_system()).collect();
    let params: [(&(dyn ToSql + Sync), Type); 3] =
        [(&ids, Type::TEXT_ARRAY), (&stamps, Type::TIMESTAMPTZ_ARRAY), (&account, Type::TEXT)];
    let sql = Sql::new(table, statements);
    let deleted = match &sql {
        Sql::Mark(mark) => transaction.query_typed(mark, &params).await.map_err(fail)?,
        Sql::Delete { tombstones, rows, items } => {
            transaction.execute_typed(tombstones, &params).await.map_err(fail)?;
            let deleted = transaction.query_typed(rows, &params).await.map_err(fail)?;
            for items in items {
                let key = [(&ids as _, Type::TEXT_ARRAY), (&account as _, Type::TEXT)];
                transaction.execute_typed(items, &key).await.map_err(fail)?;
            }
            deleted
        }
    };
    quarantine::remove(transaction, statements, table, &ids, account).await?;
    Ok(deleted.iter().map(|row| row.get(0)).collect())
}

/// The statements of one table. `e` holds the ids and when each was observed as deleted.
enum Sql {
    Mark(String),
    Delete { tombstones: String, rows: String, items: Vec<String> },
}

impl Sql {
    fn new(table: &Table, statements: &Statements) -> Sql {
        let names = &statements.names;
        let name = names.table(&table.name);
        let source = "unnest($1::text[], $2::timestamptz[]) as e(id, deleted_at)";
        let which = format!(
            "t.id = e.id and t._account_id = $3 and {}",
            order_sql::deletion_applies("t.last_synced_at", "e.deleted_at", table.custom_ids)
        );
        if table.marks_deleted() {
            return Sql::Mark(format!(
                "update {name} t set deleted = true, updated_at = now(),
                        last_synced_at = greatest(t.last_synced_at, e.deleted_at)
                 from {source} where {which} returning t.id"
            ));
        }
        let tombstones = format!(
            "insert into {} as d (table_name, account_id, id, deleted_at)
             select {}, $3, e.id, max({deleted_at}) from {source} group by e.id order by e.id
             on conflict (table_name, account_id, id) do update
             set deleted_at = greatest({stored}, excluded.deleted_at)",
            names.table("_tombstones"),
            literal(&table.name),
            deleted_at = order_sql::not_in_future("e.deleted_at"),
            stored = order_sql::not_in_future("d.deleted_at"),
        );
        let rows = format!("delete from {name} t using {source} where {which} returning t.id");
        let items = table.nested.iter().filter_map(|nested| {
            let child = Catalog::get().table(nested.table.as_deref()?)?;
            let parent = quote(&child.parent.as_ref()?.column);
            let is_deleted = |parent: &str| {
                format!(
                    "not exists (select 1 from {name} t where t.id = {parent} and t._account_id = $2)"
                )
            };
            let rows = format!(
                "delete from {} i where i.{parent} = any($1) and i._account_id = $2 and {}",
                names.table(&child.name),
                is_deleted(&format!("i.{parent}")),
            );
            let duplicates = format!(
                "delete from {} q using unnest($1::text[]) as l(parent)
                 where q.table_name = {} and q.account_id = $2 and {} and {}",
                names.table("_quarantine"),
                literal(&child.name),
                quarantine::is_duplicate_of("l.parent"),
                is_deleted("l.parent"),
            );
            Some([rows, duplicates])
        });
        let items = items.flatten();
        Sql::Delete { tombstones, rows, items: items.collect() }
    }
}

/// Removes the tombstones of objects that were observed after their deletion. A tombstone of a
/// later deletion is kept, unless it is too far in the future to be valid.
pub(super) async fn remove_tombstones(
    transaction: &Transaction<'_>,
    statements: &Statements,
    account: &str,
    objects: &[(&'static Table, &str, Stamp)],
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "delete from {} d where d.table_name = $1 and d.account_id = $2 and d.id = $3
         and (d.deleted_at <= $4 or d.deleted_at > now() + {})",
        statements.names.table("_tombstones"),
        order_sql::future_limit(),
    );
    for (table, id, stamp) in objects {
        let observed_at = stamp.to_system();
        let params: [(&(dyn ToSql + Sync), Type); 4] = [
            (&table.name, Type::TEXT),
            (&account, Type::TEXT),
            (id, Type::TEXT),
            (&observed_at, Type::TIMESTAMPTZ),
        ];
        transaction.execute_typed(&sql, &params).await?;
    }
    Ok(())
}
