//! Deletions. Rows of some tables, such as customers, are kept and marked as deleted. Other rows
//! are deleted and get a tombstone, so that no older page or event restores them. A row that the
//! server refuses to delete is kept (see `removal`).

use std::collections::BTreeMap;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::quarantine;
use super::removal::{KEYS, Removal};
use super::remover::{Removed, Remover};
use super::request::{Batch, Deletion, SeenRow, StoredState, UncertainRow, WriteRequest};
use super::upsert::Statements;
use crate::catalog::{Catalog, Table};
use crate::order::{Stamp, sql as order_sql};
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
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
    pub(super) fn rows_to_insert(&self, removed: &Removed) -> Option<Batch<'d>> {
        if !self.table.marks_deleted() {
            return None;
        }
        let kept = || removed.kept.iter().map(|(_, id)| id);
        let has_row = |d: &Deletion<'d>| removed.ids.iter().chain(kept()).any(|id| id == d.id);
        let missing = self.deletions.iter().filter(|d| !has_row(d));
        let rows: Vec<Observation<'d>> = missing.filter_map(|d| d.row.clone()).collect();
        (!rows.is_empty()).then(|| Batch::new(self.table, rows))
    }
}

/// The rows that have changed since the requests that observed the deletions, in tables where users
/// choose the IDs: each can show a new object. The caller holds the locks of deletions.
pub(super) async fn changed_rows(
    transaction: &Transaction<'_>,
    statements: &Statements,
    request: &WriteRequest<'_>,
) -> Result<Vec<UncertainRow>, PostgresError> {
    let mut changed = Vec::new();
    for deletion in &request.deletions {
        let SeenRow::Stamp(seen) = deletion.seen_row else { continue };
        if !deletion.table.custom_ids {
            continue;
        }
        let table = deletion.table.name.as_str();
        let sql = format!(
            "select last_synced_at from {} t where id = $1 and _account_id = $2
             and last_synced_at is distinct from $3 and last_synced_at is not null",
            statements.names.table(table)
        );
        let seen = seen.map(Stamp::to_system);
        let params: [(&(dyn ToSql + Sync), Type); 3] = [
            (&deletion.id, Type::TEXT),
            (&request.account, Type::TEXT),
            (&seen, Type::TIMESTAMPTZ),
        ];
        let row = transaction.query_typed(&sql, &params).await.map_err(|e| {
            PostgresError::new(format!("cannot delete from {table}"), &e).of_table(table)
        })?;
        if let Some(row) = row.first() {
            let stored = StoredState::Row(Stamp::from_system(row.get(0)));
            changed.push(UncertainRow { table, id: deletion.id.to_owned(), stored });
        }
    }
    Ok(changed)
}

/// Applies the deletions of one table. An object without a row, or with a row of a later object
/// with the same id, is not removed.
pub(super) async fn apply(
    remover: &Remover<'_>,
    batch: &TableDeletions<'_>,
) -> Result<Removed, PostgresError> {
    let Remover { transaction, statements, account, .. } = *remover;
    let table = batch.table;
    let fail = |e: tokio_postgres::Error| {
        PostgresError::new(format!("cannot delete from {}", table.name), &e)
    };
    let ids: Vec<&str> = batch.deletions.iter().map(|d| d.id).collect();
    let stamps: Vec<SystemTime> = batch.deletions.iter().map(|d| d.stamp.to_system()).collect();
    let params: [(&(dyn ToSql + Sync), Type); 3] =
        [(&ids, Type::TEXT_ARRAY), (&stamps, Type::TIMESTAMPTZ_ARRAY), (&account, Type::TEXT)];
    quarantine::remove(transaction, statements, table, &ids, account).await?;
    if !table.marks_deleted() {
        let tombstones = insert_tombstones(table, statements);
        transaction.execute_typed(&tombstones, &params).await.map_err(fail)?;
    }
    if table.marks_deleted() {
        return remover.remove(&rows(table), &ids, &stamps).await;
    }
    let removed =
        match remover.savepoints.check_immediately() && item_tables(table).next().is_some() {
            true => remove_one_by_one(remover, table, &ids, &stamps).await?,
            false => remove_with_items(remover, table, &ids, &stamps).await?,
        };
    for items in item_tables(table) {
        let duplicates = remove_duplicates_of_deleted(items, table, statements);
        transaction.execute_typed(&duplicates, &params).await.map_err(fail)?;
    }
    Ok(removed)
}

/// Removes rows, and then the items of those that are gone.
async fn remove_with_items(
    remover: &Remover<'_>,
    table: &'static Table,
    ids: &[&str],
    stamps: &[SystemTime],
) -> Result<Removed, PostgresError> {
    let mut removed = remover.remove(&rows(table), ids, stamps).await?;
    for items in item_tables(table) {
        let removal = items_of_deleted(items, table, remover.statements);
        removed.kept.extend(remover.remove(&removal, ids, stamps).await?.kept);
    }
    Ok(removed)
}

/// Removes each object with its items, and checks deferred constraints after that: a foreign key of
/// the user can require that an item has its parent. A rejected object is kept with its items.
async fn remove_one_by_one(
    remover: &Remover<'_>,
    table: &'static Table,
    ids: &[&str],
    stamps: &[SystemTime],
) -> Result<Removed, PostgresError> {
    let (transaction, rows) = (remover.transaction, rows(table));
    let fail = |e: tokio_postgres::Error| rows.error(&e);
    let mut removed = Removed::default();
    for (id, stamp) in ids.iter().zip(stamps) {
        let (id, stamp) = (std::slice::from_ref(id), std::slice::from_ref(stamp));
        let begin = "savepoint object; set constraints all deferred";
        transaction.batch_execute(begin).await.map_err(fail)?;
        let mut of_object = remove_with_items(remover, table, id, stamp).await?;
        let check = "set constraints all immediate; release savepoint object";
        match transaction.batch_execute(check).await.map_err(fail) {
            Ok(()) => {}
            Err(error) if error.class == ErrorClass::RowRefused => {
                // This also restores the check after each statement.
                let undo = "rollback to savepoint object; release savepoint object";
                transaction.batch_execute(undo).await.map_err(fail)?;
                of_object = remover.keep_all(&rows, id, stamp, &error).await?;
            }
            Err(error) => return Err(error),
        }
        removed.ids.extend(of_object.ids);
        removed.kept.extend(of_object.kept);
    }
    Ok(removed)
}

/// The rows of the deleted objects.
fn rows(table: &'static Table) -> Removal {
    Removal {
        table,
        doing: "cannot delete from",
        why: "the object was deleted in Stripe",
        column: "id".to_owned(),
        condition: order_sql::deletion_applies("t.last_synced_at", "e.stamp", table.custom_ids),
        mark: table.marks_deleted(),
    }
}

/// The tables of the items of its nested lists.
fn item_tables(table: &Table) -> impl Iterator<Item = &'static Table> {
    table.nested.iter().filter_map(|nested| Catalog::get().table(nested.table.as_deref()?))
}

/// The items of objects whose rows were deleted.
fn items_of_deleted(items: &'static Table, of: &Table, statements: &Statements) -> Removal {
    let column = parent_column(items);
    Removal {
        table: items,
        doing: "cannot delete from",
        why: "the object that lists the item was deleted in Stripe",
        condition: is_deleted(of, statements, &format!("t.{column}")),
        column,
        mark: false,
    }
}

fn parent_column(items: &Table) -> String {
    quote(items.parent.as_ref().map_or("id", |parent| &parent.column))
}

/// The SQL condition that the table has no row with `id`, an SQL expression.
fn is_deleted(table: &Table, statements: &Statements, id: &str) -> String {
    let name = statements.names.table(&table.name);
    format!("not exists (select 1 from {name} p where p.id = {id} and p._account_id = $3)")
}

/// Removes the quarantined duplicates that belonged to objects whose rows were deleted.
fn remove_duplicates_of_deleted(items: &Table, of: &Table, statements: &Statements) -> String {
    format!(
        "delete from {} q using {KEYS}
         where q.table_name = {} and q.account_id = $3 and {} and {}",
        statements.names.table("_quarantine"),
        literal(&items.name),
        quarantine::is_duplicate_of("e.key"),
        is_deleted(of, statements, "e.key"),
    )
}

fn insert_tombstones(table: &Table, statements: &Statements) -> String {
    format!(
        "insert into {} as d (table_name, account_id, id, deleted_at)
         select {}, $3, e.key, max({deleted_at}) from {KEYS} group by e.key order by e.key
         on conflict (table_name, account_id, id) do update
         set deleted_at = greatest({stored}, excluded.deleted_at)",
        statements.names.table("_tombstones"),
        literal(&table.name),
        deleted_at = order_sql::not_in_future("e.stamp"),
        stored = order_sql::not_in_future("d.deleted_at"),
    )
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
