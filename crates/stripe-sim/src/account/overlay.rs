//! What differs from the function of the seed: objects changed, deleted, inserted.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::catalog::Kind;
use crate::collection::{CollectionId, Key};

/// The place of an object in its list: newest first means falling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) created: i64,
    /// Orders the objects of one second.
    pub(crate) tie: u64,
}

/// Inserted objects are newer than all computed ones of their second.
pub(crate) const INSERTED_TIE: u64 = 1 << 60;

/// An object that the seed does not know.
#[derive(Debug)]
pub(crate) struct Added {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) place: Place,
    /// Served as it is, instead of the recipe and its patch.
    pub(crate) raw: Option<String>,
}

/// All differences. Lookups of an untouched account cost one test for emptiness.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) deleted: HashSet<Key>,
    pub(crate) patches: HashMap<Key, Value>,
    pub(crate) added: HashMap<Key, Added>,
    /// Inserted objects by collection and parent's index (0 in rooted ones), in the order of their lists.
    pub(crate) lists: HashMap<(CollectionId, u64), BTreeMap<Place, Key>>,
    pub(crate) by_id: HashMap<(Kind, String), Key>,
    pub(crate) sequence: u64,
}

impl Overlay {
    pub(crate) fn is_deleted(&self, key: Key) -> bool {
        !self.deleted.is_empty() && self.deleted.contains(&key)
    }

    pub(crate) fn patch(&self, key: Key) -> Option<&Value> {
        if self.patches.is_empty() { None } else { self.patches.get(&key) }
    }

    pub(crate) fn added(&self, key: Key) -> Option<&Added> {
        if self.added.is_empty() { None } else { self.added.get(&key) }
    }

    /// The inserted objects of a list.
    pub(crate) fn list(
        &self,
        collection: CollectionId,
        parent: u64,
    ) -> Option<&BTreeMap<Place, Key>> {
        if self.lists.is_empty() { None } else { self.lists.get(&(collection, parent)) }
    }

    /// Inserts an object below `parent` (0 in a rooted collection).
    pub(crate) fn add(&mut self, key: Key, parent: u64, added: Added) {
        self.by_id.insert((added.kind, added.id.clone()), key);
        self.lists.entry((key.collection, parent)).or_default().insert(added.place, key);
        self.added.insert(key, added);
    }
}

/// RFC 7396 without deletion: `null` is a value, since Stripe's objects hold nulls. Objects merge, all else replaces.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}
