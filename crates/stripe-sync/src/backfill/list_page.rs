//! One page of a stream's list, for callers that have no run.

use super::expansions::{DroppedExpansions, ListRequest};
use super::request::{PageStart, page_request};
use crate::catalog::Table;
use crate::slice::Bounds;
use crate::stripe::{Page, StripeClient, StripeError};

/// The largest number of objects that Stripe puts into a page (FACTS 3).
const LIMIT: usize = 100;

/// Requests a page of a stream, with the parameters of a backfill: the first one, or the one after
/// the object `after`.
///
/// # Errors
/// As [`StripeClient::list`].
pub(crate) async fn list_page(
    client: &StripeClient,
    table: &'static Table,
    part: usize,
    bounds: Bounds,
    after: Option<&str>,
) -> Result<Page, StripeError> {
    let list = table.list.as_ref().expect("a stream has a list");
    let start = after.map_or(PageStart::First, PageStart::After);
    let request = page_request(table, list, part, bounds, start);
    let dropped = DroppedExpansions::default();
    let list = ListRequest { client, table, list, dropped: &dropped };
    let delivered = list.deliver(&request, LIMIT).await?;
    match delivered.unexpanded {
        // Nobody would learn that properties are missing.
        Some(failed) => Err(failed.error),
        None => Ok(delivered.page),
    }
}
