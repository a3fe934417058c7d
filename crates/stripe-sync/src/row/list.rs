//! The objects of a page and their properties, found while the page is validated as JSON.

use std::ops::Range;

use super::object::{Escapes, Field, Object};
use super::scan;
use super::validate::Validator;

/// Where the objects of a list are in its text, and where their properties are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListIndex {
    items: Vec<Item>,
    /// The properties of all items, one item after the other.
    fields: Vec<Field>,
    /// Whether the list has more objects than these.
    pub(crate) has_more: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Item {
    json: Range<usize>,
    /// Where its properties are in `ListIndex::fields`.
    fields: Range<usize>,
    escapes: Escapes,
}

impl ListIndex {
    /// Reads a list object in one scan. `None` if the text is not valid JSON, or not one list with
    /// `data` and `has_more`. Also `None` for forms that are left to another parser: one of these
    /// keys twice, or an escape in a key of the list.
    pub(crate) fn read(text: &str) -> Option<ListIndex> {
        let mut reader =
            Reader { text, validator: Validator::new(text), items: Vec::new(), fields: Vec::new() };
        let (has_more, end) = reader.list()?;
        let Reader { validator, mut items, mut fields, .. } = reader;
        items.shrink_to_fit();
        fields.shrink_to_fit();
        validator.ends(end).then_some(ListIndex { items, fields, has_more })
    }

    /// The index of a list whose items another parser has found. They must be valid JSON.
    pub(crate) fn of_items(text: &str, items: Vec<Range<usize>>, has_more: bool) -> ListIndex {
        let mut fields = Vec::new();
        let index = |json: Range<usize>| {
            let (start, from) = (text.as_ptr().addr(), fields.len());
            let range = |part: &str| {
                let at = part.as_ptr().addr() - start;
                (at, at + part.len())
            };
            let found = scan::fields(&text[json.clone()]);
            fields.extend(found.map(|(k, v)| Field::new(json.start, range(k), range(v))));
            Item { json, fields: from..fields.len(), escapes: Escapes::Anywhere }
        };
        let items = items.into_iter().map(index).collect();
        ListIndex { items, fields, has_more }
    }

    /// The items in order. `text` is the list's.
    pub(crate) fn items<'a>(
        &'a self,
        text: &'a str,
    ) -> impl DoubleEndedIterator<Item = Object<'a>> + ExactSizeIterator {
        let item = |item: &Item| {
            Object::new(&text[item.json.clone()], &self.fields[item.fields.clone()], item.escapes)
        };
        self.items.iter().map(item)
    }

    /// Drops the items after the first `count`.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.items.truncate(count);
    }

    /// What the index occupies in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<Item>() + self.fields.capacity() * size_of::<Field>()
    }
}

struct Reader<'a> {
    text: &'a str,
    validator: Validator<'a>,
    items: Vec<Item>,
    fields: Vec<Field>,
}

impl Reader<'_> {
    /// `has_more`, and where the list ends.
    fn list(&mut self) -> Option<(bool, usize)> {
        let (mut data, mut has_more) = (None, None);
        let (b'{', mut at) = self.validator.token(0)? else { return None };
        loop {
            let (key, key_end, value) = self.validator.key(at + 1)?;
            let end = match &self.text[key..key_end] {
                "data" => {
                    let end = self.data(value)?;
                    once(&mut data, ())?;
                    end
                }
                "has_more" => {
                    let end = self.validator.value(value)?;
                    once(&mut has_more, self.text[value..end].parse().ok()?)?;
                    end
                }
                other if other.contains('\\') => return None,
                _ => self.validator.value(value)?,
            };
            match self.validator.token(end)? {
                (b',', comma) => at = comma,
                (b'}', end) => {
                    data?;
                    return Some((has_more?, end + 1));
                }
                _ => return None,
            }
        }
    }

    fn data(&mut self, at: usize) -> Option<usize> {
        let (b'[', at) = self.validator.token(at)? else { return None };
        let (mut first, mut at) = self.validator.token(at + 1)?;
        if first == b']' {
            return Some(at + 1);
        }
        loop {
            let from = self.fields.len();
            let (end, escapes) = match first {
                b'{' => self.object(at)?,
                // Not an object, so it has no properties.
                _ => (self.validator.value(at)?, Escapes::Anywhere),
            };
            if self.items.is_empty() {
                // The other objects probably have a similar number of properties.
                self.fields.reserve(self.fields.len() * (self.text.len() / (end - at)));
            }
            self.items.push(Item { json: at..end, fields: from..self.fields.len(), escapes });
            match self.validator.token(end)? {
                (b',', comma) => (first, at) = self.validator.token(comma + 1)?,
                (b']', end) => return Some(end + 1),
                _ => return None,
            }
        }
    }

    /// Where the object ends, and which escapes it contains.
    fn object(&mut self, start: usize) -> Option<(usize, Escapes)> {
        let (first, mut at) = self.validator.token(start + 1)?;
        if first == b'}' {
            return Some((at + 1, Escapes::Nowhere));
        }
        let escapes_before = self.validator.escapes;
        let mut in_keys = 0;
        loop {
            let before = self.validator.escapes;
            let (key, key_end, value) = self.validator.key(at)?;
            in_keys += self.validator.escapes - before;
            let end = self.validator.value(value)?;
            self.fields.push(Field::new(start, (key, key_end), (value, end)));
            match self.validator.token(end)? {
                (b',', comma) => at = comma + 1,
                (b'}', end) => {
                    let escapes = match self.validator.escapes - escapes_before {
                        0 => Escapes::Nowhere,
                        _ if in_keys == 0 => Escapes::InValues,
                        _ => Escapes::Anywhere,
                    };
                    return Some((end + 1, escapes));
                }
                _ => return None,
            }
        }
    }
}

/// Stores a value that may occur only once.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::any_json::{any_json, any_object};
    use crate::row::{fields, get};

    fn ranges(text: &str) -> Option<ListIndex> {
        ListIndex::read(text)
    }

    #[test]
    fn items_and_their_properties_are_found() {
        let text = r#" {"object":"list", "data" : [ {"id":"a" , "b":[{"id":1}],"id":null},{}, 7 ,[{"c":1}] ],
            "has_more": true } "#;
        let list = ListIndex::read(text).expect("a list");
        let items: Vec<Object<'_>> = list.items(text).collect();
        let json: Vec<&str> = items.iter().map(|item| item.json()).collect();
        assert_eq!(json, [r#"{"id":"a" , "b":[{"id":1}],"id":null}"#, "{}", "7", r#"[{"c":1}]"#]);
        let found: Vec<_> = items[0].fields().collect();
        assert_eq!(found, [("id", "\"a\""), ("b", r#"[{"id":1}]"#), ("id", "null")]);
        assert_eq!((items[0].get("id"), items[0].get("c")), (Some("null"), None));
        assert!(items[1..].iter().all(|item| item.fields().next().is_none()));
        assert!(list.has_more);
    }

    #[test]
    fn unusual_lists_are_left_to_another_parser() {
        for text in [
            r#"{"data":[],"has_more":false,"data":[]}"#,
            r#"{"data":[],"has_more":false,"has_more":true}"#,
            r#"{"data":[],"has_more":false,"\u0064ata":[]}"#,
            r#"{"data":[],"has_more":"false"}"#,
            r#"{"data":{},"has_more":false}"#,
            r#"{"data":[]}"#,
            "{}",
            "[[],false,null]",
        ] {
            assert!(ranges(text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        /// A scan of each object finds the same positions.
        #[test]
        fn agrees_with_a_scan_of_each_object(
            items in proptest::collection::vec(
                proptest::prop_oneof![4 => any_object(), 1 => any_json()], 0..5),
            space in "[ \n\t]{0,2}",
        ) {
            let data = items.join(&format!("{space},{space}"));
            let text = format!(r#"{{"has_more":{space}false,{space}"x":{{"data":[1]}},"data":[{space}{data}{space}]}}"#);
            let list = ListIndex::read(&text).expect("a list");
            let found: Vec<&str> = list.items(&text).map(Object::json).collect();
            proptest::prop_assert_eq!(&found, &items);
            for item in list.items(&text) {
                let known: Vec<_> = item.fields().collect();
                proptest::prop_assert_eq!(known, fields(item.json()).collect::<Vec<_>>());
                for key in ["id", "a", "data", ""] {
                    proptest::prop_assert_eq!(item.get(key), get(item.json(), key));
                }
            }
            let places = list.items.iter().map(|item| item.json.clone()).collect();
            let other = ListIndex::of_items(&text, places, false);
            proptest::prop_assert_eq!(&other.fields, &list.fields);
            for (item, other) in list.items.iter().zip(&other.items) {
                proptest::prop_assert_eq!(&item.fields, &other.fields);
                let escapes = text[item.json.clone()].contains('\\');
                let in_keys = list.fields[item.fields.clone()]
                    .iter()
                    .any(|field| field.of(&text[item.json.clone()]).0.contains('\\'));
                match item.escapes {
                    Escapes::Nowhere => proptest::prop_assert!(!escapes),
                    Escapes::InValues => proptest::prop_assert!(escapes && !in_keys),
                    Escapes::Anywhere => {}
                }
            }
        }
    }
}
