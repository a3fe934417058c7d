//! Finds values inside JSON text without building a tree and without recursion, so that any depth
//! of nesting is possible.
//!
//! The text must be valid JSON, which [`super::validate`] checks. On any other text the results are
//! unspecified, but nothing panics and every iterator ends.

use std::borrow::Cow;

use super::escape::unescape;
use super::word::Word;

/// The properties of an object in order: keys as written between their quotes, and raw
/// values.
pub(crate) fn fields(object: &str) -> Fields<'_> {
    let start = skip_space(object.as_bytes(), 0);
    let inside = object.as_bytes().get(start) == Some(&b'{');
    Fields { text: object, at: if inside { start + 1 } else { object.len() } }
}

/// Iterator of [`fields`].
pub(crate) struct Fields<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    /// Key and value, both as written.
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let bytes = self.text.as_bytes();
        let mut at = skip_space(bytes, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            self.at = self.text.len();
            return None;
        }
        let key_end = end_of_string(bytes, at + 1);
        let key = self.text.get(at + 1..key_end.saturating_sub(1))?;
        let colon = skip_space(bytes, key_end);
        let from = skip_space(bytes, colon + 1);
        let to = end_of_value(self.text, from);
        self.at = to;
        Some((key, self.text.get(from..to)?))
    }
}

/// The elements of an array as written.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let start = skip_space(array.as_bytes(), 0);
    let mut at = match array.as_bytes().get(start) {
        Some(b'[') => start + 1,
        _ => array.len(),
    };
    std::iter::from_fn(move || {
        let bytes = array.as_bytes();
        at = skip_space(bytes, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(bytes, at + 1);
        }
        if matches!(bytes.get(at), None | Some(b']')) {
            at = array.len();
            return None;
        }
        let from = at;
        at = end_of_value(array, from);
        array.get(from..at)
    })
}

/// The value of `key`. As in jsonb, the last of several equal keys counts.
pub(crate) fn get<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    fields(object).filter(|(k, _)| key_is(k, key)).last().map(|(_, value)| value)
}

/// The values of several keys, found in one scan.
pub(crate) fn get_each<'a, const N: usize>(
    object: &'a str,
    keys: [&str; N],
) -> [Option<&'a str>; N] {
    let mut values = [None; N];
    for (raw, value) in fields(object) {
        if let Some(place) = keys.iter().position(|key| key_is(raw, key)) {
            values[place] = Some(value);
        }
    }
    values
}

/// The value at a path of keys.
pub(crate) fn get_path<'a, 'p>(
    object: &'a str,
    path: impl IntoIterator<Item = &'p str>,
) -> Option<&'a str> {
    path.into_iter().try_fold(object, get)
}

/// The text of a JSON string; `None` for any other value.
pub(crate) fn string(raw: &str) -> Option<Cow<'_, str>> {
    let inner = raw.strip_prefix('"')?.strip_suffix('"')?;
    Some(unescape(inner).text)
}

/// Whether the value is `null`.
pub(crate) fn is_null(raw: &str) -> bool {
    raw == "null"
}

/// Whether a key as written, which may contain escapes, is `key`.
#[inline]
pub(crate) fn key_is(raw: &str, key: &str) -> bool {
    // An escape is longer than the character it represents.
    raw == key || (raw.len() > key.len() && raw.contains('\\') && unescape(raw).text == key)
}

#[inline(always)]
pub(super) fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The position after the value that begins at `from`.
pub(super) fn end_of_value(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    match bytes.get(from) {
        Some(b'"') => end_of_string(bytes, from + 1),
        Some(b'{' | b'[') => {
            let (mut depth, mut at) = (0_usize, from);
            while let Some(byte) = bytes.get(at) {
                match byte {
                    b'"' => {
                        at = end_of_string(bytes, at + 1);
                        continue;
                    }
                    b'{' | b'[' => depth += 1,
                    b'}' | b']' => {
                        depth -= 1;
                        if depth == 0 {
                            return at + 1;
                        }
                    }
                    _ => {}
                }
                at += 1;
            }
            bytes.len()
        }
        Some(_) => {
            let rest = &bytes[from..];
            let end = |b: &u8| matches!(b, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            // At least one byte, so that every iterator advances.
            from + rest.iter().position(end).unwrap_or(rest.len()).max(1)
        }
        None => bytes.len(),
    }
}

/// The position after the closing quote of a string whose content begins at `at`.
#[inline(always)]
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(word) = Word::read(bytes, at) {
        match (word.equal(b'"') | word.equal(b'\\')).first() {
            None => at += 8,
            Some(place) if bytes[at + place] == b'"' => return at + place + 1,
            Some(place) => at += place + 2,
        }
    }
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::any_json::{any_json, any_object};
    use crate::row::scan_by_byte;

    #[test]
    fn finds_fields_across_space_escapes_and_nesting() {
        let text = r#" { "a" : 1 , "b\"c":"x}\\" ,"d":{"e":[1,{"f":"]"}]},"g":null } "#;
        let found: Vec<_> = fields(text).collect();
        assert_eq!(
            found,
            [("a", "1"), (r#"b\"c"#, r#""x}\\""#), ("d", r#"{"e":[1,{"f":"]"}]}"#), ("g", "null")]
        );
        assert_eq!(get(text, "b\"c"), Some(r#""x}\\""#));
        assert_eq!(get_path(text, ["d", "e"]), Some(r#"[1,{"f":"]"}]"#));
        assert_eq!(get_path(text, ["a", "e"]), None);
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(get(r#"{"a":1,"a":2}"#, "a"), Some("2"));
        let values = get_each(r#"{"a":1,"b":null,"\u0061":2}"#, ["c", "b", "a"]);
        assert_eq!(values, [None, Some("null"), Some("2")]);
    }

    #[test]
    fn finds_the_elements_of_arrays() {
        let all = |t| elements(t).collect::<Vec<_>>();
        assert_eq!(all(r#"[ 1 , "a,]" ,[2],{} ]"#), ["1", r#""a,]""#, "[2]", "{}"]);
        assert!(all("[]").is_empty());
        assert!(all("[ ]").is_empty());
        assert!(all(r#"{"a":1}"#).is_empty());
        assert!(all("null").is_empty());
    }

    #[test]
    fn any_depth_of_nesting_is_read() {
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(50_000), "]".repeat(50_000));
        assert_eq!(get(&deep, "b"), Some("2"));
    }

    proptest::proptest! {
        /// Reading eight bytes at a time gives the same result as reading every byte.
        #[test]
        fn agrees_with_a_scan_byte_by_byte(json in any_object(), list in any_json()) {
            let found: Vec<_> = fields(&json).collect();
            proptest::prop_assert_eq!(&found, &scan_by_byte::fields(&json).collect::<Vec<_>>());
            for (key, value) in &found {
                let key = unescape(key).text;
                proptest::prop_assert_eq!(get(&json, &key), scan_by_byte::get(&json, &key));
                let found: Vec<_> = elements(value).collect();
                proptest::prop_assert_eq!(found, scan_by_byte::elements(value).collect::<Vec<_>>());
            }
            let found: Vec<_> = elements(&list).collect();
            proptest::prop_assert_eq!(found, scan_by_byte::elements(&list).collect::<Vec<_>>());
        }

        #[test]
        fn never_panics_and_always_ends(text in "[{}\\[\\]\",:\\\\a1 é]{0,40}") {
            fields(&text).count();
            elements(&text).count();
        }
    }
}
