//! A list as its object contains it.

use std::borrow::Cow;

use crate::row::{elements, fields, key_is, string};

/// A list inside an object.
pub(super) struct EmbeddedList<'a> {
    /// The raw array; `None` if the list does not say whether it has more items. It then counts as
    /// unread, and is read from its start.
    data: Option<&'a str>,
    /// Whether items are missing.
    pub(super) has_more: bool,
    /// The URL of the list, as Stripe sent it.
    pub(super) url: Option<Cow<'a, str>>,
}

impl<'a> EmbeddedList<'a> {
    /// `None` if there is no list, for example if Stripe sends null.
    pub(super) fn read(raw: &'a str) -> Option<EmbeddedList<'a>> {
        let (mut data, mut has_more, mut url, mut object) = (None, None, None, None);
        let mut is_repeated = false;
        for (key, value) in fields(raw) {
            if key_is(key, "data") {
                is_repeated |= data.replace(value).is_some();
            } else if key_is(key, "has_more") {
                is_repeated |= has_more.replace(value).is_some();
            } else if key_is(key, "url") {
                is_repeated |= url.replace(value).is_some();
            } else if key_is(key, "object") {
                object = Some(value);
            }
        }
        if data.is_none() && object.and_then(string)? != "list" {
            return None;
        }
        let url = url.and_then(string);
        let data = data.filter(|data| data.starts_with('[') && !is_repeated);
        Some(match has_more {
            Some("true") if data.is_some() => EmbeddedList { data, has_more: true, url },
            Some("false") if data.is_some() => EmbeddedList { data, has_more: false, url },
            _ => EmbeddedList { data: None, has_more: true, url },
        })
    }

    /// The items that the object contains.
    pub(super) fn items(&self) -> Vec<&'a str> {
        self.data.into_iter().flat_map(elements).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Items, `has_more` and URL.
    type Parts<'a> = (Vec<&'a str>, bool, Option<Cow<'a, str>>);

    fn read(raw: &str) -> Option<Parts<'_>> {
        EmbeddedList::read(raw).map(|list| (list.items(), list.has_more, list.url))
    }

    #[test]
    fn a_list_that_does_not_say_whether_it_has_more_is_read_from_its_start() {
        let list = r#"{"object":"list","data":[{"id":"a"}, 7],"has_more":true,"url":"\/v1\/x"}"#;
        assert_eq!(read(list), Some((vec![r#"{"id":"a"}"#, "7"], true, Some("/v1/x".into()))));
        assert_eq!(read(r#"{"data":[],"has_more":false}"#), Some((vec![], false, None)));
        for url in ["null", "7", "[]"] {
            let list = format!(r#"{{"data":[],"has_more":true,"url":{url}}}"#);
            assert_eq!(read(&list), Some((vec![], true, None)), "{list}");
        }
        for unknown in [
            r#"{"object":"list"}"#,
            r#"{"object":"list","data":[{"id":"a"}]}"#,
            r#"{"data":null,"has_more":false}"#,
            r#"{"data":{},"has_more":false}"#,
            r#"{"data":[],"has_more":"false"}"#,
            r#"{"data":[],"has_more":false,"data":[]}"#,
            r#"{"data":[],"has_more":false,"has_more":false}"#,
        ] {
            assert_eq!(read(unknown), Some((vec![], true, None)), "{unknown}");
        }
        for other in ["null", "[]", r#""a""#, "{}", r#"{"object":"charge","has_more":true}"#] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
