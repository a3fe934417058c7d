//! Connections for operations that can wait for the lock of a table of rows.
//!
//! One connection of the pool is never used for them, so the ledger and the heartbeats always have
//! one. Of the operations that need a table that another session has locked, only one at a time
//! tries.

use std::collections::BTreeSet;

use deadpool_postgres::Object;
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::contended::{LOCK_TIMEOUT, TableUse};
use super::lock_holders::LockWait;
use super::pool::{Database, POOL_WAIT, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// The tables that an operation locks, without prefix.
pub(in crate::postgres) type TableNames<'t> = BTreeSet<&'t str>;

/// A connection with the permits to wait for locks.
pub(in crate::postgres) struct TableAccess<'t> {
    pub(in crate::postgres) client: Object,
    /// Present if tables are contended. The operation then locks them first.
    pub(in crate::postgres) wait: Option<LockWait<'t>>,
    _tables: Vec<OwnedMutexGuard<()>>,
    _wait: OwnedSemaphorePermit,
}

impl TableAccess<'_> {
    /// The connection, and the permits to hold while it is used.
    pub(in crate::postgres) fn into_client(self) -> (Object, impl Sized) {
        (self.client, (self._tables, self._wait))
    }
}

impl Database {
    /// A connection for an operation that uses these tables.
    pub(in crate::postgres) async fn get_for_tables<'t>(
        &self,
        usage: TableUse,
        tables: &TableNames<'t>,
    ) -> Result<TableAccess<'t>, PostgresError> {
        let names = || tables.iter().copied();
        loop {
            let permits = self.contended.permits(usage, names()).await.map_err(|table| {
                let holders = self.contended.holders([table]);
                PostgresError::lock_not_granted(table, holders.as_deref())
            })?;
            let wait = tokio::time::timeout(POOL_WAIT, self.lock_waits());
            let wait =
                wait.await.map_err(|_| PostgresError::no_connection_free(self.reaching()))?;
            let client = self.get().await?;
            // A table can have become contended while this waited for a connection.
            if self.contended.count(usage, names()) <= permits.len() {
                let (contended, permits): (Vec<&str>, _) = permits.into_iter().unzip();
                let lock_wait = (!contended.is_empty()).then(|| LockWait::new(usage, contended));
                return Ok(TableAccess { client, wait: lock_wait, _tables: permits, _wait: wait });
            }
        }
    }

    /// Runs an operation on such a connection, and records which of the tables are contended. The
    /// operation sets [`LOCK_TIMEOUT`].
    ///
    /// # Errors
    /// Those of the operation. If it waited too long for a lock, the error names the table and,
    /// from the second attempt on, the session that holds the lock. Without tables, it
    /// names none.
    pub(in crate::postgres) async fn record_contention<T>(
        &self,
        usage: TableUse,
        tables: &TableNames<'_>,
        wait: Option<&LockWait<'_>>,
        operation: impl Future<Output = Result<T, PostgresError>>,
    ) -> Result<T, PostgresError> {
        let (result, holders) = match wait {
            None => (operation.await, None),
            Some(wait) => Box::pin(self.watch_lock_holders(wait, operation)).await,
        };
        match result {
            Ok(value) => {
                self.contended.remove(usage, wait.iter().flat_map(|wait| wait.tables()));
                Ok(value)
            }
            // Without a table of rows, it is one of the engine's own that is locked.
            Err(error) if error.is_lock_timeout() && !tables.is_empty() => {
                let named = error.locked_table.as_deref().filter(|table| tables.contains(table));
                // A lock that is not a table lock, such as an advisory lock, affects all of them.
                let locked = named.map_or_else(|| tables.clone(), |table| [table].into());
                self.contended.insert(usage, locked.iter().copied(), holders);
                let holders = self.contended.holders(locked.iter().copied());
                let names = locked.into_iter().collect::<Vec<_>>().join(", ");
                Err(PostgresError::lock_not_granted(&names, holders.as_deref()))
            }
            Err(error) => Err(error),
        }
    }

    /// Runs one statement that reads a table of rows. It may write to the engine's own tables.
    pub(in crate::postgres) async fn read_table(
        &self,
        names: &Names,
        table: &str,
        sql: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, PostgresError> {
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot read {table}"), &e).of_table(table)
        };
        let tables = [table].into();
        let mut access = Box::pin(self.get_for_tables(TableUse::Read, &tables)).await?;
        let TableAccess { client, wait, .. } = &mut access;
        let wait = wait.as_ref();
        // Boxed, like the acquisition of the connection: callers hold this future.
        let reading = Box::pin(async {
            let transaction = begin(client).await.map_err(fail)?;
            let timeout = format!("set local lock_timeout = {}", LOCK_TIMEOUT.as_millis());
            transaction.batch_execute(&timeout).await.map_err(fail)?;
            if let Some(wait) = wait {
                wait.lock(&transaction, names).await?;
            }
            let rows = transaction.query_typed(sql, params).await.map_err(fail)?;
            transaction.commit().await.map_err(fail)?;
            Ok(rows)
        });
        self.record_contention(TableUse::Read, &tables, wait, reading).await
    }
}
