//! Reads the event feed, `/v1/events`, from a cursor to the present.
//!
//! The feed is listed newest first, in windows of time from the oldest to the newest. The events of
//! a window are applied page by page; the cursor moves with the last page. A crash repeats at most
//! one window, which is harmless. Events become visible late (FACTS 5), so each read begins a
//! little before the cursor and skips events that this process has already applied.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::apply::{EventEffect, apply};
use super::event::Event;
use super::plan::EventTarget;
use super::scope::EventScope;
use crate::account::Mode;
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::postgres::EventCursor;
use crate::row::id_of;
use crate::stripe::Request;

/// How many seconds before the cursor a read begins, because events become visible late. Most
/// become visible within seconds. The first read, and then one per [`LONG_OVERLAP_EVERY`], begins
/// earlier.
const OVERLAP: i64 = 15;
const LONG_OVERLAP: i64 = 180;
const LONG_OVERLAP_EVERY: Duration = Duration::from_secs(60);
/// The window of a first read, in seconds, and its minimum and maximum.
const WINDOW: i64 = 3600;
const SHORTEST_WINDOW: i64 = 10;
const LONGEST_WINDOW: i64 = 86_400;
/// If a window has fewer pages, the next one is longer; if it has more, the next one is shorter.
const PAGES: std::ops::Range<u32> = 5..50;
/// Maximum number of event ids that are remembered.
const REMEMBERED: usize = 50_000;

/// A part of the feed, in Unix seconds.
#[derive(Debug, Clone, Copy)]
struct Window {
    from: i64,
    /// The cursor after this window.
    until: i64,
    /// Whether the read ends with it.
    is_last: bool,
    /// Whether it also has the events that are created during the read.
    is_open: bool,
}

/// What a read of the feed applies.
#[derive(Clone, Copy)]
pub(crate) struct FeedReading<'r> {
    pub(crate) context: &'r AccountContext,
    /// Objects or tables that are always fetched.
    pub(crate) revalidate: &'r BTreeSet<String>,
    /// The holder of the account's cursor, which the read moves. `None` leaves the cursor.
    pub(crate) owner: Option<&'r str>,
    /// The objects that events are applied to; `None` for all.
    pub(crate) scope: Option<&'r EventScope>,
    /// The types of the events that are read, at most 20; none for all.
    pub(crate) types: &'r [&'static str],
    /// The last second that is read, in Unix seconds; `None` for the present.
    pub(crate) until: Option<i64>,
}

/// Reads one account's events. It remembers which ones it has applied.
pub(crate) struct EventReader {
    applied: HashSet<String>,
    order: VecDeque<String>,
    window: i64,
    /// When a read with the long overlap ended.
    long_overlap_read: Option<Instant>,
}

/// What a read did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct CaughtUp {
    /// Events that were applied for the first time by this process.
    pub(crate) events: u64,
    /// Those that changed the copy.
    pub(crate) changes: u64,
    /// Those whose rows could not be deleted and are quarantined.
    pub(crate) quarantined: u64,
}

impl EventReader {
    pub(crate) fn new() -> EventReader {
        EventReader {
            applied: HashSet::new(),
            order: VecDeque::new(),
            window: WINDOW,
            long_overlap_read: None,
        }
    }

    /// Applies the events since `cursor` and moves it, if the owner still holds it. Returns the new
    /// cursor.
    ///
    /// Cancel-safe: applied events stay applied, and the cursor is at the end of the last completed
    /// window.
    ///
    /// # Errors
    /// Stripe rejects the feed, or Stripe or the database stays unreachable.
    pub(crate) async fn catch_up(
        &mut self,
        reading: FeedReading<'_>,
        mut cursor: i64,
    ) -> Result<(i64, CaughtUp), Error> {
        let mut caught_up = CaughtUp::default();
        let started = Instant::now();
        let is_due = |read: Instant| started.duration_since(read) >= LONG_OVERLAP_EVERY;
        let is_long = self.long_overlap_read.is_none_or(is_due);
        let mut overlap = if is_long { LONG_OVERLAP } else { OVERLAP };
        loop {
            // The current second is read again next time, because events can still be created in
            // it.
            let now = reading.context.client.now().unix_seconds();
            let last = reading.until.unwrap_or(now);
            let end = cursor.saturating_add(self.window);
            let is_last = end >= last;
            let window = Window {
                from: cursor - overlap,
                until: end.min(last),
                is_last,
                is_open: is_last && reading.until.is_none(),
            };
            overlap = OVERLAP;
            let pages = self.read_window(reading, window, &mut caught_up).await?;
            self.adapt(pages);
            cursor = cursor.max(window.until);
            if window.is_last {
                if is_long {
                    self.long_overlap_read = Some(started);
                }
                return Ok((cursor, caught_up));
            }
        }
    }

    /// Applies the events of one window. Returns how many pages it had.
    async fn read_window(
        &mut self,
        reading: FeedReading<'_>,
        window: Window,
        caught_up: &mut CaughtUp,
    ) -> Result<u32, Error> {
        let FeedReading { context, revalidate, owner, scope, types, until: _ } = reading;
        let target = EventTarget {
            account: context.account.as_str(),
            livemode: context.mode == Mode::Live,
            api_version: context.client.version(),
            revalidate,
            // The feed also has the event of the deletion.
            inserts_since: None,
            scope,
        };
        let (mut pages, mut last_id): (u32, Option<String>) = (0, None);
        let mut seen = HashSet::new();
        loop {
            let mut request = Request::to_list("/v1/events")
                .with("limit", "100")
                .with("created[gte]", window.from.to_string());
            // The clock of this process may be behind Stripe's.
            if !window.is_open {
                request = request.with("created[lte]", window.until.to_string());
            }
            for event_type in types {
                request = request.with("types[]", *event_type);
            }
            if let Some(last) = &last_id {
                request = request.with("starting_after", last.clone());
            }
            let page = context.client.list(&request).await?;
            pages += 1;
            let mut events = Vec::new();
            for text in page.items() {
                // This version does not know the form of this entry.
                match Event::read(text) {
                    Ok(event) if !self.applied.contains(event.id.as_ref()) => events.push(event),
                    Ok(_) => {}
                    Err(error) => tracing::warn!(%error, "the feed contains an unknown entry"),
                }
            }
            let mut has_new = false;
            for id in page.items().filter_map(id_of) {
                has_new |= seen.insert(id.into_owned());
            }
            let next = page.items().last().and_then(id_of).map(|id| id.into_owned());
            let is_last = !page.has_more;
            // Before the last page, this extends the lease only.
            let second = if is_last { window.until } else { window.from };
            let cursor = owner.map(|owner| EventCursor { second, owner });
            if !events.is_empty() || is_last && cursor.is_some() {
                let applied = apply(context, target, &events, cursor).await?;
                let changed = applied.iter().filter(|applied| {
                    !applied.to_fetch.is_empty()
                        || matches!(applied.effect, EventEffect::Stored | EventEffect::Deleted)
                });
                caught_up.changes += changed.count() as u64;
                let quarantined =
                    applied.iter().filter(|applied| applied.effect == EventEffect::Quarantined);
                caught_up.quarantined += quarantined.count() as u64;
                let in_scope = applied.iter().filter(|applied| !applied.is_out_of_scope);
                caught_up.events += in_scope.count() as u64;
                self.remember(events.iter().map(|event| event.id.as_ref().to_owned()));
            }
            if is_last {
                return Ok(pages);
            }
            // Without a new event there is no next page, even if `has_more` is true.
            match next.filter(|_| has_new) {
                Some(next) => last_id = Some(next),
                None => return Err(no_end(page.request_id.as_deref())),
            }
        }
    }

    fn remember(&mut self, ids: impl Iterator<Item = String>) {
        for id in ids {
            if self.applied.insert(id.clone()) {
                self.order.push_back(id);
            }
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.applied.remove(&oldest);
            }
        }
    }

    fn adapt(&mut self, pages: u32) {
        if pages < PAGES.start {
            self.window = (self.window * 2).min(LONGEST_WINDOW);
        } else if pages >= PAGES.end {
            self.window = (self.window / 2).max(SHORTEST_WINDOW);
        }
    }
}

/// The error of a page that says `has_more` but contains no new event.
fn no_end(request_id: Option<&str>) -> Error {
    let request = request_id.unwrap_or("without ID");
    Error::new(
        ErrorKind::Stripe,
        format!(
            "Stripe's list of events says has_more but repeats the same events (request {request})"
        ),
    )
    .with_hint("run the command again; no event is lost, because the cursor has not moved")
}
