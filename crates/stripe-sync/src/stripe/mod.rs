//! Stripe over HTTP: requests pages and objects within the rate limits, and classifies failures.
//!
//! The path of a request: [`client`] runs the loop, [`outage`] and [`limiter`] decide when it is
//! sent, [`exchange`] makes one attempt over the shared [`transport`], and [`retry`] decides
//! whether another follows. The result is a [`page`] or an [`error`].
//!
//! The transport is shared by a process. A client belongs to one account: key, `Stripe-Account`,
//! rate limits, clock and outages.
//!
//! Nothing here knows what an object means or where it is stored: objects are passed on as text.

mod account;
mod address;
mod advice;
mod backoff;
mod client;
mod clock;
mod error;
mod error_body;
mod exchange;
mod failure;
mod key;
mod limiter;
mod masking;
mod options;
mod outage;
mod page;
mod path;
mod request;
mod retry;
mod sized_page;
mod stats;
mod transport;

#[cfg(test)]
mod tests;

pub use account::AccountSource;
pub(crate) use account::{AccountError, resolve_account};
pub(crate) use address::is_loopback;
pub use address::{ApiBase, ApiBaseError};
pub(crate) use client::StripeClient;
pub(crate) use error::{StripeError, StripeErrorKind};
pub use key::{ApiKey, KeyError};
pub use limiter::RateOptions;
pub(crate) use options::ClientOptions;
pub(crate) use page::{Answer, Page};
pub(crate) use path::{ApiPath, BadId};
pub(crate) use request::Request;
pub use stats::{Limit, Stats};
pub(crate) use transport::{Transport, TransportOptions};
