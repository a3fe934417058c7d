//! Pages of lists: newest first, after or before a cursor, limited by creation times and filters.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::account::changes::{FIRST_INSERTED_TIE, SortKey};
use crate::collection::{CollectionId, Key, Source};
use crate::filter::Filter;
use crate::seed::{mix, mix2};
use crate::view::View;

/// The object after or before which a page starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    None,
    After(Key),
    Before(Key),
}

/// The query for a page.
#[derive(Clone, Debug)]
pub(crate) struct ListQuery {
    pub(crate) source: Source,
    /// The index of the parent of a child list.
    pub(crate) parent: u64,
    /// The bounds of `created`, both inclusive.
    pub(crate) created: (i64, i64),
    pub(crate) filters: Vec<Filter>,
    pub(crate) cursor: Cursor,
    pub(crate) limit: usize,
    /// Seed by which the objects of the same second are reordered; `None` keeps their order.
    pub(crate) shuffle: Option<u64>,
    /// A cursor passes over all objects of its second. Only lists of top-level objects.
    pub(crate) cursor_skips_second: bool,
}

impl ListQuery {
    /// The query for all objects of a source.
    pub(crate) fn all(source: Source, parent: u64) -> Self {
        Self {
            source,
            parent,
            created: (i64::MIN, i64::MAX),
            filters: Vec::new(),
            cursor: Cursor::None,
            limit: 100,
            shuffle: None,
            cursor_skips_second: false,
        }
    }

    fn collection(&self) -> CollectionId {
        match &self.source {
            Source::TopLevel(kind) | Source::Referring { kind, .. } => *kind,
            Source::Children { collection, .. } => *collection,
        }
    }

    fn is_child(&self) -> bool {
        matches!(self.source, Source::Children { .. })
    }
}

/// The objects of a page in the order of the response.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<Key>,
    pub(crate) has_more: bool,
}

/// Reads a page: merges the computed and the inserted objects of the list in order.
pub(crate) fn read_page(view: &View<'_>, query: &ListQuery) -> Page {
    let computed = ComputedObjects::new(view, query);
    let empty = BTreeMap::new();
    let parent = if query.is_child() { query.parent } else { 0 };
    let inserted = view.changes.list(computed.collection, parent).unwrap_or(&empty);
    let descending = !matches!(query.cursor, Cursor::Before(_));
    let mut range = computed.range(query);
    let cursor = match query.cursor {
        Cursor::None => None,
        Cursor::After(key) | Cursor::Before(key) => Some(computed.sort_key(key)),
    };
    let skips_second = query.cursor_skips_second && !query.is_child();
    let cursor = cursor.map(|cursor| match (skips_second, descending) {
        (true, true) => SortKey { tie: 0, ..cursor },
        (true, false) => SortKey { tie: u64::MAX, ..cursor },
        (false, _) => cursor,
    });
    match (cursor, descending) {
        (Some(cursor), true) => {
            let end = match skips_second {
                true => computed.first_at_or_after(cursor.created),
                false => computed.older_end(cursor),
            };
            range.end = range.end.min(end).max(range.start);
        }
        (Some(cursor), false) => {
            range.start = range.start.max(computed.newer_start(cursor)).min(range.end);
        }
        (None, _) => {}
    }
    let mut inserted: Box<dyn Iterator<Item = (SortKey, Key)>> = match (cursor, descending) {
        (None, _) => Box::new(inserted.iter().rev().map(|(s, k)| (*s, *k))),
        (Some(cursor), true) => Box::new(inserted.range(..cursor).rev().map(|(s, k)| (*s, *k))),
        (Some(cursor), false) => {
            Box::new(inserted.iter().filter(move |(s, _)| **s > cursor).map(|(s, k)| (*s, *k)))
        }
    };
    let mut positions: Box<dyn Iterator<Item = u64>> =
        if descending { Box::new(range.rev()) } else { Box::new(range) };
    let mut next_computed = positions.next().map(|position| computed.at(position));
    let mut next_inserted = inserted.next();
    let mut keys = Vec::with_capacity(query.limit.min(101) + 1);
    while keys.len() <= query.limit {
        let take_computed = match (&next_computed, &next_inserted) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((a, _)), Some((b, _))) => (a > b) == descending,
        };
        let source = if take_computed { &mut next_computed } else { &mut next_inserted };
        let Some((sort_key, key)) = source.take() else { break };
        if take_computed {
            next_computed = positions.next().map(|position| computed.at(position));
        } else {
            next_inserted = inserted.next();
        }
        if is_listed(view, query, sort_key, key) {
            keys.push(key);
        }
    }
    let has_more = keys.len() > query.limit;
    keys.truncate(query.limit);
    if !descending {
        keys.reverse();
    }
    Page { keys, has_more }
}

fn is_listed(view: &View<'_>, query: &ListQuery, sort_key: SortKey, key: Key) -> bool {
    (query.created.0..=query.created.1).contains(&sort_key.created)
        && !view.changes.is_deleted(key)
        && query.filters.iter().all(|filter| filter.accepts(view, key))
}

/// The computed objects of a list by position. Positions are in ascending order of creation time.
struct ComputedObjects<'v> {
    view: &'v View<'v>,
    collection: CollectionId,
    /// The index of the parent of a child list.
    child_of: Option<u64>,
    count: u64,
    shuffle: Option<u64>,
}

impl<'v> ComputedObjects<'v> {
    fn new(view: &'v View<'v>, query: &ListQuery) -> Self {
        let collection = query.collection();
        let child_of = query.is_child().then_some(query.parent);
        let count = match child_of {
            Some(parent) => view.child_count(collection, parent),
            None => view.account.relations.count(collection),
        };
        Self {
            view,
            collection,
            child_of,
            count,
            shuffle: query.shuffle.filter(|_| child_of.is_none()),
        }
    }

    fn key(&self, index: u64) -> Key {
        match self.child_of {
            Some(parent) => Key { collection: self.collection, index: parent, sub: index as u32 },
            None => Key { collection: self.collection, index, sub: 0 },
        }
    }

    fn created(&self, index: u64) -> i64 {
        self.view.sort_key(self.key(index)).created
    }

    fn first_at_or_after(&self, second: i64) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let mid = low + (high - low) / 2;
            if self.created(mid) < second { low = mid + 1 } else { high = mid }
        }
        low
    }

    /// The positions that the range of creation times and the references of the filters allow.
    fn range(&self, query: &ListQuery) -> Range<u64> {
        let mut range = 0..self.count;
        if query.created.0 > i64::MIN {
            range.start = self.first_at_or_after(query.created.0);
        }
        if query.created.1 < i64::MAX {
            range.end = self.first_at_or_after(query.created.1 + 1);
        }
        if self.child_of.is_none() && self.shuffle.is_none() && self.view.changes.patches.is_empty()
        {
            for filter in &query.filters {
                if let Some(narrow) = filter.range(self.view, self.collection) {
                    range = range.start.max(narrow.start)..range.end.min(narrow.end);
                }
            }
        }
        if range.is_empty() { 0..0 } else { range }
    }

    /// The end of the range of positions that are older than a sort key.
    fn older_end(&self, sort_key: SortKey) -> u64 {
        if sort_key.tie >= FIRST_INSERTED_TIE {
            self.first_at_or_after(sort_key.created.saturating_add(1))
        } else {
            sort_key.tie
        }
    }

    /// The start of the range of positions that are newer than a sort key.
    fn newer_start(&self, sort_key: SortKey) -> u64 {
        if sort_key.tie >= FIRST_INSERTED_TIE {
            self.first_at_or_after(sort_key.created.saturating_add(1))
        } else {
            sort_key.tie + 1
        }
    }

    fn at(&self, position: u64) -> (SortKey, Key) {
        let key = self.key(self.shuffled(position, false));
        (SortKey { tie: position, ..self.view.sort_key(key) }, key)
    }

    fn sort_key(&self, key: Key) -> SortKey {
        let sort_key = self.view.sort_key(key);
        if sort_key.tie >= FIRST_INSERTED_TIE {
            return sort_key;
        }
        SortKey { tie: self.shuffled(sort_key.tie, true), ..sort_key }
    }

    /// Permutes the positions of one second: from position to index, or back if `inverse` is set.
    fn shuffled(&self, position: u64, inverse: bool) -> u64 {
        let Some(shuffle) = self.shuffle else { return position };
        let second = self.created(position);
        let start = self.first_at_or_after(second);
        let size = self.first_at_or_after(second + 1) - start;
        let shift = mix2(shuffle, mix(second as u64)) % size;
        let rotated = if inverse {
            (position - start + size - shift) % size
        } else {
            (position - start + shift) % size
        };
        start
            + if mix2(shuffle, 1).is_multiple_of(2) {
                rotated
            } else {
                reflected(position - start, shift, size)
            }
    }
}

/// Reverses the offsets and rotates them. The function is its own inverse.
fn reflected(offset: u64, shift: u64, size: u64) -> u64 {
    (shift + size - offset) % size
}
