//! What a slice reads: its stream's own list, or the lists of parents.

use crate::catalog::{Catalog, List, ParentLists, Table};

/// What a slice reads.
pub(super) struct SlicePart {
    /// The table of the rows.
    pub(super) target: &'static Table,
    /// The table of the objects of the list.
    pub(super) table: &'static Table,
    pub(super) list: &'static List,
    /// The index of the list's parameters.
    pub(super) part: usize,
    pub(super) parent_lists: Option<&'static ParentLists>,
}

impl SlicePart {
    /// The part that follows those of a stream's own list reads the lists of parents.
    pub(super) fn of(stream: &str, part: i32) -> Option<SlicePart> {
        let target = Catalog::get().table(stream)?;
        let own = target.list.as_ref()?;
        let part = usize::try_from(part).unwrap_or(0);
        match own.parent_lists.as_ref().filter(|_| part >= own.parts.len()) {
            None => Some(SlicePart { target, table: target, list: own, part, parent_lists: None }),
            Some(lists) => {
                let table = Catalog::get().table(&lists.table)?;
                let (list, parent_lists) = (table.list.as_ref()?, Some(lists));
                Some(SlicePart { target, table, list, part: 0, parent_lists })
            }
        }
    }
}
