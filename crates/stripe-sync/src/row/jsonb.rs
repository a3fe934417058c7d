//! JSON text in the form that the database stores.

use std::borrow::Cow;

use super::distinct_keys::distinct_keys;
use super::escape::{Repaired, escape};

/// JSON text without characters that jsonb rejects, in which distinct keys remain distinct.
pub(super) fn for_jsonb(raw: &str) -> Repaired<'_> {
    let repaired = replace(raw);
    if repaired.replaced == 0 {
        return repaired;
    }
    match distinct_keys(raw) {
        Some(distinct) => Repaired {
            text: Cow::Owned(replace(&distinct).text.into_owned()),
            replaced: repaired.replaced,
        },
        None => repaired,
    }
}

fn replace(raw: &str) -> Repaired<'_> {
    if !raw.contains("\\u") {
        return Repaired { text: Cow::Borrowed(raw), replaced: 0 };
    }
    let mut out = String::new();
    let (mut replaced, mut copied, mut at) = (0, 0, 0);
    while let Some(found) = raw.get(at..).and_then(|rest| rest.find('\\')) {
        at += found;
        let (char, length) = escape(&raw[at..]);
        if char.is_none() {
            out.push_str(&raw[copied..at]);
            out.push_str("\\ufffd");
            replaced += 1;
            copied = at + length;
        }
        at += length;
    }
    if replaced == 0 {
        return Repaired { text: Cow::Borrowed(raw), replaced };
    }
    out.push_str(raw.get(copied..).unwrap_or_default());
    Repaired { text: Cow::Owned(out), replaced }
}

/// JSON without whitespace between its tokens.
pub(super) fn compact(raw: &str) -> Cow<'_, str> {
    if !raw.contains([' ', '\n', '\r', '\t']) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let (mut in_string, mut escaped) = (false, false);
    for char in raw.chars() {
        if in_string {
            in_string = escaped || char != '"';
            escaped = !escaped && char == '\\';
        } else if matches!(char, ' ' | '\n' | '\r' | '\t') {
            continue;
        } else {
            in_string = char == '"';
        }
        out.push(char);
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_only_what_jsonb_refuses() {
        let cases = [
            (r#"{"a":"\u0000","b":"\u00e9"}"#, r#"{"a":"\ufffd","b":"\u00e9"}"#, 1),
            (r#""\\u0000""#, r#""\\u0000""#, 0),
            (r#""\\\u0000""#, r#""\\\ufffd""#, 1),
            (r#""\ud83d\ude00""#, r#""\ud83d\ude00""#, 0),
            (r#""\ud83d\ud83d\ude00""#, r#""\ufffd\ud83d\ude00""#, 1),
            // Distinct keys of one object that would become equal stay distinct; a key sent twice
            // stays one key.
            (
                r#"{"a\u0000":[{"a\u0000":1}],"a\ud800" : 2,"a\ufffd":"a\ufffd","a":3,"a\ud800":4}"#,
                "{\"a\\ufffd\":[{\"a\\ufffd\":1}],\"a\\ufffd\u{fffd}\" : 2,\
                 \"a\\ufffd\u{fffd}\u{fffd}\":\"a\\ufffd\",\"a\":3,\"a\\ufffd\u{fffd}\":4}",
                2 + 1 + 1,
            ),
        ];
        for (raw, text, replaced) in cases {
            assert_eq!(for_jsonb(raw), Repaired { text: text.into(), replaced }, "{raw}");
        }
    }

    #[test]
    fn whitespace_in_strings_remains() {
        assert_eq!(
            compact("{ \"a b\" : [ 1,\n 2 ], \"c\\\" d\": \" \" }"),
            r#"{"a b":[1,2],"c\" d":" "}"#
        );
    }

    proptest::proptest! {
        /// In any string, only U+0000 is changed.
        #[test]
        fn round_trips_any_text(text in proptest::collection::vec(proptest::char::any(), 0..40)) {
            let text: String = text.into_iter().collect();
            let json = serde_json::to_string(&text).expect("a string");
            let repaired = for_jsonb(&json).text;
            let again: String = serde_json::from_str(&repaired).expect("valid json");
            proptest::prop_assert_eq!(again, text.replace('\0', "\u{fffd}"));
        }

        #[test]
        fn never_panics(text in "[\\\\ud8dce0\"a]{0,30}") {
            for_jsonb(&text);
            compact(&text);
        }
    }
}
