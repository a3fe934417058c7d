//! A page, or a part of one, on its way from the reading half of a worker to the writing half.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::outcome::FetchOutcome;
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

/// Hands a piece to the writing half.
pub(super) async fn send(
    pieces: &mpsc::Sender<SlicePiece>,
    piece: PagePiece,
) -> Result<(), FetchOutcome> {
    pieces.send(SlicePiece::Page(piece)).await.map_err(|_| FetchOutcome::Closed)
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
    /// The objects of the page are parents.
    is_of_parents: bool,
    list_memory: Vec<ListMemory>,
    _memory: Arc<MemoryPermit>,
}

/// One object of a piece.
pub(super) struct PieceObject {
    pub(super) object: PageObject,
    /// The object with complete nested lists, if they were cut off.
    completed: Option<String>,
    /// Whether it was deleted while its lists were read, so that the page shows an outdated state.
    pub(super) gone: bool,
    /// A nested list of it could not be read to its end.
    pub(super) problem: Option<ListProblem>,
    /// Its own list, if it is a parent whose objects are stored instead of it.
    of_parent: Option<ParentObjects>,
}

/// The objects in the list of one parent.
#[derive(Debug, Default)]
pub(super) struct ParentObjects {
    /// The list was requested.
    pub(super) is_read: bool,
    pub(super) pages: Vec<(Page, Vec<PageObject>)>,
    pub(super) problem: Option<ListProblem>,
    pub(super) requests: u32,
    /// How often the list was read again from its start.
    pub(super) restarts: u32,
    pub(super) memory: ListMemory,
}

/// An object to store.
pub(super) struct StoredObject<'p> {
    pub(super) object: &'p PageObject,
    /// As it was listed, with whole nested lists.
    pub(super) listed: Object<'p>,
    /// It was deleted while its lists were read.
    pub(super) gone: bool,
    pub(super) problem: Option<&'p ListProblem>,
    /// The page that showed it.
    pub(super) page: &'p Page,
}

/// The list of a parent.
pub(super) struct ReadParent<'p> {
    pub(super) id: &'p str,
    /// Why it could not be read to its end.
    pub(super) problem: Option<&'p ListProblem>,
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
            is_of_parents: false,
            list_memory: Vec::new(),
            _memory: Arc::clone(memory),
        }
    }

    /// A piece of a page of parents.
    pub(super) fn of_parents(
        page: &Arc<Page>,
        requested: Bounds,
        first: usize,
        memory: &Arc<MemoryPermit>,
    ) -> PagePiece {
        PagePiece { is_of_parents: true, ..PagePiece::new(page, requested, first, memory) }
    }

    /// The objects to store.
    pub(super) fn stored(&self) -> impl Iterator<Item = StoredObject<'_>> {
        let sent = self.page.objects().skip(self.first);
        let own = self.objects.iter().zip(sent).filter(|_| !self.is_of_parents);
        let own = own.map(|(known, sent)| StoredObject {
            object: &known.object,
            listed: known.completed.as_deref().map_or(sent, Object::from),
            gone: known.gone,
            problem: known.problem.as_ref(),
            page: &self.page,
        });
        let of_parents = self.parent_lists().flat_map(|(_, list)| &list.pages);
        own.chain(of_parents.flat_map(|(page, objects)| {
            objects.iter().zip(page.objects()).map(move |(object, listed)| StoredObject {
                object,
                listed,
                gone: false,
                problem: None,
                page,
            })
        }))
    }

    /// The lists of parents that were read.
    pub(super) fn read_parents(&self) -> impl Iterator<Item = ReadParent<'_>> {
        let read = self.parent_lists().filter(|(_, list)| list.is_read);
        read.map(|(parent, list)| ReadParent { id: parent.id(), problem: list.problem.as_ref() })
    }

    fn parent_lists(&self) -> impl Iterator<Item = (&PageObject, &ParentObjects)> {
        self.objects.iter().filter_map(|known| Some((&known.object, known.of_parent.as_ref()?)))
    }

    /// Id and `created` of each row that counts as read once this piece is durable. The objects of
    /// parents always count, each with the time of its parent: those that are read again are
    /// recognized by their ids.
    pub(super) fn counted(&self) -> impl Iterator<Item = (&str, Option<i64>)> {
        let of_parents = self.parent_lists().flat_map(|(parent, list)| {
            let objects = list.pages.iter().flat_map(|(_, objects)| objects);
            objects.map(|object| (object.id(), parent.created()))
        });
        self.counted_of_page().filter(|_| !self.is_of_parents).chain(of_parents)
    }

    fn counted_of_page(&self) -> impl Iterator<Item = (&str, Option<i64>)> {
        let others = self.objects.iter().map(|o| &o.object);
        let others = others.filter(|o| o.cursor_row().is_none()).map(|o| (o.id(), o.created()));
        self.cursor_rows().map(|row| (row.id.as_str(), row.created)).chain(others)
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
        let of_parent = None;
        self.objects.push(PieceObject { object, completed: json, gone, problem, of_parent });
    }

    /// Adds a parent with the objects of its list.
    pub(super) fn add_parent(&mut self, object: PageObject, mut list: ParentObjects) {
        let bytes: usize = list.pages.iter().map(|(page, _)| page.bytes()).sum();
        self.bytes += bytes;
        self.completed_bytes += bytes;
        self.requests += i64::from(list.requests);
        self.list_memory.push(std::mem::take(&mut list.memory));
        self.objects.push(PieceObject {
            object,
            completed: None,
            gone: false,
            problem: None,
            of_parent: Some(list),
        });
    }

    /// Whether the piece should be handed over, because it is large or holds memory that others
    /// wait for.
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
        PagePiece { carried, is_of_parents: self.is_of_parents, ..next }
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
