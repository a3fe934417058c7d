//! Settings of an adoption's transactions. All of them end with the transaction.

use deadpool_postgres::Transaction;

use super::failure::{LOCK_TIMEOUT, fail};
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// Under this search path PostgreSQL qualifies every name with its schema.
pub(super) const QUALIFIED_NAMES: &str = "set local search_path = pg_catalog";
/// The user's own search path, which functions in indexes and checks may rely on.
pub(super) const USER_PATH: &str = "set local search_path to default";

/// Limits waiting in a transaction that only reads: reads also wait while another session has
/// locked a whole table.
pub(super) async fn limit_waiting(transaction: &Transaction<'_>) -> Result<(), PostgresError> {
    let settings =
        format!("set local lock_timeout = '{LOCK_TIMEOUT}'; set local statement_timeout = 0;");
    transaction.batch_execute(&settings).await.map_err(fail)
}

/// Prepares a transaction that changes tables. Takes the lock that lets only one process migrate at
/// a time.
pub(super) async fn prepare(
    transaction: &Transaction<'_>,
    names: &Names,
) -> Result<(), PostgresError> {
    let lock = names.migration_lock_key();
    transaction
        .batch_execute(&format!(
            "select pg_advisory_xact_lock({lock});
             set local lock_timeout = '{LOCK_TIMEOUT}';
             set local statement_timeout = 0;
             set local client_min_messages = warning;"
        ))
        .await
        .map_err(fail)
}
