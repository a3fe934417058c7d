//! Reads the pages of one slice, one page ahead of what has been committed.
//!
//! Knows where the list goes on, not what is durable: it ends at any doubt, and the worker begins
//! again from the ledger.

use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::mpsc;

use super::page_size::PageSize;
use super::prepare::{PagePiece, prepare};
use super::worker::Reader;
use crate::catalog::{List, Table};
use crate::memory::Held;
use crate::object::nested::NestedError;
use crate::postgres::Position;
use crate::row::{get, id_of};
use crate::slice::{Bounds, CursorRow, advance, settled};
use crate::stripe::{Page, Request, StripeClient, StripeError};

/// How often a page that says `has_more` without rows is asked for again.
const EMPTY_TRIES: u32 = 3;
const NO_OBJECTS: &str = "stripe says has_more but sends no objects";
const NO_IDS: &str = "stripe sent a page of objects without ids";
/// After the request to stop, how long a page in flight may still take.
const GRACE: Duration = Duration::from_secs(3);

/// Memory for pages in flight, in KiB.
pub(super) const BUDGET: usize = 40 << 10;

/// Why the reading ended.
pub(super) enum FetchOutcome {
    /// The last page has been handed over.
    End,
    /// The committer takes no more pages.
    Closed,
    /// Somebody asked to stop.
    Stopped,
    /// The cursor's object is gone or left the filter.
    CursorMissing { requests: i64 },
    /// Nothing that was read lies inside the bounds any more.
    BoundsMoved,
    /// The stream cannot be read on.
    Failed(FetchError),
}

/// What stops a stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("{0}")]
    Stripe(#[from] StripeError),
    #[error("{0}")]
    Nested(#[from] NestedError),
    #[error("{what}")]
    Broken { what: &'static str, request_id: Option<String>, requests: u32 },
}

/// Bounds as the committer last saw them in the ledger.
pub(super) type SharedBounds = Mutex<Bounds>;

/// Reads from `position` on and hands pages to `pages`.
pub(super) async fn fetch(
    reader: &Reader<'_>,
    position: &Position,
    bounds: &SharedBounds,
    pages: mpsc::Sender<PagePiece>,
) -> FetchOutcome {
    let mut reading = Reading {
        reader,
        bounds,
        trail: position.trail.clone(),
        has_cursor: !position.trail.is_empty(),
        size: reader.crew.sizes.of(&reader.table.name),
    };
    let mut arrived = match reading.next().await {
        Ok(arrived) => arrived,
        Err(ended) => return ended,
    };
    loop {
        if !arrived.page.has_more {
            return match reading.hand_over(arrived, &pages).await {
                Ok(()) => FetchOutcome::End,
                Err(ended) => ended,
            };
        }
        if let Err(ended) = reading.pass(&arrived) {
            return ended;
        }
        // While this page's nested lists are read and it waits for its turn, the next one flies.
        let ahead = Reading { trail: reading.trail.clone(), ..reading };
        let mut ahead_mut = ahead;
        let (handed, next) = tokio::join!(reading.hand_over(arrived, &pages), ahead_mut.next());
        if let Err(ended) = handed {
            return ended;
        }
        reading.size = ahead_mut.size;
        arrived = match next {
            Ok(next) => next,
            Err(ended) => return ended,
        };
    }
}

/// A page off the wire.
pub(super) struct ArrivedPage {
    pub(super) page: Page,
    pub(super) asked: Bounds,
    pub(super) memory: Held,
}

struct Reading<'r> {
    reader: &'r Reader<'r>,
    bounds: &'r SharedBounds,
    trail: Vec<CursorRow>,
    has_cursor: bool,
    size: PageSize,
}

impl Reading<'_> {
    /// The page behind the trail.
    async fn next(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let mut tries = 1;
        loop {
            let arrived = self.ask().await?;
            if arrived.page.items().len() > 0 || !arrived.page.has_more {
                return Ok(arrived);
            }
            if tries == EMPTY_TRIES {
                return Err(broken(NO_OBJECTS, &arrived.page));
            }
            tries += 1;
        }
    }

    async fn ask(&mut self) -> Result<ArrivedPage, FetchOutcome> {
        let reader = self.reader;
        if reader.stop.is_asked() {
            return Err(FetchOutcome::Stopped);
        }
        let asked = *self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        // A cursor outside of its filter is refused.
        while self.trail.last().is_some_and(|row| !asked.hold(row.created)) {
            self.trail.pop();
        }
        if self.trail.is_empty() && self.has_cursor {
            return Err(FetchOutcome::BoundsMoved);
        }
        let cursor = self.trail.last().map(|row| row.id.as_str());
        let request =
            page_request(reader.table, reader.list, reader.part, asked, cursor, self.size.limit);
        let memory = reader.memory.reserve(self.size.guess).await;
        let page = tokio::select! {
            biased;
            page = reader.link.client.list(&request) => page,
            () = stopped_for(reader, GRACE) => return Err(FetchOutcome::Stopped),
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
        reader.crew.sizes.learn(&reader.table.name, self.size);
        if page.has_more {
            let kept = settled(page.items().map(|item| sorted_by(item, reader.list)));
            // The reading goes on behind an object with an id other than the cursor's (an object can
            // be listed twice), so one has to be left.
            if last_id(page.items().take(kept)).is_some_and(|id| Some(&*id) != cursor) {
                page.truncate(kept);
            }
        }
        let memory = reader.memory.reserve(bytes).await;
        Ok(ArrivedPage { page, asked, memory })
    }

    /// Moves the trail behind a page that is not the last one.
    fn pass(&mut self, arrived: &ArrivedPage) -> Result<(), FetchOutcome> {
        let created = self.reader.list.created.as_deref();
        // An object without an id is set aside when it is written; the reading goes on from the others.
        let passed = |item| {
            let id = id_of(item)?.into_owned();
            Some(CursorRow { id, created: created_of(item, created, arrived.asked) })
        };
        let rows: Vec<CursorRow> = arrived.page.items().filter_map(passed).collect();
        let page = &arrived.page;
        if rows.is_empty() {
            return Err(broken(NO_IDS, page));
        }
        if rows.last().map(|row| &row.id) == self.trail.last().map(|row| &row.id) {
            return Err(broken("stripe sent the cursor's own page again", page));
        }
        if !self.reader.list.paged {
            return Err(broken("a list without pages says has_more", page));
        }
        let held = *self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        self.trail = advance(&self.trail, &rows, arrived.asked, held);
        self.has_cursor = true;
        Ok(())
    }

    /// Completes the page's nested lists and gives it to the committer.
    async fn hand_over(
        &self,
        arrived: ArrivedPage,
        pages: &mpsc::Sender<PagePiece>,
    ) -> Result<(), FetchOutcome> {
        tokio::select! {
            biased;
            handed = prepare(self.reader, arrived, pages) => handed,
            () = stopped_for(self.reader, GRACE) => Err(FetchOutcome::Stopped),
        }
    }
}

/// When an object of a list that was asked for with these bounds was created. One outside of them has
/// no time to go by: its list has another idea of it, or pays no heed to the filter. Either way it
/// can be the cursor, because the list has just shown it.
pub(super) fn created_of(item: &str, property: Option<&str>, asked: Bounds) -> Option<i64> {
    let created = time_of(item, property);
    created.filter(|_| asked.hold(created))
}

/// The id of the last object that has one.
fn last_id<'i>(items: impl Iterator<Item = &'i str>) -> Option<Cow<'i, str>> {
    items.filter_map(id_of).last()
}

/// When an object says that it was created. Lists that cannot be filtered by time may be sorted by it
/// all the same.
pub(super) fn sorted_by(item: &str, list: &List) -> Option<i64> {
    time_of(item, list.created.as_deref().or(Some("created")))
}

fn time_of(item: &str, property: Option<&str>) -> Option<i64> {
    get(item, property?)?.parse().ok()
}

fn broken(what: &'static str, page: &Page) -> FetchOutcome {
    let (request_id, requests) = (page.request_id.clone(), page.requests);
    FetchOutcome::Failed(FetchError::Broken { what, request_id, requests })
}

/// Resolves a while after somebody asked to stop.
async fn stopped_for(reader: &Reader<'_>, grace: Duration) {
    reader.stop.asked().await;
    tokio::time::sleep(grace).await;
}

/// A stream's first page, asked for one object.
pub(crate) struct Probe {
    /// What a backfill could not go on with.
    pub(crate) broken: Option<&'static str>,
    pub(crate) request_id: Option<String>,
}

/// Asks for a stream's first object, as the stream's first page is asked for.
pub(crate) async fn first_object(
    client: &StripeClient,
    table: &Table,
) -> Result<Probe, StripeError> {
    let list = table.list.as_ref().expect("a stream has a list");
    let request = page_request(table, list, 0, Bounds { from: None, to: None }, None, 1);
    let page = client.list(&request).await?;
    let broken = match page.items().next() {
        None if page.has_more => Some(NO_OBJECTS),
        Some(_) if page.items().any(|item| id_of(item).is_none()) => Some(NO_IDS),
        _ => None,
    };
    Ok(Probe { broken, request_id: page.request_id.clone() })
}

/// The request for a page: fixed parameters, bounds, cursor, and what has to be expanded.
pub(super) fn page_request(
    table: &Table,
    list: &List,
    part: usize,
    bounds: Bounds,
    cursor: Option<&str>,
    limit: usize,
) -> Request {
    let mut request = Request::to_list(&list.path);
    for (name, value) in list.parts.get(part).into_iter().flatten() {
        request = request.with(name, value.clone());
    }
    if list.created.is_some() {
        if let Some(from) = bounds.from {
            request = request.with("created[gte]", from.to_string());
        }
        if let Some(to) = bounds.to {
            request = request.with("created[lt]", to.to_string());
        }
    }
    if list.paged {
        request = request.with("limit", limit.to_string());
        if let Some(cursor) = cursor {
            request = request.with("starting_after", cursor);
        }
    }
    for property in &table.expand {
        request = request.with("expand[]", format!("data.{property}"));
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_inside_the_bounds_counts() {
        let asked = Bounds { from: Some(10), to: Some(20) };
        for (item, created) in [
            (r#"{"created":10}"#, Some(10)),
            (r#"{"created":20}"#, None),
            (r#"{"created":9}"#, None),
            (r#"{"created":"15"}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            assert_eq!(created_of(item, Some("created"), asked), created, "{item}");
        }
        let all = Bounds { from: None, to: None };
        assert_eq!(created_of(r#"{"created":-9}"#, Some("created"), all), Some(-9));
        assert_eq!(created_of(r#"{"created":9}"#, None, all), None);
    }
}
