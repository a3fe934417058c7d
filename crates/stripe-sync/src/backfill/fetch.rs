//! Reads the pages of one slice, one page ahead of what has been committed.
//!
//! Knows where the list continues, not what is durable. It ends whenever that is in doubt, and the
//! worker starts again from the ledger.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::SliceContext;
use super::page::{ArrivedPage, PageObject};
use super::page_size::PageSize;
use super::piece::SlicePiece;
use super::prepare::prepare;
use super::request::{NO_IDS, NO_OBJECTS, page_request};
use crate::object::nested::NestedError;
use crate::postgres::Position;
use crate::slice::{Bounds, CursorRow, advance, complete_seconds};
use crate::stripe::{Page, StripeError};

/// How often a page that says `has_more` without rows is requested.
const EMPTY_PAGE_ATTEMPTS: u32 = 3;
/// How long a page in flight may still take after the request to stop.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Why the reading ended.
pub(super) enum FetchOutcome {
    /// The last page has been handed over.
    End,
    /// The writing half takes no more pages.
    Closed,
    /// The run is stopping.
    Stopped,
    /// The cursor's object no longer exists or no longer matches the filter.
    CursorMissing { requests: i64 },
    /// Nothing that was read lies inside the bounds any more.
    BoundsMoved,
    /// The stream cannot be read on.
    Failed(FetchError),
}

/// Why a stream cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Stripe(#[from] StripeError),
    #[error("{0}")]
    Nested(NestedError),
    #[error("{what}")]
    Broken { what: &'static str, request_id: Option<String>, requests: u32 },
}

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
    };
    match reader.read(&pieces).await {
        Ok(()) => FetchOutcome::End,
        Err(ended) => ended,
    }
}

struct PageReader<'r> {
    context: &'r SliceContext<'r>,
    bounds: &'r SharedBounds,
    trail: Vec<CursorRow>,
    has_cursor: bool,
    size: PageSize,
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

    /// The page behind the trail.
    async fn next_page(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let mut attempts = 1;
        loop {
            let arrived = self.request_page().await?;
            if !arrived.objects.is_empty() || !arrived.page.has_more {
                return Ok(arrived);
            }
            if attempts == EMPTY_PAGE_ATTEMPTS {
                return Err(broken(NO_OBJECTS, &arrived.page));
            }
            attempts += 1;
        }
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
        let request = page_request(table, list, part, requested, cursor, self.size.limit);
        let memory = run.account.memory.reserve(self.size.guess).await;
        let page = tokio::select! {
            biased;
            page = run.account.client.list(&request) => page,
            () = run.stopping_for(STOP_GRACE) => return Err(FetchOutcome::Stopped),
        };
        drop(memory);
        let mut page = page.map_err(|error| match cursor {
            Some(_) if error.is_cursor_missing() => {
                FetchOutcome::CursorMissing { requests: i64::from(error.requests) }
            }
            _ => FetchOutcome::Failed(error.into()),
        })?;
        let bytes = page.bytes();
        self.size = self.size.after(bytes);
        run.page_sizes.learn(&table.name, self.size);
        let mut objects: Vec<PageObject> =
            page.items().map(|item| PageObject::read(item, list, requested)).collect();
        if page.has_more {
            let kept = complete_seconds(objects.iter().map(|object| object.sort_time));
            // The reading continues behind an object other than the cursor's (an object can be listed
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

    /// Moves the trail behind a page that is not the last one.
    fn advance(&mut self, arrived: &ArrivedPage) -> Result<(), FetchOutcome> {
        // An object without an id is quarantined when it is written. The reading continues behind the
        // others.
        let rows: Vec<CursorRow> =
            arrived.objects.iter().filter_map(PageObject::cursor_row).collect();
        let page = &arrived.page;
        if rows.is_empty() {
            return Err(broken(NO_IDS, page));
        }
        if rows.last().map(|row| &row.id) == self.trail.last().map(|row| &row.id) {
            return Err(broken("Stripe sent the page of the cursor again", page));
        }
        if !self.context.list.paged {
            return Err(broken("a list without pages says has_more", page));
        }
        self.trail = advance(&self.trail, &rows, arrived.requested, self.held_bounds());
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
        handed = prepare(context, arrived, pieces) => handed.map_err(|error| match error {
            NestedError::WriterClosed => FetchOutcome::Closed,
            other => FetchOutcome::Failed(FetchError::Nested(other)),
        }),
        () = context.run.stopping_for(STOP_GRACE) => Err(FetchOutcome::Stopped),
    }
}

fn broken(what: &'static str, page: &Page) -> FetchOutcome {
    let (request_id, requests) = (page.request_id.clone(), page.requests);
    FetchOutcome::Failed(FetchError::Broken { what, request_id, requests })
}
