//! Lists inside objects: the newest ten items, whether there are more, and where.

use crate::catalog::{Kind, catalog};
use crate::collection::{Key, Source, collections};
use crate::expand::Expand;
use crate::filter::{Filter, hidden_by_default};
use crate::json;
use crate::list::{Ask, Cursor};
use crate::view::View;

/// How many items an embedded list shows.
const SHOWN: usize = 10;

/// A list property of an object.
#[derive(Debug)]
pub(crate) struct Embedded {
    /// Absent unless the request expands it.
    pub(crate) optional: bool,
    source: Source,
    before_id: String,
    after_id: String,
}

impl Embedded {
    /// The embedded list at `path` of a type, if the catalog says where its items are.
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
        let (keys, more) = embedded_window(view, &self.source, key, SHOWN);
        out.push_str("{\"object\":\"list\",\"data\":[");
        let below = expand.below("data");
        for (i, item) in keys.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            view.write_object(*item, below, out);
        }
        out.push_str("],\"has_more\":");
        json::boolean(out, more);
        out.push_str(",\"url\":\"");
        out.push_str(&self.before_id);
        percent_encode(&view.id(key), out);
        out.push_str(&self.after_id);
        out.push_str("\"}");
    }
}

/// The first items of a nested list, newest first, and whether there are more.
pub(crate) fn embedded_window(
    view: &View<'_>,
    source: &Source,
    parent: Key,
    shown: usize,
) -> (Vec<Key>, bool) {
    let mut ask = Ask::whole(source.clone(), parent.index);
    if let Source::Referring { kind: items, property, parent: kind } = source {
        ask.filters = hidden_by_default(*items, &|param| param == property);
        ask.filters.push(Filter::refers(view, property, *kind, parent));
    }
    ask.limit = shown;
    ask.cursor = Cursor::None;
    let page = crate::list::page(view, &ask);
    (page.keys, page.has_more)
}

/// Escapes an id for a path.
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
