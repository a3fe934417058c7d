//! The engine against a real PostgreSQL and the simulated Stripe, over real HTTP.

mod adopt;
mod change;
mod complete;
mod exclusions;
mod failures;
mod hard_rows;
mod hostile;
mod ids;
mod nested;
mod places;
mod proxy;
mod ranges;
mod restless;
mod resume;
mod round_trips;
mod run_handle;
mod runs;
mod stripe_faults;
mod upgrade;
mod versions;
mod world;
