//! A JSON parser that shares no code with the engine. Values have the form that jsonb and numeric
//! return.

use std::collections::BTreeMap;

/// A JSON value as jsonb stores it: one value per key, and numbers with their value and number of
/// decimal places.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

pub(super) fn parse(text: &str) -> Json {
    let mut parser = Parser { text, at: 0 };
    let value = parser.value();
    parser.space();
    assert_eq!(parser.at, text.len(), "more than one value: {text}");
    value
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.at = self.text.len() - self.text[self.at..].trim_start().len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let there = self.text[self.at..].starts_with(token);
        self.at += if there { token.len() } else { 0 };
        there
    }

    fn value(&mut self) -> Json {
        if self.eat("{") {
            let mut fields = BTreeMap::new();
            let mut renamed: BTreeMap<&str, String> = BTreeMap::new();
            while !self.eat("}") {
                self.eat(",");
                self.space();
                let from = self.at;
                let mut key = self.string();
                // Of keys that differ only in replaced characters, the later ones are made longer.
                match renamed.get(&self.text[from..self.at]) {
                    Some(known) => key = known.clone(),
                    None => {
                        while key.contains('\u{fffd}') && fields.contains_key(&key) {
                            key.push('\u{fffd}');
                        }
                        renamed.insert(&self.text[from..self.at], key.clone());
                    }
                }
                assert!(self.eat(":"));
                let value = self.value();
                fields.insert(key, value);
            }
            return Json::Object(fields);
        }
        if self.eat("[") {
            let mut items = Vec::new();
            while !self.eat("]") {
                self.eat(",");
                items.push(self.value());
            }
            return Json::List(items);
        }
        for (word, value) in
            [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))]
        {
            if self.eat(word) {
                return value;
            }
        }
        if self.text[self.at..].starts_with('"') {
            return Json::Text(self.string());
        }
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !"+-.eE0123456789".contains(c)).unwrap_or(rest.len());
        assert!(end > 0, "no value: {rest}");
        self.at += end;
        Json::Number(as_numeric(&rest[..end]))
    }

    fn string(&mut self) -> String {
        let mut units: Vec<u16> = Vec::new();
        let mut chars = self.text[self.at..].char_indices().skip(1);
        let hex = |from: usize| {
            u16::from_str_radix(&self.text[self.at + from..self.at + from + 4], 16).expect("hex")
        };
        loop {
            let (offset, char) = chars.next().expect("a closing quote");
            match char {
                '"' => {
                    self.at += offset + 1;
                    return String::from_utf16_lossy(&units).replace('\0', "\u{fffd}");
                }
                '\\' => {
                    let escaped = chars.next().expect("an escape").1;
                    match "nrtbf".find(escaped) {
                        Some(i) => units.push([10, 13, 9, 8, 12][i]),
                        None if escaped == 'u' => {
                            units.push(hex(offset + 2));
                            chars.nth(3);
                        }
                        None => units.push(escaped as u16),
                    }
                }
                other => units.extend(other.encode_utf16(&mut [0; 2]).iter()),
            }
        }
    }
}

/// A number as the type numeric shows it.
fn as_numeric(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (digits, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let exponent: i64 = exponent.parse().expect("an exponent");
    let places = usize::try_from((part.len() as i64 - exponent).max(0)).expect("places");
    let mut all = format!("{whole}{part}");
    all.extend(std::iter::repeat_n('0', (exponent - part.len() as i64).max(0) as usize));
    let all = format!("{}{all}", "0".repeat((places + 1).saturating_sub(all.len())));
    let (whole, part) = all.split_at(all.len() - places);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let sign = if all.bytes().all(|b| b == b'0') { "" } else { sign };
    if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") }
}

/// The value without its number of decimal places, as bigint and double precision columns store it.
pub(super) fn value_of(json: &Json) -> Json {
    match json {
        Json::Number(n) if n.contains('.') => {
            Json::Number(n.trim_end_matches('0').trim_end_matches('.').to_owned())
        }
        other => other.clone(),
    }
}

#[test]
fn numbers_have_the_form_that_numeric_returns() {
    for (sent, written) in [
        ("-0", "0"),
        ("-0.0", "0.0"),
        ("1e5", "100000"),
        ("1.50e1", "15.0"),
        ("1.5e3", "1500"),
        ("-25e-4", "-0.0025"),
        ("007", "7"),
        ("0e-3", "0.000"),
    ] {
        assert_eq!(as_numeric(sent), written, "{sent}");
    }
}
