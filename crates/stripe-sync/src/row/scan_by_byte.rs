//! A scanner that reads a text byte by byte. Tests compare [`super::scan`] with it.

use super::escape::unescape;

/// The fields of an object in order, keys as written between their quotes.
pub(crate) fn fields(object: &str) -> Fields<'_> {
    let start = skip_space(object, 0);
    let inside = object.as_bytes().get(start) == Some(&b'{');
    Fields { text: object, at: if inside { start + 1 } else { object.len() } }
}

/// Iterator of [`fields`].
pub(crate) struct Fields<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Iterator for Fields<'a> {
    /// Raw key and raw value.
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<(&'a str, &'a str)> {
        let bytes = self.text.as_bytes();
        let mut at = skip_space(self.text, self.at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(self.text, at + 1);
        }
        if bytes.get(at) != Some(&b'"') {
            self.at = self.text.len();
            return None;
        }
        let key_end = end_of_value(self.text, at);
        let key = self.text.get(at + 1..key_end.saturating_sub(1))?;
        let colon = skip_space(self.text, key_end);
        let from = skip_space(self.text, colon + 1);
        let to = end_of_value(self.text, from);
        self.at = to;
        Some((key, self.text.get(from..to)?))
    }
}

/// The elements of an array, raw.
pub(crate) fn elements(array: &str) -> impl Iterator<Item = &str> {
    let start = skip_space(array, 0);
    let mut at = match array.as_bytes().get(start) {
        Some(b'[') => start + 1,
        _ => array.len(),
    };
    std::iter::from_fn(move || {
        let bytes = array.as_bytes();
        at = skip_space(array, at);
        if bytes.get(at) == Some(&b',') {
            at = skip_space(array, at + 1);
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
    fields(object).filter(|(k, _)| unescape(k).text == key).last().map(|(_, value)| value)
}

fn skip_space(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count()
}

/// The position after the value that begins at `from`.
fn end_of_value(text: &str, from: usize) -> usize {
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
            // A scalar has at least one byte, so that a caller always advances.
            from + rest.iter().position(end).unwrap_or(rest.len()).max(1)
        }
        None => bytes.len(),
    }
}

/// The position after the closing quote of a string whose content begins at `from`.
fn end_of_string(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}
