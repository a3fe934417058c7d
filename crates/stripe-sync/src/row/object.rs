//! An object's text together with the positions of its properties, so that the text is scanned
//! once.

use super::scan::{self, key_is};

/// An object as Stripe sent it. A value that is not an object has no properties.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Object<'a> {
    json: &'a str,
    /// `None` if the text has not been scanned: then each use scans it.
    fields: Option<&'a [Field]>,
    escapes: Escapes,
}

/// Which strings of an object contain escapes. Most objects have none, and searching every string
/// takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// No string contains one.
    Nowhere,
    /// None of the object's own keys contains one.
    InValues,
    /// Any string may contain one.
    Anywhere,
}

/// Where one property is, in bytes from the start of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    key: u32,
    key_end: u32,
    value: u32,
    value_end: u32,
}

impl Field {
    /// `start` is where the object begins, in the same text as the ranges.
    #[inline(always)]
    pub(super) fn new(start: usize, key: (usize, usize), value: (usize, usize)) -> Field {
        let offset = |at: usize| {
            u32::try_from(at - start).expect("a response from Stripe is limited to 256 MiB")
        };
        Field {
            key: offset(key.0),
            key_end: offset(key.1),
            value: offset(value.0),
            value_end: offset(value.1),
        }
    }

    #[inline]
    fn key(self, json: &[u8]) -> &[u8] {
        &json[self.key as usize..self.key_end as usize]
    }

    #[inline]
    pub(super) fn of(self, json: &str) -> (&str, &str) {
        (
            &json[self.key as usize..self.key_end as usize],
            &json[self.value as usize..self.value_end as usize],
        )
    }
}

impl<'a> Object<'a> {
    /// `fields` are the positions of all properties in `json`, in order.
    pub(super) fn new(json: &'a str, fields: &'a [Field], escapes: Escapes) -> Object<'a> {
        Object { json, fields: Some(fields), escapes }
    }

    /// Which of its strings contain escapes.
    pub(super) fn escapes(self) -> Escapes {
        self.escapes
    }

    /// The text.
    pub(crate) fn json(self) -> &'a str {
        self.json
    }

    /// Keys as written between their quotes, and values as written.
    #[inline]
    pub(crate) fn fields(self) -> Fields<'a> {
        match self.fields {
            Some(fields) => Fields::Known(self.json, fields.iter()),
            None => Fields::Scan(scan::fields(self.json)),
        }
    }

    /// The value of `key`. As in jsonb, the last of several equal keys counts.
    pub(crate) fn get(self, key: &str) -> Option<&'a str> {
        match self.fields {
            Some(fields) => {
                let is_key = |field: &&Field| match self.escapes {
                    Escapes::Anywhere => key_is(field.of(self.json).0, key),
                    _ => field.key(self.json.as_bytes()) == key.as_bytes(),
                };
                fields.iter().rev().find(is_key).map(|field| field.of(self.json).1)
            }
            None => scan::get(self.json, key),
        }
    }

    /// The value at a path of keys.
    pub(crate) fn get_path<'p>(self, path: impl IntoIterator<Item = &'p str>) -> Option<&'a str> {
        let mut path = path.into_iter();
        scan::get_path(self.get(path.next()?)?, path)
    }
}

/// A text that has not been scanned yet.
impl<'a> From<&'a str> for Object<'a> {
    fn from(json: &'a str) -> Object<'a> {
        Object { json, fields: None, escapes: Escapes::Anywhere }
    }
}

/// Iterator of [`Object::fields`].
pub(crate) enum Fields<'a> {
    Known(&'a str, std::slice::Iter<'a, Field>),
    Scan(scan::Fields<'a>),
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, &'a str);

    #[inline]
    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        match self {
            Fields::Known(json, fields) => fields.next().map(|field| field.of(json)),
            Fields::Scan(fields) => fields.next(),
        }
    }
}
