//! Replaces excluded values in JSON text with `null`. Pure.
//!
//! Two passes over the text, without a tree and without recursion. The first finds the type of each
//! object in the text, which is its property `object`. The second follows the paths to excluded
//! values. An event's `previous_attributes` names no type: it has the type of the object in the
//! adjacent property `object` of the event.

use std::borrow::Cow;
use std::ops::Range;

use super::scan::{is_null, key_is, string};
use super::tokens::{Token, Tokens};
use crate::catalog::{Exclusions, Step, ValuePath};

/// The object without the values that are excluded from the rows of `table` or from the types of
/// the objects inside it.
pub(crate) fn redact<'j>(json: &'j str, table: &str, exclusions: &Exclusions) -> Cow<'j, str> {
    let paths = exclusions.of_table(table);
    if exclusions.is_empty() || (paths.is_empty() && !may_contain_types(json, exclusions)) {
        return Cow::Borrowed(json);
    }
    let excluded = excluded_values(json, paths, exclusions);
    if excluded.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len());
    let mut copied = 0;
    for value in excluded {
        out.push_str(&json[copied..value.start]);
        out.push_str("null");
        copied = value.end;
    }
    out.push_str(&json[copied..]);
    Cow::Owned(out)
}

/// Whether the text may contain an object of a type with excluded properties.
fn may_contain_types(json: &str, exclusions: &Exclusions) -> bool {
    // A type's name can be spelled with escapes.
    json.contains('\\') || exclusions.objects().any(|object| json.contains(object))
}

/// An object in the text.
struct TypedObject<'j> {
    start: usize,
    /// Its type, if its property `object` is a string.
    kind: Option<Cow<'j, str>>,
    /// If its property `object` is an object, the index of that one.
    inner: Option<usize>,
}

/// All objects in the order in which they start.
fn typed_objects(json: &str) -> Vec<TypedObject<'_>> {
    let mut all: Vec<TypedObject<'_>> = Vec::new();
    let mut open: Vec<Option<usize>> = Vec::new();
    let mut tokens = Tokens::new(json);
    while let Some(token) = tokens.next() {
        let names_kind = tokens.key.is_some_and(|key| key_is(key, "object"));
        let parent = open.last().copied().flatten().filter(|_| names_kind);
        match token {
            Token::Object(start) => {
                let this = all.len();
                all.push(TypedObject { start, kind: None, inner: None });
                if let Some(parent) = parent {
                    all[parent].inner = Some(this);
                }
                open.push(Some(this));
            }
            Token::Array(_) => open.push(None),
            Token::Close => drop(open.pop()),
            Token::Scalar(range) => {
                if let Some(parent) = parent {
                    all[parent].kind = json.get(range).and_then(string);
                }
            }
        }
    }
    all
}

/// A path to an excluded value, and how many of its steps lead to the current value.
type PartialPath<'e> = (&'e ValuePath, usize);

/// An open object or array.
struct Frame<'e> {
    /// Paths that continue inside it.
    paths: Vec<PartialPath<'e>>,
    /// The index of the object; `None` for an array.
    object: Option<usize>,
}

/// The ranges of the excluded values. `paths` start at the top of the text.
fn excluded_values(json: &str, paths: &[ValuePath], exclusions: &Exclusions) -> Vec<Range<usize>> {
    let objects = typed_objects(json);
    let (mut excluded, mut next) = (Vec::new(), 0);
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
        let mut open: Vec<PartialPath<'_>> = match frames.last() {
            Some(frame) => continued_paths(&frame.paths, tokens.key),
            None => paths.iter().map(|path| (path, 0)).collect(),
        };
        if open.iter().any(|(path, steps)| *steps == path.len()) {
            let to = tokens.skip(&token, from);
            if json.get(from..to).is_some_and(|value| !is_null(value)) {
                excluded.push(from..to);
            }
            continue;
        }
        if is_object {
            // Objects inside skipped values come before this one.
            next += objects[next..].iter().take_while(|object| object.start < from).count();
            let this = &objects[next];
            let kind = match this.kind.as_deref() {
                None if tokens.key.is_some_and(|key| key_is(key, "previous_attributes")) => {
                    let event = frames.last().and_then(|frame| frame.object);
                    let changed = event.and_then(|event| objects[event].inner);
                    changed.and_then(|changed| objects[changed].kind.as_deref())
                }
                own => own,
            };
            let of_kind = kind.map_or(&[][..], |kind| exclusions.of_object(kind));
            open.extend(of_kind.iter().map(|path| (path, 0)));
        }
        if !matches!(token, Token::Scalar(_)) {
            frames.push(Frame { paths: open, object: is_object.then_some(next) });
        }
    }
    excluded
}

/// The paths that lead to the value of `key`, or to an element of an array.
fn continued_paths<'e>(paths: &[PartialPath<'e>], key: Option<&str>) -> Vec<PartialPath<'e>> {
    let continues = |(path, steps): &&PartialPath<'e>| match (&path[*steps], key) {
        (Step::Key(wanted), Some(key)) => key_is(key, wanted),
        (Step::Each, None) => true,
        _ => false,
    };
    paths.iter().filter(continues).map(|(path, steps)| (*path, steps + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnName;

    fn redacted(names: &[&str], table: &str, json: &str) -> String {
        let names: Vec<_> = names.iter().map(|n| ColumnName::parse(n).expect("a name")).collect();
        redact(json, table, &Exclusions::new(&names)).into_owned()
    }

    #[test]
    fn properties_of_the_object_are_redacted() {
        let json = r#"{"id":"cus_1","email":"a@b","x":{"email":"c@d"},"e\u006dail":{"a":[1]}}"#;
        assert_eq!(
            redacted(&["customers.email"], "customers", json),
            r#"{"id":"cus_1","email":null,"x":{"email":"c@d"},"e\u006dail":null}"#
        );
        assert_eq!(redacted(&["customers.email"], "charges", json), json);
    }

    #[test]
    fn properties_of_inner_objects_are_redacted_by_type() {
        let charge =
            r#"{"id":"ch_1","customer":{"email":"a@b","object":"customer"},"email":"c@d"}"#;
        assert_eq!(
            redacted(&["customers.email"], "charges", charge),
            r#"{"id":"ch_1","customer":{"email":null,"object":"customer"},"email":"c@d"}"#
        );
        let event = r#"{"object":"event","data": {"previous_attributes" : {"email":"old", "a":1},
            "object": {"object": "customer", "email" :"new"}}}"#;
        let expected = event.replace("\"old\"", "null").replace("\"new\"", "null");
        assert_eq!(redacted(&["customers.email"], "events", event), expected);
        let other = event.replace("\"customer\"", "\"charge\"");
        assert_eq!(redacted(&["customers.email"], "events", &other), other);
    }

    #[test]
    fn items_of_lists_are_redacted() {
        let json = r#"{"lines":{"data":[{"description":"a"},{"description":["b",{}]},7]},"z":[]}"#;
        assert_eq!(
            redacted(&["invoice_line_items.description"], "invoices", json),
            r#"{"lines":{"data":[{"description":null},{"description":null},7]},"z":[]}"#
        );
        let sub = r#"{"items":{"data":[{"plan":{"id":"p","x":1}}]},"plan":{"id":"p"}}"#;
        assert_eq!(
            redacted(&["subscriptions.plan"], "subscriptions", sub),
            r#"{"items":{"data":[{"plan":{"id":null,"x":1}}]},"plan":null}"#
        );
    }

    #[test]
    fn deep_nesting_needs_linear_time_and_no_stack() {
        let deep = format!("{}{}", "{\"a\":[".repeat(200_000), "]}".repeat(200_000));
        let json = format!("{{\"x\":{deep},\"email\":{deep}}}");
        let out = redacted(&["customers.email"], "customers", &json);
        assert_eq!(out, format!("{{\"x\":{deep},\"email\":null}}"));
    }

    #[test]
    fn texts_that_are_not_objects_are_unchanged() {
        for text in ["", "null", "[", "{", "{\"email\"", "{\"email\":", "\"email\"", "}", "{]"] {
            assert_eq!(redacted(&["customers.email"], "customers", text), text);
        }
    }
}
