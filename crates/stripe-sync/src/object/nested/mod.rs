//! Lists inside objects, read to the last item.
//!
//! Stripe embeds the first ten items or so (FACTS 8). The rest is read through the list's own address.
//! A list of moderate size is put back into its object whole. The items of a longer one are sent to the
//! writer page by page, so a parent with a hundred thousand items needs no more memory than a page.

mod items;
mod reader;

use tokio::sync::mpsc;

pub(crate) use self::items::ItemChunk;
use self::reader::ListReader;
use crate::catalog::Table;
use crate::memory::Room;
use crate::order::Stamp;
use crate::postgres::CompleteList;
use crate::row::{get, get_path, string};
use crate::stripe::{ParsedList, StripeClient, StripeError, parse_list};

/// An object with its nested lists read to the end.
#[derive(Debug, Default)]
pub(crate) struct CompletedObject {
    /// The object with whole lists, if a list had to be completed.
    pub(crate) json: Option<String>,
    /// Lists whose items were sent to the writer.
    pub(crate) sent_lists: Vec<CompleteList>,
    /// HTTP requests, repetitions included.
    pub(crate) requests: u32,
    /// The object was deleted while its lists were read: there is nothing to store.
    pub(crate) gone: bool,
    /// The memory that `json` takes.
    pub(crate) room: Room,
}

/// Why a nested list could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NestedError {
    #[error("{path} of {object}: {source}")]
    Stripe { path: String, object: &'static str, source: StripeError },
    #[error("{path} of {object} {id} {what}")]
    Broken {
        path: String,
        object: &'static str,
        id: String,
        what: &'static str,
        request_id: Option<String>,
        requests: u32,
    },
    /// The writer accepts no more items. Its own error says why.
    #[error("the items could not be written")]
    WriterClosed,
}

/// Reads every cut-off list of an object to its end. Items of lists that are too long for the object
/// are sent to `chunks`; they have to be written before the object.
///
/// Cancel-safe: items sent so far are valid observations, and nothing depends on them.
pub(crate) async fn complete<M: From<ItemChunk>>(
    client: &StripeClient,
    table: &'static Table,
    id: &str,
    json: &str,
    stamp: Stamp,
    room: Room,
    chunks: &mpsc::Sender<M>,
) -> Result<CompletedObject, NestedError> {
    let mut completed = CompletedObject { room, ..CompletedObject::default() };
    for nested in &table.nested {
        let path: Vec<String> = nested.path.split('.').map(str::to_owned).collect();
        let previous = completed.json.take();
        let current = previous.as_deref().unwrap_or(json);
        let list = get_path(current, &path).and_then(|raw| Some((raw, embedded_list(raw)?)));
        let mut whole = None;
        if let Some((raw, list)) = list.filter(|(_, list)| list.has_more) {
            let mut reader =
                ListReader { client, table, nested, parent: id, stamp, completed: &mut completed };
            let items = reader.read(&list, chunks).await?;
            whole = items.map(|items| items.put_into(current, raw));
        }
        completed.json = whole.or(previous);
        if completed.gone {
            break;
        }
    }
    Ok(completed)
}

/// A list inside an object; `None` where there is none, such as where Stripe sends null. A list that
/// does not say whether it has more items counts as one of which nothing is known: it is read from
/// its start.
fn embedded_list(raw: &str) -> Option<ParsedList<'_>> {
    let is_list = raw.starts_with('{')
        && (get(raw, "data").is_some() || get(raw, "object").and_then(string)? == "list");
    let unknown = || {
        let url = get(raw, "url").and_then(string);
        ParsedList { items: Vec::new(), has_more: true, url }
    };
    is_list.then(|| parse_list(raw).unwrap_or_else(|_| unknown()))
}
