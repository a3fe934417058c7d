//! Stripe over HTTP.
