//! Reads the nested lists of a page to their ends and hands it over, in several pieces if the lists
//! are long, so that a page of long lists is never in memory whole.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use tokio::sync::{mpsc, watch};

use super::fetch::{ArrivedPage, FetchOutcome, created_of, sorted_by};
use super::worker::Reader;
use crate::memory::{Held, Room};
use crate::object::nested::{self, Completed, NestedError};
use crate::postgres::ChildList;
use crate::row::{get, name_of, string};
use crate::slice::{Bounds, CursorRow, before_last_second};
use crate::stripe::Page;

/// Objects of a page whose lists are read at once.
const AT_ONCE: usize = 8;
/// A piece whose completed objects are larger than this is handed over without waiting for more.
const PIECE: usize = 4 << 20;

/// A page, or a piece of one, with its nested lists read to the end.
pub(super) struct PagePiece {
    pub(super) page: Arc<Page>,
    pub(super) asked: Bounds,
    /// Where the page's objects begin that these are.
    from: usize,
    pub(super) objects: Vec<PageObject>,
    /// The rows that a reading can go on from once this piece is durable: never from the middle of a
    /// second whose rest is in the next piece, for their order may be another one then.
    pub(super) passed: Vec<CursorRow>,
    /// Rows of this page's earlier pieces that wait for the rest of their second.
    carried: Vec<(CursorRow, Option<i64>)>,
    pub(super) streamed: Vec<ChildList>,
    /// HTTP requests it took, nested lists included.
    pub(super) requests: i64,
    pub(super) quarantined: u64,
    pub(super) bytes: usize,
    /// Nothing of the page follows.
    pub(super) ends_page: bool,
    rooms: Vec<Room>,
    _memory: Arc<Held>,
}

/// What is known of one object of a page.
pub(super) struct PageObject {
    pub(super) id: String,
    /// It has an id of its own. Without one the server will refuse it, and `id` is the quarantine's
    /// name for it.
    pub(super) named: bool,
    pub(super) created: Option<i64>,
    /// What its list may be sorted by.
    sorted_by: Option<i64>,
    /// The object with whole nested lists, if they came cut off.
    completed: Option<String>,
    pub(super) deleted: bool,
    /// It was deleted while its lists were read: the page shows a state that is over.
    pub(super) gone: bool,
}

impl PageObject {
    fn can_be_cursor(&self) -> bool {
        self.named && !self.id.is_empty()
    }
}

impl PagePiece {
    /// The objects as they are to be stored.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&PageObject, &str)> {
        let whole = |(object, sent): (_, _)| {
            let object: &PageObject = object;
            (object, object.completed.as_deref().unwrap_or(sent))
        };
        self.objects.iter().zip(self.page.items().skip(self.from)).map(whole)
    }

    /// When the rows were created that are dealt with once this piece is durable.
    pub(super) fn counted(&self) -> impl Iterator<Item = Option<i64>> {
        let others = self.objects.iter().filter(|o| !o.can_be_cursor()).map(|o| o.created);
        self.passed.iter().map(|row| row.created).chain(others)
    }

    /// Settles what has been passed with this piece, and returns what the next one has to carry.
    fn end(&mut self, ends_page: bool) -> Vec<(CursorRow, Option<i64>)> {
        self.ends_page = ends_page;
        let mut rows = std::mem::take(&mut self.carried);
        rows.extend(self.objects.iter().filter(|o| o.can_be_cursor()).map(|o| {
            let row = CursorRow { id: o.id.clone(), created: o.created };
            (row, o.sorted_by)
        }));
        let whole = match ends_page {
            true => rows.len(),
            false => before_last_second(rows.iter().map(|(_, time)| *time)),
        };
        let rest = rows.split_off(whole);
        self.passed = rows.into_iter().map(|(row, _)| row).collect();
        rest
    }

    /// Whether the list ends with this piece.
    pub(super) fn ends_list(&self) -> bool {
        self.ends_page && !self.page.has_more
    }

    fn piece(page: &Arc<Page>, asked: Bounds, from: usize, memory: &Arc<Held>) -> PagePiece {
        PagePiece {
            page: Arc::clone(page),
            asked,
            from,
            objects: Vec::new(),
            passed: Vec::new(),
            carried: Vec::new(),
            streamed: Vec::new(),
            requests: if from == 0 { i64::from(page.requests) } else { 0 },
            quarantined: 0,
            bytes: 0,
            ends_page: false,
            rooms: Vec::new(),
            _memory: Arc::clone(memory),
        }
    }

    fn add(&mut self, mut object: PageObject, sent: &str, completed: Completed) {
        self.bytes += completed.json.as_ref().map_or(sent.len(), String::len);
        self.requests += i64::from(completed.requests);
        self.quarantined += completed.quarantined;
        self.streamed.extend(completed.streamed);
        self.rooms.push(completed.room);
        object.completed = completed.json;
        object.gone = completed.gone;
        object.deleted |= completed.gone;
        self.objects.push(object);
    }

    /// Whether it is better handed over now: it is large, or others wait for the room it holds.
    fn is_full(&self) -> bool {
        let completed = |o: &PageObject| o.completed.as_ref().map_or(0, String::len);
        self.rooms.last().is_some_and(Room::is_beyond)
            || self.objects.iter().map(completed).sum::<usize>() >= PIECE
    }
}

/// Completes a page and gives it to the committer.
pub(super) async fn prepare(
    reader: &Reader<'_>,
    arrived: ArrivedPage,
    pages: &mpsc::Sender<PagePiece>,
) -> Result<(), FetchOutcome> {
    let ArrivedPage { page, asked, memory } = arrived;
    let (page, memory) = (Arc::new(page), Arc::new(memory));
    let (head, turn) = watch::channel(0);
    let last = page.items().len().checked_sub(1);
    let (link, table) = (reader.link, reader.table);
    let mut readings = Vec::new();
    for (place, item) in page.items().enumerate() {
        let room = reader.memory.room(turn.clone(), place);
        let object = object(reader, item, asked);
        let sent = page.sent;
        readings.push(async move {
            let done = match table.nested.is_empty() || !object.named {
                true => Completed::default(),
                false => nested::complete(link, table, &object.id, item, sent, room).await?,
            };
            Ok::<_, NestedError>((object, item, done))
        });
    }
    // In their order: a piece covers the objects up to a place, and only the first unfinished one
    // may go beyond the budget.
    let mut done = stream::iter(readings).buffered(AT_ONCE);
    let mut piece = PagePiece::piece(&page, asked, 0, &memory);
    let mut place = 0;
    while let Some(read) = done.next().await {
        let (object, item, completed) = read.map_err(|error| FetchOutcome::Failed(error.into()))?;
        piece.add(object, item, completed);
        place += 1;
        if piece.is_full() && Some(place - 1) != last {
            let carried = piece.end(false);
            let next = PagePiece { carried, ..PagePiece::piece(&page, asked, place, &memory) };
            let full = std::mem::replace(&mut piece, next);
            pages.send(full).await.map_err(|_| FetchOutcome::Closed)?;
        }
        // The readings that listen are there as long as the page is.
        head.send_replace(place);
    }
    piece.end(true);
    pages.send(piece).await.map_err(|_| FetchOutcome::Closed)
}

fn object(reader: &Reader<'_>, item: &str, asked: Bounds) -> PageObject {
    let named = get(item, "id").and_then(string).is_some();
    PageObject {
        id: name_of(item).into_owned(),
        named,
        created: created_of(item, reader.list.created.as_deref(), asked),
        sorted_by: sorted_by(item, reader.list),
        completed: None,
        gone: false,
        deleted: named && get(item, "deleted") == Some("true"),
    }
}
