//! The simulator as a client sees it, over real HTTP.

mod answers;
mod changes;
mod client;
mod faults;
mod keys;
mod lists;
