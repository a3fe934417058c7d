//! Keeps the copy current: webhooks, single events, and the event feed.
//!
//! The path of an event: `event` (read) -> `plan` (decide) -> `apply` (one transaction). That
//! transaction puts objects that have to be fetched into the inbox, and `inbox` fetches them.
//! `deliveries` commits concurrent deliveries together. `catch_up` reads the feed, `follow` repeats
//! that until it is stopped, and `after_backfill` does it once for the streams of a run. `gaps` and
//! `listings` handle what the feed does not show.

mod after_backfill;
mod apply;
mod catch_up;
mod deliveries;
mod event;
mod follow;
mod gaps;
mod inbox;
mod inbox_task;
mod list_again;
mod listings;
mod plan;
mod revalidation;
mod scope;
mod signature;

pub(crate) use after_backfill::catch_up_with_run;
pub use apply::EventEffect;
pub use deliveries::EventOutcome;
pub(crate) use deliveries::{DEFAULT_TIME_LIMIT, Deliveries};
pub use follow::FollowProgress;
pub(crate) use follow::follow;
pub use inbox::InboxOutcome;
pub(crate) use inbox::fetch_inbox;
pub(crate) use revalidation::check_revalidate;
pub(crate) use signature::{DEFAULT_TOLERANCE, verify};
pub use signature::{WebhookSecret, WebhookSecretError};
