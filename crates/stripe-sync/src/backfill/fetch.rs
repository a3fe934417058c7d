//! Reads the pages of one slice, one page ahead of what has been committed.
//!
//! Knows where the list continues, not what is durable. It ends whenever that is in doubt, and the
//! worker starts again from the ledger.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::SliceContext;
use super::outcome::FetchOutcome;
use super::page::{ArrivedPage, PageObject};
use super::page_size::PageSize;
use super::piece::SlicePiece;
use super::prepare::prepare;
use super::request::{NO_IDS, NO_OBJECTS, page_request};
use crate::hash::fnv1a;
use crate::postgres::Position;
use crate::row::id_of;
use crate::slice::{Bounds, CursorRow, advance, complete_seconds};
use crate::stripe::{Page, Request, StripeError};

/// How often a page is requested that says `has_more` without rows, or holds objects of another type.
const BROKEN_PAGE_ATTEMPTS: u32 = 3;
/// How long a page in flight may still take after the request to stop.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Bounds as the writing half last saw them in the ledger.
pub(super) type SharedBounds = Mutex<Bounds>;

/// Reads from `position` on and hands pages to `pieces`.
pub(super) async fn fetch(
    context: &SliceContext<'_>,
    position: &Position,
    bounds: &SharedBounds,
    pieces: mpsc::Sender<SlicePiece>,
) -> FetchOutcome {
    let reader = PageReader {
        context,
        bounds,
        trail: position.trail.clone(),
        has_cursor: !position.trail.is_empty(),
        size: context.run.page_sizes.of(&context.table.name),
        recent: RecentIds::default(),
    };
    match reader.read(&pieces).await {
        Ok(()) => FetchOutcome::End,
        Err(ended) => ended,
    }
}

/// The hashes of the ids of the last two pages. A server that ignores the cursor sends them again and again.
#[derive(Default)]
struct RecentIds {
    pages: [HashSet<u64>; 2],
}

impl RecentIds {
    /// False if every row of the page was on one of the last two pages.
    fn add_page(&mut self, rows: &[&CursorRow]) -> bool {
        let ids: HashSet<u64> = rows.iter().map(|row| fnv1a(&row.id)).collect();
        let is_new = |id: &u64| !self.pages.iter().any(|page| page.contains(id));
        let brings_new = ids.iter().any(is_new);
        self.pages.swap(0, 1);
        self.pages[1] = ids;
        brings_new
    }
}

struct PageReader<'r> {
    context: &'r SliceContext<'r>,
    bounds: &'r SharedBounds,
    trail: Vec<CursorRow>,
    has_cursor: bool,
    size: PageSize,
    recent: RecentIds,
}

impl PageReader<'_> {
    async fn read(mut self, pieces: &mpsc::Sender<SlicePiece>) -> Result<(), FetchOutcome> {
        let mut arrived = self.next_page().await?;
        while arrived.page.has_more {
            self.advance(&arrived)?;
            // While this page's nested lists are read and it waits for the writing half, the next page
            // is requested.
            let context = self.context;
            let (handed, next) =
                tokio::join!(hand_over(context, arrived, pieces), self.next_page());
            handed?;
            arrived = next?;
        }
        hand_over(self.context, arrived, pieces).await
    }

    /// The page after the cursor.
    async fn next_page(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let mut attempts = 1;
        loop {
            let arrived = self.request_page().await?;
            if let Some(foreign) = arrived.objects.iter().find(|object| object.is_foreign) {
                if attempts == BROKEN_PAGE_ATTEMPTS {
                    let object = &self.context.table.object;
                    let what = format!("Stripe sent {}, which is not a {object}", foreign.id());
                    return Err(FetchOutcome::broken(what, &arrived.page));
                }
                attempts += 1;
                continue;
            }
            if !arrived.objects.is_empty() || !arrived.page.has_more {
                return Ok(arrived);
            }
            if attempts == BROKEN_PAGE_ATTEMPTS {
                return match self.is_end_confirmed(&arrived).await? {
                    true => Ok(arrived.into_last_page()),
                    false => Err(FetchOutcome::broken(NO_OBJECTS, &arrived.page)),
                };
            }
            attempts += 1;
        }
    }

    /// Whether an empty page that says `has_more` is the end of the list all the same: the list shows
    /// nothing that was created before the cursor's second, and that second has been read whole.
    async fn is_end_confirmed(&self, arrived: &ArrivedPage) -> Result<bool, FetchOutcome> {
        let SliceContext { table, list, part, .. } = *self.context;
        let created = self.trail.last().and_then(|row| row.created);
        let (Some(created), Some(_)) = (created, &list.created) else { return Ok(false) };
        let below = |to: i64| Bounds { from: arrived.requested.from, to: Some(to) };
        let cursor_second = Bounds { from: Some(created), to: Some(created + 1) };
        for (bounds, expected) in [(below(created), 0), (cursor_second, 1)] {
            let request = page_request(table, list, part, bounds, None);
            let page = self.deliver(&request).await.map_err(|e| FetchOutcome::Failed(e.into()))?.0;
            // Of the cursor's second the page has to show the cursor as its last row.
            let last = page.objects().rev().find_map(id_of);
            let is_cursor = |id: &str| self.trail.last().is_some_and(|row| row.id == id);
            let confirmed = match expected {
                0 => page.items().len() == 0,
                _ => !page.has_more && last.is_some_and(|id| is_cursor(&id)),
            };
            if !confirmed {
                return Ok(false);
            }
        }
        tracing::info!(table = table.name, "the list ends with an empty page that says has_more");
        Ok(true)
    }

    async fn request_page(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let SliceContext { run, table, list, part } = *self.context;
        if run.is_stopping() {
            return Err(FetchOutcome::Stopped);
        }
        let requested = self.held_bounds();
        // A cursor outside of its filter is refused.
        while self.trail.last().is_some_and(|row| !requested.hold(row.created)) {
            self.trail.pop();
        }
        if self.trail.is_empty() && self.has_cursor {
            return Err(FetchOutcome::BoundsMoved);
        }
        let cursor = self.trail.last().map(|row| row.id.as_str());
        let request = page_request(table, list, part, requested, cursor);
        let memory = run.account.memory.reserve(self.size.guess).await;
        let page = tokio::select! {
            biased;
            page = self.deliver(&request) => page,
            () = run.stopping_for(STOP_GRACE) => return Err(FetchOutcome::Stopped),
        };
        drop(memory);
        let (mut page, delivered) = page.map_err(|error| match cursor {
            Some(_) if error.is_cursor_missing() => {
                FetchOutcome::CursorMissing { requests: i64::from(error.requests) }
            }
            _ => FetchOutcome::Failed(error.into()),
        })?;
        let bytes = page.bytes();
        self.size = self.size.after(bytes, delivered);
        run.page_sizes.learn(&table.name, self.size);
        let mut objects: Vec<PageObject> =
            page.objects().map(|object| PageObject::read(object, table, list, requested)).collect();
        if page.has_more {
            let kept = complete_seconds(objects.iter().map(|object| object.sort_time));
            // The reading continues after an object other than the cursor's (an object can be listed
            // twice), so one of those has to remain.
            let last = objects[..kept].iter().rev().find_map(PageObject::cursor_row);
            if last.is_some_and(|row| Some(row.id.as_str()) != cursor) {
                page.truncate(kept);
                objects.truncate(kept);
            }
        }
        let memory = run.account.memory.reserve(bytes).await;
        Ok(ArrivedPage { page, objects, requested, memory })
    }

    /// The page, and the limit with which it was delivered.
    async fn deliver(&self, request: &Request) -> Result<(Page, usize), StripeError> {
        let (client, limit) = (&self.context.run.account.client, self.size.limit);
        match self.context.list.paged {
            true => client.list_up_to(request, limit).await,
            false => Ok((client.list(request).await?, limit)),
        }
    }

    /// Moves the cursor to the end of a page that is not the last one.
    fn advance(&mut self, arrived: &ArrivedPage) -> Result<(), FetchOutcome> {
        // An object without an id is quarantined when it is written. The reading continues after the
        // others.
        let rows: Vec<&CursorRow> =
            arrived.objects.iter().filter_map(PageObject::cursor_row).collect();
        let page = &arrived.page;
        if rows.is_empty() {
            return Err(FetchOutcome::broken(NO_IDS, page));
        }
        let is_cursor = |row: &&CursorRow| self.trail.last().is_some_and(|last| last.id == row.id);
        if rows.last().is_some_and(is_cursor) || !self.recent.add_page(&rows) {
            let what = "Stripe sent a page again instead of the one after its cursor";
            return Err(FetchOutcome::broken(what, page));
        }
        if !self.context.list.paged {
            return Err(FetchOutcome::broken(
                "Stripe reported more pages of a list that has only one",
                page,
            ));
        }
        self.trail = advance(&self.trail, rows, arrived.requested, self.held_bounds());
        self.has_cursor = true;
        Ok(())
    }

    fn held_bounds(&self) -> Bounds {
        *self.bounds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes the page's nested lists and gives it to the writing half.
async fn hand_over(
    context: &SliceContext<'_>,
    arrived: ArrivedPage,
    pieces: &mpsc::Sender<SlicePiece>,
) -> Result<(), FetchOutcome> {
    tokio::select! {
        biased;
        handed = prepare(context, arrived, pieces) => handed,
        () = context.run.stopping_for(STOP_GRACE) => Err(FetchOutcome::Stopped),
    }
}
