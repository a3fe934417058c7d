//! Builds the indexes that are created after a table has been filled.
//!
//! They are built with `create index concurrently`, which does not block writers. It waits for
//! transactions that are older than the build, which can last for hours. Then the build is
//! cancelled, and the next run tries again. An interrupted build leaves an invalid index, which is
//! dropped first.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::Instant;
use tokio_postgres::types::Type;

use crate::catalog::Table;
use crate::postgres::connection::contended::TableUse;
use crate::postgres::connection::lock_holders::describe;
use crate::postgres::connection::pool::Database;
use crate::postgres::connection::table_access::TableNames;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::{Names, quote};

/// How often the state of a build is read.
const POLL: Duration = Duration::from_secs(1);
/// How long a build waits for the transactions of other sessions.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// The state of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IndexState {
    Missing,
    Valid,
    /// It is not valid, and another session works on the table, probably on this index.
    InUse,
    /// What an interrupted build has left.
    Invalid,
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
            let index = names.index(&table.name, column);
            loop {
                // Names no table, because building an index does not block writers of the table.
                let access = self.get_for_tables(TableUse::Write, &TableNames::new()).await?;
                let sql = match index_state(&access.client, names, table, &index).await? {
                    IndexState::Valid | IndexState::InUse => break,
                    IndexState::Invalid => {
                        format!("drop index concurrently if exists {}", qualified(names, &index))
                    }
                    IndexState::Missing => format!(
                        "create index concurrently if not exists {index} on {} ({})",
                        names.table(&table.name),
                        quote(column)
                    ),
                };
                self.build(&access.client, table, &sql, waits_for).await?;
            }
        }
        Ok(())
    }

    /// Runs a statement that builds or drops an index, and cancels it if it waits too long.
    async fn build(
        &self,
        client: &Object,
        table: &Table,
        sql: &str,
        waits_for: &(dyn Fn(Option<&str>) + Send + Sync),
    ) -> Result<(), PostgresError> {
        let building = client.batch_execute(sql);
        tokio::pin!(building);
        let mut waiting_since: Option<Instant> = None;
        let mut holder = None;
        loop {
            tokio::select! {
                built = &mut building => {
                    waits_for(None);
                    return match built {
                        // Another process creates or drops the same index.
                        Err(error) if error.code().is_some_and(|code| {
                            ["42P07", "23505", "42704", "40P01"].contains(&code.code())
                        }) => Ok(()),
                        Err(error) => Err(index_error(table, &error, holder.as_deref())),
                        Ok(()) => Ok(()),
                    };
                }
                () = tokio::time::sleep(POLL) => {}
            }
            let Some((pid, found)) = self.index_wait(table, sql).await? else {
                waiting_since = None;
                waits_for(None);
                continue;
            };
            waits_for(Some(&found));
            holder = Some(found);
            let since = *waiting_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= MAX_WAIT.min(self.max_outage()) {
                self.get()
                    .await?
                    .query_typed("select pg_catalog.pg_cancel_backend($1)", &[(&pid, Type::INT4)])
                    .await
                    .map_err(|e| index_error(table, &e, None))?;
            }
        }
    }

    /// The backend that runs this statement, if it waits, and the session that it waits for. Its
    /// pid cannot be queried beforehand, because a pooler can use another backend for the
    /// statement.
    async fn index_wait(
        &self,
        table: &Table,
        statement: &str,
    ) -> Result<Option<(i32, String)>, PostgresError> {
        // The first columns are those that `describe` reads.
        let sql = "select a.pid, a.application_name, a.usename::text, a.state,
                          to_char(a.query_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), w.pid
                   from pg_catalog.pg_stat_activity w
                   cross join lateral unnest(pg_catalog.pg_blocking_pids(w.pid)) as b(pid)
                   join pg_catalog.pg_stat_activity a on a.pid = b.pid
                   where w.query = $1 and w.state = 'active' and w.usename = current_user
                     and w.datname = current_database()
                   limit 1";
        let row = self.get().await?.query_typed_opt(sql, &[(&statement, Type::TEXT)]).await;
        let row = row.map_err(|e| index_error(table, &e, None))?;
        Ok(row.map(|row| (row.get(5), describe(&row))))
    }
}

fn qualified(names: &Names, index: &str) -> String {
    format!("{}.{index}", names.quoted_schema())
}

async fn index_state(
    client: &Object,
    names: &Names,
    table: &Table,
    index: &str,
) -> Result<IndexState, PostgresError> {
    // A build holds this lock on the table from its start to its end.
    let sql = "select i.indisvalid, exists (
                   select 1 from pg_catalog.pg_locks l
                   where l.relation = i.indrelid and l.mode = 'ShareUpdateExclusiveLock'
                     and l.granted and l.pid <> pg_catalog.pg_backend_pid())
               from pg_catalog.pg_index i where i.indexrelid = to_regclass($1)";
    let name = qualified(names, index);
    let row = client.query_typed_opt(sql, &[(&name, Type::TEXT)]).await;
    let row = row.map_err(|e| index_error(table, &e, None))?;
    Ok(match row.map(|row| (row.get(0), row.get(1))) {
        None => IndexState::Missing,
        Some((true, _)) => IndexState::Valid,
        Some((false, true)) => IndexState::InUse,
        Some((false, false)) => IndexState::Invalid,
    })
}

fn index_error(
    table: &Table,
    error: &tokio_postgres::Error,
    holder: Option<&str>,
) -> PostgresError {
    let doing = format!("cannot index {}", table.name);
    match (holder, error.code().map(|code| code.code())) {
        (Some(holder), Some("57014" | "55P03")) => {
            let message = format!("the build waits for the transaction of {holder}");
            PostgresError::own(doing, message, ErrorClass::Other)
                .with_hint("the next backfill of the table builds the index")
        }
        _ => PostgresError::new(doing, error),
    }
}
