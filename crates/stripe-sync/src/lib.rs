//! Copies a Stripe account into PostgreSQL, keeps the copy current, and can prove it.
//!
//! Start at [`StripeSync`]; `ARCHITECTURE.md` in the repository draws the whole.

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
mod memory;
mod object;
mod order;
mod postgres;
mod refresh;
mod row;
mod slice;
mod stripe;
mod sync;

pub use account::{AccountId, Mode};
pub use backfill::{
    BackfillRequest, BackfillRun, ProcessState, ProgressUpdates, Range, RangeError, Report,
    RunInfo, RunProcess, RunStatus, Snapshot, Stop, StreamProgress, StreamReport, UnknownObject,
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
pub use order::Stamp;
pub use postgres::{
    Adoption, AdoptionTable, BadName, DatabaseUrlError, KeptForeignKey, Names, QuarantinedRow,
    QueryResult, SchemaState, StatusRow,
};
pub use refresh::{RefreshOutcome, RefreshResult};
pub use stripe::{
    AccountSource, ApiBase, ApiBaseError, ApiKey, KeyError, Limit, RateOptions, Stats,
};
pub use sync::{StripeSync, api_version, check_ids, objects};
