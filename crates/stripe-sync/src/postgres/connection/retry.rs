//! How long an operation retries transient database errors.

use std::time::Duration;

use tokio::time::Instant;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// How long an internal error of the server is retried. Most recur on every attempt.
const INTERNAL_ERRORS: Duration = Duration::from_secs(30);

/// The time in which one operation retries after outages and conflicts.
pub(crate) struct RetryBudget {
    database: Database,
    started: Instant,
    pause: Duration,
}

impl RetryBudget {
    /// A budget that ends with the outage limit of the database.
    pub(crate) fn new(database: &Database) -> RetryBudget {
        let (database, started) = (database.clone(), Instant::now());
        RetryBudget { database, started, pause: Duration::from_millis(200) }
    }

    /// Returns whether to retry after `error`. Waits first, unless the error is a conflict.
    pub(crate) async fn wait_before_retry(&mut self, error: &PostgresError) -> bool {
        let Some(time_limit) = self.time_limit(error.class) else { return false };
        if self.started.elapsed() >= time_limit {
            return false;
        }
        match error.class {
            ErrorClass::Conflict => return true,
            // After a failover, connections can still be to the old primary.
            ErrorClass::ReadOnly => self.database.discard_connections(),
            _ => {}
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_secs(5));
        true
    }

    /// How long errors of a class are retried; `None` if a retry cannot succeed.
    fn time_limit(&self, class: ErrorClass) -> Option<Duration> {
        let max_outage = self.database.max_outage();
        match class {
            ErrorClass::Unreachable | ErrorClass::Transient | ErrorClass::Conflict => {
                Some(max_outage)
            }
            ErrorClass::ReadOnly => self.database.was_writable().then_some(max_outage),
            ErrorClass::ServerInternal => Some(max_outage.min(INTERNAL_ERRORS)),
            ErrorClass::RowRefused
            | ErrorClass::ResourceExhausted
            | ErrorClass::PermissionDenied
            | ErrorClass::Rejected
            | ErrorClass::Other => None,
        }
    }
}
