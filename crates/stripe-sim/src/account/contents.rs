//! Reads the contents of the account without HTTP. Tests compare a copy with them.

use super::Account;
use crate::catalog::{Kind, catalog};
use crate::collection::{Key, Source, collections};
use crate::expand::NO_EXPANSION;
use crate::filter::never_listed;
use crate::list::{Cursor, ListQuery, read_page};

const PAGE_SIZE: usize = 1_000;

/// The query for all objects of a type that a list can contain.
fn all_listable(kind: Kind) -> ListQuery {
    ListQuery {
        filters: never_listed(kind),
        limit: PAGE_SIZE,
        ..ListQuery::all(Source::TopLevel(kind), 0)
    }
}

impl Account {
    /// Returns the ids of all objects of a type that a list can contain with some parameters
    /// (`status=all`, `active=false`, ...), newest first. Objects that no list contains are not
    /// included; [`Account::object_json`] finds them. Returns no ids for an unknown type.
    pub fn ids(&self, object: &str) -> impl Iterator<Item = String> + '_ {
        self.walk(catalog().kind(object).map(all_listable))
            .map(|key| self.read(|view| view.id(key)))
    }

    /// The number of ids that [`Account::ids`] returns.
    pub fn count(&self, object: &str) -> u64 {
        let Some(kind) = catalog().kind(object) else { return 0 };
        let unchanged =
            self.read(|view| view.changes.deleted.is_empty() && view.changes.inserted.is_empty());
        if unchanged && never_listed(kind).is_empty() {
            return self.inner.relations.count(kind);
        }
        self.walk(Some(all_listable(kind))).count() as u64
    }

    /// Returns the object as a retrieve request without `expand` does, or `None` if it does not
    /// exist. Also finds objects that no list contains, and items of nested lists.
    pub fn object_json(&self, object: &str, id: &str) -> Option<String> {
        let kind = catalog().kind(object)?;
        self.read(|view| {
            let key = view.find(kind, id)?;
            let mut text = String::new();
            if !view.changes.is_deleted(key) {
                view.write_object(key, &NO_EXPANSION, &mut text);
            } else if catalog().object(kind).deleted {
                view.write_deleted(key, &mut text);
            } else {
                return None;
            }
            Some(text)
        })
    }

    /// Returns the ids of a nested list of one parent, in the order of the list. `name` is that of
    /// [`AccountBuilder::nested`](super::AccountBuilder::nested). Returns no ids if the parent or
    /// the list does not exist.
    pub fn nested_ids(&self, object: &str, parent: &str, name: &str) -> Vec<String> {
        let Some((key, collection)) = self.nested(object, parent, name) else { return Vec::new() };
        let source = Source::Children {
            collection,
            parent: key.collection,
            in_path: true,
            param: String::new(),
        };
        self.walk(Some(ListQuery { limit: PAGE_SIZE, ..ListQuery::all(source, key.index) }))
            .map(|key| self.read(|view| view.id(key)))
            .collect()
    }

    /// The total number of items of a nested list over all parents that [`Account::ids`] returns.
    pub fn nested_count_total(&self, object: &str, name: &str) -> u64 {
        let Some(kind) = catalog().kind(object) else { return 0 };
        let Some(collection) = collections().child(kind, name) else { return 0 };
        self.walk(Some(all_listable(kind)))
            .map(|parent| {
                self.read(|view| {
                    let computed = view.child_count(collection, parent.index);
                    let changed =
                        |key: &&Key| key.collection == collection && key.index == parent.index;
                    let inserted =
                        view.changes.list(collection, parent.index).map_or(0, |l| l.len() as u64);
                    computed + inserted - view.changes.deleted.iter().filter(changed).count() as u64
                })
            })
            .sum()
    }

    fn nested(&self, object: &str, parent: &str, name: &str) -> Option<(Key, usize)> {
        let kind = catalog().kind(object)?;
        let key = self.read(|view| view.find(kind, parent))?;
        Some((key, collections().child(kind, name)?))
    }

    /// Iterates over a list page by page, so that no lock is held between items.
    fn walk(&self, list_query: Option<ListQuery>) -> impl Iterator<Item = Key> + '_ {
        let mut list_query = list_query;
        let mut keys = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(key) = keys.next() {
                    return Some(key);
                }
                let mut query = list_query.take()?;
                let page = self.read(|view| read_page(view, &query));
                if page.has_more {
                    query.cursor = page.keys.last().map_or(Cursor::None, |key| Cursor::After(*key));
                    list_query = Some(query);
                }
                keys = page.keys.into_iter();
            }
        })
    }
}
