//! Keeps distinct keys of a JSON object distinct when characters are replaced.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::escape::unescape;
use super::scan::end_of_value;

/// Keys that differ only in replaced characters would become one key, of which jsonb keeps one
/// value. Appends U+FFFD to the later ones until all names differ. A key that was sent twice
/// remains one key. `None` if there is nothing to change.
pub(super) fn distinct_keys(raw: &str) -> Option<String> {
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    // For each open object: the bytes appended to its keys, by their spelling, and the names in
    // use.
    let mut open: Vec<(HashMap<&str, usize>, HashSet<String>)> = Vec::new();
    while let Some(byte) = raw.as_bytes().get(at) {
        match byte {
            b'{' | b'[' => open.push(Default::default()),
            b'}' | b']' => drop(open.pop()),
            b'"' => {
                let end = end_of_value(raw, at);
                let sent = raw.get(at + 1..end - 1).unwrap_or_default();
                let is_key = raw.get(end..).is_some_and(|rest| rest.trim_start().starts_with(':'));
                let key = if is_key { unescape(sent).text } else { Cow::Borrowed("") };
                if let Some((known, used)) = open.last_mut().filter(|_| key.contains('\u{fffd}')) {
                    let appended = *known.entry(sent).or_insert_with(|| {
                        let mut name = key.into_owned();
                        let length = name.len();
                        while !used.insert(name.clone()) {
                            name.push('\u{fffd}');
                        }
                        name.len() - length
                    });
                    if appended > 0 {
                        out.push_str(&raw[copied..end - 1]);
                        out.push_str(&"\u{fffd}".repeat(appended / '\u{fffd}'.len_utf8()));
                        copied = end - 1;
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    (copied > 0).then(|| out + &raw[copied..])
}
