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
    /// Stripe's ID of the request that returned it.
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
    // A stable sort: equal observations keep their order.
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

/// Reduces the items of nested lists as [`winners`] does. Their ids should be unique in the
/// account. Items with the id of an item of another parent, or of another item of the same list,
/// are returned separately, because only one of them can be a row.
pub(crate) fn reduce_items(
    mut seen: Vec<Observation<'_>>,
) -> (Vec<Observation<'_>>, Vec<Observation<'_>>) {
    seen.sort_by(|a, b| a.id.cmp(&b.id).then(a.parent.cmp(&b.parent)).then(a.stamp.cmp(&b.stamp)));
    let mut rows: Vec<Observation<'_>> = Vec::with_capacity(seen.len());
    let mut duplicates: Vec<Observation<'_>> = Vec::new();
    for item in seen {
        let Some(last) = rows.last_mut().filter(|last| last.id == item.id) else {
            rows.push(item);
            continue;
        };
        if last.parent != item.parent {
            // Later observations of the same parent's item follow.
            let is_same = |other: &&mut Observation<'_>| {
                other.id == item.id && other.parent == item.parent && other.stamp < item.stamp
            };
            match duplicates.last_mut().filter(is_same) {
                Some(older) => *older = item,
                None => duplicates.push(item),
            }
        } else if last.stamp < item.stamp || last.object.json() == item.object.json() {
            *last = item;
        } else {
            duplicates.push(std::mem::replace(last, item));
        }
    }
    (rows, duplicates)
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

    #[test]
    fn items_with_the_same_id_are_returned_apart() {
        let item = |parent, json, at| Observation { parent: Some(parent), ..seen("il", json, at) };
        let shown = |rows: &[Observation<'_>]| {
            rows.iter().map(|o| format!("{} {}", o.parent.unwrap(), o.object.json())).collect()
        };
        for (items, rows, duplicates) in [
            (vec![item("in_1", "1", 5), item("in_1", "2", 9)], "in_1 2", ""),
            (vec![item("in_1", "1", 5), item("in_1", "1", 5)], "in_1 1", ""),
            (vec![item("in_1", "1", 5), item("in_1", "2", 5)], "in_1 2", "in_1 1"),
            (vec![item("in_2", "1", 9), item("in_1", "2", 5)], "in_1 2", "in_2 1"),
            (
                vec![item("in_2", "1", 9), item("in_2", "3", 7), item("in_1", "2", 5)],
                "in_1 2",
                "in_2 1",
            ),
        ] {
            let reduced = reduce_items(items);
            let found: (Vec<String>, Vec<String>) = (shown(&reduced.0), shown(&reduced.1));
            assert_eq!((found.0.join(","), found.1.join(",")), (rows.into(), duplicates.into()));
        }
    }
}
