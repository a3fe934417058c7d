//! A page, or a part of one, on its way from the reading half of a worker to the writing half.

use std::sync::Arc;

use super::page::{PageCoverage, PageObject};
use crate::memory::{ListMemory, MemoryPermit};
use crate::object::nested::{CompletedObject, ItemChunk, ListProblem};
use crate::postgres::CompleteList;
use crate::row::Object;
use crate::slice::{Bounds, CursorRow, before_last_second};
use crate::stripe::Page;

/// A piece whose completed objects are larger than this is handed over immediately.
const FULL_PIECE: usize = 4 << 20;

/// What the reading half hands to the writing half.
pub(super) enum SlicePiece {
    /// Items of a long nested list. They are written before the page of their parent.
    Items(ItemChunk),
    Page(PagePiece),
}

impl From<ItemChunk> for SlicePiece {
    fn from(chunk: ItemChunk) -> SlicePiece {
        SlicePiece::Items(chunk)
    }
}

/// A page, or a part of one, with its nested lists read to the end.
pub(super) struct PagePiece {
    pub(super) page: Arc<Page>,
    pub(super) requested: Bounds,
    /// Index in the page of the first object.
    first: usize,
    pub(super) objects: Vec<PieceObject>,
    /// Rows of earlier pieces of this page whose second is not complete yet, each with its sort
    /// time.
    carried: Vec<(CursorRow, Option<i64>)>,
    /// All rows of the second that ends with this piece. They replace the carried rows and its own.
    whole_second: Option<Vec<CursorRow>>,
    /// How many of the carried rows and this piece's rows can be cursors once this piece is
    /// durable. Excludes rows of a second that continues in the next piece: the order within a
    /// second can change.
    complete_rows: usize,
    pub(super) sent_lists: Vec<CompleteList>,
    /// HTTP requests for it, nested lists included.
    pub(super) requests: i64,
    pub(super) bytes: usize,
    /// Bytes of the objects that are held in addition to the page.
    completed_bytes: usize,
    /// Whether this is the last piece of the page.
    pub(super) ends_page: bool,
    list_memory: Vec<ListMemory>,
    _memory: Arc<MemoryPermit>,
}

/// One object of a piece.
pub(super) struct PieceObject {
    pub(super) object: PageObject,
    /// The object with complete nested lists, if they were cut off.
    completed: Option<String>,
    /// It was deleted while its lists were read: the page shows an outdated state.
    pub(super) gone: bool,
    /// A nested list of it could not be read to its end.
    pub(super) problem: Option<ListProblem>,
}

impl PagePiece {
    pub(super) fn new(
        page: &Arc<Page>,
        requested: Bounds,
        first: usize,
        memory: &Arc<MemoryPermit>,
    ) -> PagePiece {
        PagePiece {
            page: Arc::clone(page),
            requested,
            first,
            objects: Vec::new(),
            carried: Vec::new(),
            whole_second: None,
            complete_rows: 0,
            sent_lists: Vec::new(),
            requests: if first == 0 { i64::from(page.requests) } else { 0 },
            bytes: 0,
            completed_bytes: 0,
            ends_page: false,
            list_memory: Vec::new(),
            _memory: Arc::clone(memory),
        }
    }

    /// The objects to be stored.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&PieceObject, Object<'_>)> {
        let sent = self.page.objects().skip(self.first);
        self.objects.iter().zip(sent).map(|(object, sent)| {
            let stored = object.completed.as_deref().map_or(sent, Object::from);
            (object, stored)
        })
    }

    /// `created` of each row that counts as read once this piece is durable.
    pub(super) fn counted(&self) -> impl Iterator<Item = Option<i64>> {
        let others = self.objects.iter().map(|o| &o.object);
        let others = others.filter(|o| o.cursor_row().is_none()).map(PageObject::created);
        self.cursor_rows().map(|row| row.created).chain(others)
    }

    /// The rows that can be cursors once this piece is durable.
    pub(super) fn cursor_rows(&self) -> impl Iterator<Item = &CursorRow> {
        self.rows().take(self.complete_rows).map(|(row, _)| row)
    }

    pub(super) fn add(&mut self, mut object: PageObject, sent: &str, completed: CompletedObject) {
        let CompletedObject { json, sent_lists, requests, gone, problem, memory } = completed;
        self.bytes += json.as_ref().map_or(sent.len(), String::len);
        self.completed_bytes += json.as_ref().map_or(0, String::len);
        self.requests += i64::from(requests);
        self.sent_lists.extend(sent_lists);
        self.list_memory.push(memory);
        object.deleted |= gone;
        self.objects.push(PieceObject { object, completed: json, gone, problem });
    }

    /// Whether it should be handed over: it is large, or others wait for the memory that it holds.
    pub(super) fn is_full(&self) -> bool {
        self.list_memory.last().is_some_and(ListMemory::exceeds_budget)
            || self.completed_bytes >= FULL_PIECE
    }

    /// Ends the last piece of a page.
    pub(super) fn end_page(&mut self, coverage: PageCoverage) {
        self.ends_page = true;
        let is_unproven = matches!(coverage, PageCoverage::Unproven);
        if let PageCoverage::WholeSecond(rows) = coverage {
            self.whole_second = Some(rows);
        }
        self.complete_rows = if is_unproven { 0 } else { self.rows().count() };
    }

    /// Ends this piece before the end of its page. Returns the next piece, which starts at `index`.
    pub(super) fn split(&mut self, index: usize) -> PagePiece {
        let times: Vec<Option<i64>> = self.rows().map(|(_, time)| time).collect();
        self.complete_rows = before_last_second(times.into_iter());
        let waiting = self.rows().skip(self.complete_rows);
        let carried = waiting.map(|(row, time)| (row.clone(), time)).collect();
        let next = PagePiece::new(&self.page, self.requested, index, &self._memory);
        PagePiece { carried, ..next }
    }

    /// The carried rows and the rows of this piece, each with its sort time.
    fn rows(&self) -> impl Iterator<Item = (&CursorRow, Option<i64>)> {
        let own = self.objects.iter().map(|o| &o.object);
        let own = own.filter_map(|o| Some((o.cursor_row()?, o.sort_time)));
        let whole = self.whole_second.iter().flatten().map(|row| (row, row.created));
        let carried = self.carried.iter().map(|(row, time)| (row, *time));
        let is_whole = self.whole_second.is_some();
        whole.chain(carried.chain(own).filter(move |_| !is_whole))
    }

    /// Whether the list ends with this piece.
    pub(super) fn ends_list(&self) -> bool {
        self.ends_page && !self.page.has_more
    }
}
