//! The properties that the engine reads before the columns of an object: its id, type and time, and
//! whether it is deleted. One scan of the object's top level finds all of them.
//!
//! As in jsonb, the last of several equal keys counts, and a key may be spelled with escapes. A
//! property whose type is not the expected one counts as missing; so does every property of a text
//! that is not an object.

use std::borrow::Cow;

use super::escape::unescape;
use super::object::{Escapes, Object};
use super::scan::string;
use crate::hash::fnv1a;

/// The prefix of the names of objects without an id.
pub(crate) const NO_ID: &str = "(no id, ";

/// The properties of an object that decide how it is read and written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObjectHead<'a> {
    /// `id`, if it is a string. The string can be empty.
    pub(crate) id: Option<Cow<'a, str>>,
    /// `object`, the name of the object's type, if it is a string.
    pub(crate) object: Option<Cow<'a, str>>,
    /// The time property in seconds since 1970, if it is an integer.
    pub(crate) created: Option<i64>,
    /// Whether `deleted` is `true`.
    pub(crate) deleted: bool,
}

impl<'a> ObjectHead<'a> {
    /// Reads the head of an object. `time_property` is the property that its list is filtered or
    /// sorted by, `created` for most lists.
    pub(crate) fn read(object: impl Into<Object<'a>>, time_property: &str) -> ObjectHead<'a> {
        let whole = object.into();
        let plain_keys = whole.escapes() != Escapes::Anywhere;
        let (mut id, mut object, mut created, mut deleted) = (None, None, None, None);
        for (key, raw) in whole.fields() {
            let key = if plain_keys { Cow::Borrowed(key) } else { unescape(key).text };
            match &*key {
                "id" => id = Some(raw),
                "object" => object = Some(raw),
                "deleted" => deleted = Some(raw),
                _ => {}
            }
            // Any property can be the time property, even one of those above.
            if *key == *time_property {
                created = Some(raw);
            }
        }
        ObjectHead {
            id: id.and_then(string),
            object: object.and_then(string),
            created: created.and_then(|raw| raw.parse().ok()),
            deleted: deleted == Some("true"),
        }
    }

    /// The key under which the object is written: its id. An object without one gets a name derived
    /// from its text `json`, which is the same whenever the same object is read and which no other
    /// object has. The server rejects its row, and it is quarantined under that name.
    pub(crate) fn name(&self, json: &str) -> Cow<'a, str> {
        self.id.clone().unwrap_or_else(|| derived_name(json).into())
    }
}

/// The id of an object, if a request can contain it: an empty one cannot be part of a path or be a
/// cursor.
pub(crate) fn id_of<'a>(object: impl Into<Object<'a>>) -> Option<Cow<'a, str>> {
    object.into().get("id").and_then(string).filter(|id| !id.is_empty())
}

/// [`ObjectHead::name`], if nothing else of the object is needed.
pub(crate) fn name_of<'a>(object: impl Into<Object<'a>>) -> Cow<'a, str> {
    let object = object.into();
    let id = object.get("id").and_then(string);
    id.unwrap_or_else(|| derived_name(object.json()).into())
}

fn derived_name(json: &str) -> String {
    format!("{NO_ID}{:016x})", fnv1a(json))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::any_json::any_object;
    use crate::row::get;

    fn head(json: &str) -> ObjectHead<'_> {
        ObjectHead::read(json, "created")
    }

    #[test]
    fn one_scan_finds_everything() {
        let json = r#" { "object" : "charge", "x": {"id": "no", "created": 1}, "id":"ch_1",
            "created":7 , "deleted":true} "#;
        let expected = ObjectHead {
            id: Some("ch_1".into()),
            object: Some("charge".into()),
            created: Some(7),
            deleted: true,
        };
        assert_eq!(head(json), expected);
        assert_eq!(ObjectHead::read(r#"{"date":9,"created":7}"#, "date").created, Some(9));
        assert_eq!(ObjectHead::read(r#"{"id":9}"#, "id").created, Some(9));
    }

    #[test]
    fn the_last_of_equal_keys_counts_however_they_are_spelled() {
        let json = r#"{"id":"a","deleted":true,"\u0069d":"b","created":1,"cr\u0065ated":2,
            "deleted":false,"object":"x","object":null}"#;
        let expected = ObjectHead { id: Some("b".into()), created: Some(2), ..Default::default() };
        assert_eq!(head(json), expected);
        assert_eq!(head(r#"{"id":"a\u0062\u0000"}"#).id.as_deref(), Some("ab\u{fffd}"));
    }

    #[test]
    fn values_of_other_types_count_as_missing() {
        for json in [
            r#"{"id":7,"object":{"id":"a"},"created":"7","deleted":"true"}"#,
            r#"{"id":null,"object":null,"created":7.0,"deleted":1}"#,
            r#"{"created":9223372036854775808}"#,
            "{}",
            "null",
            "[7]",
            r#"["id"]"#,
            r#""id""#,
            "",
        ] {
            assert_eq!(head(json), ObjectHead::default(), "{json}");
        }
        assert_eq!(head(r#"{"created":-9}"#).created, Some(-9));
    }

    #[test]
    fn objects_without_id_get_distinct_placeholder_ids() {
        assert_eq!(id_of(r#"{"id":"a"}"#).as_deref(), Some("a"));
        for json in [r#"{"id":null}"#, r#"{"id":7}"#, r#"{"id":{"id":"a"}}"#, "{}", "null", "[7]"] {
            assert_eq!((id_of(json), head(json).id), (None, None), "{json}");
            assert_eq!(name_of(json), head(json).name(json));
            assert!(name_of(json).starts_with(NO_ID));
            assert_ne!(name_of(json), name_of(r#"{"a":1}"#), "{json}");
        }
        let empty = r#"{"id":""}"#;
        assert_eq!((id_of(empty), &*name_of(empty)), (None, ""));
        assert_eq!(head(empty).name(empty), "");
    }

    proptest::proptest! {
        /// One scan finds what a scan per property finds.
        #[test]
        fn agrees_with_a_scan_per_property(json in any_object()) {
            let head = head(&json);
            proptest::prop_assert_eq!(head.name(&json), name_of(&*json));
            let id = head.id.filter(|id| !id.is_empty());
            proptest::prop_assert_eq!(id, id_of(&*json));
            proptest::prop_assert_eq!(head.object, get(&json, "object").and_then(string));
            let created = get(&json, "created").and_then(|raw| raw.parse().ok());
            proptest::prop_assert_eq!(head.created, created);
            proptest::prop_assert_eq!(head.deleted, get(&json, "deleted") == Some("true"));
        }
    }
}
