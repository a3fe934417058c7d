//! Rows that the server refuses: set aside one by one with their reason, so that the rest of
//! their page goes on.

use std::borrow::Cow;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::catalog::{Exclusions, Table};
use crate::hash::fnv1a;
use crate::order::Stamp;
use crate::postgres::{Batch, Database, ErrorClass, Names, PostgresError, Settled, Statements};
use crate::row::{NO_ID, Observation};

/// Bytes of an id that stands here as it is: as many as 255 characters of any kind can have.
const LONGEST: usize = 1024;

/// Upserts a batch, halving what the server refuses until single rows are left; those go into
/// the quarantine. Also tells how many did.
pub(in crate::postgres) async fn upsert_guarded(
    transaction: &Transaction<'_>,
    statements: &Statements,
    batch: &Batch<'_>,
    account: &str,
    left_out: &Exclusions,
) -> Result<(Settled, u64), PostgresError> {
    let fail = |e: tokio_postgres::Error| PostgresError::new("cannot set a row aside", &e);
    let (mut settled, mut refused) = (Settled::default(), 0);
    let mut open: Vec<&[Observation<'_>]> = vec![&batch.rows];
    while let Some(rows) = open.pop() {
        transaction.batch_execute("savepoint rows").await.map_err(fail)?;
        match statements.upsert(transaction, batch.table, account, rows, left_out).await {
            Ok(part) => {
                transaction.batch_execute("release savepoint rows").await.map_err(fail)?;
                // A neighbour is refused; these may have been, and fit again.
                clear(transaction, statements, batch.table, rows, account).await?;
                settled.replaced += part.replaced;
                settled.uncertain.extend(part.uncertain);
            }
            Err(error) if error.class == ErrorClass::RowRefused => {
                transaction.batch_execute("rollback to savepoint rows").await.map_err(fail)?;
                match rows {
                    [row] => {
                        let table = &batch.table.name;
                        put(transaction, statements, table, account, row, &error)
                            .await
                            .map_err(fail)?;
                        refused += 1;
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
    Ok((settled, refused))
}

/// What an object is called here. An id can be longer than an index of the server takes; that one goes
/// by its beginning and a hash, and the object itself is kept whole.
pub(in crate::postgres) fn name_of(id: &str) -> Cow<'_, str> {
    if id.len() <= LONGEST {
        return Cow::Borrowed(id);
    }
    let beginning: String = id.chars().take(32).collect();
    Cow::Owned(format!("{beginning}... ({} bytes, {:016x})", id.len(), fnv1a(id)))
}

impl Database {
    /// The stamp of the state of an object that is set aside, if it is.
    pub(crate) async fn set_aside_at(
        &self,
        statements: &Statements,
        account: &str,
        table: &Table,
        id: &str,
    ) -> Result<Option<Stamp>, PostgresError> {
        let sql = format!(
            "select seen_at from {} where table_name = $1 and account_id = $2 and id = $3",
            statements.names.table("_quarantine")
        );
        let key: [(&(dyn ToSql + Sync), Type); 3] =
            [(&table.name, Type::TEXT), (&account, Type::TEXT), (&name_of(id), Type::TEXT)];
        let row = self
            .get()
            .await?
            .query_typed_opt(&sql, &key)
            .await
            .map_err(|e| PostgresError::new("cannot read the quarantine", &e))?;
        Ok(row.map(|row| Stamp::from_system(row.get(0))))
    }
}

impl Database {
    /// Takes out what an earlier run set aside of `tables` without an id. No upsert ever clears these;
    /// where they are still listed, a run over everything has set them aside anew.
    pub(crate) async fn clear_unnamed(
        &self,
        names: &Names,
        run: i64,
        tables: &[&str],
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "delete from {} q using {} r
             where r.id = $1 and r.since is null and r.until is null
               and q.account_id = r.account_id and q.table_name = any($2)
               and starts_with(q.id, $3) and q.seen_at < to_timestamp(r.event_cursor)",
            names.table("_quarantine"),
            names.table("_runs")
        );
        let params: [(&(dyn ToSql + Sync), Type); 3] =
            [(&run, Type::INT8), (&tables, Type::TEXT_ARRAY), (&NO_ID, Type::TEXT)];
        let cleared = self.get().await?.execute_typed(&sql, &params).await;
        cleared.map(drop).map_err(|e| PostgresError::new("cannot clear the quarantine", &e))
    }
}

pub(in crate::postgres) async fn put(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: &str,
    account: &str,
    row: &Observation<'_>,
    error: &PostgresError,
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
                (&error.to_string(), Type::TEXT),
                (&error.sqlstate, Type::TEXT),
                (&row.request_id, Type::TEXT),
                (&row.stamp.to_system(), Type::TIMESTAMPTZ),
                (&row.json, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// Takes rows out of the quarantine that have been written since they were set aside.
pub(in crate::postgres) async fn clear(
    transaction: &Transaction<'_>,
    statements: &Statements,
    table: &Table,
    rows: &[Observation<'_>],
    account: &str,
) -> Result<(), PostgresError> {
    let ids: Vec<Cow<'_, str>> = rows.iter().map(|row| name_of(&row.id)).collect();
    let stamps: Vec<SystemTime> = rows.iter().map(|row| row.stamp.to_system()).collect();
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
