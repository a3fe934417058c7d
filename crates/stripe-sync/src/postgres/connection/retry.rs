//! How long an operation retries transient database errors.

use std::time::Duration;

use tokio::time::Instant;

use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// The time in which one operation retries after outages and conflicts.
pub(crate) struct RetryBudget {
    until: Instant,
    pause: Duration,
}

impl RetryBudget {
    pub(crate) fn new(time_limit: Duration) -> RetryBudget {
        RetryBudget { until: Instant::now() + time_limit, pause: Duration::from_millis(200) }
    }

    /// Returns whether to retry after `error`. Waits first when the server could not be reached.
    pub(crate) async fn wait_before_retry(&mut self, error: &PostgresError) -> bool {
        match error.class {
            ErrorClass::Conflict => Instant::now() < self.until,
            ErrorClass::Unreachable if Instant::now() < self.until => {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(Duration::from_secs(5));
                true
            }
            _ => false,
        }
    }
}
