//! Everything that speaks SQL. Knows nothing of HTTP.

mod adopt;
mod advice;
#[cfg(test)]
mod agreement;
mod clear;
mod connect;
#[cfg(test)]
mod contention;
mod ddl;
mod delete;
mod error;
#[cfg(test)]
mod fencing;
mod ident;
mod inspect;
mod ledger;
mod left_out;
mod migrate;
mod page;
mod param;
mod processes;
mod quarantine;
mod query;
#[cfg(test)]
mod round_trip;
mod server;
mod shape;
mod slices;
mod statements;
mod status;
mod tls;
mod upsert;
mod url;

pub use adopt::{Adoption, AdoptionTable, KeptForeignKey};
pub(crate) use connect::{Database, Patience};
pub(crate) use error::{PostgresError, Trouble};
pub use ident::{BadName, Names};
pub(crate) use inspect::Inspection;
pub use inspect::SchemaState;
pub(crate) use ledger::{NewRun, PlannedStream, Run, StreamEnd, StreamState, StreamStatus};
pub(crate) use migrate::Migrated;
pub(crate) use page::{Batch, ChildList, Committed, Judged, PageCommit, Rows, Written};
pub(crate) use processes::Working;
pub use query::QueryResult;
pub(crate) use slices::{Claimed, OpenSlice, Position};
pub use status::{QuarantinedRow, StatusRow};
pub(crate) use upsert::{Settled, Statements};
pub use url::DatabaseUrlError;
pub(crate) use url::check as check_url;
