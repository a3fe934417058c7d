//! Tests of the engine with a real PostgreSQL and the simulated Stripe, over real HTTP.

mod adopt;
mod change;
mod changing_account;
mod complete;
mod exclusions;
mod failures;
mod feed;
mod ids;
mod kept_rows;
mod live;
mod nested;
mod parent_lists;
mod proxy;
mod ranges;
mod refused_rows;
mod resume;
mod round_trips;
mod run_handle;
mod runs;
mod schemas;
mod scripted_stripe;
mod stripe_faults;
mod transient;
mod upgrade;
mod versions;
mod world;
