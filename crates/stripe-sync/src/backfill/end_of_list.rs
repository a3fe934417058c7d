//! Confirms the end of a list whose last page is empty but says that more follow.

use super::context::SliceContext;
use super::fetch::PageReader;
use super::outcome::FetchOutcome;
use super::page::ArrivedPage;
use super::request::{PageStart, page_request};
use crate::row::id_of;
use crate::slice::Bounds;

impl PageReader<'_> {
    /// Whether an empty page that says `has_more` is nevertheless the end of the list: the list
    /// shows nothing that was created before the cursor's second, and that second has been read
    /// completely.
    pub(super) async fn is_end_confirmed(
        &self,
        arrived: &ArrivedPage,
    ) -> Result<bool, FetchOutcome> {
        let SliceContext { table, list, part, .. } = *self.context;
        let created = self.trail.last().and_then(|row| row.created);
        let (Some(created), Some(_)) = (created, &list.created) else { return Ok(false) };
        let below = |to: i64| Bounds { from: arrived.requested.from, to: Some(to) };
        let cursor_second = Bounds { from: Some(created), to: Some(created + 1) };
        for (bounds, expected) in [(below(created), 0), (cursor_second, 1)] {
            let request = page_request(table, list, part, bounds, PageStart::First);
            let page =
                self.deliver(&request).await.map_err(|e| FetchOutcome::Failed(e.into()))?.page;
            // The page of the cursor's second has to end with the cursor.
            let last = page.objects().rev().find_map(id_of);
            let is_cursor = |id: &str| self.trail.last().is_some_and(|row| row.id == id);
            let confirmed = match expected {
                0 => page.items().len() == 0,
                _ => !page.has_more && last.is_some_and(|id| is_cursor(&id)),
            };
            if !confirmed {
                return Ok(false);
            }
        }
        tracing::info!(table = table.name, "the list ends with an empty page that says has_more");
        Ok(true)
    }
}
