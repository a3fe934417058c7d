//! Errors of an adoption.

use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// The start of every error message of an adoption.
pub(super) const DOING: &str = "cannot adopt the tables of the other engine";

/// How long an adoption waits for a lock on a table. Other sessions queue behind it.
pub(super) const LOCK_TIMEOUT: &str = "15s";

/// The hint while nothing has been changed.
pub(super) const REMOVE_OBSTACLES: &str = "nothing was changed; drop or change the listed objects, then run `stripe-sync migrate` again, or \
     use another --schema or --table-prefix";

/// The hint once tables may have been adopted.
pub(super) const CONTINUE: &str = "each table is adopted in a transaction of its own: adopted tables stay adopted, and this one \
     is unchanged; fix the cause, then run `stripe-sync migrate` again to continue";

/// The name of an unknown table in an error.
pub(super) const SOME_TABLE: &str = "a table of the other engine";

const LOCK_NOT_AVAILABLE: &str = "55P03";

/// The error of a statement that does not concern a single table.
pub(super) fn fail(error: tokio_postgres::Error) -> PostgresError {
    explain_lock_timeout(PostgresError::new(DOING, &error), SOME_TABLE)
}

/// Whether a lock was not granted within [`LOCK_TIMEOUT`].
pub(super) fn is_in_use(error: &PostgresError) -> bool {
    error.sqlstate.as_deref() == Some(LOCK_NOT_AVAILABLE)
}

/// Replaces a lock timeout by an error that names the table.
pub(super) fn explain_lock_timeout(error: PostgresError, table: &str) -> PostgresError {
    if !is_in_use(&error) {
        return error;
    }
    PostgresError::own(
        DOING,
        format!(
            "{table} was in use by another session for more than {LOCK_TIMEOUT}; stop the other \
             engine and long queries, then run `stripe-sync migrate` again"
        ),
        ErrorClass::Other,
    )
}

/// The error that names everything that prevents the adoption.
pub(super) fn obstacles(obstacles: &[String]) -> PostgresError {
    let message = format!("obstacles: {}", obstacles.join("; "));
    PostgresError::own(DOING, message, ErrorClass::Rejected).with_hint(REMOVE_OBSTACLES)
}
