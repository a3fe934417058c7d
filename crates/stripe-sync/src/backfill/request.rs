//! The requests for the pages of a stream.

use crate::catalog::{List, Table};
use crate::row::id_of;
use crate::slice::Bounds;
use crate::stripe::{Page, Request, StripeClient, StripeError};

/// Why a list cannot be read further.
pub(super) const NO_OBJECTS: &str = "Stripe says has_more but sends no objects";
pub(super) const NO_IDS: &str = "Stripe sent a page of objects without IDs";

/// The answer to a stream's first page, requested with one object.
pub(crate) struct FirstPage {
    /// Why a backfill could not continue after it.
    pub(crate) broken: Option<&'static str>,
    pub(crate) page: Page,
}

/// Requests a stream's first object with the parameters of a backfill's first page.
pub(crate) async fn request_first_object(
    client: &StripeClient,
    table: &Table,
) -> Result<FirstPage, StripeError> {
    let list = table.list.as_ref().expect("a stream has a list");
    let request = page_request(table, list, 0, Bounds { from: None, to: None }, PageStart::First);
    let page = match list.paged {
        true => client.list_up_to(&request, 1).await?.0,
        false => client.list(&request).await?,
    };
    let broken = match page.items().next() {
        None if page.has_more => Some(NO_OBJECTS),
        Some(_) if page.objects().any(|object| id_of(object).is_none()) => Some(NO_IDS),
        _ => None,
    };
    Ok(FirstPage { broken, page })
}

/// Where a page of a list starts.
#[derive(Debug, Clone, Copy)]
pub(super) enum PageStart<'i> {
    /// At the newest object.
    First,
    /// After the object with this id.
    After(&'i str),
    /// The page ends before the object with this id.
    Before(&'i str),
}

/// The request for a page without its `limit`: fixed parameters, bounds, cursor, and the properties to
/// expand.
pub(super) fn page_request(
    table: &Table,
    list: &List,
    part: usize,
    bounds: Bounds,
    start: PageStart<'_>,
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
    request = match start {
        PageStart::After(id) if list.paged => request.with("starting_after", id),
        PageStart::Before(id) if list.paged => request.with("ending_before", id),
        _ => request,
    };
    for property in &table.expand {
        request = request.with("expand[]", format!("data.{property}"));
    }
    request
}
