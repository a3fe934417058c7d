//! Keys of JSON objects that PostgreSQL cannot tell from each other, told apart.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::escape::unescape;
use super::scan::end_of_value;

/// Keys that differ in nothing but what is replaced would become one key, and jsonb keeps one value of
/// it. Of such keys the later ones get as many U+FFFD more as tell them apart. A key that is sent twice
/// stays one. `None` if there is nothing to do.
pub(super) fn keys_apart(raw: &str) -> Option<String> {
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    // Of each object that is open: what has become of its keys, by how they were sent, and which
    // are taken.
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
                if let Some((known, taken)) = open.last_mut().filter(|_| key.contains('\u{fffd}')) {
                    let more = *known.entry(sent).or_insert_with(|| {
                        let mut name = key.into_owned();
                        let length = name.len();
                        while !taken.insert(name.clone()) {
                            name.push('\u{fffd}');
                        }
                        name.len() - length
                    });
                    if more > 0 {
                        out.push_str(&raw[kept..end - 1]);
                        out.push_str(&"\u{fffd}".repeat(more / '\u{fffd}'.len_utf8()));
                        kept = end - 1;
                    }
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    (kept > 0).then(|| out + &raw[kept..])
}
