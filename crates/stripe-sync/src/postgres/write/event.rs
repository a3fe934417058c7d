//! Applies events to rows. Each event is compared with its row while the lock of the table is held,
//! so the decision of [`crate::order::event`] holds until the commit.
//!
//! An event that cannot be ordered changes nothing; its object is put into the inbox by the same
//! transaction. Nothing is quarantined here: a payload that the server rejects fails the write, and
//! the caller puts its object into the inbox.

use std::collections::BTreeMap;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::param::WireArray;
use super::quarantine;
use super::request::{Batch, Committed, CompleteList, Deletion, EventChange, SeenRow};
use super::upsert::{Statements, missing_rows};
use crate::catalog::{Exclusions, Table};
use crate::order::Stamp;
use crate::order::event::{Created, EventDecision, ObjectState, RowState, decide};
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::ledger::inbox::{InboxEntry, InboxReason};
use crate::row::{Observation, Presence, encode, redact};

/// The open transaction of a write.
pub(super) struct EventWriter<'t> {
    pub(super) transaction: &'t Transaction<'t>,
    pub(super) statements: &'t Statements,
    pub(super) exclusions: &'t Exclusions,
    pub(super) account: &'t str,
}

impl EventWriter<'_> {
    /// Decides what each event does, and writes the rows that are inserted or merged. Returns the
    /// decisions in the order of the events. Deletions are left to the caller.
    pub(super) async fn apply(
        &self,
        changes: &[EventChange<'_>],
        committed: &mut Committed,
    ) -> Result<Vec<EventDecision>, PostgresError> {
        let mut decisions = vec![EventDecision::Ignore; changes.len()];
        let mut tables: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, change) in changes.iter().enumerate() {
            tables.entry(change.table.name.as_str()).or_default().push(place);
        }
        for places in tables.values() {
            let of_table: Vec<&EventChange<'_>> = places.iter().map(|at| &changes[*at]).collect();
            let decided = self.apply_to_table(&of_table, committed).await?;
            for (place, decision) in places.iter().zip(decided) {
                decisions[*place] = decision;
            }
        }
        Ok(decisions)
    }

    async fn apply_to_table(
        &self,
        changes: &[&EventChange<'_>],
        committed: &mut Committed,
    ) -> Result<Vec<EventDecision>, PostgresError> {
        let Some(table) = changes.first().map(|change| change.table) else {
            return Ok(Vec::new());
        };
        let mut texts = Vec::with_capacity(changes.len());
        for change in changes {
            texts.push(redact(change.row.object.json(), &table.name, self.exclusions));
        }
        let rows: Vec<Observation<'_>> =
            changes.iter().zip(&texts).map(|(change, text)| change.row.with_text(text)).collect();
        let states = self.states(table, &rows).await?;
        let mut decisions = Vec::with_capacity(changes.len());
        let (mut inserts, mut merges) = (Vec::new(), Vec::new());
        for (change, row) in changes.iter().zip(rows) {
            let state = states.get(row.id.as_ref()).ok_or_else(|| unanswered(table))?;
            let decision = decide(change.content, row.stamp, state, table.custom_ids);
            match decision {
                EventDecision::Insert => inserts.push(row),
                EventDecision::Merge => merges.push(row),
                EventDecision::Delete | EventDecision::Ignore | EventDecision::Refetch => {}
            }
            decisions.push(decision);
        }
        self.write(table, &inserts, EventDecision::Insert, committed).await?;
        self.write(table, &merges, EventDecision::Merge, committed).await?;
        Ok(decisions)
    }

    async fn states(
        &self,
        table: &'static Table,
        rows: &[Observation<'_>],
    ) -> Result<BTreeMap<String, ObjectState>, PostgresError> {
        let found = self.run(table, rows, |sql| &sql.state).await?;
        Ok(found.iter().map(|row| (row.get(0), object_state(row))).collect())
    }

    async fn write(
        &self,
        table: &'static Table,
        rows: &[Observation<'_>],
        how: EventDecision,
        committed: &mut Committed,
    ) -> Result<(), PostgresError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (transaction, statements, account) = (self.transaction, self.statements, self.account);
        if how == EventDecision::Insert {
            let outcome =
                statements.upsert(transaction, table, account, rows, self.exclusions).await?;
            committed.replaced_characters += outcome.replaced_characters;
        } else {
            let merged = self.run(table, rows, |sql| &sql.merge).await?;
            if merged.len() < rows.len() {
                return Err(missing_rows(table, rows.len() - merged.len(), rows.len()));
            }
        }
        quarantine::clear(transaction, statements, table, rows, account).await
    }

    /// Runs one of the statements for events.
    async fn run(
        &self,
        table: &'static Table,
        rows: &[Observation<'_>],
        which: fn(&super::event_statements::EventSql) -> &String,
    ) -> Result<Vec<Row>, PostgresError> {
        let sql = self.statements.of(table);
        let mut encoded = encode(table, rows, self.exclusions);
        let arrays: Vec<WireArray<'_>> = encoded.arrays.iter_mut().map(WireArray::new).collect();
        let (mut present, mut keys) = (Vec::new(), Vec::new());
        for row in rows {
            let presence = Presence::of(table, row.object);
            present.push(presence.columns);
            keys.push(presence.keys);
        }
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> =
            arrays.iter().map(WireArray::typed).collect();
        params.push((&self.account, Type::TEXT));
        params.push((&present, Type::BYTEA_ARRAY));
        params.push((&keys, Type::TEXT_ARRAY));
        self.transaction.query_typed(which(&sql.event), &params).await.map_err(|e| {
            PostgresError::new(format!("cannot write {}", table.name), &e).of_table(&table.name)
        })
    }
}

/// The deletions among the events.
pub(super) fn deletions<'a>(
    changes: &[EventChange<'a>],
    decisions: &[EventDecision],
) -> Vec<Deletion<'a>> {
    let decided = changes.iter().zip(decisions);
    let deleted = decided.filter(|(_, decision)| **decision == EventDecision::Delete);
    let deletion = |(change, _): (&EventChange<'a>, _)| {
        let row = change.row.clone();
        Deletion {
            table: change.table,
            id: change.id,
            stamp: row.stamp,
            row: Some(row),
            seen_row: SeenRow::Unknown,
        }
    };
    deleted.map(deletion).collect()
}

/// The items of events that were applied, one batch per table, and their complete lists.
pub(super) fn applied_items<'a>(
    changes: &[EventChange<'a>],
    decisions: &[EventDecision],
) -> (Vec<Batch<'a>>, Vec<CompleteList>) {
    let mut rows: BTreeMap<&str, (&'static Table, Vec<Observation<'a>>)> = BTreeMap::new();
    let mut complete_lists = Vec::new();
    for (change, decision) in changes.iter().zip(decisions) {
        if !matches!(decision, EventDecision::Insert | EventDecision::Merge) {
            continue;
        }
        for batch in &change.items {
            let items = rows.entry(batch.table.name.as_str());
            let (_, items) = items.or_insert_with(|| (batch.table, Vec::new()));
            items.extend(batch.clone().into_observations());
        }
        complete_lists.extend(change.complete_lists.iter().cloned());
    }
    let batch = |(table, rows)| Batch::new(table, rows);
    (rows.into_values().map(batch).collect(), complete_lists)
}

/// The objects of events that could not be ordered.
pub(super) fn uncertain<'c>(
    changes: &'c [EventChange<'_>],
    decisions: &'c [EventDecision],
) -> impl Iterator<Item = InboxEntry> + use<'c> {
    let decided = changes.iter().zip(decisions);
    decided.filter(|(_, decision)| **decision == EventDecision::Refetch).map(|(change, _)| {
        let (table, id) = (change.table, change.id.to_owned());
        InboxEntry { table, id, reason: InboxReason::Uncertain }
    })
}

fn object_state(row: &Row) -> ObjectState {
    let stamp = |place| row.get::<_, Option<SystemTime>>(place).map(Stamp::from_system);
    let has_row: bool = row.get(1);
    let (of_row, of_event): (Option<i64>, Option<i64>) = (row.get(7), row.get(8));
    let created = of_row.zip(of_event).map(|(row, event)| Created { row, event });
    let (same_content, marked_deleted) = (row.get(3), row.get(4));
    let state = RowState { stamp: stamp(2), same_content, marked_deleted, created };
    ObjectState {
        row: has_row.then_some(state),
        deleted_at: stamp(5),
        now: Stamp::from_system(row.get(6)),
    }
}

/// The error if the server returned fewer states than it was asked for.
fn unanswered(table: &Table) -> PostgresError {
    PostgresError::own(
        format!("cannot write {}", table.name),
        "the server did not return the state of an object",
        ErrorClass::Other,
    )
}
