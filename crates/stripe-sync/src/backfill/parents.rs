//! Objects that only the lists of their parents show: the payment methods of customers, with API versions
//! whose own list omits them.
//!
//! A slice of such a part reads the list of the parents, so it is split and checkpointed like any other. The
//! list of each parent is read to its end, and its objects are committed with the parent's position.
//! After the first complete read, only parents that have changed since are read.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{mpsc, watch};

use super::changed_parents::changed_parents;
use super::context::SliceContext;
use super::lists::while_reading;
use super::outcome::{FetchError, FetchOutcome};
use super::page::{ArrivedPage, PageObject};
use super::parents_to_read::ParentsPart;
use super::piece::{PagePiece, ParentObjects, SlicePiece, send};
use super::unread_lists::MAX_IN_A_ROW;
use crate::catalog::ParentLists;
use crate::memory::ListMemory;
use crate::object::nested::ListProblem;
use crate::row::{get_each, id_of};
use crate::slice::Bounds;
use crate::stripe::{ApiPath, Page, Request, StripeClient, StripeError};

/// Objects of a page.
const LIMIT: usize = 100;

impl SliceContext<'_> {
    /// How many parts the stream is read in. Decided when the last part of its own list ends: then it is
    /// known whether that list shows what the lists of parents show.
    pub(super) fn parts(&self) -> usize {
        let Some(own) = &self.target.list else { return 1 };
        let version = self.run.account.client.version();
        let shows_all = self.run.shows_objects_of_parents.load(Ordering::Relaxed)
            && self.run.replaced_list.get().is_none();
        let reads_parents = !shows_all && own.parent_lists_of(version).is_some();
        own.parts.len() + usize::from(reads_parents)
    }

    /// Records that Stripe rejects a part of the stream's own list, so that the lists of the parents have
    /// to be read whatever other parts show.
    pub(super) fn replace_own_list(&self, error: &StripeError) {
        let Some(lists) = self.list.parent_lists.as_ref() else { return };
        let note = format!("also read from the lists of {}: {error}", lists.table);
        self.run.replaced_list.get_or_init(|| note);
    }

    /// What the report of the stream says about properties and lists that Stripe rejects.
    pub(super) fn note(&self) -> Option<String> {
        let has_parents = self.target.list.as_ref().is_some_and(|own| own.parent_lists.is_some());
        let replaced = self.run.replaced_list.get().filter(|_| has_parents).cloned();
        let dropped = self.run.dropped_expansions.note(self.target);
        let notes: Vec<String> = replaced.into_iter().chain(dropped).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }

    /// Records whether a page of the stream's own list shows an object that belongs to a parent. Only
    /// the first part counts: a later part does not show what the first one, which another process
    /// may have read, contains.
    pub(super) fn look_for_objects_of_parents(&self, page: &Page) {
        let Some(lists) = self.list.parent_lists.as_ref().filter(|_| self.part == 0) else {
            return;
        };
        let belongs_to_parent = |object: &str| {
            let [parent] = get_each(object, [lists.property.as_str()]);
            parent.is_some_and(|parent| parent != "null")
        };
        if page.items().any(belongs_to_parent) {
            self.run.shows_objects_of_parents.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads the lists of a page's parents and hands the page over, in several pieces if they are large.
///
/// # Errors
/// The writing half takes no more pieces, Stripe is unreachable, or too many lists in a row cannot be read.
pub(super) async fn prepare_parents(
    context: &SliceContext<'_>,
    part: ParentsPart,
    arrived: ArrivedPage,
    pieces: &mpsc::Sender<SlicePiece>,
) -> Result<(), FetchOutcome> {
    let ArrivedPage { page, objects, requested, memory, coverage, .. } = arrived;
    let (page, memory) = (Arc::new(page), Arc::new(memory));
    let (head, turn) = watch::channel(0);
    let last = objects.len().checked_sub(1);
    let changed = changed_parents(context, part, &objects).await;
    let reader = ParentReader { client: &context.run.account.client, context, lists: part.lists };
    let (reader, changed) = (&reader, changed.as_ref());
    let readings = objects.iter().enumerate().map(|(index, parent)| {
        let memory = context.run.account.memory.list_memory(turn.clone(), index);
        let is_read = parent.has_id && changed.is_none_or(|ids| ids.contains(parent.id()));
        let id = parent.id().to_owned();
        async move {
            match is_read {
                true => reader.read(&id, memory).await,
                false => Ok(ParentObjects::default()),
            }
        }
    });
    let (sender, mut finished) = mpsc::unbounded_channel::<Result<ParentObjects, _>>();
    let hand_over = async {
        let mut piece = PagePiece::of_parents(&page, requested, 0, &memory);
        for (index, parent) in objects.iter().enumerate() {
            let found = finished.recv().await;
            let found = found.expect("one reading for each parent");
            let found = found.map_err(|error| FetchOutcome::Failed(FetchError::Stripe(error)))?;
            let stream = context.target.name.as_str();
            let unread = &context.run.unread_lists;
            if let Some(problem) =
                unread.count_problem(stream, found.problem.as_ref(), found.requests)
            {
                let what =
                    format!("{MAX_IN_A_ROW} lists in a row could not be read: {}", problem.reason);
                let (request_id, requests) = (problem.request_id.clone(), found.requests);
                return Err(FetchOutcome::Failed(FetchError::Broken {
                    what,
                    request_id,
                    requests,
                }));
            }
            piece.add_parent(parent.clone(), found);
            if piece.is_full() && Some(index) != last {
                let next = piece.split(index + 1);
                send(pieces, std::mem::replace(&mut piece, next)).await?;
            }
            head.send_replace(index + 1);
        }
        piece.end_page(coverage);
        send(pieces, piece).await
    };
    let reading = context.run.list_permits.read_in_order(readings.collect(), sender);
    while_reading(reading, hand_over).await
}

/// Reads the list of one parent.
struct ParentReader<'r> {
    client: &'r StripeClient,
    context: &'r SliceContext<'r>,
    lists: &'static ParentLists,
}

impl ParentReader<'_> {
    /// All objects of a parent. A list that cannot be read to its end is a [`ParentObjects::problem`].
    ///
    /// # Errors
    /// The failure affects every request.
    async fn read(&self, id: &str, memory: ListMemory) -> Result<ParentObjects, StripeError> {
        let mut found = ParentObjects { is_read: true, memory, ..ParentObjects::default() };
        let problem = |what: String, request_id: Option<String>| {
            Some(ListProblem { reason: format!("{} of {id}: {what}", self.what()), request_id })
        };
        let Ok(path) = ApiPath::with_segment(&self.lists.path, id) else {
            found.problem = problem("its ID cannot be part of a path".to_owned(), None);
            return Ok(found);
        };
        let base = Request::new(path, self.lists.path.as_str(), Vec::new());
        let (mut limit, mut cursor, mut seen) = (LIMIT, None::<String>, HashSet::new());
        loop {
            let mut request = base.clone();
            if let Some(cursor) = &cursor {
                request = request.with("starting_after", cursor.clone());
            }
            let page = match self.client.list_up_to(&request, limit).await {
                Ok((page, delivered)) => {
                    limit = delivered;
                    page
                }
                Err(error) if error.would_fail_every_request() => return Err(error),
                // The cursor's object was detached: read the list again.
                Err(error)
                    if cursor.is_some() && error.is_cursor_missing() && found.restarts < 5 =>
                {
                    found.requests += error.requests;
                    found.restarts += 1;
                    found.pages.clear();
                    (cursor, seen) = (None, HashSet::new());
                    continue;
                }
                // The parent was deleted.
                Err(error) if cursor.is_none() && error.is_resource_missing() => {
                    found.requests += error.requests;
                    return Ok(found);
                }
                Err(error) => {
                    found.requests += error.requests;
                    found.problem = problem(error.to_string(), error.request_id.clone());
                    return Ok(found);
                }
            };
            found.requests += page.requests;
            found.memory.grow(page.bytes()).await;
            let mut has_new = false;
            for id in page.objects().filter_map(id_of) {
                has_new |= seen.insert(id.into_owned());
            }
            let next = page.objects().rev().find_map(id_of).map(|id| id.into_owned());
            let (has_more, request_id) = (page.has_more, page.request_id.clone());
            let target = self.context.target;
            let list = target.list.as_ref().expect("a stream has a list");
            let whole = Bounds { from: None, to: None };
            let objects: Vec<PageObject> = page
                .objects()
                .map(|object| PageObject::read(object, target, list, whole))
                .collect();
            if let Some(foreign) = objects.iter().find(|object| object.is_foreign) {
                let what =
                    format!("Stripe sent {}, which is not a {}", foreign.id(), target.object);
                found.problem = problem(what, request_id);
                return Ok(found);
            }
            found.pages.push((page, objects));
            match has_more {
                false => return Ok(found),
                true if !has_new => {
                    let what = "Stripe sent an earlier page again instead of the next one";
                    found.problem = problem(what.to_owned(), request_id);
                    return Ok(found);
                }
                true => cursor = next,
            }
        }
    }

    /// As in messages: `payment_methods`.
    fn what(&self) -> &str {
        &self.context.target.name
    }
}
