//! Copies a Stripe account into PostgreSQL, keeps the copy current, and can prove it.

mod account;
mod backfill;
mod catalog;
mod order;
mod postgres;
mod row;
mod stripe;

pub use account::{AccountId, Mode};
pub use order::Stamp;
