//! Where a slice is split, so that several workers read the unread part with few additional
//! requests. Pure.
//!
//! Each slice ends with a page that is only partly filled, so each split costs about half a request.
//! A slice without rows costs a whole one. Therefore only a little is split off at a time while it
//! is unknown whether the list has more rows, and a slice that is nearly finished is not split.
//! Each split costs at most one request, so the number of splits bounds the number of additional
//! requests, regardless of the order in which responses arrive.

use super::Bounds;

/// A slice with fewer pages left is not split.
const MIN_PAGES: f64 = 7.0;
/// The same limit, while it is unknown whether the unread part has any rows.
const MIN_GUESSED_PAGES: f64 = 14.0;
/// At least this many pages are split off, unless that is more than half.
const MIN_SHARE: f64 = 5.0;
/// A share is this much smaller than a number of full pages, so that its last page is nearly full
/// although the estimate is not exact.
const MARGIN: f64 = 0.2;
/// How many pages of a list are read before the first split, if no row below it is known.
const PAGES_BEFORE_GUESS: i64 = 2;
/// How many splits any list may have, to find out whether it is long.
const MIN_SPLITS: i64 = 2;
/// How many pages a list must have for each further split.
const PAGES_PER_SPLIT: f64 = 12.0;
/// Stripe's first public year; nothing was created before.
const STRIPE_BEGAN: i64 = 1_293_840_000;

/// A slice that might be split, and how far it has been read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Split {
    pub(crate) bounds: Bounds,
    /// `created` of the first row that was read.
    pub(crate) first_created: i64,
    /// `created` of the cursor's row.
    pub(crate) cursor_created: i64,
    pub(crate) pages: i64,
    /// Requests for each page so far, including those for nested lists.
    pub(crate) requests_per_page: f64,
}

/// The times of the newest and the oldest row of a part that were read, in any slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadRange {
    pub(crate) newest: i64,
    pub(crate) oldest: i64,
}

impl ReadRange {
    pub(crate) fn and(self, other: ReadRange) -> ReadRange {
        ReadRange { newest: self.newest.max(other.newest), oldest: self.oldest.min(other.oldest) }
    }
}

impl Split {
    /// The lowest time of the slice.
    fn lowest(&self) -> i64 {
        self.bounds.from.unwrap_or(STRIPE_BEGAN)
    }

    /// The estimated number of pages below the cursor, if rows are as dense in the whole slice as in
    /// the part that was read.
    fn pages_left(&self) -> f64 {
        let left = (self.cursor_created - self.lowest()).max(0) as f64;
        let span = (self.first_created - self.cursor_created).max(1) as f64;
        left * self.pages.max(1) as f64 / span
    }

    /// The same, but 0 if it is unknown where the list ends. Rows below the slice prove that it does
    /// not end within the slice.
    pub(crate) fn known_pages_left(&self, read: ReadRange) -> f64 {
        if read.oldest < self.lowest() { self.pages_left() } else { 0.0 }
    }
}

/// How often a list may be split if this many of its pages are known, read or not.
pub(crate) fn max_splits(known_pages: f64) -> i64 {
    MIN_SPLITS + (known_pages / PAGES_PER_SPLIT) as i64
}

/// Where to split, and how many requests are estimated below the cursor. At most `shares` slices
/// will be split off, either because there are no more idle workers or because the list must not be
/// split more often.
///
/// The owner keeps `[mid, to)`, the new slice is `[from, mid)`. `None` if too little is left to
/// be worth a request of its own.
pub(crate) fn cut(slice: &Split, read: ReadRange, shares: usize) -> Option<(i64, f64)> {
    let lowest = slice.lowest();
    let left = (slice.cursor_created - lowest).max(0) as f64;
    let pages_left = slice.pages_left();
    let requests_left = pages_left * slice.requests_per_page.max(1.0);
    let (step, enough) = if read.oldest < lowest {
        // If all shares are split off, they are equal.
        let share = (pages_left / (shares + 1) as f64).max(MIN_SHARE).min(pages_left / 2.0);
        let share = (share + 0.1).floor().max(1.0) - MARGIN;
        (left * (1.0 - share / pages_left), pages_left >= MIN_PAGES)
    } else {
        // Where the list ends is unknown. For the first guess, the geometric mean of the span that
        // was read and the span that is left limits the waste in either direction. Each further
        // guess doubles the span.
        let span = (read.newest - slice.cursor_created).max(1) as f64;
        let is_first = read.newest <= slice.first_created;
        let guess = if is_first { (span * left).sqrt() } else { span };
        let is_known = !is_first || slice.pages >= PAGES_BEFORE_GUESS;
        let is_known = is_known && pages_left >= MIN_GUESSED_PAGES;
        (guess.min(left / 2.0), is_known)
    };
    // The owner keeps its cursor's second.
    let mid = slice.cursor_created - (step as i64).max(1);
    let is_inside = mid > lowest && mid < slice.cursor_created;
    (shares > 0 && enough && is_inside).then_some((mid, requests_left))
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: i64 = 365 * 86_400;

    /// A slice of 100 seconds per page, of which 4 pages were read.
    fn slice(from: Option<i64>, cursor_created: i64) -> Split {
        Split {
            bounds: Bounds { from, to: None },
            first_created: cursor_created + 400,
            cursor_created,
            pages: 4,
            requests_per_page: 1.0,
        }
    }

    fn read(oldest: i64) -> ReadRange {
        ReadRange { newest: 1_700_000_400, oldest }
    }

    #[test]
    fn splits_cost_less_than_a_tenth_of_the_pages_and_four_requests() {
        for pages in 0..10_000_u32 {
            // A page without its last second has about 99 rows, and the last page is partly filled.
            let read_by_one = (f64::from(pages) / 0.99).ceil() as i64;
            let bound = i64::from(pages + pages / 10 + 4);
            assert!(read_by_one + max_splits(f64::from(pages)) <= bound, "{pages}");
        }
        assert_eq!(cut(&slice(Some(1_699_990_000), 1_700_000_000), read(1), 0), None);
    }

    #[test]
    fn each_idle_worker_gets_an_equal_share() {
        let (from, mut cursor) = (1_699_990_000, 1_700_000_000);
        let mut bounds_from = from;
        let mut shares = Vec::new();
        for idle in (1..=4).rev() {
            let (mid, left) = cut(&slice(Some(bounds_from), cursor), read(1), idle).expect("a cut");
            assert!((left - (cursor - bounds_from) as f64 / 100.0).abs() < 1e-6);
            shares.push(mid - bounds_from);
            bounds_from = mid;
        }
        assert!(shares.iter().all(|share| (1_979..=1_981).contains(share)), "{shares:?}");
        // The owner has continued in the meantime. With fewer than seven pages left, it is not
        // split.
        cursor = bounds_from + 700;
        let (mid, _) = cut(&slice(Some(bounds_from), cursor), read(1), 30).expect("a cut");
        assert!((280..=281).contains(&(mid - bounds_from)), "{mid}");
        cursor = bounds_from + 699;
        assert_eq!(cut(&slice(Some(bounds_from), cursor), read(1), 30), None);
    }

    #[test]
    fn a_share_has_nearly_five_full_pages_or_more() {
        let slice = slice(Some(1_699_998_000), 1_700_000_000);
        let (mid, _) = cut(&slice, read(1), 30).expect("a cut");
        assert!((1_699_998_479..=1_699_998_481).contains(&mid), "{mid}");
    }

    #[test]
    fn requests_for_nested_lists_count() {
        let wide = slice(Some(1_699_990_000), 1_700_000_000);
        let deep = Split { requests_per_page: 11.0, ..slice(Some(1_699_999_000), 1_700_000_000) };
        let weight = |slice: &Split| cut(slice, read(1), 1).expect("a cut").1;
        assert!(weight(&deep) > weight(&wide));
    }

    #[test]
    fn few_cuts_find_the_oldest_row_of_an_account_of_any_age() {
        for years in [0.002, 0.02, 0.2, 1.0, 3.0, 10.0] {
            let now = 1_790_000_000;
            let oldest = now - (years * YEAR as f64) as i64;
            // The lowest slice is cut until its lower part has no rows.
            let mut cursor = now - YEAR / 1_000;
            let mut cuts = 0;
            let (mut from, mut empty) = (None, 0);
            while cursor - oldest > YEAR / 250 {
                let first_created = now - i64::from(cuts > 0);
                let slice = Split { first_created, ..slice(from, cursor) };
                let read = ReadRange { newest: now, oldest: cursor };
                let Some((mid, _)) = cut(&slice, read, 30) else { break };
                assert!(mid < cursor && mid > from.unwrap_or(STRIPE_BEGAN));
                cuts += 1;
                if mid <= oldest {
                    (from, empty) = (Some(mid), empty + 1);
                } else {
                    cursor = mid - YEAR / 1_000;
                }
            }
            assert!(cuts <= 12 && empty <= 3, "{years} years: {cuts} cuts, {empty} empty");
        }
    }

    #[test]
    fn one_page_does_not_show_where_a_list_might_end() {
        let slice = Split { pages: 1, ..slice(None, 1_700_000_000) };
        assert_eq!(cut(&slice, read(1_700_000_000), 30), None);
        let bounded = Split { pages: 1, ..slice };
        assert_eq!(cut(&bounded, read(1_700_000_000), 30), None);
    }

    #[test]
    fn a_cut_lies_strictly_inside_the_unread_range() {
        for (from, cursor) in [(Some(0), 1), (Some(0), 2), (Some(5), 5), (Some(9), 5), (None, 10)] {
            let dense = Split { first_created: cursor, pages: 1_000, ..slice(from, cursor) };
            for oldest in [-1, cursor] {
                let range = ReadRange { newest: cursor, oldest };
                if let Some((mid, _)) = cut(&dense, range, 30) {
                    assert!(from.is_some_and(|from| from < mid) && mid < cursor, "{mid}");
                }
            }
        }
    }
}
