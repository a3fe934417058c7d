//! Runs one statement that builds or drops an index concurrently.
//!
//! It waits for transactions that are older than itself, which can last for hours. If it waits too
//! long, it is canceled, and the next run tries again.

use std::time::Duration;

use deadpool_postgres::Object;
use tokio::time::Instant;
use tokio_postgres::types::Type;

use crate::catalog::Table;
use crate::postgres::connection::lock_holders::describe;
use crate::postgres::connection::pool::Database;
use crate::postgres::connection::table_access::TableAccess;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// How often the state of a build is read.
const POLL: Duration = Duration::from_secs(1);
/// How long a build waits for the transactions of other sessions.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A connection that runs a statement. If the statement is abandoned, it is ended at the server, and
/// the connection is closed. In the pool, it would delay the next operation.
struct BusyConnection<'d> {
    database: &'d Database,
    client: Option<Object>,
}

impl BusyConnection<'_> {
    async fn run(&mut self, sql: &str) -> Result<(), tokio_postgres::Error> {
        let client = self.client.as_ref().expect("the connection is present until the end");
        let result = client.batch_execute(sql).await;
        self.client = None;
        result
    }
}

impl Drop for BusyConnection<'_> {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            self.database.cancellations.end_statement(client, self.database.tls().clone());
        }
    }
}

impl Database {
    /// Runs a statement that builds or drops an index, and cancels it if it waits too long.
    pub(super) async fn build_index(
        &self,
        access: TableAccess<'_>,
        table: &Table,
        sql: &str,
        waits_for: &(dyn Fn(Option<&str>) + Send + Sync),
    ) -> Result<(), PostgresError> {
        let (client, _permits) = access.into_client();
        let mut connection = BusyConnection { database: self, client: Some(client) };
        let building = connection.run(sql);
        tokio::pin!(building);
        let mut waiting_since: Option<Instant> = None;
        let mut holder = None;
        loop {
            tokio::select! {
                built = &mut building => {
                    waits_for(None);
                    return match built {
                        Err(error) if is_of_another_process(sql, &error) => Ok(()),
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
                self.get_second()
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
        let row = self.get_second().await?.query_typed_opt(sql, &[(&statement, Type::TEXT)]).await;
        let row = row.map_err(|e| index_error(table, &e, None))?;
        Ok(row.map(|row| (row.get(5), describe(&row))))
    }
}

/// Another process creates or drops the same index.
fn is_of_another_process(sql: &str, error: &tokio_postgres::Error) -> bool {
    match error.code().map(|code| code.code()) {
        Some("42P07" | "23505" | "40P01") => true,
        // For `create`, it is the type of the column that the server cannot index.
        Some("42704") => sql.starts_with("drop"),
        _ => false,
    }
}

pub(super) fn index_error(
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
