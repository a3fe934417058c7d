//! Rows that the server rejects. Each one is quarantined with its reason, and the other rows of its
//! batch are written.

use std::borrow::Cow;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use super::request::{Batch, Refusal, duplicate_name};
use super::upsert::{Statements, UpsertOutcome};
use crate::catalog::{Exclusions, Table};
use crate::hash::fnv1a;
use crate::order::Stamp;
use crate::order::sql::not_in_future;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::row::{NO_ID, Observation};

/// The longest id, in bytes, that is stored unchanged: 255 characters of any kind fit.
const LONGEST: usize = 1024;

/// Upserts a batch with savepoints. A rejected part is halved until a single row is left; that row
/// is quarantined. Also returns how many were quarantined, and the last reason.
pub(super) async fn upsert_guarded(
    transaction: &Transaction<'_>,
    statements: &Statements,
    batch: &Batch<'_>,
    account: &str,
    exclusions: &Exclusions,
) -> Result<(UpsertOutcome, Option<Refusal>), PostgresError> {
    let fail = |e: tokio_postgres::Error| PostgresError::new("cannot quarantine a row", &e);
    let mut outcome = UpsertOutcome::default();
    let mut refusal: Option<Refusal> = None;
    let mut open: Vec<&[Observation<'_>]> = vec![&batch.rows];
    while let Some(rows) = open.pop() {
        transaction.batch_execute("savepoint rows").await.map_err(fail)?;
        match statements.upsert(transaction, batch.table, account, rows, exclusions).await {
            Ok(part) => {
                transaction.batch_execute("release savepoint rows").await.map_err(fail)?;
                // These rows may have been rejected before.
                clear(transaction, statements, batch.table, rows, account).await?;
                outcome.replaced_characters += part.replaced_characters;
                outcome.uncertain.extend(part.uncertain);
                outcome.tombstoned.extend(part.tombstoned);
                outcome.of_another_parent.extend(part.of_another_parent);
            }
            Err(error) if error.class == ErrorClass::RowRefused => {
                transaction.batch_execute("rollback to savepoint rows").await.map_err(fail)?;
                match rows {
                    [row] => {
                        let table = &batch.table.name;
                        let text = error.to_string();
                        let reason = Reason { text: &text, sqlstate: error.sqlstate.as_deref() };
                        put(transaction, statements, table, account, row, reason)
                            .await
                            .map_err(fail)?;
                        let rows = refusal.map_or(0, |refusal| refusal.rows) + 1;
                        refusal = Some(Refusal { table: &batch.table.name, rows, reason: text });
                    }
                    _ => {
                        let (left, right) = rows.split_at(rows.len() / 2);
                        open.extend([right, left]);
                    }
                }
            }
            Err(error) => return Err(error),
        }
    }
    Ok((outcome, refusal))
}

/// The id under which an object is quarantined. An id that is too long for the server's index is
/// replaced by its beginning and a hash. The object itself is stored whole.
fn name_of(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST {
        return Cow::Borrowed(id);
    }
    let beginning: String = id.chars().take(32).collect();
    Cow::Owned(format!("{beginning}... ({} bytes, {:016x})", id.len(), fnv1a(id)))
}

/// The SQL expression for the name of an item that has the id of another item, from expressions for
/// its id and its parent's id.
pub(super) fn duplicate_name_sql(id: &str, parent: &str) -> String {
    format!("{id} || ' of ' || {parent}")
}

/// The SQL condition that the entry `q` is a duplicate in a list of `parent`, an SQL expression.
pub(super) fn is_duplicate_of(parent: &str) -> String {
    format!("right(q.id, length({parent}) + 4) = ' of ' || {parent}")
}

/// What the engine's tables say about one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ObjectNotes {
    /// The stamp of its quarantined state.
    pub(crate) quarantined: Option<Stamp>,
    /// When it was observed as deleted.
    pub(crate) deleted: Option<Stamp>,
    /// The stamp of its row.
    pub(crate) row: Option<Stamp>,
}

impl Database {
    /// What the engine's tables say about one object.
    pub(crate) async fn object_notes(
        &self,
        statements: &Statements,
        account: &str,
        table: &Table,
        id: &str,
    ) -> Result<ObjectNotes, PostgresError> {
        // A deleted object of some tables has a row with a mark instead of a tombstone.
        let marked = match table.marks_deleted() {
            true => format!(
                "(select last_synced_at from {} where id = $4 and _account_id = $2 and deleted)",
                statements.names.table(&table.name)
            ),
            false => "null".to_owned(),
        };
        let sql = format!(
            "select (select seen_at from {} where table_name = $1 and account_id = $2 and id = $3),
                    coalesce((select {} from {} d
                     where d.table_name = $1 and d.account_id = $2 and d.id = $4), {marked}),
                    (select last_synced_at from {} where id = $4 and _account_id = $2)",
            statements.names.table("_quarantine"),
            not_in_future("d.deleted_at"),
            statements.names.table("_tombstones"),
            statements.names.table(&table.name),
        );
        let key: [(&(dyn ToSql + Sync), Type); 4] = [
            (&table.name, Type::TEXT),
            (&account, Type::TEXT),
            (&name_of(id), Type::TEXT),
            (&id, Type::TEXT),
        ];
        let rows = self.read_table(&statements.names, &table.name, &sql, &key).await?;
        let stamp = |i| rows.first()?.get::<_, Option<SystemTime>>(i).map(Stamp::from_system);
        Ok(ObjectNotes { quarantined: stamp(0), deleted: stamp(1), row: stamp(2) })
    }
}

/// Removes entries without an id that an earlier run quarantined. No upsert clears them. A complete
/// run without a range has quarantined again those that are still listed.
pub(super) async fn clear_unnamed(
    transaction: &Transaction<'_>,
    statements: &Statements,
    run: i64,
    tables: &[&str],
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "delete from {} q using {} r
         where r.id = $1 and r.since is null and r.until is null
           and q.account_id = r.account_id and q.table_name = any($2)
           and starts_with(q.id, $3) and q.seen_at < to_timestamp(r.event_cursor)",
        statements.names.table("_quarantine"),
        statements.names.table("_runs")
    );
    let params: [(&(dyn ToSql + Sync), Type); 3] =
        [(&run, Type::INT8), (&tables, Type::TEXT_ARRAY), (&NO_ID, Type::TEXT)];
    transaction.execute_typed(&sql, &params).await.map(drop)
}

/// Removes objects from the quarantine that no longer exist.
pub(super) async fn remove(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: &Table,
    ids: &[&str],
    account: &str,
) -> Result<(), PostgresError> {
    let ids: Vec<Cow<'_, str>> = ids.iter().map(|id| name_of(id)).collect();
    let sql = format!(
        "delete from {} where table_name = $1 and account_id = $2 and id = any($3)",
        statements.names.table("_quarantine")
    );
    let params: [(&(dyn ToSql + Sync), Type); 3] =
        [(&table.name, Type::TEXT), (&account, Type::TEXT), (&ids, Type::TEXT_ARRAY)];
    transaction
        .execute_typed(&sql, &params)
        .await
        .map(drop)
        .map_err(|e| PostgresError::new("cannot clear the quarantine", &e))
}

/// Why a row is quarantined.
#[derive(Clone, Copy)]
pub(super) struct Reason<'r> {
    pub(super) text: &'r str,
    /// The server's error code, if it rejected the row.
    pub(super) sqlstate: Option<&'r str>,
}

/// Quarantines a row. A newer quarantined state is kept.
pub(super) async fn put(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: &str,
    account: &str,
    row: &Observation<'_>,
    reason: Reason<'_>,
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "insert into {} as q
             (table_name, account_id, id, reason, sqlstate, request_id, seen_at, object)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (table_name, account_id, id) do update
         set reason = excluded.reason, sqlstate = excluded.sqlstate,
             request_id = excluded.request_id, seen_at = excluded.seen_at,
             object = excluded.object
         where q.seen_at <= excluded.seen_at",
        statements.names.table("_quarantine")
    );
    transaction
        .execute_typed(
            &sql,
            &[
                (&table, Type::TEXT),
                (&account, Type::TEXT),
                (&name_of(&row.id), Type::TEXT),
                (&reason.text, Type::TEXT),
                (&reason.sqlstate, Type::TEXT),
                (&row.request_id, Type::TEXT),
                (&row.stamp.to_system(), Type::TIMESTAMPTZ),
                (&row.object.json(), Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// Removes rows from the quarantine that are written now, unless a newer state of them is
/// quarantined.
pub(super) async fn clear(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: &Table,
    rows: &[Observation<'_>],
    account: &str,
) -> Result<(), PostgresError> {
    let mut ids: Vec<Cow<'_, str>> = rows.iter().map(|row| name_of(&row.id)).collect();
    let mut stamps: Vec<SystemTime> = rows.iter().map(|row| row.stamp.to_system()).collect();
    for (row, parent) in rows.iter().filter_map(|row| Some((row, row.parent?))) {
        let name = duplicate_name(&row.id, parent);
        ids.push(name_of(&name).into_owned().into());
        stamps.push(row.stamp.to_system());
    }
    transaction
        .execute_typed(
            &format!(
                "delete from {} q using unnest($3::text[], $4::timestamptz[]) e(id, seen_at)
                 where q.table_name = $1 and q.account_id = $2 and q.id = e.id
                   and q.seen_at <= e.seen_at",
                statements.names.table("_quarantine")
            ),
            &[
                (&table.name, Type::TEXT),
                (&account, Type::TEXT),
                (&ids, Type::TEXT_ARRAY),
                (&stamps, Type::TIMESTAMPTZ_ARRAY),
            ],
        )
        .await
        .map_err(|e| PostgresError::new("cannot clear the quarantine", &e))?;
    Ok(())
}
