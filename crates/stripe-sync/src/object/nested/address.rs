//! The URL of a nested list: the one that Stripe sent if it is usable, otherwise the one in the
//! catalog.

use super::embedded::EmbeddedList;
use super::known::KnownList;
use crate::stripe::{ApiPath, Request};

/// The request for a list of the object `parent`, without `limit` and cursor.
///
/// # Errors
/// What is wrong with the list.
pub(super) fn list_request(
    list: &KnownList,
    parent: &str,
    embedded: &EmbeddedList<'_>,
) -> Result<Request, &'static str> {
    // A URL that does not name this parent would return another object's items.
    let own = embedded.url.as_deref().and_then(ApiPath::from_response);
    let own = own.filter(|(path, query)| {
        path.has_segment(parent) || query.iter().any(|(_, value)| value == parent)
    });
    let address = list.address;
    if let Some((path, query)) = own {
        let keep = |(name, _): &(String, String)| {
            !matches!(name.as_str(), "limit" | "starting_after" | "ending_before")
        };
        // Requests of one template share a limit.
        let template = || path.to_string().replace(parent, "{id}");
        let endpoint = address.map_or_else(template, |nested| nested.list_path.clone());
        let query = query.into_iter().filter(keep).collect();
        return Ok(Request::new(path, endpoint, query));
    }
    let Some(nested) = address else { return Err("is truncated and has no usable URL") };
    let endpoint = nested.list_path.clone();
    let path = match endpoint.contains('{') {
        true => ApiPath::with_segment(&endpoint, parent)
            .map_err(|_| "cannot be requested: its ID cannot be part of a path")?,
        false => ApiPath::list(&endpoint),
    };
    let value =
        |(name, value): &(String, String)| (name.clone(), value.replace("{parent}", parent));
    Ok(Request::new(path, endpoint, nested.params.iter().map(value).collect()))
}
