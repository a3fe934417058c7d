//! Commits concurrent deliveries together: while one transaction is open, further deliveries wait
//! in a queue, and the next transaction takes all of them. A delivery is answered after the commit,
//! and after its object has been fetched if necessary.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::apply::{AppliedEvent, EventEffect, apply};
use super::event::Event;
use super::inbox::{FetchError, fetch_or_wait};
use super::plan::EventTarget;
use crate::account::Mode;
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::object::refetch::RefetchOutcome;
use crate::postgres::PostgresError;

/// Events of one transaction.
const LARGEST_BATCH: usize = 100;
/// Maximum number of waiting events, as during an outage of the database. Further events are
/// rejected, and Stripe delivers them again.
const MOST_WAITING: usize = 10_000;
/// Seconds after which an event is too old to insert a row: a retry can arrive days later.
const RECENT: i64 = 60;
/// How long a delivery may take. Stripe stops waiting for an endpoint that takes longer (FACTS 7).
pub(crate) const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(15);

/// The result of processing an event.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventOutcome {
    /// The id of the event.
    pub id: String,
    /// Such as `customer.updated`.
    pub event_type: String,
    /// What it did to the copy.
    pub effect: EventEffect,
}

/// The queue of deliveries of one copy. Clones share it.
#[derive(Clone)]
pub(crate) struct Deliveries {
    revalidate: Arc<BTreeSet<String>>,
    time_limit: Duration,
    queue: Arc<Mutex<Vec<Delivery>>>,
    writer: Arc<tokio::sync::Mutex<()>>,
}

struct Delivery {
    text: String,
    answer: oneshot::Sender<Result<AppliedEvent, PostgresError>>,
}

impl Deliveries {
    pub(crate) fn new(revalidate: BTreeSet<String>, time_limit: Duration) -> Deliveries {
        Deliveries {
            revalidate: Arc::new(revalidate),
            time_limit,
            queue: Arc::default(),
            writer: Arc::default(),
        }
    }

    /// Applies an event, together with others that are waiting.
    ///
    /// Cancel-safe: an event in the queue is applied even if this future is dropped.
    ///
    /// # Errors
    /// The text is not an event, or the time limit ended before the event was known to be stored.
    /// Stripe then delivers it again.
    pub(crate) async fn process(
        &self,
        context: &AccountContext,
        text: String,
    ) -> Result<EventOutcome, Error> {
        let until = Instant::now() + self.time_limit;
        let event = Event::read(&text).map_err(Error::usage)?;
        let (id, event_type) = (event.id.into_owned(), event.event_type.into_owned());
        let (answer, applied) = oneshot::channel();
        {
            let mut queue = self.queue();
            if queue.len() >= MOST_WAITING {
                return Err(not_in_time(&id));
            }
            queue.push(Delivery { text, answer });
        }
        let (deliveries, context_of_writer) = (self.clone(), context.clone());
        tokio::spawn(async move { deliveries.write(&context_of_writer).await });
        let applied = match tokio::time::timeout_at(until, applied).await {
            Ok(Ok(applied)) => applied?,
            Ok(Err(_)) => {
                let message = format!("the processing of event {id} stopped unexpectedly");
                return Err(Error::new(ErrorKind::Internal, message).with_hint(
                    "respond with a status of 500 or above, and Stripe delivers the \
                     event again",
                ));
            }
            Err(_) => return Err(not_in_time(&id)),
        };
        let mut effect = applied.effect;
        for (table, object) in applied.to_fetch {
            effect = match fetch_or_wait(context, table, &object, until).await {
                Ok(Some(RefetchOutcome::Deleted { .. })) => EventEffect::Deleted,
                Ok(Some(RefetchOutcome::Quarantined)) => EventEffect::Quarantined,
                Ok(Some(RefetchOutcome::Written)) => effect,
                Ok(None) => return Err(not_in_time(&id)),
                Err(FetchError::Database(error)) => return Err(error.into()),
                Err(FetchError::Postponed(why)) => {
                    let message = format!("the object of event {id} could not be fetched: {why}");
                    return Err(Error::new(ErrorKind::Stripe, message).with_hint(
                        "respond with a status of 500 or above, and Stripe delivers the event \
                         again",
                    ));
                }
            };
        }
        Ok(EventOutcome { id, event_type, effect })
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Delivery>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies the events in the queue. Another call may have done so while this one waited.
    async fn write(&self, context: &AccountContext) {
        let _writer = self.writer.lock().await;
        let batch: Vec<Delivery> = {
            let mut queue = self.queue();
            let count = queue.len().min(LARGEST_BATCH);
            queue.drain(..count).collect()
        };
        if batch.is_empty() {
            return;
        }
        let target = EventTarget {
            account: context.account.as_str(),
            livemode: context.mode == Mode::Live,
            api_version: context.client.version(),
            revalidate: &self.revalidate,
            inserts_since: Some(context.client.now().unix_seconds() - RECENT),
            scope: None,
        };
        let events: Vec<Event<'_>> = batch
            .iter()
            .map(|delivery| Event::read(&delivery.text).expect("it was read before it was queued"))
            .collect();
        let results: Vec<_> = match apply(context, target, &events, None).await {
            Ok(applied) => applied.into_iter().map(Ok).collect(),
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        };
        for (Delivery { answer, .. }, result) in batch.into_iter().zip(results) {
            // After the time limit no caller waits for it, but the event is still stored.
            if answer.send(result).is_err() {
                tracing::debug!("an event was stored after its delivery had ended");
            }
        }
    }
}

fn not_in_time(id: &str) -> Error {
    Error::new(ErrorKind::Stripe, format!("event {id} could not be stored in time"))
        .with_hint("respond with a status of 500 or above, and Stripe delivers the event again")
}
