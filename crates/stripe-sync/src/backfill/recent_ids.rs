//! Recognizes a server that ignores the cursor.

use std::collections::HashSet;

use crate::hash::fnv1a;
use crate::slice::CursorRow;

/// The hashes of the ids of the last two pages. A server that ignores the cursor sends them again and again.
#[derive(Default)]
pub(super) struct RecentIds {
    pages: [HashSet<u64>; 2],
}

impl RecentIds {
    /// False if every row of the page was on one of the last two pages.
    pub(super) fn add_page(&mut self, rows: &[&CursorRow]) -> bool {
        let ids: HashSet<u64> = rows.iter().map(|row| fnv1a(&row.id)).collect();
        let is_new = |id: &u64| !self.pages.iter().any(|page| page.contains(id));
        let brings_new = ids.iter().any(is_new);
        self.pages.swap(0, 1);
        self.pages[1] = ids;
        brings_new
    }
}
