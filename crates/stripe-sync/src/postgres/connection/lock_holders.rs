//! Who holds the lock that an operation waits for, as a text for users. Their statements are not
//! shown, because they can contain values.

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::contended::TableUse;
use super::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// When the holders are first looked up, and the interval after that.
const INTERVAL: Duration = Duration::from_secs(1);
/// How many of several holders are named.
const NAMED: usize = 3;

/// The sessions that block a backend, without those that are blocked themselves, such as other
/// connections of the engine. Pid 0 is a prepared transaction.
const SQL: &str = "with recursive blocking (pid) as (
         select unnest(pg_catalog.pg_blocking_pids($1))
         union select unnest(pg_catalog.pg_blocking_pids(b.pid)) from blocking b where b.pid <> 0)
     select distinct b.pid, a.application_name, a.usename::text, a.state,
            to_char(a.query_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')
     from blocking b left join pg_catalog.pg_stat_activity a on a.pid = b.pid
     where b.pid = 0 or cardinality(pg_catalog.pg_blocking_pids(b.pid)) = 0
     order by b.pid";

/// What is known about an operation that may have to wait for contended tables.
pub(in crate::postgres) struct LockWait<'t> {
    usage: TableUse,
    tables: Vec<&'t str>,
    /// The backend that runs the operation, once it is known.
    pid: AtomicI32,
}

impl<'t> LockWait<'t> {
    pub(super) fn new(usage: TableUse, tables: Vec<&'t str>) -> LockWait<'t> {
        LockWait { usage, tables, pid: AtomicI32::default() }
    }

    /// Locks the contended tables for their use, in a transaction that has done nothing else yet. So
    /// it holds no other locks while it waits, and its success shows that they are free.
    pub(in crate::postgres) async fn lock(
        &self,
        transaction: &Transaction<'_>,
        names: &Names,
    ) -> Result<(), PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot lock a table", &e);
        let pid = transaction.query_typed_one("select pg_catalog.pg_backend_pid()", &[]).await;
        self.pid.store(pid.map_err(fail)?.get(0), Ordering::Relaxed);
        let mode = self.usage.lock_mode();
        for table in &self.tables {
            let lock = format!("lock table only {} in {mode} mode", names.table(table));
            let locked = transaction.batch_execute(&lock).await;
            locked.map_err(|e| fail(e).of_table(table))?;
        }
        Ok(())
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &'t str> {
        self.tables.iter().copied()
    }

    fn pid(&self) -> Option<i32> {
        Some(self.pid.load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }
}

impl Database {
    /// Runs an operation, and also returns who held the lock that it last waited for.
    pub(super) async fn watch_lock_holders<T>(
        &self,
        wait: &LockWait<'_>,
        operation: impl Future<Output = T>,
    ) -> (T, Option<String>) {
        let last = Mutex::new(None);
        let watch = async {
            loop {
                tokio::time::sleep(INTERVAL).await;
                let Some(pid) = wait.pid() else { continue };
                match self.lock_holders(pid).await {
                    Ok(None) => {}
                    Ok(holders) => *last.lock().unwrap_or_else(PoisonError::into_inner) = holders,
                    Err(error) => tracing::debug!(%error, "the holder of a lock is not known"),
                }
            }
        };
        let result = tokio::select! {
            biased;
            result = operation => result,
            () = watch => unreachable!("the watch does not end"),
        };
        (result, last.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Who blocks a backend. `None` if no session does.
    async fn lock_holders(&self, pid: i32) -> Result<Option<String>, PostgresError> {
        let rows = self
            .get()
            .await?
            .query_typed(SQL, &[(&pid, Type::INT4)])
            .await
            .map_err(|e| PostgresError::new("cannot read the locks of the database", &e))?;
        let mut named: Vec<String> = rows.iter().take(NAMED).map(describe).collect();
        if rows.len() > NAMED {
            named.push(format!("{} more", rows.len() - NAMED));
        }
        Ok((!named.is_empty()).then(|| named.join("; ")))
    }
}

/// Names a session, given its pid, application, user, state, and the start of its last statement.
/// Without a privilege, only its pid and user are visible.
pub(in crate::postgres) fn describe(row: &Row) -> String {
    let pid: i32 = row.get(0);
    if pid == 0 {
        return "a prepared transaction (see pg_prepared_xacts)".to_owned();
    }
    let text = |place: usize| row.get::<_, Option<String>>(place).filter(|text| !text.is_empty());
    let mut out = format!("backend {pid}");
    match (text(1), text(2)) {
        (Some(application), _) => out.push_str(&format!(" ({application})")),
        (None, Some(user)) => out.push_str(&format!(" (user {user})")),
        (None, None) => {}
    }
    let state = text(3);
    let is_active = state.as_deref() == Some("active");
    if let Some(state) = &state {
        out.push_str(&format!(", {state}"));
    }
    if let Some(at) = text(4) {
        let which = if is_active { "statement" } else { "last statement" };
        out.push_str(&format!(", {which} started at {at} UTC"));
    }
    out
}
