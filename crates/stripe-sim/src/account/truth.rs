//! The account's contents without HTTP: what tests compare a copy with.

use super::Account;
use crate::catalog::catalog;
use crate::collection::{Key, Source, collections};
use crate::expand::NOTHING;
use crate::filter::never_listed;
use crate::list::{Ask, Cursor, page};

impl Account {
    /// The ids that the object's list shows when all parameters are tried (`status=all`, `active=false`, ...), newest
    /// first. Rows that no list ever shows are not among them; see [`Account::object_json`]. Empty for unknown names.
    pub fn ids(&self, object: &str) -> impl Iterator<Item = String> + '_ {
        let kind = catalog().kind(object);
        let source = kind.map(Source::Rooted);
        let filters = kind.map(never_listed).unwrap_or_default();
        self.walk(source.map(|source| Ask { filters, limit: 1_000, ..Ask::whole(source, 0) }))
            .map(|key| self.read(|view| view.id(key)))
    }

    /// How many ids [`Account::ids`] yields.
    pub fn count(&self, object: &str) -> u64 {
        let Some(kind) = catalog().kind(object) else { return 0 };
        let untouched =
            self.read(|view| view.overlay.deleted.is_empty() && view.overlay.added.is_empty());
        if untouched && never_listed(kind).is_empty() {
            return self.inner.relations.count(kind);
        }
        let filters = never_listed(kind);
        self.walk(Some(Ask { filters, limit: 1_000, ..Ask::whole(Source::Rooted(kind), 0) }))
            .count() as u64
    }

    /// The object as a retrieve without `expand` answers it; `None` if there is none. Finds rows that no list shows, and
    /// items of nested lists.
    pub fn object_json(&self, object: &str, id: &str) -> Option<String> {
        let kind = catalog().kind(object)?;
        self.read(|view| {
            let key = view.find(kind, id)?;
            let mut text = String::new();
            if !view.overlay.is_deleted(key) {
                view.write_object(key, &NOTHING, &mut text);
            } else if catalog().object(kind).deleted {
                crate::answer::write_deleted(view, key, &mut text);
            } else {
                return None;
            }
            Some(text)
        })
    }

    /// The ids of a nested list of one parent, in the order of its list; `name` as in
    /// [`AccountBuilder::nested`](super::AccountBuilder::nested). Empty when the parent or the list is unknown.
    pub fn nested_ids(&self, object: &str, parent: &str, name: &str) -> Vec<String> {
        let Some((key, collection)) = self.nested(object, parent, name) else { return Vec::new() };
        let source = Source::Children {
            collection,
            parent: key.collection,
            in_path: true,
            param: String::new(),
        };
        self.walk(Some(Ask { limit: 1_000, ..Ask::whole(source, key.index) }))
            .map(|key| self.read(|view| view.id(key)))
            .collect()
    }

    /// How many items a nested list has over all parents that [`Account::ids`] yields.
    pub fn nested_count_total(&self, object: &str, name: &str) -> u64 {
        let Some(kind) = catalog().kind(object) else { return 0 };
        let Some(collection) = collections().child(kind, name) else { return 0 };
        let filters = never_listed(kind);
        let parents =
            self.walk(Some(Ask { filters, limit: 1_000, ..Ask::whole(Source::Rooted(kind), 0) }));
        parents
            .map(|parent| {
                self.read(|view| {
                    let computed = view.child_count(collection, parent.index);
                    let changed =
                        |key: &&Key| key.collection == collection && key.index == parent.index;
                    let added =
                        view.overlay.list(collection, parent.index).map_or(0, |l| l.len() as u64);
                    computed + added - view.overlay.deleted.iter().filter(changed).count() as u64
                })
            })
            .sum()
    }

    fn nested(&self, object: &str, parent: &str, name: &str) -> Option<(Key, usize)> {
        let kind = catalog().kind(object)?;
        let key = self.read(|view| view.find(kind, parent))?;
        Some((key, collections().child(kind, name)?))
    }

    /// Walks a list page by page, so that no lock is held between items.
    fn walk(&self, ask: Option<Ask>) -> impl Iterator<Item = Key> + '_ {
        let mut ask = ask;
        let mut ready = Vec::new().into_iter();
        std::iter::from_fn(move || {
            loop {
                if let Some(key) = ready.next() {
                    return Some(key);
                }
                let mut next = ask.take()?;
                let found = self.read(|view| page(view, &next));
                if found.has_more {
                    next.cursor = found.keys.last().map_or(Cursor::None, |key| Cursor::After(*key));
                    ask = Some(next);
                }
                ready = found.keys.into_iter();
            }
        })
    }
}
