//! Lists inside objects, to the last item.
//!
//! Stripe embeds the first ten items or so (FACTS 8). The rest is read through the list's own
//! address. A list of moderate size is put back into its object whole; the items of a longer one
//! go to their table page by page as they come, so a parent with a hundred thousand items costs
//! no more memory than a page.

use std::ops::Range;

use crate::catalog::{Catalog, Nested, Table};
use crate::memory::Room;
use crate::object::retrieve::{AccountContext, RetrieveError};
use crate::order::{REPLICA_LAG, Stamp};
use crate::postgres::{Batch, ChildList, PostgresError, Rows, Written};
use crate::row::{Observation, elements, fields, get, get_path, id_of, name_of, string, winners};
use crate::stripe::{ApiPath, Page, ParsedList, Request, StripeError, parse_list};

/// A list with a table of its own goes back into its object up to this size.
const INLINE: usize = 1 << 20;
/// A list without a table has no other place; beyond this the object is refused.
const INLINE_ONLY: usize = 64 << 20;
/// How often a list is begun anew because its cursor was deleted under the reading.
const RESTARTS: u32 = 5;

/// An object with its nested lists read to the end.
#[derive(Debug, Default)]
pub(crate) struct Completed {
    /// The object with whole lists, if any had to be completed.
    pub(crate) json: Option<String>,
    /// Lists whose items have been written to their table already.
    pub(crate) streamed: Vec<ChildList>,
    pub(crate) requests: u32,
    pub(crate) quarantined: u64,
    /// The object was deleted while its lists were read: there is nothing to store.
    pub(crate) gone: bool,
    /// What `json` takes.
    pub(crate) room: Room,
}

/// Why a nested list could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NestedError {
    #[error("{path} of {object}: {source}")]
    Stripe { path: String, object: &'static str, source: StripeError },
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error("{path} of {object} {id} {what}")]
    Broken {
        path: String,
        object: &'static str,
        id: String,
        what: &'static str,
        request_id: Option<String>,
        requests: u32,
    },
}

/// Reads every cut-off list of an object to its end.
///
/// Cancel-safe: items written so far are valid observations, and nothing depends on them.
pub(crate) async fn complete(
    link: &AccountContext,
    table: &'static Table,
    id: &str,
    json: &str,
    stamp: Stamp,
    room: Room,
) -> Result<Completed, NestedError> {
    let mut done = Completed { room, ..Completed::default() };
    for nested in &table.nested {
        let path: Vec<String> = nested.path.split('.').map(str::to_owned).collect();
        let sent = done.json.take();
        let current = sent.as_deref().unwrap_or(json);
        let list = get_path(current, &path).and_then(|raw| Some((raw, embedded(raw)?)));
        let mut whole = None;
        if let Some((raw, list)) = list.filter(|(_, list)| list.has_more) {
            let mut reading = Reading { link, table, nested, parent: id, stamp, done: &mut done };
            let items = reading.read_on(&list).await?;
            whole = items.map(|items| with_whole_list(current, raw, &items));
        }
        done.json = whole.or(sent);
        if done.gone {
            break;
        }
    }
    Ok(done)
}

/// A list inside an object; `None` if there is none, such as where Stripe sends null. One that does
/// not say where it ends counts as one of which nothing is known: it is read from its start.
fn embedded(raw: &str) -> Option<ParsedList<'_>> {
    let is_list = raw.starts_with('{')
        && (get(raw, "data").is_some() || get(raw, "object").and_then(string)? == "list");
    let unclear = || {
        let url = get(raw, "url").and_then(string);
        ParsedList { items: Vec::new(), has_more: true, url }
    };
    is_list.then(|| parse_list(raw).unwrap_or_else(|_| unclear()))
}

/// The rows of an object's embedded lists, and which of those lists are whole.
pub(crate) fn children<'a>(
    table: &'static Table,
    id: &'a str,
    parent: &Observation<'a>,
    mut each: impl FnMut(&'static Table, Observation<'a>),
) -> Vec<ChildList> {
    let Observation { json, stamp, request_id, .. } = *parent;
    let mut whole = Vec::new();
    for nested in &table.nested {
        let Some(child) = nested.table.as_deref().and_then(|t| Catalog::get().table(t)) else {
            continue;
        };
        let path: Vec<String> = nested.path.split('.').map(str::to_owned).collect();
        let Some(list) = get_path(json, &path) else { continue };
        let Some(data) = get(list, "data") else { continue };
        for item in elements(data) {
            each(child, observe(item, stamp, id, request_id));
        }
        if get(list, "has_more") == Some("false") {
            whole.push(ChildList { table: child, parent: id.to_owned(), stamp });
        }
    }
    whole
}

/// An item of a nested list.
fn observe<'a>(
    item: &'a str,
    stamp: Stamp,
    parent: &'a str,
    request_id: Option<&'a str>,
) -> Observation<'a> {
    Observation { id: name_of(item), json: item, stamp, parent: Some(parent), request_id }
}

struct Reading<'l, 'd> {
    link: &'l AccountContext,
    table: &'static Table,
    nested: &'static Nested,
    parent: &'l str,
    stamp: Stamp,
    done: &'d mut Completed,
}

impl Reading<'_, '_> {
    /// All items, or `None` if they went to their table.
    async fn read_on(&mut self, list: &ParsedList<'_>) -> Result<Option<Items>, NestedError> {
        let child = self.nested.table.as_deref().and_then(|t| Catalog::get().table(t));
        let base = self.request(list)?;
        let (before, mut kept) = (self.done.room.mark(), Items::default());
        let mut cursor = last_id(list.items.iter().copied());
        let until = place_of(list.items.iter().copied(), cursor.as_deref());
        list.items[..until].iter().for_each(|item| kept.push(item));
        let (mut restarts, mut streaming) = (0, false);
        loop {
            let page = match self.page(&base, cursor.as_deref()).await {
                Ok(page) => page,
                Err(error)
                    if error.is_cursor_missing() && cursor.is_some() && restarts < RESTARTS =>
                {
                    // Read again from the top; what was kept may hold items that are gone.
                    restarts += 1;
                    self.done.requests += error.requests;
                    cursor = None;
                    kept.clear();
                    continue;
                }
                Err(error) if error.is_resource_missing() => {
                    return self.without_list(error).await;
                }
                Err(source) => {
                    let path = self.nested.path.clone();
                    return Err(NestedError::Stripe { path, object: &self.table.object, source });
                }
            };
            self.done.requests += page.requests;
            let last = last_id(page.items());
            if page.has_more && (last.is_none() || last == cursor) {
                return Err(self.broken("has more items but no way to go on", Some(&page)));
            }
            // What follows the new cursor comes again with the next page.
            let until = match page.has_more {
                true => place_of(page.items(), last.as_deref()),
                false => page.items().len(),
            };
            let more: usize = page.items().take(until).map(|item| item.len() + 1).sum();
            if !streaming {
                self.done.room.grow(more).await;
            }
            kept.text.reserve(more);
            page.items().take(until).for_each(|item| kept.push(item));
            match child {
                Some(child) if streaming || kept.text.len() > INLINE => {
                    streaming = true;
                    self.write(child, &kept, page.request_id.as_deref()).await?;
                    kept.clear();
                    self.done.room.shrink(before);
                }
                None if kept.text.len() > INLINE_ONLY => {
                    return Err(self.broken("is larger than 64 MiB and has no table", Some(&page)));
                }
                _ => {}
            }
            if !page.has_more {
                break;
            }
            cursor = last;
        }
        match (child, streaming) {
            (Some(child), true) => {
                let (parent, stamp) = (self.parent.to_owned(), self.stamp);
                self.done.streamed.push(ChildList { table: child, parent, stamp });
                Ok(None)
            }
            _ => Ok(Some(kept)),
        }
    }

    /// The list is said not to exist. Either its parent is gone as well, or something is wrong.
    async fn without_list(&mut self, error: StripeError) -> Result<Option<Items>, NestedError> {
        // A 404 can be wrong for a moment.
        tokio::time::sleep(REPLICA_LAG).await;
        let gone = match self.link.retrieve(self.table, self.parent).await {
            Ok(parent) => get(&parent.body, "deleted") == Some("true"),
            Err(RetrieveError::Stripe(error)) => error.is_resource_missing(),
            Err(_) => false,
        };
        let path = self.nested.path.clone();
        match gone {
            true => {
                self.done.gone = true;
                Ok(None)
            }
            false => Err(NestedError::Stripe { path, object: &self.table.object, source: error }),
        }
    }

    /// The list's own address if Stripe gave a usable one, else the catalog's.
    fn request(&self, list: &ParsedList<'_>) -> Result<Request, NestedError> {
        let endpoint = self.nested.list_path.clone();
        // One that does not name this parent would bring another one's items.
        let own = list.url.as_deref().and_then(ApiPath::from_response);
        let own = own.filter(|(path, query)| {
            path.has_segment(self.parent) || query.iter().any(|(_, value)| value == self.parent)
        });
        let (path, query) = match own {
            Some((path, query)) => {
                let keep = |(name, _): &(String, String)| {
                    !matches!(name.as_str(), "limit" | "starting_after" | "ending_before")
                };
                (path, query.into_iter().filter(keep).collect())
            }
            None => {
                let path = match endpoint.contains('{') {
                    true => ApiPath::with_segment(&endpoint, self.parent).map_err(|_| {
                        self.broken("cannot be asked for: its id cannot be part of a path", None)
                    })?,
                    false => ApiPath::list(&endpoint),
                };
                let value = |v: &String| v.replace("{parent}", self.parent);
                (path, self.nested.params.iter().map(|(n, v)| (n.clone(), value(v))).collect())
            }
        };
        Ok(Request { path, endpoint, query })
    }

    async fn page(&self, base: &Request, cursor: Option<&str>) -> Result<Page, StripeError> {
        let mut request = base.clone().with("limit", "100");
        if let Some(cursor) = cursor {
            request = request.with("starting_after", cursor);
        }
        self.link.client.list(&request).await
    }

    /// `request_id` brought the items, or the last of them.
    async fn write(
        &mut self,
        child: &'static Table,
        items: &Items,
        request_id: Option<&str>,
    ) -> Result<(), NestedError> {
        let row = |item| observe(item, self.stamp, self.parent, request_id);
        let rows = items.iter().map(row).collect();
        let rows = Rows {
            batches: vec![Batch { table: child, rows: winners(rows) }],
            complete_lists: Vec::new(),
            replace: None,
        };
        let (database, statements) = (&self.link.database, &self.link.statements);
        let written = database.write_rows(statements, self.link.account.as_str(), &rows).await?;
        if let Written::Done { quarantined } = written {
            self.done.quarantined += quarantined;
        }
        Ok(())
    }

    fn broken(&self, what: &'static str, page: Option<&Page>) -> NestedError {
        NestedError::Broken {
            path: self.nested.path.clone(),
            object: &self.table.object,
            id: self.parent.to_owned(),
            what,
            request_id: page.and_then(|page| page.request_id.clone()),
            requests: self.done.requests,
        }
    }
}

/// The id of the last item that has one.
fn last_id<'i>(items: impl DoubleEndedIterator<Item = &'i str>) -> Option<String> {
    items.rev().find_map(id_of).map(|id| id.into_owned())
}

/// The number of items up to the last one of this id, inclusive; none without an id.
fn place_of<'i>(
    mut items: impl DoubleEndedIterator<Item = &'i str> + ExactSizeIterator,
    id: Option<&str>,
) -> usize {
    let found = |id| items.rposition(|item| id_of(item).as_deref() == Some(id));
    id.and_then(found).map_or(0, |place| place + 1)
}

/// Items of a list, as sent, in one text: `a,b,c`.
#[derive(Debug, Default)]
struct Items {
    text: String,
    places: Vec<Range<usize>>,
}

impl Items {
    fn push(&mut self, item: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        let from = self.text.len();
        self.text.push_str(item);
        self.places.push(from..self.text.len());
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| &self.text[place.clone()])
    }

    fn clear(&mut self) {
        self.text.clear();
        self.places.clear();
    }
}

/// `json` with all items and nothing left to read in `list`, which is a slice of it.
fn with_whole_list(json: &str, list: &str, items: &Items) -> String {
    let from = list.as_ptr() as usize - json.as_ptr() as usize;
    let (before, after) = (&json[..from], &json[from + list.len()..]);
    let mut out = String::with_capacity(json.len() + items.text.len());
    out.push_str(before);
    out.push('{');
    for (key, value) in fields(list).filter(|(key, _)| !matches!(*key, "data" | "has_more")) {
        for part in ["\"", key, "\":", value, ","] {
            out.push_str(part);
        }
    }
    for part in ["\"data\":[", &items.text, "],\"has_more\":false}", after] {
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_list_takes_the_place_of_the_cut_one() {
        let json = r#"{"id":"in_1","lines":{"object":"list","data":[{"id":"a"}],"has_more":true,"url":"/v1/x"},"z":1}"#;
        let raw = get(json, "lines").expect("lines");
        let mut items = Items::default();
        [r#"{"id":"a"}"#, r#"{"id":"b"}"#].iter().for_each(|item| items.push(item));
        assert_eq!(
            with_whole_list(json, raw, &items),
            r#"{"id":"in_1","lines":{"object":"list","url":"/v1/x","data":[{"id":"a"},{"id":"b"}],"has_more":false},"z":1}"#
        );
    }

    #[test]
    fn only_whole_lists_may_remove_rows() {
        let table = Catalog::get().table("invoices").expect("invoices");
        let stamp = Stamp::from_micros(1);
        let look = |json: &'static str| {
            let mut ids = Vec::new();
            let parent = AccountContext::observe("in_1", json, stamp, None);
            let whole = children(table, "in_1", &parent, |t, o| {
                ids.push((t.name.clone(), o.id.into_owned()));
            });
            (ids, whole.len())
        };
        let (ids, whole) = look(r#"{"lines":{"data":[{"id":"il_1"}],"has_more":false}}"#);
        assert_eq!((ids, whole), (vec![("invoice_line_items".into(), "il_1".into())], 1));
        assert_eq!(look(r#"{"lines":{"data":[{"id":"il_1"}],"has_more":true}}"#).1, 0);
        assert_eq!(look(r#"{"lines":null}"#).1, 0);
        assert_eq!(look("{}").1, 0);
    }
}
