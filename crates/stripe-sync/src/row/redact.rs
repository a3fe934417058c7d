//! Takes out of JSON text what is left out of a copy: the value becomes `null`. Pure.
//!
//! Two passes over the text, without a tree and without recursion. The first finds the type of
//! each object in it (its property `object`), the second follows the places that are left out.
//! An event's `previous_attributes` has no type of its own; it belongs to the object beside it.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{end_of_value, is_null, key_is, string};
use crate::catalog::{Exclusions, Step, ValuePath};

/// The object without what is left out of the rows of `table` and of the objects inside it.
pub(crate) fn redact<'j>(json: &'j str, table: &str, left_out: &Exclusions) -> Cow<'j, str> {
    let top = left_out.of_table(table);
    if left_out.is_empty() || (top.is_empty() && !mentions(json, left_out)) {
        return Cow::Borrowed(json);
    }
    let cuts = cuts(json, top, left_out);
    if cuts.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut kept = 0;
    for cut in cuts {
        out.push_str(&json[kept..cut.start]);
        out.push_str("null");
        kept = cut.end;
    }
    out.push_str(&json[kept..]);
    Cow::Owned(out)
}

/// Whether an object of a type with something to take out may be inside.
fn mentions(json: &str, left_out: &Exclusions) -> bool {
    // A type's name can be spelled with escapes.
    json.contains('\\') || left_out.objects().any(|object| json.contains(object))
}

/// What is known of an object of the text.
struct Opened<'j> {
    at: usize,
    kind: Option<Cow<'j, str>>,
    /// The object that its property `object` holds, as a place in the list of all.
    holds: Option<usize>,
}

fn opened(json: &str) -> Vec<Opened<'_>> {
    let mut all: Vec<Opened<'_>> = Vec::new();
    let mut inside: Vec<Option<usize>> = Vec::new();
    let mut tokens = Tokens::new(json);
    while let Some(token) = tokens.next() {
        let names_kind = tokens.key.is_some_and(|key| key_is(key, "object"));
        let parent = inside.last().copied().flatten().filter(|_| names_kind);
        match token {
            Token::Object(at) => {
                let this = all.len();
                all.push(Opened { at, kind: None, holds: None });
                if let Some(parent) = parent {
                    all[parent].holds = Some(this);
                }
                inside.push(Some(this));
            }
            Token::Array(_) => inside.push(None),
            Token::Close => drop(inside.pop()),
            Token::Scalar(range) => {
                if let Some(parent) = parent {
                    all[parent].kind = json.get(range).and_then(string);
                }
            }
        }
    }
    all
}

/// An object or array that the second pass is inside of.
struct Frame<'r> {
    /// Places that may lie in here, and how many of their steps have been made.
    open: Vec<(&'r ValuePath, usize)>,
    this: Option<usize>,
}

fn cuts(json: &str, top: &[ValuePath], left_out: &Exclusions) -> Vec<Range<usize>> {
    let objects = opened(json);
    let (mut cuts, mut next) = (Vec::new(), 0);
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut tokens = Tokens::new(json);
    while let Some(token) = tokens.next() {
        let (from, is_object) = match &token {
            Token::Close => {
                frames.pop();
                continue;
            }
            Token::Object(at) => (*at, true),
            Token::Array(at) => (*at, false),
            Token::Scalar(range) => (range.start, false),
        };
        let mut open: Vec<(&ValuePath, usize)> = match frames.last() {
            Some(frame) => advance(&frame.open, tokens.key),
            None => top.iter().map(|place| (place, 0)).collect(),
        };
        if open.iter().any(|(place, steps)| *steps == place.len()) {
            let to = tokens.skip(&token, from);
            if json.get(from..to).is_some_and(|value| !is_null(value)) {
                cuts.push(from..to);
            }
            continue;
        }
        if is_object {
            // Objects inside of what was skipped have been passed.
            next += objects[next..].iter().take_while(|object| object.at < from).count();
            let this = &objects[next];
            let kind = match this.kind.as_deref() {
                None if tokens.key.is_some_and(|key| key_is(key, "previous_attributes")) => {
                    let event = frames.last().and_then(|frame| frame.this);
                    let beside = event.and_then(|event| objects[event].holds);
                    beside.and_then(|beside| objects[beside].kind.as_deref())
                }
                own => own,
            };
            let of_kind = kind.map_or(&[][..], |kind| left_out.of_object(kind));
            open.extend(of_kind.iter().map(|place| (place, 0)));
        }
        if !matches!(token, Token::Scalar(_)) {
            frames.push(Frame { open, this: is_object.then_some(next) });
        }
    }
    cuts
}

/// The places that go on into the value of `key`, or into an element of an array.
fn advance<'r>(open: &[(&'r ValuePath, usize)], key: Option<&str>) -> Vec<(&'r ValuePath, usize)> {
    let goes_on = |(place, made): &(&'r ValuePath, usize)| match (&place[*made], key) {
        (Step::Key(wanted), Some(key)) => key_is(key, wanted),
        (Step::Each, None) => true,
        _ => false,
    };
    open.iter().filter(|open| goes_on(open)).map(|(place, made)| (*place, made + 1)).collect()
}

enum Token {
    Object(usize),
    Array(usize),
    Close,
    Scalar(Range<usize>),
}

/// The values of a text in their order, each with its key.
struct Tokens<'j> {
    text: &'j str,
    at: usize,
    /// What the reading is inside of; true for an object.
    inside: Vec<bool>,
    key_next: bool,
    /// The key of the last value, raw; `None` in an array.
    key: Option<&'j str>,
}

impl<'j> Tokens<'j> {
    fn new(text: &'j str) -> Tokens<'j> {
        Tokens { text, at: 0, inside: Vec::new(), key_next: false, key: None }
    }

    fn next(&mut self) -> Option<Token> {
        let mut key = None;
        loop {
            let at = self.at;
            let token = match *self.text.as_bytes().get(at)? {
                b' ' | b'\n' | b'\r' | b'\t' | b':' => {
                    self.at += 1;
                    continue;
                }
                b',' => {
                    self.at += 1;
                    self.key_next = self.inside.last() == Some(&true);
                    continue;
                }
                b'"' if self.key_next => {
                    self.at = end_of_value(self.text, at);
                    self.key_next = false;
                    key = self.text.get(at + 1..self.at - 1);
                    continue;
                }
                b'{' => self.enter(true, Token::Object(at)),
                b'[' => self.enter(false, Token::Array(at)),
                b'}' | b']' => {
                    self.at += 1;
                    self.inside.pop();
                    self.key_next = false;
                    Token::Close
                }
                _ => {
                    self.at = end_of_value(self.text, at);
                    Token::Scalar(at..self.at)
                }
            };
            self.key = key;
            return Some(token);
        }
    }

    fn enter(&mut self, object: bool, token: Token) -> Token {
        self.at += 1;
        self.inside.push(object);
        self.key_next = object;
        token
    }

    /// Passes over the value that `token` begins; where it ends.
    fn skip(&mut self, token: &Token, from: usize) -> usize {
        if let Token::Object(_) | Token::Array(_) = token {
            self.at = end_of_value(self.text, from);
            self.inside.pop();
            self.key_next = false;
        }
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnName;

    fn left(names: &[&str], table: &str, json: &str) -> String {
        let names: Vec<_> = names.iter().map(|n| ColumnName::parse(n).expect("a name")).collect();
        redact(json, table, &Exclusions::new(&names)).into_owned()
    }

    #[test]
    fn a_property_at_the_top() {
        let json = r#"{"id":"cus_1","email":"a@b","x":{"email":"c@d"},"e\u006dail":{"a":[1]}}"#;
        assert_eq!(
            left(&["customers.email"], "customers", json),
            r#"{"id":"cus_1","email":null,"x":{"email":"c@d"},"e\u006dail":null}"#
        );
        assert_eq!(left(&["customers.email"], "charges", json), json);
    }

    #[test]
    fn wherever_an_object_of_the_type_stands() {
        let charge =
            r#"{"id":"ch_1","customer":{"email":"a@b","object":"customer"},"email":"c@d"}"#;
        assert_eq!(
            left(&["customers.email"], "charges", charge),
            r#"{"id":"ch_1","customer":{"email":null,"object":"customer"},"email":"c@d"}"#
        );
        let event = r#"{"object":"event","data": {"previous_attributes" : {"email":"old", "a":1},
            "object": {"object": "customer", "email" :"new"}}}"#;
        let expected = event.replace("\"old\"", "null").replace("\"new\"", "null");
        assert_eq!(left(&["customers.email"], "events", event), expected);
        let other = event.replace("\"customer\"", "\"charge\"");
        assert_eq!(left(&["customers.email"], "events", &other), other);
    }

    #[test]
    fn items_of_lists() {
        let json = r#"{"lines":{"data":[{"description":"a"},{"description":["b",{}]},7]},"z":[]}"#;
        assert_eq!(
            left(&["invoice_line_items.description"], "invoices", json),
            r#"{"lines":{"data":[{"description":null},{"description":null},7]},"z":[]}"#
        );
        let sub = r#"{"items":{"data":[{"plan":{"id":"p","x":1}}]},"plan":{"id":"p"}}"#;
        assert_eq!(
            left(&["subscriptions.plan"], "subscriptions", sub),
            r#"{"items":{"data":[{"plan":{"id":null,"x":1}}]},"plan":null}"#
        );
    }

    #[test]
    fn depth_costs_no_stack_and_no_square() {
        let deep = format!("{}{}", "{\"a\":[".repeat(200_000), "]}".repeat(200_000));
        let json = format!("{{\"x\":{deep},\"email\":{deep}}}");
        let out = left(&["customers.email"], "customers", &json);
        assert_eq!(out, format!("{{\"x\":{deep},\"email\":null}}"));
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for text in ["", "null", "[", "{", "{\"email\"", "{\"email\":", "\"email\"", "}", "{]"] {
            assert_eq!(left(&["customers.email"], "customers", text), text);
        }
    }
}
