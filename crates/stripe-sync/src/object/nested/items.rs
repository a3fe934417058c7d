//! The items of a nested list as text.

use std::ops::Range;

use crate::catalog::Table;
use crate::memory::ListMemory;
use crate::order::Stamp;
use crate::row::fields;

/// Items of a list, as sent, in one text: `a,b,c`.
#[derive(Debug, Default)]
pub(crate) struct Items {
    text: String,
    ranges: Vec<Range<usize>>,
}

/// Items of a list that is too long for its object, on their way to the writer.
#[derive(Debug)]
pub(crate) struct ItemChunk {
    /// The table of the items.
    pub(crate) table: &'static Table,
    pub(crate) parent: String,
    /// The stamp of the parent, which orders its items.
    pub(crate) stamp: Stamp,
    pub(crate) items: Items,
    /// Stripe's ID of the request that returned the last item.
    pub(crate) request_id: Option<String>,
    /// The memory that the items take.
    pub(crate) _memory: ListMemory,
}

impl Items {
    pub(super) fn push(&mut self, item: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        let from = self.text.len();
        self.text.push_str(item);
        self.ranges.push(from..self.text.len());
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.ranges.iter().map(|range| &self.text[range.clone()])
    }

    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.ranges.clear();
    }

    /// `json` with these items, and nothing left to read, in place of `list`, which is a slice of
    /// it.
    pub(super) fn put_into(&self, json: &str, list: &str) -> String {
        let from = list.as_ptr() as usize - json.as_ptr() as usize;
        let (before, after) = (&json[..from], &json[from + list.len()..]);
        let mut out = String::with_capacity(json.len() + self.text.len());
        out.push_str(before);
        out.push('{');
        for (key, value) in fields(list).filter(|(key, _)| !matches!(*key, "data" | "has_more")) {
            for part in ["\"", key, "\":", value, ","] {
                out.push_str(part);
            }
        }
        for part in ["\"data\":[", &self.text, "],\"has_more\":false}", after] {
            out.push_str(part);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::get;

    #[test]
    fn a_complete_list_replaces_the_truncated_one() {
        let json = r#"{"id":"in_1","lines":{"object":"list","data":[{"id":"a"}],"has_more":true,"url":"/v1/x"},"z":1}"#;
        let list = get(json, "lines").expect("lines");
        let mut items = Items::default();
        [r#"{"id":"a"}"#, r#"{"id":"b"}"#].iter().for_each(|item| items.push(item));
        assert_eq!(
            items.put_into(json, list),
            r#"{"id":"in_1","lines":{"object":"list","url":"/v1/x","data":[{"id":"a"},{"id":"b"}],"has_more":false},"z":1}"#
        );
    }
}
