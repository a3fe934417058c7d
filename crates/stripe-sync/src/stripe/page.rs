//! One response from Stripe: a page of a list, or a single object.
//!
//! Objects are not decoded. A page keeps the body as it was received, and the positions of its
//! objects and of their properties, all found in one scan. No part of the response is lost or
//! copied here.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::order::Stamp;
use crate::row::{ListIndex, Object};

/// One page of a list.
#[derive(Debug)]
pub(crate) struct Page {
    body: String,
    index: ListIndex,
    /// Whether objects follow this page.
    pub(crate) has_more: bool,
    /// The moment at which the request for this page was sent, on Stripe's clock.
    pub(crate) sent: Stamp,
    /// Stripe's ID of the request, which its support asks for.
    pub(crate) request_id: Option<String>,
    /// HTTP requests for this page, retries included.
    pub(crate) requests: u32,
}

/// A single object, as text. It is one well-formed JSON object.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The object as Stripe sent it.
    pub(crate) body: String,
    /// The moment at which the request for it was sent, on Stripe's clock.
    pub(crate) sent: Stamp,
    /// Stripe's ID of the request, which its support asks for.
    pub(crate) request_id: Option<String>,
}

impl Page {
    /// The only page of a list that shows nothing.
    pub(crate) fn without_objects(sent: Stamp, request_id: Option<String>, requests: u32) -> Page {
        let index = ListIndex::of_items("", Vec::new(), false);
        Page::new(String::new(), index, ResponseMeta { sent, request_id, requests })
    }

    /// The elements of `data` in Stripe's order. Each is one JSON value; Stripe sends only objects,
    /// and the reader quarantines any other value.
    pub(crate) fn objects(
        &self,
    ) -> impl DoubleEndedIterator<Item = Object<'_>> + ExactSizeIterator {
        self.index.items(&self.body)
    }

    /// The texts of [`Page::objects`].
    pub(crate) fn items(&self) -> impl DoubleEndedIterator<Item = &str> + ExactSizeIterator {
        self.objects().map(Object::json)
    }

    /// Drops all but the first `count` objects, which must be requested again.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.index.truncate(count);
    }

    /// What the page occupies in memory, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.body.capacity() + self.index.bytes()
    }

    pub(super) fn new(body: String, index: ListIndex, arrival: ResponseMeta) -> Page {
        let ResponseMeta { sent, request_id, requests } = arrival;
        Page { body, has_more: index.has_more, index, sent, request_id, requests }
    }
}

impl Answer {
    pub(super) fn new(body: String, arrival: ResponseMeta) -> Answer {
        let ResponseMeta { sent, request_id, .. } = arrival;
        Answer { body, sent, request_id }
    }
}

/// What is known about a response besides its content.
#[derive(Debug)]
pub(super) struct ResponseMeta {
    pub(super) sent: Stamp,
    pub(super) request_id: Option<String>,
    pub(super) requests: u32,
}

/// Why a text is not the requested list or object. No message repeats the text, which may contain
/// row values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// Some bytes are not UTF-8.
    #[error("the response is not UTF-8")]
    NotUtf8,
    /// Such as an HTML page.
    #[error("the response is not JSON, at column {column} of line {line}")]
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// The text ends inside a value.
    #[error("the response ends in the middle of its JSON")]
    CutOff,
    /// JSON of another shape.
    #[error("the response is not a list with `data` and `has_more`")]
    NotAList,
    /// JSON, but not an object.
    #[error("the response is not an object")]
    NotAnObject,
}

impl Unreadable {
    /// serde's own message may quote a value, so only its kind and position are kept.
    fn from_json(error: &serde_json::Error, shape: Unreadable) -> Unreadable {
        use serde_json::error::Category;
        match error.classify() {
            Category::Io | Category::Syntax => {
                Unreadable::NotJson { line: error.line(), column: error.column() }
            }
            Category::Eof => Unreadable::CutOff,
            Category::Data => shape,
        }
    }
}

#[derive(Deserialize)]
struct ListShape<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
    has_more: bool,
}

/// Finds the objects of a page and their properties without decoding them, at any depth of nesting.
///
/// # Errors
/// [`Unreadable`], including when `data` or `has_more` is missing or has another type: a guess
/// could end a list too early. serde_json decides on a text that [`ListIndex::read`] does not
/// accept.
pub(super) fn find_objects(body: &str) -> Result<ListIndex, Unreadable> {
    if let Some(index) = ListIndex::read(body) {
        return Ok(index);
    }
    let ListShape { data, has_more } = serde_json::from_str(body)
        .map_err(|error| Unreadable::from_json(&error, Unreadable::NotAList))?;
    let start_of_body = body.as_ptr().addr();
    let range = |item: &RawValue| {
        let start = item.get().as_ptr().addr() - start_of_body;
        start..start + item.get().len()
    };
    Ok(ListIndex::of_items(body, data.into_iter().map(range).collect(), has_more))
}

/// Accepts a text that is one well-formed JSON object.
pub(super) fn expect_object(text: &str) -> Result<(), Unreadable> {
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|error| Unreadable::from_json(&error, Unreadable::NotAnObject))?;
    if value.get().starts_with('{') { Ok(()) } else { Err(Unreadable::NotAnObject) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Page {
        let found = find_objects(body).unwrap();
        let arrival = ResponseMeta { sent: Stamp::from_micros(1), request_id: None, requests: 1 };
        Page::new(body.to_owned(), found, arrival)
    }

    #[test]
    fn objects_are_passed_on_as_they_were_sent() {
        let body = r#" {"object":"list", "url":"\/v1\/charges", "has_more": true,
            "data": [ {"id":"ch_1", "a":1.10 ,"b":"\ud800"},{"id":"ch_2"} ], "extra": {"data": 1}} "#;
        let page = page(body);
        let items: Vec<&str> = page.items().collect();
        assert_eq!(items, [r#"{"id":"ch_1", "a":1.10 ,"b":"\ud800"}"#, r#"{"id":"ch_2"}"#]);
        assert!(page.has_more);
        assert!(page.bytes() >= body.len());
    }

    #[test]
    fn an_empty_list_and_one_without_url_are_lists() {
        for url in ["", r#","url":null"#, r#","url":7"#, r#","url":[]"#] {
            let page = page(&format!(r#"{{"data":[],"has_more":false{url}}}"#));
            assert_eq!((page.objects().len(), page.has_more), (0, false), "{url}");
        }
    }

    #[test]
    fn a_list_may_be_written_with_escapes() {
        let body = r#"{"d\u0061ta":[{"id":"a","b":[1]},7],"has_more":true}"#;
        let page = page(body);
        let objects: Vec<_> = page.objects().collect();
        assert_eq!(objects[0].fields().collect::<Vec<_>>(), [("id", "\"a\""), ("b", "[1]")]);
        assert_eq!((objects.len(), objects[1].json(), page.has_more), (2, "7", true));
    }

    #[test]
    fn non_object_elements_are_passed_on() {
        let page = page(r#"{"data":[{},null, 1,"a",[]],"has_more":false}"#);
        let items: Vec<&str> = page.items().collect();
        assert_eq!(items, ["{}", "null", "1", "\"a\"", "[]"]);
    }

    #[test]
    fn incomplete_and_malformed_lists_are_rejected() {
        for (text, why) in [
            ("", Unreadable::CutOff),
            ("<html>busy</html>", Unreadable::NotJson { line: 1, column: 1 }),
            ("null", Unreadable::NotAList),
            ("[]", Unreadable::NotAList),
            (r#"{"data":[]}"#, Unreadable::NotAList),
            (r#"{"has_more":false}"#, Unreadable::NotAList),
            (r#"{"data":null,"has_more":false}"#, Unreadable::NotAList),
            (r#"{"data":{},"has_more":false}"#, Unreadable::NotAList),
            (r#"{"data":[],"has_more":null}"#, Unreadable::NotAList),
            (r#"{"data":[],"has_more":"false"}"#, Unreadable::NotAList),
            (r#"{"data":[],"has_more":false,"data":[]}"#, Unreadable::NotAList),
            (r#"{"data":[],"has_more":0} x"#, Unreadable::NotAList),
            (r#"{"data":[],"has_more":false} x"#, Unreadable::NotJson { line: 1, column: 30 }),
            (r#"{"data":[{"id":"ch_1"}],"has_more":fal"#, Unreadable::CutOff),
        ] {
            assert_eq!(find_objects(text).err(), Some(why), "{text}");
        }
    }

    #[test]
    fn depth_and_length_of_an_object_do_not_matter() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(20_000), "]".repeat(20_000));
        let long = format!("{{\"a\":\"{}\"}}", "\u{e9}\\n".repeat(500_000));
        let body = format!(r#"{{"extra":{deep},"data":[{deep},{long}],"has_more":false}}"#);
        let page = page(&body);
        assert_eq!(page.items().collect::<Vec<_>>(), [&deep, &long]);
        assert_eq!(expect_object(&deep), Ok(()));
    }

    #[test]
    fn non_objects_are_rejected() {
        assert_eq!(expect_object(" {\"id\":1} "), Ok(()));
        assert_eq!(expect_object("[]"), Err(Unreadable::NotAnObject));
        assert_eq!(expect_object("{\"id\":1"), Err(Unreadable::CutOff));
        let html = Unreadable::NotJson { line: 1, column: 1 };
        assert_eq!(expect_object("<html>"), Err(html));
    }
}
