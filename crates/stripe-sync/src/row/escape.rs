//! Escapes in JSON strings. JSON can express U+0000 and lone surrogates, which PostgreSQL's text
//! and jsonb cannot hold. They become U+FFFD and are counted.

use std::borrow::Cow;

/// A text, and the number of its characters that were replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repaired<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) replaced: u64,
}

/// Decodes the content of a JSON string literal, which is given without its quotes.
pub(super) fn unescape(inner: &str) -> Repaired<'_> {
    if !inner.contains('\\') {
        return Repaired { text: Cow::Borrowed(inner), replaced: 0 };
    }
    let mut out = String::with_capacity(inner.len());
    let mut replaced = 0;
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (char, length) = escape(&rest[at..]);
        match char {
            Some(char) => out.push(char),
            None => {
                out.push('\u{fffd}');
                replaced += 1;
            }
        }
        rest = rest.get(at + length..).unwrap_or_default();
    }
    out.push_str(rest);
    Repaired { text: Cow::Owned(out), replaced }
}

/// Decodes the escape at the start of `text`. Returns its character, or `None` if PostgreSQL cannot
/// store it, and the length of the escape in bytes.
pub(super) fn escape(text: &str) -> (Option<char>, usize) {
    let bytes = text.as_bytes();
    let char = match bytes.get(1) {
        Some(b'n') => '\n',
        Some(b't') => '\t',
        Some(b'r') => '\r',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'u') => return unicode(bytes),
        Some(_) => {
            // `\"`, `\\` and `\/` stand for themselves.
            let itself = text[1..].chars().next();
            return (itself, 1 + itself.map_or(0, char::len_utf8));
        }
        None => return (None, 1),
    };
    (Some(char), 2)
}

fn unicode(bytes: &[u8]) -> (Option<char>, usize) {
    match hex4(bytes, 2) {
        Some(0) | None => (None, 6.min(bytes.len())),
        Some(high @ 0xd800..0xdc00) => match (bytes.get(6..8), hex4(bytes, 8)) {
            (Some(b"\\u"), Some(low @ 0xdc00..0xe000)) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(code), 12)
            }
            _ => (None, 6),
        },
        Some(code) => (char::from_u32(code), 6),
    }
}

fn hex4(bytes: &[u8], from: usize) -> Option<u32> {
    let digits = std::str::from_utf8(bytes.get(from..from + 4)?).ok()?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_every_kind_of_escape() {
        let cases = [
            (r"plain é 😀", "plain é 😀", 0),
            (r#"\"\\\/\n\t\r\b\f"#, "\"\\/\n\t\r\u{8}\u{c}", 0),
            (r"\u00e9\ud83d\ude00", "é😀", 0),
            (r"a\u0000b", "a\u{fffd}b", 1),
            (r"\ud83dx", "\u{fffd}x", 1),
            (r"\ude00\ud83d", "\u{fffd}\u{fffd}", 2),
            (r"\ud83d\u0041", "\u{fffd}A", 1),
            (r"\\u0000", r"\u0000", 0),
        ];
        for (raw, text, replaced) in cases {
            assert_eq!(unescape(raw), Repaired { text: text.into(), replaced }, "{raw}");
        }
    }

    proptest::proptest! {
        /// Encoding any string as JSON and decoding it changes only U+0000.
        #[test]
        fn round_trips_any_text(text in proptest::collection::vec(proptest::char::any(), 0..40)) {
            let text: String = text.into_iter().collect();
            let json = serde_json::to_string(&text).expect("a string");
            let inner = &json[1..json.len() - 1];
            proptest::prop_assert_eq!(unescape(inner).text, text.replace('\0', "\u{fffd}"));
        }

        #[test]
        fn never_panics(text in "[\\\\ud8dce0\"a]{0,30}") {
            unescape(&text);
        }
    }
}
