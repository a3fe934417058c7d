//! Simulates a Stripe account over HTTP.
//!
//! Objects are computed from a seed and never stored, so a million objects need no memory. The
//! lists, their parameters and the properties of the objects come from a catalog of Stripe's API.
//! Tests start a [`Sim`], connect a client to [`Sim::base_url`], inject faults and changes, and
//! compare the client's data with [`Account::ids`] and [`Account::object_json`].
//!
//! ```no_run
//! # async fn doc() -> Result<(), Box<dyn std::error::Error>> {
//! use stripe_sim::{Account, Sim, SimOptions};
//!
//! let account = Account::builder(42).demo().objects("customer", 50_000).build()?;
//! let sim = Sim::start(account, SimOptions::default()).await?;
//! println!("{} {}", sim.base_url(), sim.key());
//! # Ok(()) }
//! ```

mod account;
mod activity;
mod answer;
mod api_error;
mod catalog;
mod clock;
mod collection;
mod expand;
mod fault;
mod filter;
mod generator;
mod http;
mod id;
mod idempotency;
mod json;
mod keys;
mod list;
#[cfg(test)]
mod list_tests;
mod options;
mod params;
mod rate;
mod record;
mod relation;
mod route;
mod seed;
mod sim;
mod state;
mod timeline;
mod view;
mod webhook;

pub use account::{Account, AccountBuilder, BuildError, MutationError};
pub use activity::Activity;
pub use catalog::listable_objects;
pub use fault::Fault;
pub use id::CustomIds;
pub use keys::ApiKey;
pub use options::SimOptions;
pub use rate::{RateLimit, RateLimits};
pub use record::{ClientHeaders, LoggedRequest};
pub use sim::Sim;
pub use webhook::{
    DeliveryCounts, WebhookEndpoint, WebhookOptions, can_deliver_to, webhook_signature,
};
