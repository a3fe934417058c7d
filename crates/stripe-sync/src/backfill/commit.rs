//! The writing half of a worker: commits the pages of one slice. If several pages are waiting, it
//! commits them in one transaction.

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;

use super::context::{SliceContext, retry_transient};
use super::counted::counted_before;
use super::failure::StreamFailure;
use super::piece::{PagePiece, SlicePiece, StoredObject};
use crate::error::Error;
use crate::object::batches::{ObjectBatches, observe};
use crate::object::nested::NestedError;
use crate::object::refetch::{RefetchError, RefetchOutcome, refetch_uncertain, write_chunk};
use crate::object::retrieve::RetrieveError;
use crate::order::stamp_of_answer;
use crate::postgres::{
    ClaimedSlice, Committed, CompleteList, Deletion, Position, PositionCommit, PostgresError,
    QuarantineEntry, Replacement, SeenRow, SliceProgress, StoredState, StreamStatus, UncertainRow,
    WriteOutcome, WriteRequest,
};
use crate::slice::{Bounds, advance};

/// Limits of one transaction.
const MAX_PAGES: usize = 10;
const MAX_BYTES: usize = 4 << 20;

/// The state of the slice after the last page.
pub(super) enum CommitOutcome {
    /// The slice has more to read, from this position.
    Open(Position),
    /// The slice's last page is durable.
    Finished,
    /// Another owner has the slice.
    Lost,
    /// The server rejects every row of the stream.
    Failed(StreamFailure),
}

/// What happened to an object whose order was uncertain.
enum Resolution {
    /// Its row shows a state that is newer than the page's.
    Written,
    /// It could not be fetched: the listed row replaces the stored one. With a reason, it is
    /// quarantined as well, because it is unknown which of the two is newer.
    KeepListed { stored: StoredState, reason: Option<String> },
}

/// Why an object that could not be fetched has to be read again later; `None` if Stripe does not
/// return it by its id, as for some objects that it lists.
fn unresolved(error: &RefetchError) -> Option<String> {
    match error {
        RefetchError::Retrieve(RetrieveError::Stripe(stripe)) if !stripe.may_depend_on_size() => {
            None
        }
        other => Some(format!("it is unknown which of two observations is newer: {other}")),
    }
}

/// Commits pages until there are no more, or the ledger has an unexpected position.
pub(super) async fn commit(
    context: &SliceContext<'_>,
    slice: &ClaimedSlice,
    mut pieces: mpsc::Receiver<SlicePiece>,
) -> Result<CommitOutcome, Error> {
    let mut position = slice.position.clone();
    // A chunk of items that arrived after the waiting pages.
    let mut held_back = None;
    loop {
        let next = match held_back.take() {
            Some(piece) => Some(piece),
            None => pieces.recv().await,
        };
        let first = match next {
            None => return Ok(CommitOutcome::Open(position)),
            Some(SlicePiece::Items(chunk)) => {
                match write_chunk(&context.run.account, &chunk).await {
                    Ok(quarantined) => context.run.count_repairs(0, quarantined),
                    Err(error) => return not_committed(slice, error),
                }
                continue;
            }
            Some(SlicePiece::Page(piece)) => piece,
        };
        let mut bytes = first.bytes;
        let mut waiting = vec![first];
        while waiting.len() < MAX_PAGES && bytes < MAX_BYTES && held_back.is_none() {
            match pieces.try_recv() {
                Ok(SlicePiece::Page(piece)) => {
                    bytes += piece.bytes;
                    waiting.push(piece);
                }
                Ok(items) => held_back = Some(items),
                Err(_) => break,
            }
        }
        let counted_before = counted_before(context, &waiting).await?;
        let commit =
            PageCommit { context, slice, position: &position, pieces: &waiting, counted_before };
        match commit.run().await? {
            CommitOutcome::Open(next) => {
                context.held.narrow(next.bounds);
                let advanced = next.seq == position.seq + 1;
                position = next;
                // The ledger has another position, and the following pages do not start there.
                if !advanced {
                    return Ok(CommitOutcome::Open(position));
                }
            }
            ended => return Ok(ended),
        }
    }
}

/// A lock of another session affects only its table: the stream fails, and the others continue.
///
/// # Errors
/// The error affects every stream.
fn not_committed(slice: &ClaimedSlice, error: PostgresError) -> Result<CommitOutcome, Error> {
    tracing::debug!(stream = slice.stream, %error, "pages were not committed");
    match (&error.locked_table, error.hint()) {
        (None, _) => Err(error.into()),
        (Some(_), hint) => {
            let message = format!("{error}; {}", hint.unwrap_or_default());
            Ok(CommitOutcome::Failed(StreamFailure::failed(message, None, 0)))
        }
    }
}

/// Pages that become durable together.
struct PageCommit<'p> {
    context: &'p SliceContext<'p>,
    slice: &'p ClaimedSlice,
    position: &'p Position,
    pieces: &'p [PagePiece],
    /// Objects that are already counted, in a later part of the list.
    counted_before: Option<HashSet<String>>,
}

impl PageCommit<'_> {
    async fn run(&self) -> Result<CommitOutcome, Error> {
        let run = self.context.run;
        let (database, statements) = (&run.account.database, &run.account.statements);
        let progress = |held: Bounds| self.progress(held);
        // Objects whose order was uncertain.
        let mut resolved: HashMap<String, Resolution> = HashMap::new();
        let mut budget = run.retry_budget();
        loop {
            let request = self.request(&resolved, &progress);
            match Box::pin(database.write(statements, &request)).await {
                Ok(WriteOutcome::Committed(committed)) => return Ok(self.committed(committed)),
                // The server lost commits in a crash, or completed one whose answer was lost.
                Ok(WriteOutcome::Fenced) => {
                    return Ok(match self.reread().await? {
                        Some(found) => CommitOutcome::Open(found),
                        None => CommitOutcome::Lost,
                    });
                }
                Ok(WriteOutcome::Uncertain(rows)) => {
                    self.refetch(rows, &mut resolved).await?;
                }
                // Another process has written one of the rows to replace. Compare with the new row.
                Ok(WriteOutcome::StampChanged) => {
                    resolved.retain(|_, resolution| matches!(resolution, Resolution::Written));
                }
                Err(error) if run.wait_before_retry(&mut budget, &error).await => {
                    // The commit may have succeeded although its answer was lost.
                    match self.reread().await? {
                        Some(found) if found.seq == self.position.seq => {}
                        Some(found) => return Ok(CommitOutcome::Open(found)),
                        // Finished by that commit, or claimed by another owner: there is nothing
                        // left to do.
                        None => return Ok(CommitOutcome::Lost),
                    }
                }
                Err(error) => return not_committed(self.slice, error),
            }
        }
    }

    fn request<'r>(
        &'r self,
        resolved: &HashMap<String, Resolution>,
        progress: &'r (dyn Fn(Bounds) -> SliceProgress + Send + Sync),
    ) -> WriteRequest<'r> {
        let SliceContext { run, target: table, .. } = *self.context;
        let is_written = |id: &String| matches!(resolved.get(id), Some(Resolution::Written));
        let mut batches = ObjectBatches::new(table);
        let mut revived = Vec::new();
        let (mut deletions, mut replacements, mut quarantine) =
            (Vec::new(), Vec::new(), Vec::new());
        for piece in self.pieces {
            for stored_object in piece.stored() {
                let StoredObject { object, listed, gone, problem, page } = stored_object;
                let (stamp, request_id) = (page.sent, page.request_id.as_deref());
                let id = object.id();
                match resolved.get(id) {
                    Some(Resolution::Written) => continue,
                    Some(Resolution::KeepListed { stored, reason }) => {
                        // It must be later than the row it replaces, or its items would count as
                        // outdated.
                        let stamp = match stored {
                            StoredState::Row(stored) => stamp_of_answer(stamp, Some(*stored)),
                            StoredState::Tombstone => stamp,
                        };
                        let row = observe(id, listed, stamp, request_id);
                        let entry = reason.clone();
                        let entry =
                            entry.map(|reason| QuarantineEntry { table, row: row.clone(), reason });
                        quarantine.extend(entry);
                        match stored {
                            StoredState::Row(stored) => {
                                let expected_stamp = *stored;
                                // If an object is listed twice, the later page wins, as in a batch.
                                // A second replacement would not find the expected stamp.
                                replacements.retain(|other: &Replacement<'_>| other.row.id != id);
                                replacements.push(Replacement { table, row, expected_stamp });
                                batches.add_items(id, listed, stamp, request_id);
                            }
                            StoredState::Tombstone => {
                                revived.push((table, id, stamp));
                                batches.add(id, listed, stamp, request_id);
                            }
                        }
                        continue;
                    }
                    None => {}
                }
                if let Some(problem) = problem {
                    let row = observe(id, listed, stamp, problem.request_id.as_deref());
                    let reason = problem.reason.clone();
                    quarantine.push(QuarantineEntry { table, row, reason });
                }
                if object.deleted {
                    // A list should not contain deleted objects. If it does, the deletion is
                    // applied.
                    let row = (!gone).then(|| observe(id, listed, stamp, request_id));
                    let seen_row = SeenRow::Unknown;
                    deletions.push(Deletion { table, id, stamp, row, seen_row });
                } else if object.has_id {
                    batches.add(id, listed, stamp, request_id);
                } else {
                    batches.add_without_items(id, listed, stamp, request_id);
                }
            }
            for parent in piece.read_parents() {
                match parent.problem {
                    Some(problem) => quarantine.push(QuarantineEntry::of_parent_list(
                        table,
                        parent.id,
                        piece.page.sent,
                        problem.request_id.as_deref(),
                        problem.reason.clone(),
                    )),
                    // Clears what an earlier read has quarantined.
                    None if run.quarantine_in_use() => {
                        let (parent, stamp) = (parent.id.to_owned(), piece.page.sent);
                        batches.add_complete_lists([CompleteList { table, parent, stamp }]);
                    }
                    None => {}
                }
            }
            let sent = piece.sent_lists.iter().filter(|list| !is_written(&list.parent));
            batches.add_complete_lists(sent.cloned());
        }
        let (batches, complete_lists) = batches.finish();
        let first = self.pieces[0].objects.first();
        let position = PositionCommit {
            slice: self.slice,
            seq: self.position.seq,
            first_created: first.and_then(|first| first.object.created()),
            pages: self.pieces.iter().filter(|piece| piece.ends_page).count() as i64,
            requests: self.requests(),
            parts: self.context.parts() as i32,
            tables: table.with_items().collect(),
            note: self.context.note(),
            progress,
        };
        WriteRequest {
            account: run.account.account.as_str(),
            deletions,
            batches,
            replacements,
            revived,
            quarantine,
            complete_lists,
            position: Some(position),
            nothing_quarantined: !run.quarantine_in_use(),
            ..WriteRequest::default()
        }
    }

    /// Objects of these pages.
    fn rows(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.stored().count() as u64).sum()
    }

    fn requests(&self) -> i64 {
        self.pieces.iter().map(|piece| piece.requests).sum()
    }

    /// Stripe has no more rows, even within the bounds that the ledger has. These can be wider than
    /// those of the request if a crash of the server undid a split.
    fn ends_slice(&self, held: Bounds) -> bool {
        self.pieces
            .last()
            .is_some_and(|piece| piece.ends_list() && piece.requested.reach_end_of(held))
    }

    /// The progress of the slice under the bounds that the ledger holds at the commit.
    fn progress(&self, held: Bounds) -> SliceProgress {
        let (mut trail, mut rows) = (self.position.trail.clone(), 0);
        let mut counted = HashSet::new();
        for piece in self.pieces {
            let unchanged = piece.requested == held;
            let new = piece.counted().filter(|(id, time)| match &self.counted_before {
                None => unchanged || held.hold(*time),
                Some(before) => !before.contains(*id) && counted.insert(*id),
            });
            rows += new.count() as i64;
            trail = advance(&trail, piece.cursor_rows(), piece.requested, held);
        }
        SliceProgress { trail, rows, ends_slice: self.ends_slice(held) }
    }

    fn committed(&self, committed: Committed) -> CommitOutcome {
        let run = self.context.run;
        let Committed { position, replaced_characters, quarantined, refusals, .. } = committed;
        run.count_repairs(replaced_characters, quarantined);
        if committed.has_quarantined {
            // By another process, or by an earlier write.
            run.set_quarantine_in_use(true);
        }
        let rows = position.as_ref().map_or(0, |position| position.rows);
        run.progress.add(&self.slice.stream, rows, self.requests());
        if position.as_ref().is_some_and(|position| position.stream_complete) {
            run.progress.set_status(&self.slice.stream, StreamStatus::Complete);
        }
        run.progress.clear_locked_table(self.context.target);
        run.idle.notify_one();
        if let Some(message) =
            run.refused_rows.count(&self.context.target.name, self.rows(), &refusals)
        {
            return CommitOutcome::Failed(StreamFailure::failed(message, None, 0));
        }
        match position.filter(|stored| !stored.slice_complete) {
            Some(stored) => CommitOutcome::Open(Position {
                bounds: stored.bounds,
                trail: stored.trail,
                seq: self.position.seq + 1,
            }),
            None => CommitOutcome::Finished,
        }
    }

    /// Fetches uncertain objects again and writes the answers. An object that cannot be fetched
    /// never stops the stream: the listed row is written instead.
    ///
    /// # Errors
    /// The failure affects every request.
    async fn refetch(
        &self,
        rows: Vec<UncertainRow>,
        resolved: &mut HashMap<String, Resolution>,
    ) -> Result<(), Error> {
        let SliceContext { run, target: table, .. } = *self.context;
        // The page waits for these requests.
        let live = run.account.with_live_priority();
        for row in rows {
            let resolution = match refetch_uncertain(&live, &row, table).await {
                Ok(outcome) => {
                    if outcome == RefetchOutcome::Quarantined {
                        run.set_quarantine_in_use(true);
                    }
                    Resolution::Written
                }
                // The other writer has a newer state of the row.
                Err(RefetchError::KeepsChanging { .. }) => Resolution::Written,
                Err(RefetchError::Postgres(error)) => return Err(error.into()),
                Err(RefetchError::Nested(NestedError::Stripe(error))) => return Err(error.into()),
                Err(RefetchError::Retrieve(RetrieveError::Stripe(error)))
                    if error.would_fail_every_request() =>
                {
                    return Err(error.into());
                }
                Err(error) => {
                    tracing::info!(table = table.name, id = row.id, %error, "kept the listed row");
                    Resolution::KeepListed { stored: row.stored, reason: unresolved(&error) }
                }
            };
            resolved.insert(row.id, resolution);
        }
        Ok(())
    }

    async fn reread(&self) -> Result<Option<Position>, PostgresError> {
        let (database, names) =
            (&self.context.run.account.database, self.context.run.account.statements.names());
        retry_transient!(self.context.run, database.reread(names, self.slice))
    }
}
