//! Fetches the objects in the inbox while the feed is read, so that an object that takes long does
//! not delay the events.

use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::inbox::{FetchCounts, fetch_due};
use crate::backfill::Stop;
use crate::context::AccountContext;
use crate::postgres::PostgresError;

/// How many objects are fetched between two reads of the feed.
const PART: usize = 64;
/// How long a read of the feed waits for them.
const PATIENCE: Duration = Duration::from_secs(1);

/// The fetches of one process, which end when this is dropped.
pub(super) struct InboxTask {
    /// At most one task.
    task: JoinSet<Result<FetchCounts, PostgresError>>,
}

impl InboxTask {
    pub(super) fn new() -> InboxTask {
        InboxTask { task: JoinSet::new() }
    }

    /// Fetches a part of the inbox, or continues to wait for the last one. Returns what was fetched,
    /// and whether more objects can be due. `None` if the part takes longer than a moment.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(super) async fn fetch_part(
        &mut self,
        context: &AccountContext,
        stop: &Stop,
    ) -> Result<Option<(FetchCounts, bool)>, PostgresError> {
        if self.task.is_empty() {
            let (context, stop) = (context.clone(), stop.clone());
            self.task.spawn(async move { fetch_due(&context, PART, &stop).await });
        }
        let Ok(Some(part)) = tokio::time::timeout(PATIENCE, self.task.join_next()).await else {
            return Ok(None);
        };
        let counts = result_of(part)?;
        let count = counts.fetched + counts.failed;
        Ok(Some((counts, count == PART as u64)))
    }

    /// Fetches all objects that are due, unless a stop is requested first.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub(super) async fn fetch_rest(
        &mut self,
        context: &AccountContext,
        stop: &Stop,
    ) -> Result<FetchCounts, PostgresError> {
        let fetching = async {
            let last = match self.task.join_next().await {
                Some(part) => result_of(part)?,
                None => FetchCounts::default(),
            };
            Ok(last + fetch_due(context, usize::MAX, stop).await?)
        };
        tokio::select! {
            () = stop.requested() => Ok(FetchCounts::default()),
            counts = fetching => counts,
        }
    }
}

fn result_of(
    part: Result<Result<FetchCounts, PostgresError>, JoinError>,
) -> Result<FetchCounts, PostgresError> {
    // The task is never aborted while this waits for it.
    part.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
