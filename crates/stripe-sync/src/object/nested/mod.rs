//! Lists inside objects, read to the last item.
//!
//! Stripe embeds the first ten items or so (FACTS 8). The rest is read from the list's own URL. A
//! list of moderate size is put back into its object completely. The items of a longer one are sent
//! to the writer page by page, so a parent with a hundred thousand items needs no more memory than
//! a page.

mod address;
mod completed;
mod embedded;
mod items;
mod known;
mod probe;
mod reader;

use tokio::sync::mpsc;

pub(crate) use self::completed::{CompletedObject, ListProblem, NestedError};
use self::embedded::EmbeddedList;
pub(crate) use self::items::ItemChunk;
pub(crate) use self::known::has_cut_off_list;
use self::known::{KnownList, unknown_lists};
pub(crate) use self::probe::{RefusedList, refused_lists};
use self::reader::{Interruption, ListReader};
use crate::catalog::Table;
use crate::memory::ListMemory;
use crate::order::Stamp;
use crate::row::Object;
use crate::stripe::StripeClient;

/// Reads every truncated list of an object to its end. Items of lists that are too long for the
/// object are sent to `chunks`; they have to be written before the object.
///
/// A list that cannot be read to its end does not fail the object: [`CompletedObject::problem`]
/// says why.
///
/// Cancel-safe: items sent so far are valid observations, and nothing depends on them.
pub(crate) async fn complete<M: From<ItemChunk>>(
    client: &StripeClient,
    table: &'static Table,
    id: &str,
    object: Object<'_>,
    stamp: Stamp,
    memory: ListMemory,
    chunks: &mpsc::Sender<M>,
) -> Result<CompletedObject, NestedError> {
    let mut completed = CompletedObject { memory, ..CompletedObject::default() };
    let lists = table.nested.iter().map(KnownList::of).chain(unknown_lists(table, object));
    for list in lists {
        let previous = completed.json.take();
        let current = previous.as_deref().map_or(object, Object::from);
        let found = current
            .get_path(list.path.iter().map(|key| &**key))
            .and_then(|raw| Some((raw, EmbeddedList::read(raw)?)));
        let mut whole = None;
        if let Some((raw, embedded)) = found.filter(|(_, embedded)| embedded.has_more) {
            let mut reader = ListReader {
                client,
                table,
                list: &list,
                parent: id,
                stamp,
                completed: &mut completed,
            };
            match reader.read(&embedded, chunks).await {
                Ok(items) => whole = items.map(|items| items.put_into(current.json(), raw)),
                Err(Interruption::Problem(problem)) => {
                    completed.problem.get_or_insert(problem);
                }
                Err(Interruption::Ends(error)) => return Err(error),
            }
        }
        completed.json = whole.or(previous);
        if completed.gone {
            break;
        }
    }
    Ok(completed)
}
