//! Copies a Stripe account into PostgreSQL, keeps the copy current, and can prove it.

mod account;
mod order;
mod stripe;

pub use account::{AccountId, Mode};
pub use order::Stamp;
