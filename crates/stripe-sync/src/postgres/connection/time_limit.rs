//! A time limit for operations, for a server that keeps its connections open and never replies.

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

impl Database {
    /// Runs an operation that may be repeated. If it takes too long, its connection and all others
    /// are discarded, and it is unknown whether the operation took effect.
    ///
    /// # Errors
    /// Those of the operation; [`ErrorClass::Unreachable`] after the time limit.
    pub(crate) async fn within_time_limit<T>(
        &self,
        operation: impl Future<Output = Result<T, PostgresError>>,
    ) -> Result<T, PostgresError> {
        let limit = self.options().operation_timeout;
        match tokio::time::timeout(limit, operation).await {
            Ok(result) => result,
            Err(_) => {
                self.discard_connections();
                let message = format!("no reply from the database within {limit:?}");
                Err(PostgresError::own(
                    "cannot complete an operation",
                    message,
                    ErrorClass::Unreachable,
                )
                .with_hint(
                    "check the log of the server and the network connection to it; committed rows \
                     are safe",
                ))
            }
        }
    }
}
