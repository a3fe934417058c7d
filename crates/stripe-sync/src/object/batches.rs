//! Objects and the items of their nested lists as the batches of one write.

use super::nested::ItemChunk;
use crate::catalog::{Catalog, Table};
use crate::order::Stamp;
use crate::postgres::{Batch, CompleteList};
use crate::row::{Object, Observation, elements, get_each, name_of};

/// Collects objects of one table, and the items of their embedded lists.
pub(crate) struct ObjectBatches<'a> {
    table: &'static Table,
    objects: Vec<Observation<'a>>,
    items: Vec<(&'static Table, Vec<Observation<'a>>)>,
    complete_lists: Vec<CompleteList>,
}

impl<'a> ObjectBatches<'a> {
    pub(crate) fn new(table: &'static Table) -> ObjectBatches<'a> {
        let (objects, items, complete_lists) = Default::default();
        ObjectBatches { table, objects, items, complete_lists }
    }

    /// Adds an object with the items of its embedded lists. Complete lists may remove stored items.
    pub(crate) fn add(
        &mut self,
        id: &'a str,
        object: Object<'a>,
        stamp: Stamp,
        request_id: Option<&'a str>,
    ) {
        self.add_items(id, object, stamp, request_id);
        self.add_without_items(id, object, stamp, request_id);
    }

    /// Adds an object without the items of its lists. An object without an id will be quarantined,
    /// and its items would have no parent.
    pub(crate) fn add_without_items(
        &mut self,
        id: &'a str,
        object: Object<'a>,
        stamp: Stamp,
        request_id: Option<&'a str>,
    ) {
        self.objects.push(observe(id, object, stamp, request_id));
    }

    /// Adds the items of an object's embedded lists.
    pub(crate) fn add_items(
        &mut self,
        id: &'a str,
        object: Object<'a>,
        stamp: Stamp,
        request_id: Option<&'a str>,
    ) {
        for nested in &self.table.nested {
            let Some(table) = nested.table.as_deref().and_then(|t| Catalog::get().table(t)) else {
                continue;
            };
            let Some(list) = object.get_path(nested.path.split('.')) else { continue };
            let [data, has_more] = get_each(list, ["data", "has_more"]);
            let Some(data) = data else { continue };
            let items = elements(data).map(|item| observe_item(item, stamp, id, request_id));
            match self.items.iter_mut().find(|(known, _)| known.name == table.name) {
                Some((_, rows)) => rows.extend(items),
                None => self.items.push((table, items.collect())),
            }
            if has_more == Some("false") {
                self.complete_lists.push(CompleteList { table, parent: id.to_owned(), stamp });
            }
        }
    }

    /// Adds lists whose items have already been written.
    pub(crate) fn add_complete_lists(&mut self, lists: impl IntoIterator<Item = CompleteList>) {
        self.complete_lists.extend(lists);
    }

    /// The batches, children before parents, and the lists that were read to their end.
    pub(crate) fn finish(self) -> (Vec<Batch<'a>>, Vec<CompleteList>) {
        let batches = self.items.into_iter().chain([(self.table, self.objects)]);
        let batches = batches.map(|(table, seen)| Batch::new(table, seen));
        (batches.collect(), self.complete_lists)
    }
}

impl ItemChunk {
    /// The chunk as a batch of its table.
    pub(crate) fn batch(&self) -> Batch<'_> {
        let request_id = self.request_id.as_deref();
        let row = |item| observe_item(item, self.stamp, &self.parent, request_id);
        Batch::new(self.table, self.items.iter().map(row).collect())
    }
}

/// An observation of an object that is not an item of a parent.
pub(crate) fn observe<'a>(
    id: &'a str,
    object: impl Into<Object<'a>>,
    stamp: Stamp,
    request_id: Option<&'a str>,
) -> Observation<'a> {
    Observation { id: id.into(), object: object.into(), stamp, parent: None, request_id }
}

fn observe_item<'a>(
    item: &'a str,
    stamp: Stamp,
    parent: &'a str,
    request_id: Option<&'a str>,
) -> Observation<'a> {
    Observation { id: name_of(item), object: item.into(), stamp, parent: Some(parent), request_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_lists_remove_rows() {
        let table = Catalog::get().table("invoices").expect("invoices");
        let batches_of = |json: &'static str| {
            let mut batches = ObjectBatches::new(table);
            batches.add("in_1", json.into(), Stamp::from_micros(1), None);
            let (batches, complete) = batches.finish();
            let row = |batch: &Batch<'_>| {
                let ids = batch.rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>();
                (batch.table.name.clone(), ids.join(","))
            };
            (batches.iter().map(row).collect::<Vec<_>>(), complete.len())
        };
        let (batches, complete) =
            batches_of(r#"{"id":"in_1","lines":{"data":[{"id":"il_1"}],"has_more":false}}"#);
        let expected = [("invoice_line_items", "il_1"), ("invoices", "in_1")];
        assert_eq!(batches, expected.map(|(table, ids)| (table.to_owned(), ids.to_owned())));
        assert_eq!(complete, 1);
        assert_eq!(batches_of(r#"{"lines":{"data":[{"id":"il_1"}],"has_more":true}}"#).1, 0);
        assert_eq!(batches_of(r#"{"lines":null}"#).1, 0);
        assert_eq!(batches_of("{}").1, 0);
    }
}
