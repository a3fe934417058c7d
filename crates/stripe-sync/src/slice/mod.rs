//! The rules of a slice: which part of a stream it covers, the position of its cursor, and how it
//! is split. Pure.
//!
//! They are correct for any order of a list that does not change while it is read, and for a list
//! sorted by time whose order within a second changes with every request. A slice ends only when
//! Stripe says `has_more = false`. Times never prove that all rows were seen. They only keep
//! cursors inside the filter they are used with, and out of the middle of a second.

#[cfg(test)]
mod any_splitting;
mod cut;
mod second;

pub(crate) use cut::{ReadRange, Split, cut, max_splits};
pub(crate) use second::whole_second;

/// The last rows read that are kept, in case the cursor's own object disappears.
const TRAIL: usize = 5;

/// A half-open range `[from, to)` of `created` in Unix seconds; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) from: Option<i64>,
    pub(crate) to: Option<i64>,
}

impl Bounds {
    /// Whether a row passes the filter. A row without a time does: its list has no filter.
    pub(crate) fn hold(self, created: Option<i64>) -> bool {
        let Some(created) = created else { return true };
        self.from.is_none_or(|from| from <= created) && self.to.is_none_or(|to| created < to)
    }

    /// Whether a list that was requested with these bounds and read to its end has been read to the
    /// end of `held` as well.
    pub(crate) fn reach_end_of(self, held: Bounds) -> bool {
        match (self.from, held.from) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(asked), Some(held)) => asked <= held,
        }
    }
}

/// A row that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorRow {
    pub(crate) id: String,
    pub(crate) created: Option<i64>,
}

/// The last rows read up to the new cursor, in the order of the list; the last one is the cursor.
///
/// `asked` are the bounds that the page was requested with, `held` those of the ledger at commit:
/// another worker may have split off the lower part in between. Then the cursor is the last row of
/// the page that is still inside, or the old one if there is none. With unchanged bounds the last
/// row of the page is always the cursor, so a list that ignores the filter still advances.
pub(crate) fn advance<'p>(
    trail: &'p [CursorRow],
    page: impl IntoIterator<Item = &'p CursorRow>,
    asked: Bounds,
    held: Bounds,
) -> Vec<CursorRow> {
    let inside = |row: &&CursorRow| asked == held || held.hold(row.created);
    let rows: Vec<&CursorRow> = trail.iter().chain(page.into_iter().filter(inside)).collect();
    rows[rows.len().saturating_sub(TRAIL)..].iter().copied().cloned().collect()
}

/// How many rows of a page with these times are final when more rows follow it.
///
/// Rows of one second have no documented order (FACTS 3), and the next request may return them in
/// a different order. A cursor in the middle of a second could then skip rows. So a page ends where its
/// last second begins, and the next page contains that whole second. A page that lies within one
/// second is used completely, or the cursor would not advance.
pub(crate) fn complete_seconds(
    times: impl DoubleEndedIterator<Item = Option<i64>> + ExactSizeIterator,
) -> usize {
    let rows = times.len();
    match before_last_second(times) {
        0 => rows,
        some => some,
    }
}

/// How many rows come before the last second of these times: all, if the last row has no time.
pub(crate) fn before_last_second(
    times: impl DoubleEndedIterator<Item = Option<i64>> + ExactSizeIterator,
) -> usize {
    let rows = times.len();
    let mut from_the_end = times.rev();
    let Some(Some(last)) = from_the_end.next() else { return rows };
    from_the_end.position(|time| time != Some(last)).map_or(0, |more| rows - 1 - more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, created: i64) -> CursorRow {
        CursorRow { id: id.to_owned(), created: Some(created) }
    }

    fn bounds(from: i64, to: i64) -> Bounds {
        Bounds { from: Some(from), to: Some(to) }
    }

    #[test]
    fn the_cursor_is_the_last_row_inside_the_committed_bounds() {
        let page = [row("a", 30), row("b", 20), row("c", 10)];
        let asked = bounds(0, 40);
        assert_eq!(advance(&[], &page, asked, asked).last(), Some(&page[2]));
        assert_eq!(advance(&[], &page, asked, bounds(15, 40)).last(), Some(&page[1]));
        let old = [row("z", 35)];
        assert_eq!(advance(&old, &page, asked, bounds(31, 40)), old);
    }

    #[test]
    fn a_page_is_complete_up_to_its_last_second() {
        for (times, kept) in [
            (vec![], 0),
            (vec![Some(9), Some(8), Some(7)], 2),
            (vec![Some(9), Some(8), Some(8)], 1),
            (vec![Some(8), Some(9), Some(8)], 2),
            (vec![Some(8), Some(8)], 2),
            (vec![Some(8)], 1),
            (vec![Some(8), None], 2),
            (vec![None, Some(8)], 1),
        ] {
            assert_eq!(complete_seconds(times.iter().copied()), kept, "{times:?}");
        }
        assert_eq!(before_last_second([Some(9), Some(8), Some(8)].into_iter()), 1);
        assert_eq!(before_last_second([Some(8), Some(8)].into_iter()), 0);
        assert_eq!(before_last_second([Some(8), None].into_iter()), 2);
    }

    #[test]
    fn a_list_that_ignores_the_filter_still_advances() {
        let page = [row("a", 90)];
        assert_eq!(advance(&[], &page, bounds(0, 40), bounds(0, 40)), page);
    }

    #[test]
    fn the_trail_stays_short() {
        let page: Vec<_> = (0..100).map(|i| row(&i.to_string(), 100 - i)).collect();
        let trail = advance(&[], &page, bounds(0, 200), bounds(0, 200));
        assert_eq!(trail.len(), TRAIL);
        assert_eq!(trail.last(), page.last());
    }
}
