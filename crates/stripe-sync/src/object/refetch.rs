//! Writes one object that was fetched on its own, and settles objects whose stamps alone do not
//! order them by fetching them again.

use crate::catalog::Table;
use crate::memory::Room;
use crate::object::nested::{self, NestedError};
use crate::object::retrieve::{AccountContext, RetrieveError};
use crate::order::{REPLICA_LAG, Stamp};
use crate::postgres::{Batch, PostgresError, Rows, Written};
use crate::row::{Observation, get, winners};
use crate::stripe::Answer;

/// How often an object is fetched again because its row moved meanwhile.
const TRIES: u32 = 10;

/// What became of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefetchOutcome {
    /// The row shows Stripe's state.
    Written,
    /// Stripe has no such object any more; `row` tells whether there was one to remove or mark.
    Deleted { row: bool },
    /// The server refused the row; it is in the quarantine.
    Quarantined,
}

/// Why an object could not be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefetchError {
    #[error(transparent)]
    Retrieve(#[from] RetrieveError),
    #[error(transparent)]
    Nested(#[from] NestedError),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("{table} {id} kept changing while it was read")]
    Restless { table: String, id: String },
}

/// Fetches an object and writes it, its nested lists to their end, or applies its deletion.
pub(crate) async fn refresh(
    link: &AccountContext,
    table: &'static Table,
    id: &str,
) -> Result<RefetchOutcome, RefetchError> {
    let mut beats = None;
    for _ in 0..TRIES {
        // Asked for after the row was set aside, the answer is newer than that, also by a clock
        // that runs behind.
        let set_aside =
            link.database.set_aside_at(&link.statements, link.account.as_str(), table, id).await?;
        let asked = link.client.now();
        let answer = link.retrieve(table, id).await;
        let answer = answer.map(|mut answer| {
            answer.sent = set_aside.map_or(answer.sent, |at| answer.sent.max(at.next()));
            answer
        });
        match apply(link, table, id, asked, answer, beats).await? {
            Attempt::Done(stored) => return Ok(stored),
            Attempt::Again { stored } => beats = stored,
        }
    }
    Err(RefetchError::Restless { table: table.name.clone(), id: id.to_owned() })
}

/// Fetches an object whose row, as stored at `seen`, is too close in time to another
/// observation; the answer wins over both.
pub(crate) async fn settle(
    link: &AccountContext,
    table: &'static Table,
    id: &str,
    seen: Stamp,
) -> Result<RefetchOutcome, RefetchError> {
    // A list has just shown the object: a 404 is believed only if it lasts.
    let mut asked = link.client.now();
    let mut answer = link.retrieve(table, id).await;
    if matches!(&answer, Err(RetrieveError::Stripe(error)) if error.is_resource_missing()) {
        tokio::time::sleep(REPLICA_LAG).await;
        asked = link.client.now();
        answer = link.retrieve(table, id).await;
    }
    match apply(link, table, id, asked, answer, Some(seen)).await? {
        Attempt::Done(stored) => Ok(stored),
        // Somebody else has written the row since: that is newer than what raised the doubt.
        Attempt::Again { .. } => refresh(link, table, id).await,
    }
}

enum Attempt {
    Done(RefetchOutcome),
    Again { stored: Option<Stamp> },
}

/// One write of what was fetched. With `beats`, the answer wins over the row of that stamp: it was
/// asked for after that row had been seen.
async fn apply(
    link: &AccountContext,
    table: &'static Table,
    id: &str,
    asked: Stamp,
    answer: Result<Answer, RetrieveError>,
    beats: Option<Stamp>,
) -> Result<Attempt, RefetchError> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(RetrieveError::Stripe(error)) if error.is_resource_missing() => {
            let row = delete(link, table, id, asked).await?;
            return Ok(Attempt::Done(RefetchOutcome::Deleted { row }));
        }
        Err(error) => return Err(error.into()),
    };
    if get(&answer.body, "deleted") == Some("true") {
        let row = delete(link, table, id, answer.sent).await?;
        if !row && table.marks_deleted() {
            return write(link, table, id, &answer, None).await.map(|written| match written {
                Attempt::Done(_) => Attempt::Done(RefetchOutcome::Deleted { row: true }),
                again => again,
            });
        }
        return Ok(Attempt::Done(RefetchOutcome::Deleted { row }));
    }
    write(link, table, id, &answer, beats).await
}

async fn write(
    link: &AccountContext,
    table: &'static Table,
    id: &str,
    answer: &Answer,
    beats: Option<Stamp>,
) -> Result<Attempt, RefetchError> {
    // Asked for after the row of that stamp had been seen, the answer is newer than it, even if
    // the process that wrote it has a clock that runs ahead of ours.
    let stamp = beats.map_or(answer.sent, |seen| answer.sent.max(seen.next()));
    let completed = nested::complete(link, table, id, &answer.body, stamp, Room::default()).await?;
    if completed.gone {
        let row = delete(link, table, id, stamp).await?;
        return Ok(Attempt::Done(RefetchOutcome::Deleted { row }));
    }
    // Few objects are fetched on their own at once: their lists are not counted.
    let json = completed.json.as_deref().unwrap_or(&answer.body);
    let mut complete_lists = completed.streamed;
    let mut items: Vec<(&'static Table, Vec<Observation<'_>>)> = Vec::new();
    let row = AccountContext::observe(id, json, stamp, answer.request_id.as_deref());
    complete_lists.extend(nested::children(table, id, &row, |child, row| {
        match items.iter_mut().find(|(t, _)| t.name == child.name) {
            Some((_, rows)) => rows.push(row),
            None => items.push((child, vec![row])),
        }
    }));
    let mut batches: Vec<Batch<'_>> =
        items.into_iter().map(|(table, rows)| Batch { table, rows: winners(rows) }).collect();
    let replace = beats.map(|seen| (table, row.clone(), seen));
    batches.push(Batch { table, rows: vec![row] });
    let rows = Rows { batches, complete_lists, replace };
    let written = link.database.write_rows(&link.statements, link.account.as_str(), &rows).await?;
    Ok(match written {
        Written::Uncertain(stored) => Attempt::Again { stored: Some(stored) },
        Written::Moved => Attempt::Again { stored: None },
        Written::Done { quarantined: 0 } => Attempt::Done(RefetchOutcome::Written),
        Written::Done { .. } => Attempt::Done(RefetchOutcome::Quarantined),
    })
}

async fn delete(
    link: &AccountContext,
    table: &Table,
    id: &str,
    stamp: Stamp,
) -> Result<bool, PostgresError> {
    link.database.delete_row(&link.statements, link.account.as_str(), table, id, stamp).await
}
