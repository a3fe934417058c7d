//! A page that has arrived, and what is known about each of its objects.

use crate::catalog::{List, Table};
use crate::memory::MemoryPermit;
use crate::object::nested::ListProblem;
use crate::row::{Object, ObjectHead};
use crate::slice::{Bounds, CursorRow};
use crate::stripe::Page;

/// A page of a slice.
pub(super) struct ArrivedPage {
    pub(super) page: Page,
    /// One for each item of the page.
    pub(super) objects: Vec<PageObject>,
    /// The bounds of the request.
    pub(super) requested: Bounds,
    pub(super) memory: MemoryPermit,
    pub(super) coverage: PageCoverage,
    /// Its objects are not as Stripe has them. They are stored and quarantined.
    pub(super) problem: Option<ListProblem>,
}

/// What a page means for the position of its slice.
pub(super) enum PageCoverage {
    /// The next page can be requested after it.
    Consecutive,
    /// It is part of a second that is not known to be complete: the position stays before that
    /// second.
    Unproven,
    /// It completes its second. These are all rows of the second, in the order of the list.
    WholeSecond(Vec<CursorRow>),
}

impl ArrivedPage {
    /// The page as the last one of its list.
    pub(super) fn into_last_page(mut self) -> ArrivedPage {
        self.page.has_more = false;
        self
    }
}

/// What is known about one object of a page.
#[derive(Debug, Clone)]
pub(super) struct PageObject {
    /// The object as a row after which reading can continue. For an object without an id, the id
    /// of this row is its name in the quarantine.
    row: CursorRow,
    /// Whether the object has an id. The database rejects the row of an object without one.
    pub(super) has_id: bool,
    /// The time by which its list may be sorted, even if the list has no filter by time.
    pub(super) sort_time: Option<i64>,
    pub(super) deleted: bool,
    /// Whether its type differs from that of the list's objects, such as a customer among charges.
    pub(super) is_foreign: bool,
}

impl PageObject {
    pub(super) fn read<'j>(
        object: impl Into<Object<'j>>,
        table: &Table,
        list: &List,
        requested: Bounds,
    ) -> PageObject {
        let (object, property) = (object.into(), list.created.as_deref());
        let head = ObjectHead::read(object, property.unwrap_or("created"));
        let (has_id, sort_time) = (head.id.is_some(), head.created);
        // The time of a row outside the bounds is not used: its list filters by something else,
        // or ignores the filter. The row can still be the cursor, because the list has just shown
        // it.
        let created = sort_time.filter(|_| property.is_some() && requested.hold(sort_time));
        PageObject {
            row: CursorRow { id: head.name(object.json()).into_owned(), created },
            has_id,
            sort_time,
            deleted: has_id && head.deleted,
            is_foreign: head.object.is_some_and(|object| *object != table.object),
        }
    }

    /// The id of the object, or its name in the quarantine if it has no id.
    pub(super) fn id(&self) -> &str {
        &self.row.id
    }

    /// When it was created, if that is inside the requested bounds.
    pub(super) fn created(&self) -> Option<i64> {
        self.row.created
    }

    /// The object as a row after which reading can continue, if a request can name it.
    pub(super) fn cursor_row(&self) -> Option<&CursorRow> {
        (self.has_id && !self.row.id.is_empty()).then_some(&self.row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn only_a_time_inside_the_bounds_counts() {
        let read = |item: &str, table: &str, requested| {
            let table = Catalog::get().table(table).expect("a table");
            PageObject::read(item, table, table.list.as_ref().expect("a list"), requested)
        };
        let requested = Bounds { from: Some(10), to: Some(20) };
        for (item, created, sort_time) in [
            (r#"{"created":10}"#, Some(10), Some(10)),
            (r#"{"created":20}"#, None, Some(20)),
            (r#"{"created":9}"#, None, Some(9)),
            (r#"{"created":"15"}"#, None, None),
            ("{}", None, None),
            ("null", None, None),
        ] {
            let object = read(item, "customers", requested);
            assert_eq!((object.created(), object.sort_time), (created, sort_time), "{item}");
        }
        let all = Bounds { from: None, to: None };
        assert_eq!(read(r#"{"created":-9}"#, "customers", all).created(), Some(-9));
        let unfiltered = read(r#"{"created":9}"#, "payment_methods", all);
        assert_eq!((unfiltered.created(), unfiltered.sort_time), (None, Some(9)));
    }
}
