//! What one transaction writes, and how it ended.

use crate::catalog::Table;
use crate::order::Stamp;
use crate::order::event::{EventContent, EventDecision};
use crate::postgres::connection::table_access::TableNames;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::ledger::events::{EventCursor, UnstoredEvent};
use crate::postgres::ledger::inbox::InboxEntry;
use crate::postgres::ledger::slices::ClaimedSlice;
use crate::row::{Observation, reduce_items, winners};
use crate::slice::{Bounds, CursorRow};

/// Rows of one table, each id once, sorted.
#[derive(Clone)]
pub(crate) struct Batch<'a> {
    pub(crate) table: &'static Table,
    pub(crate) rows: Vec<Observation<'a>>,
    /// Items of nested lists that cannot be rows, because another item has the same id.
    pub(crate) duplicates: Vec<Observation<'a>>,
}

impl<'a> Batch<'a> {
    /// Reduces observations to the newest of each object.
    pub(crate) fn new(table: &'static Table, seen: Vec<Observation<'a>>) -> Batch<'a> {
        let (rows, duplicates) = match table.parent {
            Some(_) => reduce_items(seen),
            None => (winners(seen), Vec::new()),
        };
        Batch { table, rows, duplicates }
    }

    /// All observations, to be reduced together with others.
    pub(crate) fn into_observations(self) -> impl Iterator<Item = Observation<'a>> {
        self.rows.into_iter().chain(self.duplicates)
    }
}

/// A row that overwrites the stored one if the stored stamp is still the expected one. It is known
/// to be newer, regardless of the clocks, because it was fetched after the stored row had been
/// read.
#[derive(Clone)]
pub(crate) struct Replacement<'a> {
    pub(crate) table: &'static Table,
    pub(crate) row: Observation<'a>,
    pub(crate) expected_stamp: Stamp,
}

/// An object that was observed as deleted.
#[derive(Clone)]
pub(crate) struct Deletion<'a> {
    pub(crate) table: &'static Table,
    pub(crate) id: &'a str,
    /// When it was observed.
    pub(crate) stamp: Stamp,
    /// What to insert if the table keeps deleted objects and has no row to mark.
    pub(crate) row: Option<Observation<'a>>,
    /// The row at the time of the request that observed the deletion.
    pub(crate) seen_row: SeenRow,
}

/// What was known of an object's row when the object was requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SeenRow {
    /// Nothing.
    Unknown,
    /// Its stamp; `None` without a row. A row with another stamp can show a later object with the same
    /// ID.
    Stamp(Option<Stamp>),
}

/// What an event says about an object. Whether it is applied is decided when the row is locked.
#[derive(Clone)]
pub(crate) struct EventChange<'a> {
    pub(crate) table: &'static Table,
    pub(crate) id: &'a str,
    /// The payload and the time of the event. For a deletion: what to insert if the table keeps
    /// deleted objects and has no row to mark.
    pub(crate) row: Observation<'a>,
    pub(crate) content: EventContent,
    /// Items of the payload's lists, and which of the lists are complete.
    pub(crate) items: Vec<Batch<'a>>,
    pub(crate) complete_lists: Vec<CompleteList>,
}

/// A nested list that was read to its end. Items of this parent with an older stamp have left it.
#[derive(Debug, Clone)]
pub(crate) struct CompleteList {
    /// The table of the items.
    pub(crate) table: &'static Table,
    pub(crate) parent: String,
    pub(crate) stamp: Stamp,
}

/// Pages of one slice that become durable together.
pub(crate) struct PositionCommit<'a> {
    pub(crate) slice: &'a ClaimedSlice,
    pub(crate) seq: i64,
    /// `created` of the first row of these pages.
    pub(crate) first_created: Option<i64>,
    pub(crate) pages: i64,
    pub(crate) requests: i64,
    /// How many parts the stream is read in.
    pub(crate) parts: i32,
    /// The tables of the stream, its nested lists included.
    pub(crate) tables: Vec<&'a str>,
    /// What to say about the stream if it is complete with these pages.
    pub(crate) note: Option<String>,
    /// Computes the progress from the bounds in the ledger.
    pub(crate) progress: &'a (dyn Fn(Bounds) -> SliceProgress + Send + Sync),
}

/// The progress of the pages within the bounds in the ledger.
#[derive(Debug)]
pub(crate) struct SliceProgress {
    /// The new cursor and a few rows before it.
    pub(crate) trail: Vec<CursorRow>,
    /// Rows inside the bounds. The others are counted by another slice.
    pub(crate) rows: i64,
    /// The slice has been read to the end of the bounds.
    pub(crate) ends_slice: bool,
}

/// A position that is durable together with its rows.
#[derive(Debug)]
pub(crate) struct CommittedPosition {
    pub(crate) bounds: Bounds,
    pub(crate) trail: Vec<CursorRow>,
    pub(crate) rows: i64,
    /// The slice has been read to its end with these pages.
    pub(crate) slice_complete: bool,
    /// The stream has been read to its end with these pages.
    pub(crate) stream_complete: bool,
}

/// An object that is not stored as Stripe has it, with the reason.
#[derive(Clone)]
pub(crate) struct QuarantineEntry<'a> {
    pub(crate) table: &'static Table,
    pub(crate) row: Observation<'a>,
    pub(crate) reason: String,
}

/// The id under which an item is quarantined if another item has the same id.
pub(super) fn duplicate_name(id: &str, parent: &str) -> String {
    format!("{id} of {parent}")
}

impl<'a> QuarantineEntry<'a> {
    /// A parent's list that could not be read to its end, and that has no table of its own. A read
    /// of the whole list removes the entry.
    pub(crate) fn of_parent_list(
        table: &'static Table,
        parent: &str,
        stamp: Stamp,
        request_id: Option<&'a str>,
        reason: String,
    ) -> QuarantineEntry<'a> {
        let id = duplicate_name(&table.name, parent).into();
        // The objects of the list are not known.
        let row = Observation { id, object: "null".into(), stamp, parent: None, request_id };
        QuarantineEntry { table, row, reason }
    }
}

/// Everything that one transaction writes for one account.
#[derive(Default)]
pub(crate) struct WriteRequest<'a> {
    pub(crate) account: &'a str,
    pub(crate) deletions: Vec<Deletion<'a>>,
    /// Children before parents.
    pub(crate) batches: Vec<Batch<'a>>,
    pub(crate) replacements: Vec<Replacement<'a>>,
    pub(crate) complete_lists: Vec<CompleteList>,
    /// Ids of the batches' objects that exist although they have a tombstone, and when they were
    /// observed. A tombstone of a later deletion stays.
    pub(crate) revived: Vec<(&'static Table, &'a str, Stamp)>,
    /// Objects that are quarantined in addition to being written as far as they are known.
    pub(crate) quarantine: Vec<QuarantineEntry<'a>>,
    /// At most one per object.
    pub(crate) events: Vec<EventChange<'a>>,
    /// Objects to fetch later. Objects of events that are uncertain are added to them.
    pub(crate) inbox: Vec<InboxEntry>,
    pub(crate) unstored_events: Vec<UnstoredEvent<'a>>,
    /// The event cursor that commits with the rows.
    pub(crate) event_cursor: Option<EventCursor<'a>>,
    /// The slice position that commits with the rows.
    pub(crate) position: Option<PositionCommit<'a>>,
    /// The written tables are known to have no quarantined rows, so none have to be cleared, unless
    /// the fence of a position finds some.
    pub(crate) nothing_quarantined: bool,
}

impl WriteRequest<'_> {
    /// The tables whose locks the write needs.
    pub(super) fn tables(&self) -> TableNames<'_> {
        let mut tables = TableNames::new();
        let batches = self.batches.iter().chain(self.events.iter().flat_map(|event| &event.items));
        tables.extend(batches.map(|batch| batch.table.name.as_str()));
        let lists = self.events.iter().flat_map(|event| &event.complete_lists);
        tables.extend(self.complete_lists.iter().chain(lists).map(|list| &*list.table.name));
        tables.extend(self.replacements.iter().map(|replacement| &*replacement.table.name));
        let deleted = self.deletions.iter().map(|deletion| deletion.table);
        for table in deleted.chain(self.events.iter().map(|event| event.table)) {
            tables.extend(table.with_items());
        }
        tables
    }
}

/// An object for which only a new request can decide which observation is newer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UncertainRow {
    pub(crate) table: &'static str,
    pub(crate) id: String,
    pub(crate) stored: StoredState,
}

/// What the observation of an uncertain object contradicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoredState {
    /// A row with this stamp.
    Row(Stamp),
    /// A deletion that was observed shortly before.
    Tombstone,
}

/// How a write ended.
#[derive(Debug)]
pub(crate) enum WriteOutcome {
    /// Everything is committed.
    Committed(Committed),
    /// Nothing was written: another owner has the slice, or the position has already been
    /// committed.
    Fenced,
    /// Nothing was written: these objects have to be fetched again first.
    Uncertain(Vec<UncertainRow>),
    /// Nothing was written: the row to replace does not have the expected stamp.
    StampChanged,
}

impl WriteOutcome {
    /// What was committed.
    ///
    /// # Errors
    /// The write ended in another way, which the caller's requests cannot cause.
    pub(crate) fn into_committed(self) -> Result<Committed, PostgresError> {
        match self {
            WriteOutcome::Committed(committed) => Ok(committed),
            WriteOutcome::Fenced | WriteOutcome::Uncertain(_) | WriteOutcome::StampChanged => {
                let message = "another observation prevented the write";
                Err(PostgresError::own("cannot write rows", message, ErrorClass::Other))
            }
        }
    }
}

/// What a committed write did.
#[derive(Debug, Default)]
pub(crate) struct Committed {
    /// The new position of the slice, if one was committed.
    pub(crate) position: Option<CommittedPosition>,
    /// Ids whose rows were deleted or marked as deleted.
    pub(crate) deleted: Vec<String>,
    /// Ids that were not written, because the object was observed as deleted later.
    pub(crate) tombstoned: Vec<String>,
    /// Characters that became U+FFFD.
    pub(crate) replaced_characters: u64,
    /// What was done with each of the request's events, in the same order.
    pub(crate) events: Vec<EventDecision>,
    /// Rows that this write quarantined.
    pub(crate) quarantined: u64,
    /// Before a write with a position, rows of its tables were quarantined.
    pub(crate) has_quarantined: bool,
    /// Those that the server rejected, per table.
    pub(crate) refusals: Vec<Refusal>,
    /// Table and id of rows that the server refused to delete or mark as deleted. They are
    /// quarantined and included in that number.
    pub(crate) kept: Vec<(&'static str, String)>,
}

impl Committed {
    /// Adds rows that the server refused to delete or mark as deleted.
    pub(super) fn add_kept(&mut self, kept: Vec<(&'static str, String)>) {
        self.quarantined += kept.len() as u64;
        self.kept.extend(kept);
    }
}

/// Rows of one table that the server rejected.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) table: &'static str,
    pub(crate) rows: u64,
    /// Why it rejected the last one.
    pub(crate) reason: String,
}
