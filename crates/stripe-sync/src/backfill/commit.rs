//! Makes the pages of one slice durable, several in one transaction when they wait anyway.

use std::collections::HashSet;
use std::sync::PoisonError;

use tokio::sync::mpsc;

use super::fetch::SharedBounds;
use super::prepare::PagePiece;
use super::worker::{Reader, ends_run, retry_transient};
use crate::catalog::Table;
use crate::error::Error;
use crate::object::nested::{NestedError, children};
use crate::object::refetch::{self as store, RefetchError, RefetchOutcome};
use crate::object::retrieve::{AccountContext, RetrieveError};
use crate::postgres::{
    Batch, ClaimedSlice, Committed, Judged, PageCommit, Position, PostgresError, StreamEnd,
    StreamStatus,
};
use crate::row::{Observation, winners};
use crate::slice::{Bounds, advance};
use crate::stripe::StripeErrorKind;

/// Pages and bytes of one transaction, at most.
const MOST_PAGES: usize = 10;
const MOST_BYTES: usize = 4 << 20;

/// Where the slice stands when no more pages come.
pub(super) enum CommitOutcome {
    /// The reading can go on from here.
    Open(Position),
    /// The slice's last page is durable.
    Finished,
    /// Another owner has the slice.
    Lost,
    /// An object that only Stripe can order could not be fetched.
    Failed(StreamEnd),
}

/// Commits pages until there are no more, or the ledger turns out to be elsewhere.
pub(super) async fn commit(
    reader: &Reader<'_>,
    slice: &ClaimedSlice,
    bounds: &SharedBounds,
    mut pages: mpsc::Receiver<PagePiece>,
) -> Result<CommitOutcome, Error> {
    let mut position = slice.position.clone();
    while let Some(first) = pages.recv().await {
        let mut waiting = vec![first];
        let mut bytes = waiting[0].bytes;
        while waiting.len() < MOST_PAGES && bytes < MOST_BYTES {
            let Ok(next) = pages.try_recv() else { break };
            bytes += next.bytes;
            waiting.push(next);
        }
        match commit_pages(reader, slice, &position, &waiting).await? {
            CommitOutcome::Open(next) => {
                *bounds.lock().unwrap_or_else(PoisonError::into_inner) = next.bounds;
                let went_on = next.seq == position.seq + 1;
                position = next;
                // The ledger is elsewhere: the pages that follow are not the next ones there.
                if !went_on {
                    break;
                }
            }
            ended => return Ok(ended),
        }
    }
    Ok(CommitOutcome::Open(position))
}

async fn commit_pages(
    reader: &Reader<'_>,
    slice: &ClaimedSlice,
    position: &Position,
    pages: &[PagePiece],
) -> Result<CommitOutcome, Error> {
    let done = pages.last().is_some_and(PagePiece::ends_list);
    let requests: i64 = pages.iter().map(|p| p.requests).sum();
    // Objects that are dealt with: deleted, or fetched again while this was tried, whose answers
    // have won.
    let mut settled: HashSet<String> = HashSet::new();
    for page in pages {
        settled.extend(apply_deletions(reader, page).await?);
    }
    let mut patience = reader.crew.patience();
    loop {
        let commit = build(reader, slice, position, pages, &settled, done, requests);
        let judge = |held: Bounds| judge(position, pages, held, reader.counts_rows());
        let link = reader.link;
        match link.database.commit_page(&link.statements, &commit, judge).await {
            Ok(Committed::Done { bounds, trail, rows, replaced, quarantined }) => {
                let quarantined = quarantined + pages.iter().map(|p| p.quarantined).sum::<u64>();
                reader.committed(&slice.stream, rows, requests, replaced, quarantined);
                return Ok(match done {
                    true => CommitOutcome::Finished,
                    false => CommitOutcome::Open(Position { bounds, trail, seq: position.seq + 1 }),
                });
            }
            Ok(Committed::Fenced) => match reread(reader, slice).await? {
                // Commits that the server lost in a crash, or made although nobody heard of it.
                Some(found) => return Ok(CommitOutcome::Open(found)),
                None => return Ok(CommitOutcome::Lost),
            },
            Ok(Committed::Uncertain(objects)) => {
                for (table, id, seen) in objects {
                    match store::settle(link, table, &id, seen).await {
                        // Pages that follow may clear it.
                        Ok(RefetchOutcome::Quarantined) => reader.found_quarantine(),
                        Ok(RefetchOutcome::Written | RefetchOutcome::Deleted { .. }) => {}
                        Err(error) => return unsettled(error),
                    }
                    settled.insert(id);
                }
            }
            Err(error) if reader.crew.wait_before_retry(&mut patience, &error).await => {
                // The commit may have happened and only its answer be lost.
                match reread(reader, slice).await? {
                    Some(found) if found.seq == position.seq => {}
                    Some(found) => return Ok(CommitOutcome::Open(found)),
                    // Finished by that commit, or taken over: nothing is left to do here.
                    None => return Ok(CommitOutcome::Lost),
                }
            }
            Err(error) => return Err(stream_error(&slice.stream, error)),
        }
    }
}

/// What it means that an object could not be fetched, or its lists not be read.
fn unsettled(error: RefetchError) -> Result<CommitOutcome, Error> {
    let message = error.to_string();
    let (mut status, mut request_id) = (StreamStatus::Failed, None);
    match error {
        RefetchError::Postgres(error) | RefetchError::Nested(NestedError::Postgres(error)) => {
            return Err(error.into());
        }
        RefetchError::Retrieve(RetrieveError::Stripe(error))
        | RefetchError::Nested(NestedError::Stripe { source: error, .. }) => {
            if ends_run(&error) {
                return Err(error.into());
            }
            if matches!(error.kind, StripeErrorKind::Denied { .. }) {
                status = StreamStatus::Denied;
            }
            request_id = error.request_id.clone();
        }
        RefetchError::Nested(NestedError::Broken { request_id: broken, .. }) => request_id = broken,
        RefetchError::Retrieve(RetrieveError::Another { request_id: asked, .. }) => {
            request_id = asked;
        }
        RefetchError::Retrieve(_) | RefetchError::Restless { .. } => {}
    }
    Ok(CommitOutcome::Failed(StreamEnd { status, message, request_id }))
}

/// A list should not show deleted objects; one that does is believed. Returns those of which no row
/// is to be written: where deleted objects keep their rows, one that is new gets its own.
async fn apply_deletions(
    reader: &Reader<'_>,
    page: &PagePiece,
) -> Result<Vec<String>, PostgresError> {
    let link = reader.link;
    let mut gone = Vec::new();
    for object in page.objects.iter().filter(|o| o.deleted) {
        let (table, stamp) = (reader.table, page.page.sent);
        let account = link.account.as_str();
        let marked = retry_transient!(
            reader.crew,
            link.database.delete_row(&link.statements, account, table, &object.id, stamp)
        )?;
        if marked || object.gone || !table.marks_deleted() {
            gone.push(object.id.clone());
        }
    }
    Ok(gone)
}

fn build<'p>(
    reader: &'p Reader<'_>,
    slice: &'p ClaimedSlice,
    position: &Position,
    pages: &'p [PagePiece],
    settled: &HashSet<String>,
    done: bool,
    requests: i64,
) -> PageCommit<'p> {
    let mut parents: Vec<Observation<'p>> = Vec::new();
    let mut nested: Vec<(&'static Table, Vec<Observation<'p>>)> = Vec::new();
    let mut complete_lists = Vec::new();
    for page in pages {
        let stamp = page.page.sent;
        for (object, json) in page.objects() {
            if settled.contains(&object.id) {
                continue;
            }
            let parent =
                AccountContext::observe(&object.id, json, stamp, page.page.request_id.as_deref());
            if object.named {
                complete_lists.extend(children(reader.table, &object.id, &parent, |table, row| {
                    match nested.iter_mut().find(|(t, _)| t.name == table.name) {
                        Some((_, rows)) => rows.push(row),
                        None => nested.push((table, vec![row])),
                    }
                }));
            }
            parents.push(parent);
        }
        let streamed = page.streamed.iter().filter(|list| !settled.contains(&list.parent));
        complete_lists.extend(streamed.cloned());
    }
    let children = nested.into_iter().map(|(table, rows)| Batch { table, rows: winners(rows) });
    let mut batches: Vec<Batch<'p>> = children.collect();
    batches.push(Batch { table: reader.table, rows: winners(parents) });
    let first_created = pages[0].objects.first().and_then(|o| o.created);
    PageCommit {
        slice,
        seq: position.seq,
        account: reader.link.account.as_str(),
        batches,
        complete_lists,
        first_created,
        pages: pages.iter().filter(|p| p.ends_page).count() as i64,
        requests,
        done,
        parts: reader.list.parts.len() as i32,
        clear_quarantine: reader.quarantine_in_use(),
    }
}

/// What the pages mean under the bounds that the ledger holds at commit.
fn judge(position: &Position, pages: &[PagePiece], held: Bounds, counts: bool) -> Judged {
    let (mut trail, mut rows) = (position.trail.clone(), 0);
    for page in pages {
        if counts {
            let inside = page.counted().filter(|time| page.asked == held || held.hold(*time));
            rows += inside.count() as i64;
        }
        trail = advance(&trail, &page.passed, page.asked, held);
    }
    Judged { trail, rows }
}

async fn reread(
    reader: &Reader<'_>,
    slice: &ClaimedSlice,
) -> Result<Option<Position>, PostgresError> {
    let link = reader.link;
    let names = link.statements.names();
    retry_transient!(reader.crew, link.database.reread(names, slice))
}

fn stream_error(stream: &str, error: PostgresError) -> Error {
    tracing::debug!(stream, %error, "a page could not be committed");
    error.into()
}
