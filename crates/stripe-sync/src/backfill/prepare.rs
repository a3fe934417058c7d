//! Reads the nested lists of a page to their ends and hands the page over. A page with long lists
//! is split into several pieces, so that it is never completely in memory.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::context::SliceContext;
use super::lists::while_reading;
use super::outcome::{FetchError, FetchOutcome};
use super::page::ArrivedPage;
use super::parents::prepare_parents;
use super::piece::{PagePiece, SlicePiece, send};
use super::unread_lists::MAX_IN_A_ROW;
use crate::object::nested::{self, CompletedObject, NestedError};

/// Completes a page and sends it to the writing half.
///
/// # Errors
/// The writing half accepts no more pieces, Stripe is unreachable, or too many objects in a row
/// have a nested list that cannot be read.
pub(super) async fn prepare(
    context: &SliceContext<'_>,
    arrived: ArrivedPage,
    pieces: &mpsc::Sender<SlicePiece>,
) -> Result<(), FetchOutcome> {
    if let Some(part) = context.parents {
        return prepare_parents(context, part, arrived, pieces).await;
    }
    context.look_for_objects_of_parents(&arrived.page);
    let ArrivedPage { page, objects, requested, memory, coverage, problem } = arrived;
    let (page, memory) = (Arc::new(page), Arc::new(memory));
    let (head, turn) = watch::channel(0);
    let last = objects.len().checked_sub(1);
    let (client, table) = (&context.run.account.client, context.table);
    let (mut results, mut is_read) = (Vec::new(), Vec::with_capacity(objects.len()));
    for (index, (object, item)) in objects.iter().zip(page.objects()).enumerate() {
        let may_have_lists = object.has_id;
        is_read.push(may_have_lists && nested::has_cut_off_list(table, item));
        if is_read[index] {
            let memory = context.run.account.memory.list_memory(turn.clone(), index);
            let (id, sent) = (object.id().to_owned(), page.sent);
            results.push(async move {
                nested::complete(client, table, &id, item, sent, memory, pieces).await
            });
        }
    }
    // In page order: a piece covers the objects up to an index, and only the first unfinished
    // object may exceed the memory budget.
    let (sender, mut finished) = mpsc::unbounded_channel::<Result<CompletedObject, _>>();
    let hand_over = async {
        let mut piece = PagePiece::new(&page, requested, 0, &memory);
        for (index, (object, item)) in objects.into_iter().zip(page.objects()).enumerate() {
            let mut completed = match is_read[index] {
                true => {
                    let next = finished.recv().await.expect("one result for each cut-off object");
                    next.map_err(ended)?
                }
                false => CompletedObject::default(),
            };
            if let Some(problem) = context.run.unread_lists.count(&table.name, &completed) {
                let what = format!(
                    "{MAX_IN_A_ROW} objects in a row could not be read: {}",
                    problem.reason
                );
                let (request_id, requests) = (problem.request_id.clone(), completed.requests);
                return Err(FetchOutcome::Failed(FetchError::Broken {
                    what,
                    request_id,
                    requests,
                }));
            }
            if completed.problem.is_none() {
                completed.problem.clone_from(&problem);
            }
            piece.add(object, item.json(), completed);
            if piece.is_full() && Some(index) != last {
                let next = piece.split(index + 1);
                send(pieces, std::mem::replace(&mut piece, next)).await?;
            }
            // The lists that wait for this value are read only as long as the page exists.
            head.send_replace(index + 1);
        }
        piece.end_page(coverage);
        send(pieces, piece).await
    };
    let reading = context.run.list_permits.read_in_order(results, sender);
    while_reading(reading, hand_over).await
}

fn ended(error: NestedError) -> FetchOutcome {
    match error {
        NestedError::WriterClosed => FetchOutcome::Closed,
        NestedError::Stripe(error) => FetchOutcome::Failed(FetchError::Stripe(error)),
    }
}
