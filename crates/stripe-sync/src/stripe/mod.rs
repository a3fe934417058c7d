//! Stripe over HTTP: asks for pages and objects, politely, and names what went wrong.
//!
//! Follow one request: [`request`] says what is asked, [`client`] asks it again for as long as
//! [`advice`] tells, [`limiter`] and [`outage`] decide when it may leave, [`exchange`] is one
//! attempt on the wire, [`page`] is what comes back and [`error`] what is said otherwise.
//!
//! Nothing here knows what an object means or where it goes: objects are passed on as text.

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
