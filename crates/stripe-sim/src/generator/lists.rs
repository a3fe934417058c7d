//! Embedded lists: the newest ten items, whether there are more, and the URL of the list.

use crate::catalog::{Kind, catalog};
use crate::collection::{Key, Source, collections};
use crate::expand::Expand;
use crate::filter::{Filter, hidden_by_default};
use crate::json;
use crate::list::{ListQuery, Page, read_page};
use crate::view::View;

/// The number of items that an embedded list contains.
const EMBEDDED_ITEMS: usize = 10;

/// A list property of an object.
#[derive(Debug)]
pub(crate) struct EmbeddedList {
    /// Whether the list is absent unless the request expands it.
    pub(crate) optional: bool,
    source: Source,
    /// The parts of the list's URL before and after the id of the object.
    before_id: String,
    after_id: String,
}

impl EmbeddedList {
    /// The embedded list at `path` of a type, if the catalog contains the endpoint of its items.
    pub(crate) fn new(kind: Kind, path: &str) -> Option<Self> {
        let nested = catalog().object(kind).nested.iter().find(|n| n.path == path)?;
        let item = catalog().kind(nested.items.first()?)?;
        let source = match collections().child(kind, path) {
            Some(collection) => {
                Source::Children { collection, parent: kind, in_path: true, param: String::new() }
            }
            None => {
                let property = catalog().name(kind).rsplit('.').next()?.to_owned();
                Source::Referring { kind: item, property, parent: kind }
            }
        };
        let endpoint = nested.endpoint.split(' ').next()?;
        let (before_id, rest) = endpoint.split_once('{')?;
        let (_, after_id) = rest.split_once('}')?;
        let after_id = after_id.split('&').next()?;
        Some(Self {
            optional: nested.optional,
            source,
            before_id: before_id.into(),
            after_id: after_id.into(),
        })
    }

    /// Appends the list of the object `key`.
    pub(crate) fn write(&self, view: &View<'_>, key: Key, expand: &Expand, out: &mut String) {
        let page = first_items(view, &self.source, key);
        out.push_str("{\"object\":\"list\",\"data\":[");
        let nested = expand.nested("data");
        for (i, item) in page.keys.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            view.write_object(*item, nested, out);
        }
        out.push_str("],\"has_more\":");
        json::boolean(out, page.has_more);
        out.push_str(",\"url\":\"");
        out.push_str(&self.before_id);
        percent_encode(&view.id(key), out);
        out.push_str(&self.after_id);
        out.push_str("\"}");
    }
}

/// Reads the first items of a nested list, newest first.
fn first_items(view: &View<'_>, source: &Source, parent: Key) -> Page {
    let mut query = ListQuery::all(source.clone(), parent.index);
    if let Source::Referring { kind: items, property, parent: kind } = source {
        query.filters = hidden_by_default(*items, &|param| param == property);
        query.filters.push(Filter::refers(view, property, *kind, parent));
    }
    query.limit = EMBEDDED_ITEMS;
    read_page(view, &query)
}

/// Percent-encodes an id for use in a path.
pub(crate) fn percent_encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte >> 4)]));
            out.push(char::from(b"0123456789ABCDEF"[usize::from(byte & 15)]));
        }
    }
}
