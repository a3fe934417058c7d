//! Creates the indexes that are built after a table has been filled.

use crate::catalog::Table;
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;
use crate::postgres::schema::ddl;

impl Database {
    /// Creates the indexes that are built after the first backfill. Safe when several processes do
    /// it at once.
    pub(crate) async fn build_late_indexes(
        &self,
        names: &Names,
        table: &Table,
    ) -> Result<(), PostgresError> {
        let indexes = ddl::late_indexes(table, names);
        if indexes.is_empty() {
            return Ok(());
        }
        let fail = |e: tokio_postgres::Error| {
            PostgresError::new(format!("cannot index {}", table.name), &e)
        };
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = names.lock_key("index");
        transaction
            .batch_execute(&format!(
                "set local client_min_messages = warning;
                 select pg_advisory_xact_lock({lock}); {}",
                indexes.join("; ")
            ))
            .await
            .map_err(fail)?;
        transaction.commit().await.map_err(fail)
    }
}
