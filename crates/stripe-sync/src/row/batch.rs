//! The objects of one statement: one winner per key, in the order of their keys, so that two
//! batches with common rows lock them in the same order.

use std::borrow::Cow;

use super::scan::{get, string};
use crate::hash::fnv1a;
use crate::order::Stamp;

/// An object as seen at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Observation<'a> {
    pub(crate) id: Cow<'a, str>,
    /// The object as sent.
    pub(crate) json: &'a str,
    pub(crate) stamp: Stamp,
    /// The object whose nested list held this one.
    pub(crate) parent: Option<&'a str>,
    /// Stripe's name for the request that brought it.
    pub(crate) request_id: Option<&'a str>,
}

/// The id of an object, if it has one that a request can name.
pub(crate) fn id_of(json: &str) -> Option<Cow<'_, str>> {
    get(json, "id").and_then(string).filter(|id| !id.is_empty())
}

/// How the names of objects without id begin.
pub(crate) const NO_ID: &str = "(no id, ";

/// What an object is called: its id. One without, which the server will refuse, gets a name that
/// is the same whenever the same object is seen and that no other object has.
pub(crate) fn name_of(json: &str) -> Cow<'_, str> {
    let id = get(json, "id").and_then(string);
    id.unwrap_or_else(|| format!("{NO_ID}{:016x})", fnv1a(json)).into())
}

/// Keeps the newest observation of each id, the later one of equals, sorted by id.
pub(crate) fn winners(mut seen: Vec<Observation<'_>>) -> Vec<Observation<'_>> {
    // Stable: equals stay in the order in which they were seen.
    seen.sort_by(|a, b| a.id.cmp(&b.id).then(a.stamp.cmp(&b.stamp)));
    let mut out: Vec<Observation<'_>> = Vec::with_capacity(seen.len());
    for observation in seen {
        match out.last_mut().filter(|last| last.id == observation.id) {
            Some(last) => *last = observation,
            None => out.push(observation),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(id: &'static str, json: &'static str, at: i64) -> Observation<'static> {
        let stamp = Stamp::from_micros(at);
        Observation { id: id.into(), json, stamp, parent: None, request_id: None }
    }

    #[test]
    fn objects_without_id_stay_apart() {
        assert_eq!(id_of(r#"{"id":"a"}"#).as_deref(), Some("a"));
        for json in [r#"{"id":null}"#, r#"{"id":7}"#, r#"{"id":{"id":"a"}}"#, "{}", "null", "[7]"] {
            assert_eq!(id_of(json), None, "{json}");
            assert_eq!(name_of(json), name_of(json));
            assert_ne!(name_of(json), name_of(r#"{"a":1}"#), "{json}");
        }
        assert_eq!((id_of(r#"{"id":""}"#), &*name_of(r#"{"id":""}"#)), (None, ""));
    }

    #[test]
    fn one_winner_per_key_in_key_order() {
        let batch =
            vec![seen("b", "1", 5), seen("a", "2", 9), seen("b", "3", 4), seen("a", "4", 9)];
        let left: Vec<_> = winners(batch).iter().map(|o| (o.id.to_string(), o.json)).collect();
        assert_eq!(left, [("a".to_owned(), "4"), ("b".to_owned(), "1")]);
    }
}
