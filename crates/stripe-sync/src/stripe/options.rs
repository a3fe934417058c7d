//! How one account is read: the key, the API version, the rate, and the limits of retries.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};

use super::failure::Cause;
use super::key::ApiKey;
use super::limiter::RateOptions;
use crate::account::AccountId;

/// What an account client needs besides its transport.
#[derive(Debug, Clone)]
pub(crate) struct ClientOptions {
    /// The key that every request carries.
    pub(crate) key: ApiKey,
    /// `Stripe-Version`, which fixes the shape of all objects.
    pub(crate) version: String,
    /// Reads this connected account instead of the key's own: sent as `Stripe-Account`
    /// (<https://docs.stripe.com/connect/authentication>).
    pub(crate) connected_account: Option<AccountId>,
    /// How many requests per second may be sent.
    pub(crate) rate: RateOptions,
    /// Attempts per request, at least 1. Rate limits and outages do not count.
    pub(crate) max_attempts: u32,
    /// How long a request waits while Stripe cannot be reached; at most 30 s before Stripe has
    /// ever responded.
    pub(crate) max_outage: Duration,
}

impl ClientOptions {
    /// Defaults: the key's own account, 75% of Stripe's limits, 8 attempts, 10 minutes of outage.
    pub(crate) fn new(key: ApiKey, version: impl Into<String>) -> ClientOptions {
        let mode = key.mode();
        ClientOptions {
            key,
            version: version.into(),
            connected_account: None,
            rate: RateOptions::Documented { mode },
            max_attempts: 8,
            max_outage: Duration::from_secs(600),
        }
    }

    /// The headers of every request for this account.
    ///
    /// # Errors
    /// The version cannot be sent as a header.
    pub(super) fn headers(&self) -> Result<HeaderMap, Cause> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, self.key.authorization()?);
        headers.insert("stripe-version", HeaderValue::from_str(&self.version)?);
        if let Some(account) = &self.connected_account {
            headers.insert("stripe-account", HeaderValue::from_str(account.as_str())?);
        }
        Ok(headers)
    }
}
