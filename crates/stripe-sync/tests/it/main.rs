//! The engine against a real PostgreSQL and the simulated Stripe, over real HTTP.

mod complete;
mod world;
