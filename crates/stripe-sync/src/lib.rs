//! Copies a Stripe account into PostgreSQL: one table for each kind of object, a column for each
//! property, and a report that names what is missing.
//!
//! [`StripeSync`] is the entry point. A backfill copies everything that Stripe lists, or a part of
//! it, and resumes after a crash; a refresh copies single objects. Webhooks and the event feed keep
//! the copy current.
//!
//! ```no_run
//! use stripe_sync::{ApiKey, BackfillRequest, Config, Names, StripeSync};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let names = Names::new("stripe", "")?; // schema, table prefix
//! let mut config = Config::new(std::env::var("DATABASE_URL")?, names);
//! config.key = Some(ApiKey::parse(&std::env::var("STRIPE_SECRET_KEY")?)?);
//!
//! let sync = StripeSync::connect(config).await?;
//! let mut run = sync.start_backfill(BackfillRequest::default()).await?;
//!
//! let mut updates = run.subscribe();
//! while let Some(snapshot) = updates.next().await {
//!     println!("{} rows", snapshot.streams.iter().map(|stream| stream.rows).sum::<i64>());
//! }
//! let report = run.join().await?;
//! println!("run {} is {}", report.run_id, report.status.as_str());
//! # Ok(())
//! # }
//! ```
//!
//! - [`StripeSync::migrate`] creates the schema and its tables; backfills and refreshes call it
//!   themselves.
//! - [`StripeSync::start_backfill`] returns a [`BackfillRun`]: follow it, cancel it, or wait for
//!   its [`Report`].
//! - [`StripeSync::refresh`] fetches and stores single objects.
//! - [`StripeSync::process_webhook`] verifies and applies a webhook, [`StripeSync::process_event`]
//!   an event from a trusted source, and [`StripeSync::follow`] applies events as they appear in the
//!   feed.
//! - [`StripeSync::status`], [`StripeSync::processes`] and [`StripeSync::quarantined`] read what
//!   the database records about runs.
//! - [`WebhookEndpoints`] creates, lists and deletes the endpoints to which Stripe sends webhooks.
//! - [`check`] finds what would stop a backfill, without writing anything.
//! - [`Error`] has a kind, a stable code and a hint.
//!
//! `docs/library.md` in the repository is the guide with more examples; `ARCHITECTURE.md` describes
//! how the engine works.

mod account;
mod adopt;
mod availability;
mod backfill;
mod catalog;
mod check;
mod config;
mod context;
mod copy;
mod error;
mod exclusions;
mod hash;
mod identity;
mod live;
mod memory;
mod object;
mod order;
mod postgres;
mod refresh;
mod row;
mod slice;
mod stripe;
mod sync;
mod webhook_endpoints;

pub use account::{AccountId, Mode};
pub use backfill::{
    BackfillRequest, BackfillRun, CatchUpOutcome, CatchUpStatus, LockedTable, ProcessState,
    ProgressUpdates, Range, RangeError, Report, RunInfo, RunProcess, RunStatus, Snapshot, Stop,
    StreamProgress, StreamReport, UnknownObject,
};
pub use catalog::{ColumnError, ColumnName, columns_of, tables};
pub use check::{
    CheckReport, CheckRequest, DatabaseCheck, KeyCheck, ServerCheck, StreamAccess, StreamCheck,
    StripeCheck, check,
};
pub use config::{Config, DatabaseUrl};
pub use copy::Migration;
pub use error::{Error, ErrorKind};
pub use exclusions::ExclusionReport;
pub use identity::{AccountHandle, Identity};
pub use live::{
    EventEffect, EventOutcome, FollowProgress, InboxOutcome, WebhookSecret, WebhookSecretError,
};
pub use order::Stamp;
pub use postgres::{
    Adoption, AdoptionTable, BadName, DatabaseUrlError, DeadObject, FeedStatus, InboxCounts,
    InboxStatus, KeptForeignKey, LiveStatus, Names, QuarantinedRow, QueryPart, QueryResult,
    SchemaState, StatusRow, UnstoredEvents,
};
pub use refresh::{RefreshOutcome, RefreshResult};
pub use stripe::{
    AccountSource, ApiBase, ApiBaseError, ApiKey, KeyError, Limit, RateOptions, Stats,
};
pub use sync::{StripeSync, api_version, check_ids, check_revalidate, event_types, objects};
pub use webhook_endpoints::{
    CreatedEndpoint, EndpointChange, EndpointUrl, EndpointUrlError, WebhookEndpoint,
    WebhookEndpoints,
};

/// Compiles the examples of the guide. The file is read by `cargo test` only, so a packaged crate
/// builds without it.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/library.md")]
struct LibraryGuide;
