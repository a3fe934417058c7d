//! Where objects live: a collection is either all objects of one type, or the children of one object.
//!
//! Rooted collections carry the number of their object type. Child collections (lines of an invoice, items of a
//! subscription, persons of an account) come after them, in the order of the catalog.

use std::sync::OnceLock;

use crate::catalog::{Kind, ListOp, catalog};

/// A collection's number.
pub(crate) type CollectionId = usize;

/// Names one object: its collection, its place in it, and for a child the place below its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) collection: CollectionId,
    /// Index in a rooted collection; the parent's index in a child collection.
    pub(crate) index: u64,
    /// Index below the parent; 0 in a rooted collection.
    pub(crate) sub: u32,
}

/// From here on an index is not computed from the seed but was handed to an inserted object.
pub(crate) const INSERTED: u64 = 1 << 40;
/// The same for children.
pub(crate) const INSERTED_SUB: u32 = 1 << 31;

/// A set of objects from one source.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) kinds: Vec<Kind>,
    /// The parent's type in a child collection.
    pub(crate) parent: Option<Kind>,
    /// How the builder calls it: the embedded property, or the last segment of the list's path.
    pub(crate) name: String,
    /// The parameter of the child's list, and so the name of the child's property, that holds the parent's id.
    pub(crate) parent_param: String,
}

/// What a list reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// All objects of a type.
    Rooted(Kind),
    /// The children of the object in the path or in the query.
    Children { collection: CollectionId, parent: Kind, in_path: bool, param: String },
    /// The objects of a type whose property names the object in the path.
    Referring { kind: Kind, property: String, parent: Kind },
}

/// All collections and the source of each list of the catalog.
#[derive(Debug)]
pub(crate) struct Collections {
    all: Vec<Collection>,
    /// Parallel to `catalog().lists`.
    pub(crate) sources: Vec<Source>,
}

impl Collections {
    pub(crate) fn get(&self, id: CollectionId) -> &Collection {
        &self.all[id]
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The child collection of a parent's type by its name.
    pub(crate) fn child(&self, parent: Kind, name: &str) -> Option<CollectionId> {
        self.all.iter().position(|c| c.parent == Some(parent) && c.name == name)
    }

    /// The child collections of a parent's type.
    pub(crate) fn children_of(&self, parent: Kind) -> impl Iterator<Item = CollectionId> + '_ {
        (0..self.all.len()).filter(move |id| self.all[*id].parent == Some(parent))
    }

    /// The collections whose objects can be of this type.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = CollectionId> + '_ {
        (0..self.all.len()).filter(move |id| self.all[*id].kinds.contains(&kind))
    }
}

/// The collections of the catalog.
pub(crate) fn collections() -> &'static Collections {
    static COLLECTIONS: OnceLock<Collections> = OnceLock::new();
    COLLECTIONS.get_or_init(build)
}

fn build() -> Collections {
    let catalog = catalog();
    let mut all: Vec<Collection> = (0..catalog.len())
        .map(|kind| Collection {
            kinds: vec![kind],
            parent: None,
            name: catalog.name(kind).to_owned(),
            parent_param: String::new(),
        })
        .collect();
    let sources = catalog.lists.iter().map(|list| source(list, &mut all)).collect();
    Collections { all, sources }
}

fn source(list: &ListOp, all: &mut Vec<Collection>) -> Source {
    let catalog = catalog();
    let kinds: Vec<Kind> = list.objects.iter().filter_map(|o| catalog.kind(o)).collect();
    let Some((parent, param, in_path)) = parent_of(list) else { return Source::Rooted(kinds[0]) };
    if list.path == "/v1/customers/{customer}/payment_methods" {
        return Source::Referring { kind: kinds[0], property: "customer".to_owned(), parent };
    }
    let embedded =
        catalog.object(parent).nested.iter().find(|n| endpoint_path(&n.endpoint) == list.path);
    let last = list.path.rsplit('/').next().unwrap_or(&list.path);
    let name = match embedded {
        Some(nested) => nested.path.clone(),
        None if list.path.contains("/preview/") => "preview_lines".to_owned(),
        None => last.to_owned(),
    };
    // Only cards and bank accounts are made for the lists of mixed types: they fit both payouts and customers.
    let kinds = if kinds.len() > 1 {
        let plain = ["bank_account", "card"];
        kinds.into_iter().filter(|k| plain.contains(&catalog.name(*k))).collect()
    } else {
        kinds
    };
    all.push(Collection { kinds, parent: Some(parent), name, parent_param: param.clone() });
    Source::Children { collection: all.len() - 1, parent, in_path, param }
}

/// The parent's type, the parameter that names it, and whether that stands in the path.
fn parent_of(list: &ListOp) -> Option<(Kind, String, bool)> {
    let catalog = catalog();
    if let Some(open) = list.path.find('{') {
        let close = list.path[open..].find('}')? + open;
        let parent_path = list.path[..open].trim_end_matches('/');
        let parent = match parent_path {
            "/v1/sources" => catalog.kind("source"),
            "/v1/tax/calculations" => catalog.kind("tax.calculation"),
            "/v1/tax/transactions" => catalog.kind("tax.transaction"),
            path => {
                let listed = catalog.lists.iter().find(|l| l.path == path)?;
                catalog.kind(&listed.objects[0])
            }
        };
        return Some((parent?, list.path[open + 1..close].to_owned(), true));
    }
    let param = list.required.first()?;
    let parent = match param.as_str() {
        "account" => "financial_connections.account",
        "card" => "issuing.card",
        "value_list" => "radar.value_list",
        "financial_account" => "treasury.financial_account",
        "scope" => return None,
        other => other,
    };
    Some((catalog.kind(parent)?, param.clone(), false))
}

/// The path of a nested list's endpoint without its query and without the remark on aliases.
pub(crate) fn endpoint_path(endpoint: &str) -> &str {
    endpoint.split([' ', '?']).next().unwrap_or(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_a_source_and_41_need_a_parent() {
        let all = collections();
        let lists = &catalog().lists;
        let parented = all.sources.iter().filter(|s| !matches!(s, Source::Rooted(_))).count();
        // apps.secret needs a scope, which is no object.
        assert_eq!(parented, lists.iter().filter(|l| !l.free).count() - 1);
        let invoice = catalog().kind("invoice").unwrap();
        assert!(all.child(invoice, "lines").is_some());
        let subscription = catalog().kind("subscription").unwrap();
        assert!(all.child(subscription, "items").is_some());
        for id in catalog().len()..all.len() {
            assert!(!all.get(id).kinds.is_empty(), "{}", all.get(id).name);
        }
    }
}
