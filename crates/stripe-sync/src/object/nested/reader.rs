//! Reads one nested list, starting after the items that its object contains.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::address::list_request;
use super::completed::{CompletedObject, ListProblem, NestedError};
use super::embedded::EmbeddedList;
use super::items::{ItemChunk, Items};
use super::known::KnownList;
use crate::catalog::Table;
use crate::hash::fnv1a;
use crate::object::retrieve::retrieve;
use crate::order::{REPLICA_LAG, Stamp};
use crate::postgres::CompleteList;
use crate::row::{Object, get, id_of};
use crate::stripe::{Page, Request, StripeClient, StripeError, StripeErrorKind};

/// A list with a table of its own is put back into its object up to this size.
const INLINE_LIMIT: usize = 1 << 20;
/// A list without a table is stored only in its object. An object with a longer list is rejected.
const INLINE_ONLY_LIMIT: usize = 64 << 20;
/// Maximum number of items per page (FACTS 3).
const MAX_LIMIT: usize = 100;
/// How often a list is read again from its start because its cursor was deleted.
const MAX_RESTARTS: u32 = 5;

pub(super) struct ListReader<'l, 'c> {
    pub(super) client: &'l StripeClient,
    pub(super) table: &'static Table,
    pub(super) list: &'l KnownList,
    pub(super) parent: &'l str,
    pub(super) stamp: Stamp,
    pub(super) completed: &'c mut CompletedObject,
}

/// Why a list was not read to its end.
pub(super) enum Interruption {
    /// It affects only this list.
    Problem(ListProblem),
    /// It affects every object.
    Ends(NestedError),
}

impl ListReader<'_, '_> {
    /// All items, or `None` if they were sent to the writer or the object is gone.
    pub(super) async fn read<M: From<ItemChunk>>(
        &mut self,
        list: &EmbeddedList<'_>,
        chunks: &mpsc::Sender<M>,
    ) -> Result<Option<Items>, Interruption> {
        let child = self.list.table;
        let base =
            list_request(self.list, self.parent, list).map_err(|what| self.broken(what, None))?;
        let (mark, mut kept) = (self.completed.memory.mark(), Items::default());
        let embedded = list.items();
        let objects = embedded.iter().map(|item| Object::from(*item));
        let mut cursor = last_id(objects.clone());
        let until = count_through(objects, cursor.as_deref());
        embedded[..until].iter().for_each(|item| kept.push(item));
        let mut seen = SeenItems::default();
        for item in kept.iter() {
            seen.add(item.into());
        }
        let (mut restarts, mut sending, mut limit) = (0, false, MAX_LIMIT);
        loop {
            let page = match self.page(&base, cursor.as_deref(), &mut limit).await {
                Ok(page) => page,
                Err(error) if cursor.is_some() && restarts < allowed_restarts(&error) => {
                    // The items so far may include some that no longer exist.
                    restarts += 1;
                    self.completed.requests += error.requests;
                    cursor = None;
                    kept.clear();
                    seen = SeenItems::default();
                    continue;
                }
                Err(error) if error.is_resource_missing() => {
                    self.check_parent_is_gone(error).await?;
                    return Ok(None);
                }
                Err(source) => return Err(self.refused(source)),
            };
            self.completed.requests += page.requests;
            let last = last_id(page.objects());
            let mut new_items = 0;
            for item in page.objects() {
                new_items += usize::from(seen.add(item));
            }
            if page.has_more && new_items == 0 && last.is_some() {
                return Err(self.broken("returns the same items again and again", Some(&page)));
            }
            if page.has_more && (last.is_none() || last == cursor) {
                return Err(self.broken("has more items but no new cursor", Some(&page)));
            }
            // The next page contains the items after the new cursor again.
            let until = match page.has_more {
                true => count_through(page.objects(), last.as_deref()),
                false => page.items().len(),
            };
            let more: usize = page.items().take(until).map(|item| item.len() + 1).sum();
            if !sending {
                self.completed.memory.grow(more).await;
            }
            kept.reserve(more);
            page.items().take(until).for_each(|item| kept.push(item));
            match child {
                Some(table) if sending || kept.len() > INLINE_LIMIT => {
                    sending = true;
                    let chunk = ItemChunk {
                        table,
                        parent: self.parent.to_owned(),
                        stamp: self.stamp,
                        items: std::mem::take(&mut kept),
                        request_id: page.request_id.clone(),
                        _memory: self.completed.memory.split_off(mark),
                    };
                    let closed = |_| Interruption::Ends(NestedError::WriterClosed);
                    chunks.send(chunk.into()).await.map_err(closed)?;
                }
                None if kept.len() > INLINE_ONLY_LIMIT => {
                    return Err(self.broken("is larger than 64 MiB and has no table", Some(&page)));
                }
                _ => {}
            }
            if !page.has_more {
                break;
            }
            cursor = last;
        }
        match child.filter(|_| sending) {
            Some(table) => {
                // The items are written in several transactions, none of which sees all of them.
                if let Some(id) = seen.repeated_id {
                    let what = format!("has two items with the ID {id}");
                    if let Interruption::Problem(problem) = self.broken(&what, None) {
                        self.completed.problem.get_or_insert(problem);
                    }
                }
                let (parent, stamp) = (self.parent.to_owned(), self.stamp);
                self.completed.sent_lists.push(CompleteList { table, parent, stamp });
                Ok(None)
            }
            None => Ok(Some(kept)),
        }
    }

    /// Stripe says that the list does not exist. Either its parent is gone as well, or the response
    /// is wrong.
    async fn check_parent_is_gone(&mut self, error: StripeError) -> Result<(), Interruption> {
        // A 404 can be temporary.
        tokio::time::sleep(REPLICA_LAG).await;
        let gone = match retrieve(self.client, self.table, self.parent).await {
            Ok(parent) => get(&parent.body, "deleted") == Some("true"),
            Err(error) => error.is_missing(),
        };
        self.completed.gone = gone;
        if gone { Ok(()) } else { Err(self.refused(error)) }
    }

    async fn page(
        &self,
        base: &Request,
        cursor: Option<&str>,
        limit: &mut usize,
    ) -> Result<Page, StripeError> {
        let mut request = base.clone();
        if let Some(cursor) = cursor {
            request = request.with("starting_after", cursor);
        }
        let (page, delivered) = self.client.list_up_to(&request, *limit).await?;
        *limit = delivered;
        Ok(page)
    }

    fn refused(&mut self, error: StripeError) -> Interruption {
        self.completed.requests += error.requests;
        if error.would_fail_every_request() {
            return Interruption::Ends(NestedError::Stripe(error));
        }
        let reason = format!("{} of {}: {error}", self.list.name(), self.table.object);
        Interruption::Problem(ListProblem { reason, request_id: error.request_id.clone() })
    }

    fn broken(&self, what: &str, page: Option<&Page>) -> Interruption {
        let reason =
            format!("{} of {} {} {what}", self.list.name(), self.table.object, self.parent);
        let request_id = page.and_then(|page| page.request_id.clone());
        Interruption::Problem(ListProblem { reason, request_id })
    }
}

/// The items of a list so far: hashes of their ids and of their contents.
#[derive(Default)]
struct SeenItems {
    contents: HashMap<u64, u64>,
    /// An id that two different items have.
    repeated_id: Option<String>,
}

impl SeenItems {
    /// Whether the item has an id that no item had before.
    fn add(&mut self, item: Object<'_>) -> bool {
        let Some(id) = id_of(item) else { return false };
        let content = fnv1a(item.json());
        match self.contents.insert(fnv1a(&id), content) {
            None => true,
            Some(previous) => {
                if previous != content {
                    self.repeated_id = Some(id.into_owned());
                }
                false
            }
        }
    }
}

/// How often a list is read again from its start after this error of a request with a cursor.
fn allowed_restarts(error: &StripeError) -> u32 {
    match error.kind {
        _ if error.is_cursor_missing() => MAX_RESTARTS,
        // Some lists reject an old cursor without naming the parameter.
        StripeErrorKind::InvalidRequest => 1,
        _ => 0,
    }
}

/// The id of the last item that has one.
fn last_id<'i>(items: impl DoubleEndedIterator<Item = Object<'i>>) -> Option<String> {
    items.rev().find_map(id_of).map(|id| id.into_owned())
}

/// The number of items up to and including the last one with this id; 0 without an id.
fn count_through<'i>(
    mut items: impl DoubleEndedIterator<Item = Object<'i>> + ExactSizeIterator,
    id: Option<&str>,
) -> usize {
    let position = |id| items.rposition(|item| id_of(item).as_deref() == Some(id));
    id.and_then(position).map_or(0, |position| position + 1)
}
