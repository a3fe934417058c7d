//! Reads one nested list from where its object cuts it off.

use tokio::sync::mpsc;

use super::items::{ItemChunk, Items};
use super::{CompletedObject, NestedError};
use crate::catalog::{Catalog, Nested, Table};
use crate::object::retrieve::retrieve;
use crate::order::{REPLICA_LAG, Stamp};
use crate::postgres::CompleteList;
use crate::row::{get, id_of};
use crate::stripe::{ApiPath, Page, ParsedList, Request, StripeClient, StripeError};

/// A list with a table of its own is put back into its object up to this size.
const INLINE_LIMIT: usize = 1 << 20;
/// A list without a table has no other place. An object with a longer one is refused.
const INLINE_ONLY_LIMIT: usize = 64 << 20;
/// How often a list is read again from its start because its cursor was deleted.
const MAX_RESTARTS: u32 = 5;

pub(super) struct ListReader<'l, 'c> {
    pub(super) client: &'l StripeClient,
    pub(super) table: &'static Table,
    pub(super) nested: &'static Nested,
    pub(super) parent: &'l str,
    pub(super) stamp: Stamp,
    pub(super) completed: &'c mut CompletedObject,
}

impl ListReader<'_, '_> {
    /// All items, or `None` if they were sent to the writer or the object is gone.
    pub(super) async fn read<M: From<ItemChunk>>(
        &mut self,
        list: &ParsedList<'_>,
        chunks: &mpsc::Sender<M>,
    ) -> Result<Option<Items>, NestedError> {
        let child = self.nested.table.as_deref().and_then(|t| Catalog::get().table(t));
        let base = self.request(list)?;
        let (mark, mut kept) = (self.completed.room.mark(), Items::default());
        let mut cursor = last_id(list.items.iter().copied());
        let until = count_through(list.items.iter().copied(), cursor.as_deref());
        list.items[..until].iter().for_each(|item| kept.push(item));
        let (mut restarts, mut sending) = (0, false);
        loop {
            let page = match self.page(&base, cursor.as_deref()).await {
                Ok(page) => page,
                Err(error)
                    if error.is_cursor_missing() && cursor.is_some() && restarts < MAX_RESTARTS =>
                {
                    // What was kept may include items that are gone.
                    restarts += 1;
                    self.completed.requests += error.requests;
                    cursor = None;
                    kept.clear();
                    continue;
                }
                Err(error) if error.is_resource_missing() => {
                    self.check_parent_is_gone(error).await?;
                    return Ok(None);
                }
                Err(source) => return Err(self.refused(source)),
            };
            self.completed.requests += page.requests;
            let last = last_id(page.items());
            if page.has_more && (last.is_none() || last == cursor) {
                return Err(self.broken("has more items but no new cursor", Some(&page)));
            }
            // What follows the new cursor comes again with the next page.
            let until = match page.has_more {
                true => count_through(page.items(), last.as_deref()),
                false => page.items().len(),
            };
            let more: usize = page.items().take(until).map(|item| item.len() + 1).sum();
            if !sending {
                self.completed.room.grow(more).await;
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
                        _room: self.completed.room.split_off(mark),
                    };
                    chunks.send(chunk.into()).await.map_err(|_| NestedError::WriterClosed)?;
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
                let (parent, stamp) = (self.parent.to_owned(), self.stamp);
                self.completed.sent_lists.push(CompleteList { table, parent, stamp });
                Ok(None)
            }
            None => Ok(Some(kept)),
        }
    }

    /// Stripe says that the list does not exist. Either its parent is gone as well, or the answer is an
    /// error.
    async fn check_parent_is_gone(&mut self, error: StripeError) -> Result<(), NestedError> {
        // A 404 can be wrong for a moment.
        tokio::time::sleep(REPLICA_LAG).await;
        let gone = match retrieve(self.client, self.table, self.parent).await {
            Ok(parent) => get(&parent.body, "deleted") == Some("true"),
            Err(error) => error.is_missing(),
        };
        self.completed.gone = gone;
        if gone { Ok(()) } else { Err(self.refused(error)) }
    }

    /// The list's own address if Stripe sent a usable one, otherwise the catalog's.
    fn request(&self, list: &ParsedList<'_>) -> Result<Request, NestedError> {
        let endpoint = self.nested.list_path.clone();
        // An address that does not name this parent would return another object's items.
        let own = list.url.as_deref().and_then(ApiPath::from_response);
        let own = own.filter(|(path, query)| {
            path.has_segment(self.parent) || query.iter().any(|(_, value)| value == self.parent)
        });
        let (path, query) = match own {
            Some((path, query)) => {
                let keep = |(name, _): &(String, String)| {
                    !matches!(name.as_str(), "limit" | "starting_after" | "ending_before")
                };
                (path, query.into_iter().filter(keep).collect())
            }
            None => {
                let path = match endpoint.contains('{') {
                    true => ApiPath::with_segment(&endpoint, self.parent).map_err(|_| {
                        self.broken("cannot be requested: its id cannot be part of a path", None)
                    })?,
                    false => ApiPath::list(&endpoint),
                };
                let value = |v: &String| v.replace("{parent}", self.parent);
                (path, self.nested.params.iter().map(|(n, v)| (n.clone(), value(v))).collect())
            }
        };
        Ok(Request { path, endpoint, query })
    }

    async fn page(&self, base: &Request, cursor: Option<&str>) -> Result<Page, StripeError> {
        let mut request = base.clone().with("limit", "100");
        if let Some(cursor) = cursor {
            request = request.with("starting_after", cursor);
        }
        self.client.list(&request).await
    }

    fn refused(&self, source: StripeError) -> NestedError {
        let path = self.nested.path.clone();
        NestedError::Stripe { path, object: &self.table.object, source }
    }

    fn broken(&self, what: &'static str, page: Option<&Page>) -> NestedError {
        NestedError::Broken {
            path: self.nested.path.clone(),
            object: &self.table.object,
            id: self.parent.to_owned(),
            what,
            request_id: page.and_then(|page| page.request_id.clone()),
            requests: self.completed.requests,
        }
    }
}

/// The id of the last item that has one.
fn last_id<'i>(items: impl DoubleEndedIterator<Item = &'i str>) -> Option<String> {
    items.rev().find_map(id_of).map(|id| id.into_owned())
}

/// The number of items up to and including the last one with this id; 0 without an id.
fn count_through<'i>(
    mut items: impl DoubleEndedIterator<Item = &'i str> + ExactSizeIterator,
    id: Option<&str>,
) -> usize {
    let position = |id| items.rposition(|item| id_of(item).as_deref() == Some(id));
    id.and_then(position).map_or(0, |position| position + 1)
}
