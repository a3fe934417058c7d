//! Whether the lists inside an object can be read, found with one request for each.

use super::address::list_request;
use super::embedded::EmbeddedList;
use super::known::{KnownList, unknown_lists};
use crate::catalog::Table;
use crate::object::retrieve::retrieve;
use crate::row::Object;
use crate::stripe::{StripeClient, StripeError};

/// The maximum number of lists of one object that are requested.
const MAX_LISTS: usize = 5;

/// A list inside an object that Stripe refuses to show.
#[derive(Debug)]
pub(crate) struct RefusedList {
    /// As in messages: `lines`, `items.data`.
    pub(crate) name: String,
    pub(crate) error: StripeError,
}

/// Requests one item of each list that the object shows. A backfill reads no other lists.
pub(crate) async fn refused_lists(
    client: &StripeClient,
    table: &'static Table,
    id: &str,
    object: Object<'_>,
) -> Vec<RefusedList> {
    let lists = table.nested.iter().map(KnownList::of).chain(unknown_lists(table, object));
    let mut refused = Vec::new();
    for list in lists.take(MAX_LISTS) {
        let shown = object.get_path(list.path.iter().map(|key| &**key));
        let request = shown
            .and_then(EmbeddedList::read)
            .and_then(|embedded| list_request(&list, id, &embedded).ok());
        let Some(request) = request else { continue };
        let Err(error) = client.list_up_to(&request, 1).await else { continue };
        // The object may have been deleted since.
        let is_gone = error.is_resource_missing()
            && retrieve(client, table, id).await.is_err_and(|error| error.is_missing());
        if !is_gone {
            refused.push(RefusedList { name: list.name(), error });
        }
    }
    refused
}
