//! The options of a simulator.

use std::time::Duration;

use crate::fault::{Fault, transient_faults};
use crate::keys::ApiKey;
use crate::rate::RateLimits;
use crate::webhook::WebhookOptions;

/// How a simulator behaves. By default it has one secret key, no limits, no latency and no faults.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// The port on 127.0.0.1; 0 selects a free port.
    pub port: u16,
    /// The accepted keys. If empty, the simulator creates one secret key of the account's mode.
    pub keys: Vec<ApiKey>,
    /// The rate and concurrency limits.
    pub limits: RateLimits,
    /// The delay before each response.
    pub latency: Duration,
    /// The maximum of an additional random delay.
    pub jitter: Duration,
    /// The share of requests that fail at random, from 0 to 1.
    pub fault_rate: f64,
    /// The faults from which a random fault is selected.
    pub faults: Vec<Fault>,
    /// Seed of the random faults and of the jitter.
    pub seed: u64,
    /// Compresses responses for clients that accept gzip.
    pub gzip: bool,
    /// Keeps a log of all requests.
    pub log: bool,
    /// Accepts a cursor that names a deleted object. Stripe rejects such a cursor; see
    /// <https://github.com/stripe/stripe-python/issues/671>.
    pub deleted_cursor_accepted: bool,
    /// Changes the order of objects created in the same second from request to request.
    pub unstable_order: bool,
    /// A cursor passes over its whole second: `starting_after` continues with older seconds and
    /// `ending_before` with newer ones. Servers that page by `created` alone behave like this.
    pub cursor_skips_second: bool,
    /// How webhooks are delivered to the endpoints of the account.
    pub webhooks: WebhookOptions,
    /// The longest time after which an event appears in `/v1/events`, in seconds. Each event takes
    /// a random part of it, so later events can appear before earlier ones.
    pub event_lag: u32,
    /// Path prefixes of products that are not enabled, such as `/v1/issuing/`.
    pub unavailable: Vec<String>,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self {
            port: 0,
            keys: Vec::new(),
            limits: RateLimits::none(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            fault_rate: 0.0,
            faults: transient_faults(),
            seed: 0,
            gzip: true,
            log: false,
            deleted_cursor_accepted: false,
            unstable_order: false,
            cursor_skips_second: false,
            webhooks: WebhookOptions::default(),
            event_lag: 0,
            unavailable: Vec::new(),
        }
    }
}
