//! Checks that a text is valid JSON (RFC 8259) while it finds where values end.
//!
//! Iterative: each level of nesting uses one bit of memory, and no stack. Lone surrogates in
//! escapes are valid according to the grammar; [`super::escape`] replaces them.

use super::scan::skip_space;
use super::word::Word;

/// Reads values of one text. Positions are byte offsets in it.
pub(super) struct Validator<'a> {
    bytes: &'a [u8],
    open: Containers,
    /// The escapes read so far.
    pub(super) escapes: usize,
}

impl<'a> Validator<'a> {
    pub(super) fn new(text: &'a str) -> Validator<'a> {
        Validator { bytes: text.as_bytes(), open: Containers::default(), escapes: 0 }
    }

    /// The byte at the first position from `at` that is not whitespace, and that position.
    #[inline(always)]
    pub(super) fn token(&self, at: usize) -> Option<(u8, usize)> {
        let at = skip_space(self.bytes, at);
        Some((*self.bytes.get(at)?, at))
    }

    /// Whether only whitespace follows.
    pub(super) fn ends(&self, at: usize) -> bool {
        skip_space(self.bytes, at) == self.bytes.len()
    }

    /// Reads a key that begins at `at` or after whitespace, and its colon. Returns where the key's
    /// content begins and ends, and where the value begins.
    #[inline(always)]
    pub(super) fn key(&mut self, at: usize) -> Option<(usize, usize, usize)> {
        let (b'"', at) = self.token(at)? else { return None };
        let end = self.string(at + 1)?;
        let (b':', colon) = self.token(end)? else { return None };
        Some((at + 1, end - 1, skip_space(self.bytes, colon + 1)))
    }

    /// The position after the value that begins at `at`.
    #[inline(always)]
    pub(super) fn value(&mut self, at: usize) -> Option<usize> {
        match self.bytes.get(at)? {
            b'{' | b'[' => self.container(at),
            _ => self.scalar(at),
        }
    }

    fn container(&mut self, mut at: usize) -> Option<usize> {
        self.open.clear();
        loop {
            // A value begins here.
            match self.bytes.get(at)? {
                b'{' => match self.token(at + 1)? {
                    (b'}', end) => at = end + 1,
                    (_, key) => {
                        self.open.push(true);
                        (_, _, at) = self.key(key)?;
                        continue;
                    }
                },
                b'[' => match self.token(at + 1)? {
                    (b']', end) => at = end + 1,
                    (_, first) => {
                        self.open.push(false);
                        at = first;
                        continue;
                    }
                },
                _ => at = self.scalar(at)?,
            }
            // A value has ended here, and possibly the containers around it.
            loop {
                let Some(in_object) = self.open.innermost() else { return Some(at) };
                match (self.token(at)?, in_object) {
                    ((b',', comma), true) => {
                        (_, _, at) = self.key(comma + 1)?;
                        break;
                    }
                    ((b',', comma), false) => {
                        at = skip_space(self.bytes, comma + 1);
                        break;
                    }
                    ((b'}', end), true) | ((b']', end), false) => {
                        self.open.pop();
                        at = end + 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    #[inline(always)]
    fn scalar(&mut self, at: usize) -> Option<usize> {
        let rest = &self.bytes[at..];
        match rest.first()? {
            b'"' => self.string(at + 1),
            b'-' | b'0'..=b'9' => self.number(at),
            b'n' => rest.starts_with(b"null").then_some(at + 4),
            b't' => rest.starts_with(b"true").then_some(at + 4),
            b'f' => rest.starts_with(b"false").then_some(at + 5),
            _ => None,
        }
    }

    /// The position after the closing quote of a string whose content begins at `at`.
    #[inline(always)]
    fn string(&mut self, mut at: usize) -> Option<usize> {
        while let Some(word) = Word::read(self.bytes, at) {
            let special = word.equal(b'"') | word.equal(b'\\') | word.below(0x20);
            let Some(place) = special.first() else {
                at += 8;
                continue;
            };
            at += place;
            match self.bytes[at] {
                b'"' => return Some(at + 1),
                b'\\' => at = self.escape(at)?,
                _ => return None,
            }
        }
        loop {
            match self.bytes.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at = self.escape(at)?,
                0..0x20 => return None,
                _ => at += 1,
            }
        }
    }

    fn escape(&mut self, at: usize) -> Option<usize> {
        self.escapes += 1;
        match self.bytes.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
            b'u' => {
                let digits = self.bytes.get(at + 2..at + 6)?;
                digits.iter().all(u8::is_ascii_hexdigit).then_some(at + 6)
            }
            _ => None,
        }
    }

    #[inline(always)]
    fn number(&self, mut at: usize) -> Option<usize> {
        let digits = |mut at: usize| {
            let start = at;
            while self.bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            (at > start).then_some(at)
        };
        if self.bytes[at] == b'-' {
            at += 1;
        }
        at = match self.bytes.get(at)? {
            b'0' => at + 1,
            _ => digits(at)?,
        };
        if self.bytes.get(at) == Some(&b'.') {
            at = digits(at + 1)?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(at) {
            let signed = matches!(self.bytes.get(at + 1), Some(b'+' | b'-'));
            at = digits(at + 1 + usize::from(signed))?;
        }
        // A digit after a leading zero is not part of the number, and nothing else may follow it.
        Some(at)
    }
}

/// The objects and arrays that are open, one bit each, set for an object.
#[derive(Default)]
struct Containers {
    /// The innermost ones; the lowest bit is the innermost of all.
    inner: u64,
    /// How many bits of `inner` are in use.
    used: u32,
    outer: Vec<u64>,
}

impl Containers {
    fn clear(&mut self) {
        self.used = 0;
        self.outer.clear();
    }

    #[inline(always)]
    fn push(&mut self, object: bool) {
        if self.used == u64::BITS {
            self.outer.push(self.inner);
            self.used = 0;
        }
        self.inner = self.inner << 1 | u64::from(object);
        self.used += 1;
    }

    #[inline(always)]
    fn pop(&mut self) {
        self.inner >>= 1;
        self.used -= 1;
        if self.used == 0
            && let Some(outer) = self.outer.pop()
        {
            self.inner = outer;
            self.used = u64::BITS;
        }
    }

    #[inline(always)]
    fn innermost(&self) -> Option<bool> {
        (self.used > 0).then_some(self.inner & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> Option<usize> {
        let mut validator = Validator::new(text);
        let (_, start) = validator.token(0)?;
        validator.value(start)
    }

    /// Whether the whole text is one valid value, and whether serde_json says so.
    fn valid(text: &str) -> (bool, bool) {
        let own = end(text).is_some_and(|end| Validator::new(text).ends(end));
        (own, serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
    }

    #[test]
    fn accepts_exactly_the_grammar() {
        for text in [
            r#" {"a" : [1 , -0.5e+10, 0, true,false,null, "", {} , [ ]],"":{"b":[[]]}} "#,
            r#""\"\\\/\b\f\n\r\t\u00e9\ud800 é""#,
            "0",
            "-0",
            "1e5",
            "1E-5",
            "123456789012345678901234567890",
        ] {
            assert_eq!(valid(text), (true, true), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "[",
            "]",
            "}",
            "{]",
            "[}",
            "[1}",
            r#"{"a":1]"#,
            "[1,]",
            "[,1]",
            "[1 2]",
            "{,}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            "{1:1}",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1.e5",
            "1e",
            "1e+",
            "--1",
            "nul",
            "nulll",
            "True",
            "fals",
            "\"",
            "\"\\\"",
            r#""\x""#,
            r#""\u12g4""#,
            r#""\u123"#,
            "\"\t\"",
            "\"1234567\n\"",
            "\"\0\"",
            "1 1",
            "[1] x",
            "\u{feff}1",
            "\u{a0}1",
        ] {
            assert_eq!(valid(text), (false, false), "{text:?}");
        }
    }

    #[test]
    fn any_depth_of_nesting_is_read() {
        for depth in [1, 63, 64, 65, 127, 128, 129, 1000, 100_000] {
            let deep = "[{\"a\":".repeat(depth) + "1" + &"}]".repeat(depth);
            assert!(valid(&deep).0, "{depth}");
            let crossed = "[{\"a\":".repeat(depth) + "1" + &"]}".repeat(depth);
            assert!(!valid(&crossed).0, "{depth}");
            assert_eq!(end(&deep[..deep.len() - 1]), None, "{depth}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

        #[test]
        fn agrees_with_serde_json(text in r#"[{}\[\]",:\\u0019aE.+ \n\x01é-]{0,24}"#) {
            let (own, serde) = valid(&text);
            proptest::prop_assert_eq!(own, serde);
        }

        /// One changed byte in an otherwise valid text.
        #[test]
        fn agrees_with_serde_json_on_damaged_texts(
            json in crate::row::any_json::any_json(),
            at in proptest::prelude::any::<proptest::sample::Index>(),
            byte in proptest::sample::select(b"{}[]\",:\\u0-1.e \n\x01t".as_slice()),
        ) {
            proptest::prop_assert_eq!(valid(&json), (true, true));
            let mut bytes = json.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(damaged) = String::from_utf8(bytes) {
                let (own, serde) = valid(&damaged);
                proptest::prop_assert_eq!(own, serde, "{}", damaged);
            }
        }
    }
}
