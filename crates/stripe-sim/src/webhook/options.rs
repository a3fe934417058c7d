//! How webhooks are delivered.

use std::time::Duration;

/// How a simulator delivers webhooks. By default each event is delivered once and immediately, and
/// a delivery that fails is repeated three times within seconds. Stripe repeats deliveries over
/// hours.
#[derive(Clone, Debug)]
pub struct WebhookOptions {
    /// The time between a change and the delivery of its event.
    pub delay: Duration,
    /// The maximum of an additional random delay. Deliveries arrive out of order if it is longer
    /// than the time between two changes.
    pub jitter: Duration,
    /// The share of deliveries that are repeated although they succeeded, from 0 to 1.
    pub duplicates: f64,
    /// The share of events that are never delivered, from 0 to 1.
    pub losses: f64,
    /// How often a failed delivery is repeated.
    pub retries: u32,
    /// The pause before the first repetition. It doubles after each repetition.
    pub first_retry: Duration,
    /// How long the receiver may take to respond.
    pub timeout: Duration,
    /// How many deliveries are open at the same time.
    pub concurrency: usize,
}

impl Default for WebhookOptions {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            duplicates: 0.0,
            losses: 0.0,
            retries: 3,
            first_retry: Duration::from_secs(1),
            timeout: Duration::from_secs(20),
            concurrency: 20,
        }
    }
}
