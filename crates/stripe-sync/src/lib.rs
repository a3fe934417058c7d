//! stripe-sync
