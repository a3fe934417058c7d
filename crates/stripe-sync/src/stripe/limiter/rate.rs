//! How many requests per second are allowed: Stripe's documented limits, or the user's own.

use crate::account::Mode;

/// The fraction of Stripe's documented limits that is used. The rest is left for other programs of
/// the user.
const SHARE: f64 = 0.75;
/// Requests per second of an account (<https://docs.stripe.com/rate-limits>).
const LIVE: f64 = 100.0;
const TEST: f64 = 25.0;
/// Requests per second of one endpoint, and of one in the Files API (same page).
const ENDPOINT: f64 = 25.0;
const FILES: f64 = 20.0;

/// How many requests per second may be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RateOptions {
    /// 75% of what Stripe documents for this mode, for the account and for each endpoint.
    Documented {
        /// Live mode allows four times as many requests as test mode.
        mode: Mode,
    },
    /// This many per second, for the account and for each endpoint.
    Fixed(f64),
    /// No limit until Stripe responds with 429.
    Unlimited,
}

impl RateOptions {
    /// False for rates that are not numbers, or are too small or too large to be meaningful.
    pub(in crate::stripe) fn is_usable(self) -> bool {
        match self {
            RateOptions::Documented { .. } | RateOptions::Unlimited => true,
            RateOptions::Fixed(rate) => (0.001..=1e6).contains(&rate),
        }
    }

    pub(super) fn of_account(self) -> f64 {
        match self {
            RateOptions::Documented { mode: Mode::Live } => LIVE * SHARE,
            RateOptions::Documented { mode: Mode::Test } => TEST * SHARE,
            RateOptions::Fixed(rate) => rate,
            RateOptions::Unlimited => f64::INFINITY,
        }
    }

    pub(super) fn of_endpoint(self, endpoint: &str) -> f64 {
        match self {
            RateOptions::Documented { .. } if endpoint.starts_with("/v1/file") => FILES * SHARE,
            RateOptions::Documented { .. } => ENDPOINT * SHARE,
            RateOptions::Fixed(rate) => rate,
            RateOptions::Unlimited => f64::INFINITY,
        }
    }
}
