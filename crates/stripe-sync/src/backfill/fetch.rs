//! Reads the pages of one slice, one page ahead of what has been committed.
//!
//! Knows the next page of the list, but not which pages are durable. If the position in the ledger
//! is uncertain, reading ends, and the worker starts again from the ledger.

use std::time::Duration;

use tokio::sync::mpsc;

use super::context::SliceContext;
use super::expansions::{DeliveredPage, ListRequest};
use super::outcome::FetchOutcome;
use super::page::{ArrivedPage, PageCoverage, PageObject};
use super::page_size::PageSize;
use super::piece::SlicePiece;
use super::prepare::prepare;
use super::recent_ids::RecentIds;
use super::request::{NO_IDS, NO_OBJECTS, PageStart, page_request};
use crate::availability::requires_parent;
use crate::object::nested::ListProblem;
use crate::postgres::Position;
use crate::slice::{Bounds, CursorRow, advance, complete_seconds};
use crate::stripe::{Page, Request, StripeError};

/// How often a page is requested if it says `has_more` without rows, or holds objects of another
/// type.
const BROKEN_PAGE_ATTEMPTS: u32 = 3;
/// How long a page in flight may still take after the request to stop.
const STOP_GRACE: Duration = Duration::from_secs(3);

/// Reads from `position` on and hands pages to `pieces`.
pub(super) async fn fetch(
    context: &SliceContext<'_>,
    position: &Position,
    pieces: mpsc::Sender<SlicePiece>,
) -> FetchOutcome {
    let reader = PageReader {
        context,
        trail: position.trail.clone(),
        has_cursor: !position.trail.is_empty(),
        has_read: position.seq > 0,
        size: context.run.page_sizes.of(&context.table.name),
        recent: RecentIds::default(),
        finished_second: None,
        filters_by_time: context.list.created.is_some() && context.list.paged,
    };
    match reader.read(&pieces).await {
        Ok(()) => FetchOutcome::End,
        Err(ended) => ended,
    }
}

pub(super) struct PageReader<'r> {
    pub(super) context: &'r SliceContext<'r>,
    pub(super) trail: Vec<CursorRow>,
    has_cursor: bool,
    /// A page of this slice has been read, even if its position has since been given up.
    has_read: bool,
    size: PageSize,
    recent: RecentIds,
    /// A second that has just been read completely with a filter of its own. The next page contains
    /// only older rows.
    pub(super) finished_second: Option<i64>,
    /// Whether the list can be filtered by second. Set to false if it turns out to ignore the
    /// filter.
    pub(super) filters_by_time: bool,
}

impl PageReader<'_> {
    async fn read(mut self, pieces: &mpsc::Sender<SlicePiece>) -> Result<(), FetchOutcome> {
        let mut arrived = self.next_page().await?;
        loop {
            if let Some(second) = self.crowded_second(&arrived) {
                arrived = self.read_second(second, arrived, pieces).await?;
            }
            if !arrived.page.has_more {
                break;
            }
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
    pub(super) async fn next_page(&mut self) -> Result<ArrivedPage, FetchOutcome> {
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

    async fn request_page(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let mut requested = self.held_bounds();
        if let Some(second) = self.finished_second {
            // Another worker reads everything older, or this is the slice's last second.
            if requested.from.is_some_and(|from| from >= second) {
                return Err(FetchOutcome::BoundsMoved);
            }
            requested.to = Some(second);
            let arrived = self.fetch_page(requested, PageStart::First).await?;
            return Ok(drop_last_second(arrived, None));
        }
        // Stripe rejects a cursor that is outside the filter.
        while self.trail.last().is_some_and(|row| !requested.hold(row.created)) {
            self.trail.pop();
        }
        if self.trail.is_empty() && self.has_cursor {
            return Err(FetchOutcome::BoundsMoved);
        }
        let cursor = self.trail.last().map(|row| row.id.clone());
        let start = cursor.as_deref().map_or(PageStart::First, PageStart::After);
        let arrived = self.fetch_page(requested, start).await?;
        Ok(drop_last_second(arrived, cursor.as_deref()))
    }

    /// Requests one page.
    pub(super) async fn fetch_page(
        &mut self,
        requested: Bounds,
        start: PageStart<'_>,
    ) -> Result<ArrivedPage, FetchOutcome> {
        let SliceContext { run, table, list, part, .. } = *self.context;
        if run.is_stopping() {
            return Err(FetchOutcome::Stopped);
        }
        let request = page_request(table, list, part, requested, start);
        let memory = run.account.memory.reserve(self.size.guess).await;
        let page = tokio::select! {
            biased;
            page = self.deliver(&request) => page,
            () = run.stopping_for(STOP_GRACE) => return Err(FetchOutcome::Stopped),
        };
        drop(memory);
        let has_cursor = !matches!(start, PageStart::First);
        let DeliveredPage { page, limit: delivered, unexpanded } = match page {
            Ok(page) => page,
            Err(error) if has_cursor && error.is_cursor_missing() => {
                let requests = i64::from(error.requests);
                return Err(FetchOutcome::CursorMissing { requests });
            }
            Err(error) if !self.has_read && self.is_listed_by_parents(&error) => {
                self.context.replace_own_list(&error);
                let request_id = error.request_id.clone();
                let sent = run.account.client.now();
                let page = Page::without_objects(sent, request_id, error.requests);
                DeliveredPage { page, limit: self.size.limit, unexpanded: None }
            }
            Err(error) => return Err(FetchOutcome::Failed(error.into())),
        };
        self.has_read = true;
        let bytes = page.bytes();
        self.size = match &unexpanded {
            Some(failed) if failed.are_dropped => PageSize::default(),
            _ => self.size.after(bytes, delivered),
        };
        run.page_sizes.learn(&table.name, self.size);
        let objects: Vec<PageObject> =
            page.objects().map(|object| PageObject::read(object, table, list, requested)).collect();
        let memory = run.account.memory.reserve(bytes).await;
        let coverage = PageCoverage::Consecutive;
        let problem = unexpanded.map(|failed| ListProblem {
            reason: format!(
                "stored without {}, which Stripe failed to expand: {}",
                failed.names.join(", "),
                failed.error
            ),
            request_id: failed.error.request_id.clone(),
        });
        Ok(ArrivedPage { page, objects, requested, memory, coverage, problem })
    }

    /// The stream's own list is rejected, and the lists of the parents show its objects.
    fn is_listed_by_parents(&self, error: &StripeError) -> bool {
        let SliceContext { run, target, parents, .. } = self.context;
        parents.is_none() && requires_parent(target, run.account.client.version(), error)
    }

    pub(super) async fn deliver(&self, request: &Request) -> Result<DeliveredPage, StripeError> {
        let SliceContext { run, table, list, .. } = *self.context;
        let (client, dropped) = (&run.account.client, &run.dropped_expansions);
        ListRequest { client, table, list, dropped }.deliver(request, self.size.limit).await
    }

    /// Moves the cursor to the end of a page that is not the last one.
    fn advance(&mut self, arrived: &ArrivedPage) -> Result<(), FetchOutcome> {
        self.context.held.page_read(arrived.objects.iter().filter_map(PageObject::created));
        if let PageCoverage::WholeSecond(rows) = &arrived.coverage {
            self.move_cursor(rows.iter().collect(), arrived.requested);
            return Ok(());
        }
        // An object without an id is quarantined when it is written, and cannot be a cursor.
        let rows: Vec<&CursorRow> =
            arrived.objects.iter().filter_map(PageObject::cursor_row).collect();
        let page = &arrived.page;
        if rows.is_empty() {
            return Err(FetchOutcome::broken(NO_IDS, page));
        }
        let is_cursor = |row: &&CursorRow| self.trail.last().is_some_and(|last| last.id == row.id);
        if rows.last().is_some_and(is_cursor) || !self.recent.add_page(&rows) {
            let what = "Stripe sent an earlier page again instead of the next one";
            return Err(FetchOutcome::broken(what, page));
        }
        if !self.context.list.paged {
            return Err(FetchOutcome::broken(
                "Stripe reported more pages of a list that has only one",
                page,
            ));
        }
        self.move_cursor(rows, arrived.requested);
        self.finished_second = None;
        Ok(())
    }

    /// Moves the cursor to the last of these rows.
    fn move_cursor(&mut self, rows: Vec<&CursorRow>, requested: Bounds) {
        self.trail = advance(&self.trail, rows, requested, self.held_bounds());
        self.has_cursor = !self.trail.is_empty();
    }

    pub(super) fn held_bounds(&self) -> Bounds {
        self.context.held.bounds()
    }
}

/// Drops the rows of the page's last second if more pages follow, because the next page may show
/// more rows of it. A page whose rows all have the same second is kept.
fn drop_last_second(mut arrived: ArrivedPage, cursor: Option<&str>) -> ArrivedPage {
    if arrived.page.has_more {
        let kept = complete_seconds(arrived.objects.iter().map(|object| object.sort_time));
        // The new cursor must differ from the old one (an object can be listed twice), so the rows
        // are dropped only if a different object remains.
        let last = arrived.objects[..kept].iter().rev().find_map(PageObject::cursor_row);
        if last.is_some_and(|row| Some(row.id.as_str()) != cursor) {
            arrived.page.truncate(kept);
            arrived.objects.truncate(kept);
        }
    }
    arrived
}

/// Completes the page's nested lists and gives it to the writing half.
pub(super) async fn hand_over(
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
