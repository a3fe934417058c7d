//! Every write of rows to the tables of a copy.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod contention;
mod delete;
#[cfg(test)]
mod fencing;
pub(in crate::postgres) mod page;
mod param;
mod quarantine;
mod statements;
mod upsert;

pub(crate) use page::{Batch, ChildList, Committed, Judged, PageCommit, Rows, Written};
pub(crate) use upsert::{Settled, Statements};
