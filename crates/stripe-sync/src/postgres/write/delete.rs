//! Deletions. A hard delete takes its table alone and leaves a tombstone, so that no page or
//! event from before brings the row back.

use tokio_postgres::types::Type;

use crate::catalog::Table;
use crate::order::{CLOSE_MICROS, Stamp};
use crate::postgres::connection::pool::begin;
use crate::postgres::{Database, PostgresError, Statements};

impl Database {
    /// Applies the deletion of an object that was observed at `stamp`. False if there was no row,
    /// or one of a later object of the same id.
    pub(crate) async fn delete_row(
        &self,
        statements: &Statements,
        account: &str,
        table: &Table,
        id: &str,
        stamp: Stamp,
    ) -> Result<bool, PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot delete from {}", table.name), &e)
        };
        let name = statements.names.table(&table.name);
        let at = stamp.to_system();
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = statements.names.lock_key(&table.name);
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let key = [
            (&id as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT),
            (&account, Type::TEXT),
            (&at, Type::TIMESTAMPTZ),
        ];
        // An id of the user's own choice may be in use again; any other stays deleted, whatever
        // the clocks of the processes that wrote the row and that saw it gone.
        let close = format!("interval '{CLOSE_MICROS} microseconds'");
        let which = match table.custom_ids {
            true => format!(
                "where id = $1 and _account_id = $2
                 and (last_synced_at is null or last_synced_at <= $3 + {close})"
            ),
            false => {
                "where id = $1 and _account_id = $2 and $3::timestamptz is not null".to_owned()
            }
        };
        let gone = if table.marks_deleted() {
            let sql = format!(
                "update {name} set deleted = true, updated_at = now(),
                        last_synced_at = greatest(last_synced_at, $3) {which}"
            );
            transaction.execute_typed(&sql, &key).await.map_err(fail)?
        } else {
            let tombstone = format!(
                "insert into {} as d (table_name, account_id, id, deleted_at)
                 values ({}, $2, $1, $3)
                 on conflict (table_name, account_id, id) do update
                 set deleted_at = greatest(d.deleted_at, excluded.deleted_at)",
                statements.names.table("_tombstones"),
                crate::postgres::names::literal(&table.name),
            );
            transaction.execute_typed(&tombstone, &key).await.map_err(fail)?;
            let gone = transaction
                .execute_typed(&format!("delete from {name} {which}"), &key)
                .await
                .map_err(fail)?;
            let left = transaction
                .query_typed_opt(
                    &format!("select 1 from {name} where id = $1 and _account_id = $2"),
                    &[(&id, Type::TEXT), (&account, Type::TEXT)],
                )
                .await
                .map_err(fail)?;
            if left.is_none() {
                self.delete_children(&transaction, statements, account, table, id)
                    .await
                    .map_err(fail)?;
            }
            gone
        };
        transaction
            .execute_typed(
                &format!(
                    "delete from {} where table_name = $1 and account_id = $2 and id = $3",
                    statements.names.table("_quarantine")
                ),
                &[
                    (&table.name, Type::TEXT),
                    (&account, Type::TEXT),
                    (&crate::postgres::write::quarantine::name_of(id), Type::TEXT),
                ],
            )
            .await
            .map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(gone > 0)
    }

    /// The items of a deleted object's nested lists go with it.
    async fn delete_children(
        &self,
        transaction: &deadpool_postgres::Transaction<'_>,
        statements: &Statements,
        account: &str,
        table: &Table,
        id: &str,
    ) -> Result<(), tokio_postgres::Error> {
        for nested in table.nested.iter().filter_map(|n| n.table.as_deref()) {
            let child = crate::catalog::Catalog::get().table(nested);
            let Some(parent) = child.and_then(|t| t.parent.as_ref()) else { continue };
            transaction
                .execute_typed(
                    &format!(
                        "delete from {} where {} = $1 and _account_id = $2",
                        statements.names.table(nested),
                        crate::postgres::names::quote(&parent.column)
                    ),
                    &[(&id, Type::TEXT), (&account, Type::TEXT)],
                )
                .await?;
        }
        Ok(())
    }
}
