//! Delivers the events of an account to its webhook endpoints, signed, as Stripe does: at least
//! once, in no particular order, and repeated after a failure. Options add delays, duplicates and
//! losses.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::endpoint::Recipient;
use super::indent::indented;
use super::options::WebhookOptions;
use super::send::post;
use super::signature::webhook_signature;
use crate::account::Account;
use crate::clock::system_seconds;
use crate::seed::{fraction, mix2};

/// What has been delivered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryCounts {
    /// Requests that were sent to endpoints.
    pub sent: u64,
    /// Requests that were answered with 2xx.
    pub accepted: u64,
    /// Requests that were answered otherwise, or not in time.
    pub refused: u64,
    /// Deliveries that were sent again although they had succeeded.
    pub duplicated: u64,
    /// Deliveries that were never sent, because an option loses them.
    pub lost: u64,
    /// Deliveries that failed after all retries.
    pub failed: u64,
    events: u64,
    open: u64,
}

/// The progress of the deliveries of one simulator.
#[derive(Debug)]
pub(crate) struct Progress(watch::Sender<DeliveryCounts>);

impl Default for Progress {
    fn default() -> Self {
        Self(watch::Sender::new(DeliveryCounts::default()))
    }
}

impl Progress {
    pub(crate) fn counts(&self) -> DeliveryCounts {
        *self.0.borrow()
    }

    /// Waits until all events up to now have been delivered or given up.
    pub(crate) async fn finished(&self, account: &Account) {
        let events = account.event_count();
        let is_finished = |c: &DeliveryCounts| c.events >= events && c.open == 0;
        // The sender is `self`, so it cannot be closed.
        let _ = self.0.subscribe().wait_for(is_finished).await;
    }

    fn count(&self, change: impl FnOnce(&mut DeliveryCounts)) {
        self.0.send_modify(change);
    }
}

/// Delivers each event from `first` on, until the task is aborted.
pub(crate) async fn deliver(
    account: Account,
    first: u64,
    options: WebhookOptions,
    seed: u64,
    progress: Arc<Progress>,
) {
    let permits = Arc::new(Semaphore::new(options.concurrency.max(1)));
    let mut added = account.inner.event_count.subscribe();
    let mut deliveries = JoinSet::new();
    let mut next = first;
    loop {
        let count = *added.borrow_and_update();
        for number in next..count {
            for (index, recipient) in account.recipients(number).into_iter().enumerate() {
                let draw = mix2(seed ^ 0x3eb, number * 1_000 + index as u64);
                if fraction(mix2(draw, 1)) < options.losses {
                    progress.count(|counts| counts.lost += 1);
                    continue;
                }
                progress.count(|counts| counts.open += 1);
                let delivery = Delivery {
                    recipient,
                    draw,
                    options: options.clone(),
                    permits: Arc::clone(&permits),
                    progress: Arc::clone(&progress),
                };
                deliveries.spawn(delivery.run());
            }
        }
        next = next.max(count);
        progress.count(|counts| counts.events = next);
        tokio::select! {
            changed = added.changed() => if changed.is_err() { return },
            Some(_) = deliveries.join_next(), if !deliveries.is_empty() => {}
        }
    }
}

/// The delivery of one event to one endpoint.
struct Delivery {
    recipient: Recipient,
    /// A number that determines the random decisions about this delivery.
    draw: u64,
    options: WebhookOptions,
    permits: Arc<Semaphore>,
    progress: Arc<Progress>,
}

impl Delivery {
    async fn run(self) {
        let body = indented(&self.recipient.event);
        let is_duplicated = fraction(mix2(self.draw, 2)) < self.options.duplicates;
        self.send_until_accepted(&body, 3).await;
        if is_duplicated {
            self.progress.count(|counts| counts.duplicated += 1);
            self.send_until_accepted(&body, 4).await;
        }
        self.progress.count(|counts| counts.open -= 1);
    }

    async fn send_until_accepted(&self, body: &str, salt: u64) {
        let options = &self.options;
        tokio::time::sleep(options.delay + self.random(options.jitter, salt)).await;
        let mut pause = options.first_retry;
        for attempt in 0..=options.retries {
            if attempt > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            if self.send(body).await {
                return;
            }
        }
        self.progress.count(|counts| counts.failed += 1);
    }

    /// Sends one request with a current signature. Returns whether it was accepted.
    async fn send(&self, body: &str) -> bool {
        let Ok(_permit) = self.permits.acquire().await else { return false };
        let Recipient { url, secret, .. } = &self.recipient;
        // Receivers compare it with their own clocks, not with that of the account.
        let header = webhook_signature(secret, system_seconds(), body);
        self.progress.count(|counts| counts.sent += 1);
        let status = post(url, &header, body, self.options.timeout).await;
        let is_accepted = status.is_some_and(|status| (200..300).contains(&status));
        self.progress.count(|counts| match is_accepted {
            true => counts.accepted += 1,
            false => counts.refused += 1,
        });
        is_accepted
    }

    fn random(&self, limit: Duration, salt: u64) -> Duration {
        limit.mul_f64(fraction(mix2(self.draw, salt)))
    }
}
