//! Tests the simulator with a client over HTTP.

#![allow(clippy::unwrap_used, reason = "the helpers are test code as well")]

mod answers;
mod changes;
mod client;
mod faults;
mod keys;
mod lists;
mod webhooks;
