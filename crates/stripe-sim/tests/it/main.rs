//! The simulator as a client sees it, over real HTTP.

#![allow(clippy::unwrap_used, reason = "everything here is a test, helpers included")]

mod answers;
mod changes;
mod client;
mod faults;
mod keys;
mod lists;
