//! The only write path for rows.
//!
//! [`WriteRequest`] says what to write, [`Database::write`](super::Database::write) writes it in
//! one transaction. The other files hold the parts of that transaction in the order in which they
//! run: locks, excluded columns, the fence of a slice's position, events, deletions, upserts with
//! their quarantine, items that left their list, the inbox, and the new position or event cursor.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod contention;
mod delete;
mod event;
mod event_statements;
#[cfg(test)]
mod event_tests;
mod exclude;
#[cfg(test)]
mod exclusion_lock;
#[cfg(test)]
mod fencing;
mod lists;
mod locks;
mod param;
mod position;
mod quarantine;
mod removal;
mod remover;
mod request;
mod savepoints;
mod statements;
mod transaction;
mod upsert;

pub(crate) use quarantine::ObjectNotes;
pub(crate) use request::{
    Batch, Committed, CompleteList, Deletion, EventChange, PositionCommit, QuarantineEntry,
    Refusal, Replacement, SeenRow, SliceProgress, StoredState, UncertainRow, WriteOutcome,
    WriteRequest,
};
pub(crate) use upsert::Statements;
