//! Fetches a single object and writes it with its nested lists, or applies its deletion.

use tokio::sync::mpsc;

use super::batches::{ObjectBatches, observe};
use super::nested::{self, CompletedObject, ItemChunk, NestedError};
use super::retrieve::{RetrieveError, retrieve};
use crate::catalog::Table;
use crate::context::AccountContext;
use crate::memory::ListMemory;
use crate::order::{REPLICA_LAG, Stamp, stamp_of_answer};
use crate::postgres::{
    Committed, Deletion, ObjectNotes, PostgresError, QuarantineEntry, Replacement, SeenRow,
    StoredState, UncertainRow, WriteOutcome, WriteRequest,
};
use crate::row::{Object, get};
use crate::stripe::Answer;

/// How often an object is fetched again because its row has changed in the meantime.
const MAX_ATTEMPTS: u32 = 10;
/// Chunks of items between the reading and the writing half.
const CHUNKS_AHEAD: usize = 1;

/// What the refetch of an object did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefetchOutcome {
    /// The row shows Stripe's state.
    Written,
    /// Stripe has no such object; `had_row` tells whether there was a row to delete or mark.
    Deleted { had_row: bool },
    /// The server rejected the row or its deletion; it is quarantined.
    Quarantined,
}

/// Why an object could not be fetched or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefetchError {
    #[error(transparent)]
    Retrieve(#[from] RetrieveError),
    #[error(transparent)]
    Nested(#[from] NestedError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("{table} {id} changed each time it was fetched")]
    KeepsChanging { table: String, id: String },
}

/// Fetches an object and writes it with its complete nested lists, or applies its deletion.
pub(crate) async fn refresh(
    context: &AccountContext,
    table: &'static Table,
    id: &str,
) -> Result<RefetchOutcome, RefetchError> {
    let mut expected_stamp = None;
    for _ in 0..MAX_ATTEMPTS {
        // The request is sent after the quarantined state was read, so its answer is newer.
        let notes = context.object_notes(table, id).await?;
        let fetched = Fetched::confirmed(context, table, id, notes).await;
        match fetched.apply(context, table, id, expected_stamp).await? {
            Attempt::Done(outcome) => return Ok(outcome),
            Attempt::Retry { expected_stamp: stored } => expected_stamp = stored,
        }
    }
    Err(RefetchError::KeepsChanging { table: table.name.clone(), id: id.to_owned() })
}

/// Fetches an object whose stored row or deletion is too close in time to another observation. The
/// answer replaces both, unless the row has changed in between; then the object is fetched again.
pub(crate) async fn refetch_uncertain(
    context: &AccountContext,
    row: &UncertainRow,
    table: &'static Table,
) -> Result<RefetchOutcome, RefetchError> {
    let StoredState::Row(stored) = row.stored else {
        return refresh(context, table, &row.id).await;
    };
    let notes = ObjectNotes { quarantined: None, deleted: None, row: Some(stored) };
    let fetched = Fetched::confirmed(context, table, &row.id, notes).await;
    match fetched.apply(context, table, &row.id, Some(stored)).await? {
        Attempt::Done(outcome) => Ok(outcome),
        Attempt::Retry { .. } => refresh(context, table, &row.id).await,
    }
}

/// Fetches an object that an event named. The answer replaces the row that was stored at the time
/// of the request, regardless of how close the event and that row are in time.
pub(crate) async fn refetch(
    context: &AccountContext,
    table: &'static Table,
    id: &str,
) -> Result<RefetchOutcome, RefetchError> {
    let notes = context.object_notes(table, id).await?;
    let fetched = Fetched::confirmed(context, table, id, notes).await;
    match fetched.apply(context, table, id, notes.row).await? {
        Attempt::Done(outcome) => Ok(outcome),
        Attempt::Retry { .. } => refresh(context, table, id).await,
    }
}

enum Attempt {
    Done(RefetchOutcome),
    /// The stored row has changed. The next answer replaces the row of this stamp.
    Retry {
        expected_stamp: Option<Stamp>,
    },
}

/// The answer to a request for an object.
struct Fetched {
    sent: Stamp,
    answer: Result<Answer, RetrieveError>,
    /// The object exists although it was observed as deleted.
    revived: bool,
    /// The stamp of its row, read before the request.
    row: Option<Stamp>,
}

impl Fetched {
    /// Requests an object. An answer that would delete it, or restore it shortly after it was
    /// observed as deleted, is checked by a second request, whose answer counts: one of Stripe's
    /// replicas can lag behind (FACTS 5).
    async fn confirmed(
        context: &AccountContext,
        table: &Table,
        id: &str,
        notes: ObjectNotes,
    ) -> Fetched {
        let first = Fetched::request(context, table, id, notes.quarantined).await;
        let contradicts = match &first.answer {
            Ok(answer) => notes.deleted.is_some() && get(&answer.body, "deleted") != Some("true"),
            Err(error) => error.is_missing(),
        };
        if !contradicts {
            return Fetched { row: notes.row, ..first };
        }
        tokio::time::sleep(REPLICA_LAG).await;
        let second = Fetched::request(context, table, id, notes.quarantined).await;
        let revived = notes.deleted.is_some() && second.answer.is_ok();
        Fetched { revived, row: notes.row, ..second }
    }

    /// `known` was read from the database before the request.
    async fn request(
        context: &AccountContext,
        table: &Table,
        id: &str,
        known: Option<Stamp>,
    ) -> Fetched {
        let sent = context.client.now();
        let answer = retrieve(&context.client, table, id).await.map(|mut answer| {
            answer.sent = stamp_of_answer(answer.sent, known);
            answer
        });
        Fetched { sent, answer, revived: false, row: None }
    }

    async fn apply(
        self,
        context: &AccountContext,
        table: &'static Table,
        id: &str,
        expected_stamp: Option<Stamp>,
    ) -> Result<Attempt, RefetchError> {
        // What the database had before the request is older than the answer, whatever the clocks say.
        let seen = self.row.max(expected_stamp);
        let deletion = |sent, row| {
            let (stamp, seen_row) = (stamp_of_answer(sent, seen), SeenRow::Stamp(self.row));
            Deletion { table, id, stamp, row, seen_row }
        };
        let answer = match self.answer {
            Ok(answer) => answer,
            Err(error) if error.is_missing() => {
                return Ok(delete(context, deletion(self.sent, None)).await?);
            }
            Err(error) => return Err(error.into()),
        };
        let request_id = answer.request_id.as_deref();
        if get(&answer.body, "deleted") == Some("true") {
            let row = Some(observe(id, answer.body.as_str(), answer.sent, request_id));
            return Ok(delete(context, deletion(answer.sent, row)).await?);
        }
        let stamp = stamp_of_answer(answer.sent, expected_stamp);
        let (completed, refused_items) = complete(context, table, id, &answer.body, stamp).await?;
        let problem = completed.problem;
        if completed.gone {
            return Ok(delete(context, deletion(answer.sent, None)).await?);
        }
        let object = Object::from(completed.json.as_deref().unwrap_or(&answer.body));
        let mut batches = ObjectBatches::new(table);
        batches.add_complete_lists(completed.sent_lists);
        let mut replacements = Vec::new();
        match expected_stamp {
            Some(expected_stamp) => {
                batches.add_items(id, object, stamp, request_id);
                let row = observe(id, object, stamp, request_id);
                replacements.push(Replacement { table, row, expected_stamp });
            }
            None => batches.add(id, object, stamp, request_id),
        }
        let (batches, complete_lists) = batches.finish();
        let entry = problem.as_ref().map(|problem| QuarantineEntry {
            table,
            row: observe(id, object, stamp, problem.request_id.as_deref()),
            reason: problem.reason.clone(),
        });
        let request = WriteRequest {
            batches,
            complete_lists,
            replacements,
            revived: self.revived.then_some((table, id, stamp)).into_iter().collect(),
            quarantine: entry.into_iter().collect(),
            ..WriteRequest::default()
        };
        let attempt = write(context, request, |committed| {
            if committed.tombstoned.iter().any(|tombstoned| tombstoned == id) {
                // Another process has observed a later deletion.
                return RefetchOutcome::Deleted { had_row: false };
            }
            match committed.quarantined + refused_items {
                0 => RefetchOutcome::Written,
                _ => RefetchOutcome::Quarantined,
            }
        });
        Ok(attempt.await?)
    }
}

async fn delete(
    context: &AccountContext,
    deletion: Deletion<'_>,
) -> Result<Attempt, PostgresError> {
    let inserts = deletion.row.is_some() && deletion.table.marks_deleted();
    let request = WriteRequest { deletions: vec![deletion], ..WriteRequest::default() };
    write(context, request, |committed| match committed.kept.is_empty() {
        true => RefetchOutcome::Deleted { had_row: inserts || !committed.deleted.is_empty() },
        false => RefetchOutcome::Quarantined,
    })
    .await
}

async fn write(
    context: &AccountContext,
    request: WriteRequest<'_>,
    outcome: impl FnOnce(Committed) -> RefetchOutcome,
) -> Result<Attempt, PostgresError> {
    Ok(match context.write(request).await? {
        WriteOutcome::Committed(committed) => Attempt::Done(outcome(committed)),
        WriteOutcome::Uncertain(rows) => {
            let stored = rows.first().and_then(|row| match row.stored {
                StoredState::Row(stamp) => Some(stamp),
                StoredState::Tombstone => None,
            });
            Attempt::Retry { expected_stamp: stored }
        }
        // Only a request with a position can be fenced; then nothing was written either.
        WriteOutcome::StampChanged | WriteOutcome::Fenced => {
            Attempt::Retry { expected_stamp: None }
        }
    })
}

/// Reads the object's lists to their end, and writes the items of long ones as they arrive. Also
/// returns the number of items that were quarantined.
async fn complete(
    context: &AccountContext,
    table: &'static Table,
    id: &str,
    body: &str,
    stamp: Stamp,
) -> Result<(CompletedObject, u64), RefetchError> {
    let (sender, mut receiver) = mpsc::channel::<ItemChunk>(CHUNKS_AHEAD);
    let reading = async move {
        // Few single objects are fetched concurrently, so their lists do not count against the
        // memory budget.
        nested::complete(
            &context.client,
            table,
            id,
            body.into(),
            stamp,
            ListMemory::default(),
            &sender,
        )
        .await
    };
    let writing = async move {
        let mut quarantined = 0;
        while let Some(chunk) = receiver.recv().await {
            quarantined += write_chunk(context, &chunk).await?;
        }
        Ok::<_, PostgresError>(quarantined)
    };
    let (completed, quarantined) = tokio::join!(reading, writing);
    // A failed write closes the channel, so its error is the cause of the reading half's error.
    let quarantined = quarantined?;
    Ok((completed?, quarantined))
}

/// Writes the items of a long list. Returns the number of items that were quarantined.
pub(crate) async fn write_chunk(
    context: &AccountContext,
    chunk: &ItemChunk,
) -> Result<u64, PostgresError> {
    let request = WriteRequest { batches: vec![chunk.batch()], ..WriteRequest::default() };
    Ok(match context.write(request).await? {
        WriteOutcome::Committed(committed) => committed.quarantined,
        // Items follow their parent: they are never uncertain, and replace nothing.
        WriteOutcome::Uncertain(_) | WriteOutcome::StampChanged | WriteOutcome::Fenced => 0,
    })
}
