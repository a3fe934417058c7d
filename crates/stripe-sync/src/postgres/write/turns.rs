//! The connection of a write. A table that another session has locked is tried by one write at a time, so that
//! the others leave connections to other tables and to the ledger.

use deadpool_postgres::Object;
use tokio::sync::OwnedMutexGuard;

use super::request::WriteRequest;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;

impl Database {
    /// A connection, and the turns on those of the tables that another session has locked.
    pub(super) async fn get_for_writing(
        &self,
        request: &WriteRequest<'_>,
    ) -> Result<(Object, Vec<OwnedMutexGuard<()>>), PostgresError> {
        loop {
            let turns = self.contended.turns(tables(request)).await;
            let turns = turns.map_err(PostgresError::lock_not_granted)?;
            let client = self.get().await?;
            // A table can have become contended while this waited for a connection.
            if self.contended.count(tables(request)) <= turns.len() {
                return Ok((client, turns));
            }
        }
    }
}

/// The tables that the request writes rows to.
pub(super) fn tables<'r>(request: &'r WriteRequest<'_>) -> impl Iterator<Item = &'r str> {
    request.batches.iter().map(|batch| batch.table.name.as_str())
}
