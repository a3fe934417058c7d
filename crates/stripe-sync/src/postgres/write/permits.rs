//! The connection of a write. Only one write at a time tries a table that another session has
//! locked, so that connections remain for other tables and the ledger.

use deadpool_postgres::Object;
use tokio::sync::OwnedMutexGuard;

use super::request::WriteRequest;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;

impl Database {
    /// Returns a connection, and the permits for those of the tables that another session has
    /// locked.
    pub(super) async fn get_for_writing(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<(Object, Vec<OwnedMutexGuard<()>>), PostgresError> {
        loop {
            let permits = self.contended.permits(tables(request)).await;
            let permits = permits.map_err(PostgresError::lock_not_granted)?;
            let client = self.get().await?;
            // A table can have become contended while this waited for a connection.
            if self.contended.count(tables(request)) <= permits.len() {
                return Ok((client, permits));
            }
        }
    }
}

/// The tables that the request writes rows to.
pub(super) fn tables<'r>(request: &'r WriteRequest<'_>) -> impl Iterator<Item = &'r str> {
    request.batches.iter().map(|batch| batch.table.name.as_str())
}
