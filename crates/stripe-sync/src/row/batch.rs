//! The objects of one statement: the newest observation of each, sorted by id, so that two batches
//! with common rows lock them in the same order.

use std::borrow::Cow;

use super::object::Object;
use crate::order::Stamp;

/// The state of an object at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Observation<'a> {
    pub(crate) id: Cow<'a, str>,
    /// The object to be stored.
    pub(crate) object: Object<'a>,
    pub(crate) stamp: Stamp,
    /// The id of the object whose nested list contained this one.
    pub(crate) parent: Option<&'a str>,
    /// Stripe's id of the request that returned it.
    pub(crate) request_id: Option<&'a str>,
}

impl<'a> Observation<'a> {
    /// The same observation with another text of its object; a borrowed text is the unchanged one.
    #[expect(clippy::ptr_arg, reason = "a borrowed text keeps the places of its properties")]
    pub(crate) fn with_text(&self, text: &'a Cow<'_, str>) -> Observation<'a> {
        match text {
            Cow::Borrowed(_) => self.clone(),
            Cow::Owned(changed) => Observation { object: changed.as_str().into(), ..self.clone() },
        }
    }
}

/// Keeps the newest observation of each id, sorted by id. Of observations with the same stamp, the
/// last one counts.
pub(crate) fn winners(mut seen: Vec<Observation<'_>>) -> Vec<Observation<'_>> {
    // A stable sort: equal observations remain in their order.
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
        Observation { id: id.into(), object: json.into(), stamp, parent: None, request_id: None }
    }

    #[test]
    fn the_newest_of_each_id_remains_in_the_order_of_ids() {
        let batch =
            vec![seen("b", "1", 5), seen("a", "2", 9), seen("b", "3", 4), seen("a", "4", 9)];
        let rows: Vec<_> =
            winners(batch).iter().map(|o| (o.id.to_string(), o.object.json())).collect();
        assert_eq!(rows, [("a".to_owned(), "4"), ("b".to_owned(), "1")]);
    }
}
