//! The one transaction that writes rows, for every caller: a page of a backfill, a chunk of
//! a long nested list, or a single object that was fetched.
//!
//! It takes its locks, reads the excluded columns, checks the fence of a slice if a position
//! commits with the rows, applies events and deletions, writes rows with children before their
//! parents, removes items that left their list, and commits, all or nothing.
//!
//! A transaction with a position does not wait for the disk (`synchronous_commit = off`): a crash
//! of the server can only lose rows together with the position that records that they were read.
//! All others wait, because nothing else records that they have to be written again.

use deadpool_postgres::{Object, Transaction};

use super::delete;
use super::event::{self, EventWriter};
use super::exclude;
use super::lists;
use super::locks::locks;
use super::position::{self, Fence};
use super::quarantine::{self, Reason};
use super::remover::Remover;
use super::request::{
    Batch, Committed, CompleteList, QuarantineEntry, Replacement, UncertainRow, WriteOutcome,
    WriteRequest, duplicate_name,
};
use super::savepoints::Savepoints;
use super::upsert::{Statements, UpsertOutcome};
use crate::catalog::{Exclusions, Table};
use crate::order::event::EventDecision;
use crate::postgres::connection::contended::{LOCK_TIMEOUT, TableUse};
use crate::postgres::connection::lock_holders::LockWait;
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::connection::table_access::TableAccess;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::ledger::{events, inbox};
use crate::row::{Observation, redact};

const DOING: &str = "cannot write rows";

impl Database {
    /// Writes a request in one transaction. A row that the server rejects is quarantined, and the
    /// others are written.
    ///
    /// Not cancel-safe: a call that is dropped may or may not have committed. The fence of a
    /// position, and the stamps of rows, make a repetition harmless.
    ///
    /// # Errors
    /// With [`ErrorClass::Unreachable`], the transaction may have been committed and only the reply
    /// lost.
    pub(crate) async fn write(
        &self,
        statements: &Statements,
        request: &WriteRequest<'_>,
    ) -> Result<WriteOutcome, PostgresError> {
        let attempt = |savepoints| {
            self.within_time_limit(Box::pin(self.try_write(statements, request, savepoints)))
        };
        match attempt(Savepoints::Off).await {
            // The rejected row aborted the transaction.
            Err(error) if error.class == ErrorClass::RowRefused => {}
            other => return other,
        }
        match attempt(Savepoints::On).await {
            // The commit was rejected.
            Err(error) if error.class == ErrorClass::RowRefused => {
                attempt(Savepoints::OnWithImmediateConstraints).await
            }
            other => other,
        }
    }

    async fn try_write(
        &self,
        statements: &Statements,
        request: &WriteRequest<'_>,
        savepoints: Savepoints,
    ) -> Result<WriteOutcome, PostgresError> {
        let tables = request.tables();
        let mut access = self.get_for_tables(TableUse::Write, &tables).await?;
        let TableAccess { client, wait, .. } = &mut access;
        let wait = wait.as_ref();
        let writing = Box::pin(write_with(client, wait, statements, request, savepoints));
        self.record_contention(TableUse::Write, &tables, wait, writing).await
    }
}

async fn write_with(
    client: &mut Object,
    wait: Option<&LockWait<'_>>,
    statements: &Statements,
    request: &WriteRequest<'_>,
    savepoints: Savepoints,
) -> Result<WriteOutcome, PostgresError> {
    let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
    let transaction = begin(client).await.map_err(fail)?;
    let opening = format!(
        "set local lock_timeout = {}; {}{}; {}",
        LOCK_TIMEOUT.as_millis(),
        savepoints.opening(),
        durability(request),
        locks(statements, request)
    );
    if let Some(wait) = wait {
        let timeout = format!("set local lock_timeout = {}", LOCK_TIMEOUT.as_millis());
        transaction.batch_execute(&timeout).await.map_err(fail)?;
        wait.lock(&transaction, statements.names()).await?;
    }
    let exclusions = exclude::enter(&transaction, statements, &opening).await.map_err(fail)?;
    let fence = match &request.position {
        Some(commit) => {
            let fence = position::fence(&transaction, statements, commit, request.account).await;
            let Some(fence) = fence.map_err(fail)? else { return Ok(WriteOutcome::Fenced) };
            Some(fence)
        }
        None => None,
    };
    let has_quarantined = fence.as_ref().is_some_and(|fence| fence.has_quarantined);
    let writer = Writer {
        transaction: &transaction,
        statements,
        exclusions: &exclusions,
        savepoints,
        request,
        nothing_quarantined: request.nothing_quarantined && !has_quarantined,
    };
    let mut committed = Committed { has_quarantined, ..Committed::default() };
    let mut uncertain = Vec::new();
    let mut unmarked = Vec::new();
    committed.events = writer.apply_events(&mut committed).await?;
    let mut deletions = event::deletions(&request.events, &committed.events);
    deletions.extend(request.deletions.iter().cloned());
    let changed = delete::changed_rows(&transaction, statements, request).await?;
    if !changed.is_empty() {
        return Ok(WriteOutcome::Uncertain(changed));
    }
    for batch in delete::by_table(&deletions) {
        let removed = delete::apply(&writer.remover(), &batch).await?;
        unmarked.extend(batch.rows_to_insert(&removed));
        committed.deleted.extend(removed.ids);
        committed.add_kept(removed.kept);
    }
    delete::remove_tombstones(&transaction, statements, request.account, &request.revived)
        .await
        .map_err(fail)?;
    for replacement in &request.replacements {
        if !writer.replace(replacement, &mut committed).await? {
            return Ok(WriteOutcome::StampChanged);
        }
    }
    let mut texts = Vec::new();
    let batches = exclude::without(&exclusions, &request.batches, &mut texts);
    let mut unmarked_texts = Vec::new();
    let unmarked = exclude::without(&exclusions, &unmarked, &mut unmarked_texts);
    let (parents, items): (Vec<_>, Vec<_>) =
        batches.iter().chain(unmarked.iter()).partition(|batch| batch.table.parent.is_none());
    // Children before parents, unless a foreign key of the user is checked by each statement.
    let in_order = match savepoints {
        Savepoints::Off | Savepoints::On => items.into_iter().chain(parents),
        Savepoints::OnWithImmediateConstraints => parents.into_iter().chain(items),
    };
    for batch in in_order {
        writer.upsert(batch, &mut committed, &mut uncertain).await?;
    }
    if !uncertain.is_empty() {
        return Ok(WriteOutcome::Uncertain(uncertain));
    }
    writer.write_event_items(&mut committed).await?;
    writer.remove_missing_items(&request.complete_lists, &mut committed).await?;
    for entry in &request.quarantine {
        writer.quarantine(entry, &mut committed).await?;
    }
    writer.write_event_ledger(&committed.events).await?;
    if let (Some(commit), Some(Fence { bounds, .. })) = (&request.position, fence) {
        let nothing_quarantined = writer.nothing_quarantined;
        let position =
            position::store(&transaction, statements, commit, bounds, nothing_quarantined)
                .await
                .map_err(fail)?;
        committed.position = Some(position);
    }
    transaction.commit().await.map_err(fail)?;
    Ok(WriteOutcome::Committed(committed))
}

/// The statement that decides whether the commit waits for the disk.
fn durability(request: &WriteRequest<'_>) -> &'static str {
    match request.position.is_some() && request.deletions.is_empty() {
        true => "set local synchronous_commit = off",
        // Regardless of the user's settings. `local` does not wait for standbys.
        false => {
            "select set_config('synchronous_commit', 'local', true) \
             where current_setting('synchronous_commit') = 'off'"
        }
    }
}

/// What every statement of one transaction needs.
struct Writer<'t> {
    transaction: &'t Transaction<'t>,
    statements: &'t Statements,
    exclusions: &'t Exclusions,
    savepoints: Savepoints,
    request: &'t WriteRequest<'t>,
    /// The written tables have no quarantined rows, so none have to be cleared.
    nothing_quarantined: bool,
}

impl Writer<'_> {
    async fn apply_events(
        &self,
        committed: &mut Committed,
    ) -> Result<Vec<EventDecision>, PostgresError> {
        let writer = EventWriter {
            transaction: self.transaction,
            statements: self.statements,
            exclusions: self.exclusions,
            account: self.request.account,
        };
        writer.apply(&self.request.events, committed).await
    }

    /// Writes the items of the events that were applied. Items of a payload that is older than its
    /// row are not written.
    async fn write_event_items(&self, committed: &mut Committed) -> Result<(), PostgresError> {
        let (batches, complete_lists) =
            event::applied_items(&self.request.events, &committed.events);
        let mut texts = Vec::new();
        let batches = exclude::without(self.exclusions, &batches, &mut texts);
        let mut uncertain = Vec::new();
        for batch in batches.iter() {
            self.upsert(batch, committed, &mut uncertain).await?;
        }
        debug_assert!(uncertain.is_empty(), "items follow their parent");
        self.remove_missing_items(&complete_lists, committed).await
    }

    async fn remove_missing_items(
        &self,
        complete: &[CompleteList],
        committed: &mut Committed,
    ) -> Result<(), PostgresError> {
        // This write may have quarantined something itself; that is not older than its list.
        let kept =
            lists::remove_missing(&self.remover(), complete, self.nothing_quarantined).await?;
        committed.add_kept(kept);
        Ok(())
    }

    fn remover(&self) -> Remover<'_> {
        let Writer { transaction, statements, request, savepoints, .. } = *self;
        Remover { transaction, statements, account: request.account, savepoints }
    }

    /// Quarantines items that cannot be rows, because another item has the same id.
    async fn quarantine_duplicates<'i>(
        &self,
        table: &'static Table,
        items: impl Iterator<Item = &'i Observation<'i>>,
        committed: &mut Committed,
    ) -> Result<(), PostgresError> {
        for item in items {
            let parent = item.parent.unwrap_or_default();
            let row = Observation { id: duplicate_name(&item.id, parent).into(), ..item.clone() };
            let reason = format!(
                "another item has the same ID, and {} can hold only one of them",
                table.name
            );
            self.quarantine(&QuarantineEntry { table, row, reason }, committed).await?;
        }
        Ok(())
    }

    /// Writes what the ledger keeps of events: objects to fetch, events that store nothing, and the
    /// cursor.
    async fn write_event_ledger(&self, decisions: &[EventDecision]) -> Result<(), PostgresError> {
        let Writer { transaction, statements, request, .. } = *self;
        let (names, account) = (statements.names(), request.account);
        let mut entries = request.inbox.clone();
        entries.extend(event::uncertain(&request.events, decisions));
        inbox::put(transaction, names, account, &entries).await?;
        events::record_unstored(transaction, names, account, &request.unstored_events).await?;
        match request.event_cursor {
            Some(cursor) => events::store_cursor(transaction, names, account, cursor).await,
            None => Ok(()),
        }
    }

    async fn upsert(
        &self,
        batch: &Batch<'_>,
        committed: &mut Committed,
        uncertain: &mut Vec<UncertainRow>,
    ) -> Result<(), PostgresError> {
        let of_another_parent = self.upsert_rows(batch, committed, uncertain).await?;
        let is_stored = |item: &&Observation<'_>| of_another_parent.iter().any(|id| *id == item.id);
        // The stored row can be that of an item among the duplicates.
        let (stored, duplicates): (Vec<_>, Vec<_>) = batch.duplicates.iter().partition(is_stored);
        if !stored.is_empty() {
            let stored = Batch::new(batch.table, stored.into_iter().cloned().collect());
            Box::pin(self.upsert(&stored, committed, uncertain)).await?;
        }
        let items = duplicates.into_iter().chain(batch.rows.iter().filter(is_stored));
        self.quarantine_duplicates(batch.table, items, committed).await
    }

    /// Returns the ids of items that were not written, because an item of another parent has the
    /// same id.
    async fn upsert_rows(
        &self,
        batch: &Batch<'_>,
        committed: &mut Committed,
        uncertain: &mut Vec<UncertainRow>,
    ) -> Result<Vec<String>, PostgresError> {
        let Writer { transaction, statements, exclusions, request, .. } = *self;
        let account = request.account;
        let outcome: UpsertOutcome = match self.savepoints {
            Savepoints::On | Savepoints::OnWithImmediateConstraints => {
                let (outcome, refusal) =
                    quarantine::upsert_guarded(transaction, statements, batch, account, exclusions)
                        .await?;
                committed.quarantined += refusal.as_ref().map_or(0, |refusal| refusal.rows);
                committed.refusals.extend(refusal);
                outcome
            }
            Savepoints::Off => {
                let (table, rows) = (batch.table, &batch.rows);
                let outcome =
                    statements.upsert(transaction, table, account, rows, exclusions).await?;
                if !self.nothing_quarantined {
                    quarantine::clear(transaction, statements, table, rows, account).await?;
                }
                outcome
            }
        };
        committed.replaced_characters += outcome.replaced_characters;
        committed.tombstoned.extend(outcome.tombstoned);
        let table = batch.table.name.as_str();
        let rows = outcome.uncertain.into_iter();
        uncertain.extend(rows.map(|(id, stored)| UncertainRow { table, id, stored }));
        Ok(outcome.of_another_parent)
    }

    /// Returns false if the stored row does not have the expected stamp.
    async fn replace(
        &self,
        replacement: &Replacement<'_>,
        committed: &mut Committed,
    ) -> Result<bool, PostgresError> {
        let Writer { transaction, statements, exclusions, request, .. } = *self;
        let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
        let Replacement { table, row, expected_stamp } = replacement;
        let account = request.account;
        let text = redact(row.object.json(), &table.name, exclusions);
        let row = &row.with_text(&text);
        transaction.batch_execute("savepoint replacement").await.map_err(fail)?;
        match statements
            .replace(transaction, table, account, row, *expected_stamp, exclusions)
            .await
        {
            Ok(true) => {
                let rows = std::slice::from_ref(row);
                quarantine::clear(transaction, statements, table, rows, account).await?;
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) if error.class == ErrorClass::RowRefused => {
                let undo = "rollback to savepoint replacement";
                transaction.batch_execute(undo).await.map_err(fail)?;
                let text = error.to_string();
                let reason = Reason { text: &text, sqlstate: error.sqlstate.as_deref() };
                quarantine::put(transaction, statements, &table.name, account, row, reason)
                    .await
                    .map_err(fail)?;
                committed.quarantined += 1;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    async fn quarantine(
        &self,
        entry: &QuarantineEntry<'_>,
        committed: &mut Committed,
    ) -> Result<(), PostgresError> {
        let QuarantineEntry { table, row, reason } = entry;
        let text = redact(row.object.json(), &table.name, self.exclusions);
        let row = row.with_text(&text);
        let (account, reason) = (self.request.account, Reason { text: reason, sqlstate: None });
        quarantine::put(self.transaction, self.statements, &table.name, account, &row, reason)
            .await
            .map_err(|e| PostgresError::new("cannot quarantine an object", &e))?;
        committed.quarantined += 1;
        Ok(())
    }
}
