//! Writes JSON text directly into a `String`, without a tree of values on the hot path.

use std::fmt::Write as _;

/// Appends a JSON string literal.
pub(crate) fn string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let escape = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            c if (c as u32) < 0x20 => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        if escape.is_empty() {
            unicode_escape(out, c as u32);
        } else {
            out.push_str(escape);
        }
        plain = at + c.len_utf8();
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

fn unicode_escape(out: &mut String, code: u32) {
    // Writing to a `String` cannot fail.
    let _ = write!(out, "\\u{code:04x}");
}

/// Appends an integer.
pub(crate) fn int(out: &mut String, value: i64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|d| char::from(*d)));
}

/// Appends an integer or `null`.
pub(crate) fn int_or_null(out: &mut String, value: Option<i64>) {
    match value {
        Some(value) => int(out, value),
        None => out.push_str("null"),
    }
}

/// Appends `true` or `false`.
pub(crate) fn boolean(out: &mut String, value: bool) {
    out.push_str(if value { "true" } else { "false" });
}

/// Returns the JSON text of a top-level member of an object. If several members have the name, it
/// returns the last one. Values are not parsed, so nesting depth and the size of numbers do not
/// matter. Returns `None` if there is no such member or the text is not an object.
pub(crate) fn member<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let (mut depth, mut at, mut found) = (0usize, 0, None);
    let mut key: Option<&str> = None;
    let mut value_from = None;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let start = at + 1;
                at = string_end(bytes, start)?;
                if depth == 1 && value_from.is_none() {
                    key = text.get(start..at);
                }
            }
            b':' if depth == 1 && value_from.is_none() => value_from = Some(at + 1),
            b'{' | b'[' => depth += 1,
            b',' | b'}' | b']' => {
                let ends = depth == 1;
                if bytes[at] != b',' {
                    depth = depth.checked_sub(1)?;
                }
                if let Some(from) = value_from.filter(|_| ends) {
                    if key == Some(name) {
                        found = text.get(from..at).map(str::trim);
                    }
                    value_from = None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_values_can_be_parsed() {
        for text in ["", "plain", "q\"b\\n\n\r\t\u{1}\u{1f}é💥", "\0"] {
            let mut out = String::new();
            string(&mut out, text);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
        for value in [0, 7, -1, 10, i64::MAX, i64::MIN] {
            let mut out = String::new();
            int(&mut out, value);
            assert_eq!(out, value.to_string());
        }
    }

    #[test]
    fn members_are_found_without_parsing_values() {
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        let text = format!(
            r#"{{ "a" : "x\"}},{{" , "deep":{deep},"n": 1e400000 , "o":{{"a":7}},"a":[1,"a"],"last":null}}"#
        );
        assert_eq!(member(&text, "a"), Some(r#"[1,"a"]"#));
        assert_eq!(member(&text, "n"), Some("1e400000"));
        assert_eq!(member(&text, "o"), Some(r#"{"a":7}"#));
        assert_eq!(member(&text, "last"), Some("null"));
        assert_eq!(member(&text, "deep"), Some(deep.as_str()));
        assert_eq!((member(&text, "x"), member("", "x"), member("]", "x")), (None, None, None));
        assert_eq!(member(r#"{"a":"}\\"}"#, "a"), Some(r#""}\\""#));
    }
}
