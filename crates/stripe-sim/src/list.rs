//! One page of a list: newest first, after or before a cursor, inside a range of creation times, through filters.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::account::overlay::{INSERTED_TIE, Place};
use crate::collection::{CollectionId, Key, Source};
use crate::filter::Filter;
use crate::seed::{mix, mix2};
use crate::view::View;

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cursor {
    None,
    After(Key),
    Before(Key),
}

/// What a page is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) source: Source,
    /// The index of the parent of a child list.
    pub(crate) parent: u64,
    /// Bounds of `created`, both inclusive.
    pub(crate) created: (i64, i64),
    pub(crate) filters: Vec<Filter>,
    pub(crate) cursor: Cursor,
    pub(crate) limit: usize,
    /// Stirs the order within one second; `None` leaves it as it is.
    pub(crate) stir: Option<u64>,
}

impl Ask {
    /// Everything of a source.
    pub(crate) fn whole(source: Source, parent: u64) -> Self {
        Self {
            source,
            parent,
            created: (i64::MIN, i64::MAX),
            filters: Vec::new(),
            cursor: Cursor::None,
            limit: 100,
            stir: None,
        }
    }

    fn collection(&self) -> CollectionId {
        match &self.source {
            Source::Rooted(kind) | Source::Referring { kind, .. } => *kind,
            Source::Children { collection, .. } => *collection,
        }
    }

    fn is_child(&self) -> bool {
        matches!(self.source, Source::Children { .. })
    }
}

/// A page's objects in the order of the answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) keys: Vec<Key>,
    pub(crate) has_more: bool,
}

/// Reads one page.
pub(crate) fn page(view: &View<'_>, ask: &Ask) -> Page {
    let series = Series::new(view, ask);
    let nothing = BTreeMap::new();
    let parent = if ask.is_child() { ask.parent } else { 0 };
    let added = view.overlay.list(series.collection, parent).unwrap_or(&nothing);
    let falling = !matches!(ask.cursor, Cursor::Before(_));
    let mut base = series.range(ask);
    let edge = match ask.cursor {
        Cursor::None => None,
        Cursor::After(key) | Cursor::Before(key) => Some(series.place(key)),
    };
    match (edge, falling) {
        (Some(edge), true) => base.end = base.end.min(series.before(edge)).max(base.start),
        (Some(edge), false) => base.start = base.start.max(series.after(edge)).min(base.end),
        (None, _) => {}
    }
    let mut inserted: Box<dyn Iterator<Item = (Place, Key)>> = match (edge, falling) {
        (None, _) => Box::new(added.iter().rev().map(|(p, k)| (*p, *k))),
        (Some(edge), true) => Box::new(added.range(..edge).rev().map(|(p, k)| (*p, *k))),
        (Some(edge), false) => {
            Box::new(added.iter().filter(move |(p, _)| **p > edge).map(|(p, k)| (*p, *k)))
        }
    };
    let mut ranks: Box<dyn Iterator<Item = u64>> =
        if falling { Box::new(base.rev()) } else { Box::new(base) };
    let mut next_base = ranks.next().map(|rank| series.at(rank));
    let mut next_added = inserted.next();
    let mut keys = Vec::with_capacity(ask.limit.min(101) + 1);
    while keys.len() <= ask.limit {
        let take_base = match (&next_base, &next_added) {
            (None, None) => break,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some((a, _)), Some((b, _))) => (a > b) == falling,
        };
        let source = if take_base { &mut next_base } else { &mut next_added };
        let Some((place, key)) = source.take() else { break };
        if take_base {
            next_base = ranks.next().map(|rank| series.at(rank));
        } else {
            next_added = inserted.next();
        }
        if shows(view, ask, place, key) {
            keys.push(key);
        }
    }
    let has_more = keys.len() > ask.limit;
    keys.truncate(ask.limit);
    if !falling {
        keys.reverse();
    }
    Page { keys, has_more }
}

fn shows(view: &View<'_>, ask: &Ask, place: Place, key: Key) -> bool {
    (ask.created.0..=ask.created.1).contains(&place.created)
        && !view.overlay.is_deleted(key)
        && ask.filters.iter().all(|filter| filter.accepts(view, key))
}

/// The computed objects of a source as positions that rise with time.
struct Series<'v> {
    view: &'v View<'v>,
    collection: CollectionId,
    child_of: Option<u64>,
    count: u64,
    stir: Option<u64>,
}

impl<'v> Series<'v> {
    fn new(view: &'v View<'v>, ask: &Ask) -> Self {
        let collection = ask.collection();
        let child_of = ask.is_child().then_some(ask.parent);
        let count = match child_of {
            Some(parent) => view.child_count(collection, parent),
            None => view.account.relations.count(collection),
        };
        Self { view, collection, child_of, count, stir: ask.stir.filter(|_| child_of.is_none()) }
    }

    fn key(&self, index: u64) -> Key {
        match self.child_of {
            Some(parent) => Key { collection: self.collection, index: parent, sub: index as u32 },
            None => Key { collection: self.collection, index, sub: 0 },
        }
    }

    fn created(&self, index: u64) -> i64 {
        self.view.place(self.key(index)).created
    }

    fn first_at_or_after(&self, second: i64) -> u64 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let mid = low + (high - low) / 2;
            if self.created(mid) < second { low = mid + 1 } else { high = mid }
        }
        low
    }

    /// The positions that the range of times and the references leave over.
    fn range(&self, ask: &Ask) -> Range<u64> {
        let mut range = 0..self.count;
        if ask.created.0 > i64::MIN {
            range.start = self.first_at_or_after(ask.created.0);
        }
        if ask.created.1 < i64::MAX {
            range.end = self.first_at_or_after(ask.created.1 + 1);
        }
        if self.child_of.is_none() && self.stir.is_none() && self.view.overlay.patches.is_empty() {
            for filter in &ask.filters {
                if let Some(narrow) = filter.range(self.view, self.collection) {
                    range = range.start.max(narrow.start)..range.end.min(narrow.end);
                }
            }
        }
        if range.is_empty() { 0..0 } else { range }
    }

    /// The end of the positions older than a place.
    fn before(&self, edge: Place) -> u64 {
        if edge.tie >= INSERTED_TIE {
            self.first_at_or_after(edge.created.saturating_add(1))
        } else {
            edge.tie
        }
    }

    /// The first of the positions newer than a place.
    fn after(&self, edge: Place) -> u64 {
        if edge.tie >= INSERTED_TIE {
            self.first_at_or_after(edge.created.saturating_add(1))
        } else {
            edge.tie + 1
        }
    }

    fn at(&self, rank: u64) -> (Place, Key) {
        let key = self.key(self.stirred(rank, false));
        (Place { tie: rank, ..self.view.place(key) }, key)
    }

    fn place(&self, key: Key) -> Place {
        let place = self.view.place(key);
        if place.tie >= INSERTED_TIE {
            return place;
        }
        Place { tie: self.stirred(place.tie, true), ..place }
    }

    /// Permutes the positions of one second: position to index, or back.
    fn stirred(&self, position: u64, back: bool) -> u64 {
        let Some(stir) = self.stir else { return position };
        let second = self.created(position);
        let start = self.first_at_or_after(second);
        let size = self.first_at_or_after(second + 1) - start;
        let shift = mix2(stir, mix(second as u64)) % size;
        let turned = if back {
            (position - start + size - shift) % size
        } else {
            (position - start + shift) % size
        };
        start
            + if mix2(stir, 1).is_multiple_of(2) {
                turned
            } else {
                turned_back(position - start, shift, size)
            }
    }
}

/// A reflection: its own inverse.
fn turned_back(offset: u64, shift: u64, size: u64) -> u64 {
    (shift + size - offset) % size
}
