//! Lists streams again while an account is followed: those whose objects have no events, on a
//! schedule, and all streams whose events were lost, because the account was not followed for
//! longer than Stripe keeps events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::gaps::close_listed_gaps;
use super::list_again::list_again;
use crate::backfill::{self, BackfillRequest, CatchUpOutcome, Progress, Stop};
use crate::catalog::{Catalog, Table};
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::postgres::LastListing;
use crate::slice::Bounds;

/// How often the newest objects are listed again, and how far before the last listing: objects
/// become visible some time after their creation (FACTS 5).
const INTERVAL: i64 = 120;
pub(super) const LOOK_BACK: i64 = 600;
/// How often, and how far back, objects are listed again that may have changed since their
/// creation, such as a balance transaction that becomes available. Lists that cannot be filtered by
/// `created` are read completely.
const THOROUGH_INTERVAL: i64 = 86_400;
const THOROUGH_LOOK_BACK: i64 = 14 * 86_400;
/// The pause between two checks of the schedule, and after a failure.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(300);

/// The streams of an account that are listed again.
pub(super) struct Listings<'f> {
    context: AccountContext,
    /// The process that reads the events.
    owner: &'f str,
    listed: AtomicU64,
    failure: Mutex<Option<String>>,
}

impl<'f> Listings<'f> {
    /// The requests of `context` must be sent after those for events.
    pub(super) fn new(context: AccountContext, owner: &'f str) -> Listings<'f> {
        Listings { context, owner, listed: AtomicU64::new(0), failure: Mutex::default() }
    }

    /// How many objects were listed again.
    pub(super) fn listed(&self) -> u64 {
        self.listed.load(Ordering::Relaxed)
    }

    /// Why the last attempt failed, if it did.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lists what is due, until it is dropped, as long as this process reads the events. A failure
    /// is logged, and the listing is tried again later.
    pub(super) async fn run(&self, stop: &Stop) {
        loop {
            let result = self.list_if_reading(stop).await;
            let failure = result.as_ref().err().map(ToString::to_string);
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
            let pause = match result {
                Ok(()) => PAUSE,
                Err(error) => {
                    tracing::warn!(%error, "streams could not be listed again");
                    PAUSE_AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn list_if_reading(&self, stop: &Stop) -> Result<(), Error> {
        let AccountContext { database, statements, account, .. } = &self.context;
        let holds = database.holds_event_cursor(statements.names(), account.as_str(), self.owner);
        match database.within_time_limit(holds).await? {
            true => self.list_due(INTERVAL, stop).await,
            false => Ok(()),
        }
    }

    /// Closes gaps, and lists the streams whose last listing is older than `interval` seconds.
    ///
    /// # Errors
    /// Stripe or the database stays unreachable, or Stripe refuses a list. The other lists have
    /// been read.
    pub(super) async fn list_due(&self, interval: i64, stop: &Stop) -> Result<(), Error> {
        let closed = self.close_gaps(stop).await;
        let AccountContext { database, statements, account, .. } = &self.context;
        let tables: Vec<&str> = without_events().map(|table| table.name.as_str()).collect();
        let last = database.last_listings(statements.names(), account.as_str(), &tables);
        let mut result = closed;
        for listing in database.within_time_limit(last).await? {
            if let Some(bounds) = due(&listing, interval) {
                let listed = self.list(&listing, bounds).await;
                result = result.and(listed);
            }
        }
        result
    }

    async fn list(&self, last: &LastListing, bounds: Bounds) -> Result<(), Error> {
        let AccountContext { database, statements, account, .. } = &self.context;
        let (rows, second) = list_again(&self.context, last.table, bounds).await?;
        self.listed.fetch_add(rows, Ordering::Relaxed);
        let is_thorough = last.thorough_age >= THOROUGH_INTERVAL;
        let (names, account) = (statements.names(), account.as_str());
        let stored = database.store_listing(names, account, last.table, second, is_thorough);
        Ok(database.within_time_limit(stored).await?)
    }

    /// Lists all streams whose events were lost, by a backfill that starts now or continues one that
    /// started after the gap. Objects that it does not show are fetched, because they may have been
    /// deleted.
    async fn close_gaps(&self, stop: &Stop) -> Result<(), Error> {
        let gaps = close_listed_gaps(&self.context).await?;
        let Some(until) = gaps.iter().map(|gap| gap.until).max() else { return Ok(()) };
        let objects = gaps.iter().map(|gap| gap.table.name.clone()).collect();
        let request = BackfillRequest { objects, ..BackfillRequest::default() };
        tracing::info!(streams = gaps.len(), "listing streams again, because events were lost");
        let (context, progress) = (self.context.clone(), Progress::new());
        let run = backfill::read(context, &request, &progress, stop, Some(until)).await?;
        let report = run.close(CatchUpOutcome::default()).await?;
        let rows: i64 = report.streams.iter().map(|stream| stream.synced).sum();
        self.listed.fetch_add(rows.unsigned_abs(), Ordering::Relaxed);
        let open = close_listed_gaps(&self.context).await?;
        let names: Vec<&str> = open.iter().map(|gap| gap.table.name.as_str()).collect();
        match names.is_empty() || stop.is_requested() {
            true => Ok(()),
            false => {
                let message = format!("streams could not be listed again: {}", names.join(", "));
                let hint = "run `stripe-sync status` to see why each stream could not be read";
                Err(Error::new(ErrorKind::Stripe, message).with_hint(hint))
            }
        }
    }
}

/// The streams whose objects have no events.
pub(super) fn without_events() -> impl Iterator<Item = &'static Table> {
    let catalog = Catalog::get();
    catalog.streams().filter(|table| !catalog.has_events(table))
}

/// The part of a stream to list; `None` if nothing is due.
fn due(last: &LastListing, interval: i64) -> Option<Bounds> {
    let is_thorough = last.thorough_age >= THOROUGH_INTERVAL;
    let has_filter = last.table.list.as_ref().is_some_and(|list| list.created.is_some());
    let look_back = if is_thorough { THOROUGH_LOOK_BACK } else { LOOK_BACK };
    match (has_filter, is_thorough) {
        (true, _) if is_thorough || last.age >= interval => {
            Some(Bounds { from: Some(last.second - look_back), to: None })
        }
        (false, true) => Some(Bounds { from: None, to: None }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_objects_are_listed_often_and_older_ones_once_a_day() {
        let from = |name, age, thorough_age| {
            let table = Catalog::get().table(name).expect("a table");
            let last = LastListing { table, second: 10_000_000, age, thorough_age };
            due(&last, INTERVAL).map(|bounds| bounds.from)
        };
        assert_eq!(from("balance_transactions", 119, 119), None);
        assert_eq!(from("balance_transactions", 120, 120), Some(Some(9_999_400)));
        assert_eq!(from("balance_transactions", 0, 86_400), Some(Some(8_790_400)));
        assert_eq!(from("tax_registrations", 86_399, 86_399), None);
        assert_eq!(from("tax_registrations", 86_400, 86_400), Some(None));
    }

    #[test]
    fn streams_without_events_are_known() {
        let names: Vec<&str> = without_events().map(|table| table.name.as_str()).collect();
        assert!(names.contains(&"balance_transactions") && names.contains(&"file_links"));
        assert!(!names.contains(&"charges") && !names.contains(&"customers"), "{names:?}");
    }
}
