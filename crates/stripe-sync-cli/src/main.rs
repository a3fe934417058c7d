//! stripe-sync-cli
fn main() {}
