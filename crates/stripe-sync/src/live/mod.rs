//! Keeps the copy current: webhooks, single events, and the feed of events.
//!
//! An event goes `event` (read) -> `plan` (what it asks for) -> `apply` (one transaction). What cannot be
//! applied as it came is in the inbox after that transaction; `inbox` fetches it. `deliveries` commits
//! events together that arrive together. `catch_up` reads the feed, and `follow` does so until it is
//! stopped.

mod apply;
mod catch_up;
mod deliveries;
mod event;
mod follow;
mod inbox;
mod plan;
mod signature;

pub use apply::EventEffect;
pub(crate) use deliveries::Deliveries;
pub use deliveries::EventOutcome;
pub use follow::FollowProgress;
pub(crate) use follow::follow;
pub(crate) use signature::{DEFAULT_TOLERANCE, verify};
pub use signature::{WebhookSecret, WebhookSecretError};
