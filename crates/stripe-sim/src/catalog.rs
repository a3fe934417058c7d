//! The catalog of the simulated API: its lists, their parameters, its objects and their properties.
//!
//! It is read once from `catalog.json`, which `cargo xtask catalog` generates. Object types are
//! numbered by their position in the file ([`Kind`]), so that the hot path compares numbers instead
//! of names.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use serde::Deserialize;

/// A type of Stripe object, as its position in the catalog.
pub(crate) type Kind = usize;

/// One list operation.
#[derive(Debug, Deserialize)]
pub(crate) struct ListOp {
    pub(crate) path: String,
    pub(crate) objects: Vec<String>,
    pub(crate) required: Vec<String>,
    pub(crate) free: bool,
    pub(crate) created: bool,
    pub(crate) paged: bool,
    pub(crate) ranges: Vec<String>,
    pub(crate) filters: BTreeMap<String, FilterParam>,
    pub(crate) retrieve: Option<String>,
}

/// A filter parameter of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct FilterParam {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<String>,
}

/// The schema of one object.
#[derive(Debug, Deserialize)]
pub(crate) struct Object {
    pub(crate) prefixes: Vec<String>,
    pub(crate) retrieve: Vec<String>,
    pub(crate) deleted: bool,
    pub(crate) events: Vec<String>,
    pub(crate) nested: Vec<NestedList>,
    pub(crate) properties: BTreeMap<String, Property>,
}

/// A list embedded in an object.
#[derive(Debug, Deserialize)]
pub(crate) struct NestedList {
    pub(crate) path: String,
    pub(crate) items: Vec<String>,
    pub(crate) optional: bool,
    pub(crate) endpoint: String,
}

/// A property of an object.
#[derive(Debug, Deserialize)]
pub(crate) struct Property {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default)]
    pub(crate) format: Option<String>,
    #[serde(default, rename = "enum")]
    pub(crate) values: Vec<String>,
    #[serde(default)]
    pub(crate) nullable: bool,
    #[serde(default)]
    pub(crate) optional: bool,
    #[serde(default)]
    pub(crate) expandable: Vec<String>,
    #[serde(default)]
    pub(crate) resource: Vec<String>,
    #[serde(default)]
    pub(crate) properties: Vec<String>,
    #[serde(default)]
    pub(crate) items: Option<Box<Property>>,
    #[serde(default)]
    pub(crate) only_on_deleted: bool,
}

#[derive(Deserialize)]
struct File {
    version: String,
    lists: Vec<ListOp>,
    objects: BTreeMap<String, Object>,
}

/// The whole catalog.
#[derive(Debug)]
pub(crate) struct Catalog {
    pub(crate) version: String,
    pub(crate) lists: Vec<ListOp>,
    names: Vec<String>,
    objects: Vec<Object>,
    by_name: HashMap<String, Kind>,
}

impl Catalog {
    /// The object type called `name`.
    pub(crate) fn kind(&self, name: &str) -> Option<Kind> {
        self.by_name.get(name).copied()
    }

    /// The name of an object type.
    pub(crate) fn name(&self, kind: Kind) -> &str {
        &self.names[kind]
    }

    /// The schema of an object type.
    pub(crate) fn object(&self, kind: Kind) -> &Object {
        &self.objects[kind]
    }

    /// The number of object types.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// The object types that can be listed without a parent, in the order of the catalog.
    pub(crate) fn free_kinds(&self) -> impl Iterator<Item = Kind> + '_ {
        self.lists.iter().filter(|l| l.free).filter_map(|l| self.kind(&l.objects[0]))
    }
}

/// Returns the catalog.
///
/// # Panics
/// Panics if the checked-in file is invalid, which every test detects.
pub(crate) fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let file: File = serde_json::from_str(include_str!("catalog.json"))
            .expect("the checked-in catalog is generated and well-formed");
        let (names, objects): (Vec<_>, Vec<_>) = file.objects.into_iter().unzip();
        let by_name = names.iter().enumerate().map(|(kind, name)| (name.clone(), kind)).collect();
        Catalog { version: file.version, lists: file.lists, names, objects, by_name }
    })
}

/// Returns the names of the objects that can be listed without a parent. A complete backfill reads
/// these.
pub fn listable_objects() -> impl Iterator<Item = &'static str> {
    let catalog = catalog();
    catalog.free_kinds().map(|kind| catalog.name(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_contains_all_lists_and_objects() {
        let catalog = catalog();
        assert_eq!((catalog.lists.len(), catalog.len()), (115, 148));
        assert_eq!(listable_objects().count(), 74);
        for list in &catalog.lists {
            for object in &list.objects {
                assert!(catalog.kind(object).is_some(), "{} lists unknown {object}", list.path);
            }
        }
    }
}
