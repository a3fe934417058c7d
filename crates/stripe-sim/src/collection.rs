//! Collections of objects. A collection contains either all objects of one type, or the children of
//! all objects of one type.
//!
//! The id of a top-level collection is the number of its object type. Child collections (lines of
//! invoices, items of subscriptions, persons of accounts) follow in the order of the catalog.

use std::sync::OnceLock;

use crate::catalog::{Kind, ListOp, catalog};

/// The number of a collection.
pub(crate) type CollectionId = usize;

/// Identifies an object: its collection, its index there, and for a child its index below the
/// parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) collection: CollectionId,
    /// The index in a top-level collection; the index of the parent in a child collection.
    pub(crate) index: u64,
    /// The index below the parent; 0 in a top-level collection.
    pub(crate) sub: u32,
}

/// The lowest index of inserted objects. Lower indexes belong to computed objects.
pub(crate) const FIRST_INSERTED_INDEX: u64 = 1 << 40;
/// The lowest index of inserted children below their parent.
pub(crate) const FIRST_INSERTED_SUB: u32 = 1 << 31;

/// The definition of a collection.
#[derive(Debug)]
pub(crate) struct Collection {
    pub(crate) kinds: Vec<Kind>,
    /// The type of the parents of a child collection.
    pub(crate) parent: Option<Kind>,
    /// The property that embeds the list, or the last segment of the list's path.
    pub(crate) name: String,
    /// The list parameter that contains the parent's id. Children have a property of the same name.
    pub(crate) parent_param: String,
}

/// The objects that a list reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// All objects of a type.
    TopLevel(Kind),
    /// The children of the object named in the path or in the query.
    Children { collection: CollectionId, parent: Kind, in_path: bool, param: String },
    /// The objects of a type with a property that contains the id of the object in the path.
    Referring { kind: Kind, property: String, parent: Kind },
}

/// All collections and the source of each list of the catalog.
#[derive(Debug)]
pub(crate) struct Collections {
    all: Vec<Collection>,
    /// The source of each list, in the order of `catalog().lists`.
    pub(crate) sources: Vec<Source>,
}

impl Collections {
    pub(crate) fn get(&self, id: CollectionId) -> &Collection {
        &self.all[id]
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// The child collection of a parent type, by its name.
    pub(crate) fn child(&self, parent: Kind, name: &str) -> Option<CollectionId> {
        self.all.iter().position(|c| c.parent == Some(parent) && c.name == name)
    }

    /// The child collections of a parent type.
    pub(crate) fn children_of(&self, parent: Kind) -> impl Iterator<Item = CollectionId> + '_ {
        (0..self.all.len()).filter(move |id| self.all[*id].parent == Some(parent))
    }

    /// The collections that can contain objects of this type.
    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = CollectionId> + '_ {
        (0..self.all.len()).filter(move |id| self.all[*id].kinds.contains(&kind))
    }
}

/// Returns the collections of the catalog.
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
    let Some((parent, param, in_path)) = parent_of(list) else { return Source::TopLevel(kinds[0]) };
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
    // Lists of mixed types contain only cards and bank accounts, which are valid both for payouts
    // and for customers.
    let kinds = if kinds.len() > 1 {
        let included = ["bank_account", "card"];
        kinds.into_iter().filter(|k| included.contains(&catalog.name(*k))).collect()
    } else {
        kinds
    };
    all.push(Collection { kinds, parent: Some(parent), name, parent_param: param.clone() });
    Source::Children { collection: all.len() - 1, parent, in_path, param }
}

/// Returns the type of the parent, the parameter that names it, and whether that is part of the
/// path.
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

/// Returns the path of a nested list's endpoint, without its query and the remark on aliases.
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
        let parented = all.sources.iter().filter(|s| !matches!(s, Source::TopLevel(_))).count();
        // Secrets of apps need a scope, which is not an object.
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
