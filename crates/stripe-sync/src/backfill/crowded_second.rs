//! Reads a second that has more rows than a page, and verifies that no row of it is missing.
//!
//! The order within a second is not documented, so a cursor in the middle of one can skip rows. The second
//! is requested with a filter of its own and read from both ends, downward with `starting_after` and upward
//! with `ending_before`. If the two passes disagree, the second is read again; every object that
//! any pass shows is stored. A second whose passes never agree fails the stream: it is not known to
//! be complete.

use std::collections::HashSet;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::fetch::{PageReader, hand_over};
use super::outcome::FetchOutcome;
use super::page::{ArrivedPage, PageCoverage, PageObject};
use super::piece::SlicePiece;
use super::request::{PageStart, page_request};
use crate::row::ObjectHead;
use crate::slice::{Bounds, CursorRow, whole_second};

/// How often a second is read from both ends before its stream fails.
const MAX_ROUNDS: u32 = 3;

impl PageReader<'_> {
    /// The second that all rows of a page share, if more rows follow the page.
    pub(super) fn crowded_second(&self, arrived: &ArrivedPage) -> Option<i64> {
        let times = || arrived.objects.iter().map(PageObject::created);
        let second = times().next_back().flatten().filter(|_| times().len() > 1)?;
        let is_within_second = times().all(|time| time == Some(second));
        (self.filters_by_time && arrived.page.has_more && is_within_second).then_some(second)
    }

    /// Reads `second` from both ends and hands over its pages, except for the one that is returned.
    /// `first` is the page that showed that the second is crowded. The position stays before the
    /// second until the second is known to be complete.
    pub(super) async fn read_second(
        &mut self,
        second: i64,
        first: ArrivedPage,
        pieces: &mpsc::Sender<SlicePiece>,
    ) -> Result<ArrivedPage, FetchOutcome> {
        let reading = SecondReading {
            bounds: Bounds { from: Some(second), to: Some(second + 1) },
            reader: self,
            pieces,
            second,
            shown: ids(&first).into_iter().collect(),
            held_back: ArrivedPage { coverage: PageCoverage::Unproven, ..first },
        };
        reading.run().await
    }
}

/// Why a pass over the second has no result.
enum Interrupted {
    /// The list ignores the filter by time.
    FilterIgnored,
    /// The list changed or contradicts itself: another round may succeed.
    Inconsistent,
    Ended(FetchOutcome),
}

impl From<FetchOutcome> for Interrupted {
    fn from(outcome: FetchOutcome) -> Interrupted {
        match outcome {
            FetchOutcome::CursorMissing { .. } => Interrupted::Inconsistent,
            ended => Interrupted::Ended(ended),
        }
    }
}

struct SecondReading<'s, 'r> {
    reader: &'s mut PageReader<'r>,
    pieces: &'s mpsc::Sender<SlicePiece>,
    second: i64,
    /// The bounds that contain this second only.
    bounds: Bounds,
    /// Ids of the objects that were handed over.
    shown: HashSet<String>,
    /// The last page, which may turn out to be the last one of the slice.
    held_back: ArrivedPage,
}

impl SecondReading<'_, '_> {
    async fn run(mut self) -> Result<ArrivedPage, FetchOutcome> {
        let mut down = ids(&self.held_back);
        for _ in 0..MAX_ROUNDS {
            match self.read_once(&mut down).await {
                Ok(Some(whole)) => return Ok(self.finish(whole)),
                Err(Interrupted::FilterIgnored) => {
                    self.reader.filters_by_time = false;
                    return self.reader.next_page().await;
                }
                Err(Interrupted::Ended(outcome)) => return Err(outcome),
                Ok(None) | Err(Interrupted::Inconsistent) => down.clear(),
            }
        }
        self.fail().await
    }

    /// Reads the second after `down` to its end, then upward again. Returns its rows if the two
    /// passes prove that no row is missing.
    async fn read_once(
        &mut self,
        down: &mut Vec<String>,
    ) -> Result<Option<Vec<String>>, Interrupted> {
        let is_last_page_empty = self.read_down(down).await?;
        let (Some(first), Some(last)) = (down.first(), down.last()) else { return Ok(None) };
        let up = match self.first_older_row().await? {
            Some((older, time)) => {
                let bounds = Bounds { from: time, ..self.bounds };
                self.read_up(bounds, older, first).await?
            }
            // The page before the empty one said that more rows follow, but the list has none.
            None if is_last_page_empty => return Ok(None),
            None => {
                let mut up = self.read_up(self.bounds, last.clone(), first).await?;
                up.push(last.clone());
                up
            }
        };
        Ok(whole_second(down, &up))
    }

    /// Reads downward after the last row of `down`, or from the first row of the second, and
    /// appends what it reads. Returns true if the last page is empty.
    async fn read_down(&mut self, down: &mut Vec<String>) -> Result<bool, Interrupted> {
        let mut read: HashSet<String> = down.iter().cloned().collect();
        loop {
            let start = down.last().map_or(PageStart::First, |id| PageStart::After(id));
            let page = self.reader.fetch_page(self.bounds, start).await?;
            self.require_filter(&page)?;
            let (rows, is_last) = (ids(&page), !page.page.has_more);
            // If Stripe ignores the cursor, the pass would never end.
            let brings_new = rows.iter().any(|id| !read.contains(id));
            if !brings_new && !is_last && !rows.is_empty() {
                return Err(Interrupted::Inconsistent);
            }
            let is_empty = rows.is_empty();
            read.extend(rows.iter().cloned());
            down.extend(rows);
            self.keep_new(page).await?;
            if is_last || is_empty {
                return Ok(is_empty);
            }
        }
    }

    /// Reads upward before `cursor`, until `first` appears or the second has no newer row. Returns
    /// the ids of the second in the order of the list.
    async fn read_up(
        &mut self,
        bounds: Bounds,
        mut cursor: String,
        first: &str,
    ) -> Result<Vec<String>, Interrupted> {
        let mut pages: Vec<Vec<String>> = Vec::new();
        let mut read = HashSet::new();
        loop {
            let mut page = self.reader.fetch_page(bounds, PageStart::Before(&cursor)).await?;
            let is_of_second = |object: &PageObject| object.created() == Some(self.second);
            let of_second = page.objects.iter().rposition(is_of_second).map_or(0, |at| at + 1);
            // The following rows belong to the second of the cursor.
            page.page.truncate(of_second);
            page.objects.truncate(of_second);
            let rows = ids(&page);
            let is_last = !page.page.has_more || rows.iter().any(|id| id == first);
            let next = rows.first().cloned();
            let brings_new = rows.iter().any(|id| read.insert(id.clone()));
            pages.push(rows);
            self.keep_new(page).await?;
            match next {
                Some(next) if !is_last && brings_new => cursor = next,
                _ => return Ok(pages.into_iter().rev().flatten().collect()),
            }
        }
    }

    /// The newest object that is older than this second, even if it is outside the slice.
    async fn first_older_row(&self) -> Result<Option<(String, Option<i64>)>, Interrupted> {
        let context = self.reader.context;
        let (table, list) = (context.table, context.list);
        let bounds = Bounds { from: None, to: Some(self.second) };
        let request = page_request(table, list, context.part, bounds, PageStart::First);
        let page = context.run.account.client.list_up_to(&request, 1).await;
        let page = page.map_err(|error| FetchOutcome::Failed(error.into()))?.0;
        let property = list.created.as_deref().unwrap_or("created");
        let first = page.objects().next().map(|object| ObjectHead::read(object, property));
        Ok(first.and_then(|head| Some((head.id?.into_owned(), head.created))))
    }

    fn require_filter(&self, page: &ArrivedPage) -> Result<(), Interrupted> {
        match page.objects.iter().all(|object| object.created() == Some(self.second)) {
            true => Ok(()),
            false => Err(Interrupted::FilterIgnored),
        }
    }

    /// Keeps a page that shows an object for the first time. Hands over the page that was held back
    /// before, and holds back `page`, because it may become the last one of the second.
    async fn keep_new(&mut self, mut page: ArrivedPage) -> Result<(), FetchOutcome> {
        let shown_before = self.shown.len();
        self.shown.extend(ids(&page));
        if self.shown.len() == shown_before {
            return Ok(());
        }
        page.page.has_more = true;
        page.coverage = PageCoverage::Unproven;
        let before = std::mem::replace(&mut self.held_back, page);
        hand_over(self.reader.context, before, self.pieces).await
    }

    /// The page that is held back. Once it is committed, the second is complete.
    fn finish(self, whole: Vec<String>) -> ArrivedPage {
        let rows = whole.into_iter().map(|id| CursorRow { id, created: Some(self.second) });
        let from = self.reader.held_bounds().from;
        let mut page = self.held_back;
        page.coverage = PageCoverage::WholeSecond(rows.collect());
        page.page.has_more = from.is_none_or(|from| from < self.second);
        self.reader.finished_second = Some(self.second);
        page
    }

    /// The second could not be read completely: what was read is stored, and the stream fails.
    async fn fail(self) -> Result<ArrivedPage, FetchOutcome> {
        let time = Timestamp::from_second(self.second)
            .map_or_else(|_| self.second.to_string(), |time| time.to_string());
        let what = format!(
            "Stripe lists more than a page of objects created at {time}, but in a different \
             order, or with different objects, in each pass; the {} objects that were \
             read are stored, but others may be missing",
            self.shown.len()
        );
        let page = self.held_back;
        let outcome = FetchOutcome::broken(what, &page.page);
        hand_over(self.reader.context, page, self.pieces).await?;
        Err(outcome)
    }
}

/// The ids of the page's objects that a request can name.
fn ids(page: &ArrivedPage) -> Vec<String> {
    page.objects.iter().filter_map(|o| o.cursor_row()).map(|row| row.id.clone()).collect()
}
