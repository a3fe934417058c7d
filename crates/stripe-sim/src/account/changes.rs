//! The changes that tests have made to the computed objects: updates, deletions and insertions.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::Value;

use crate::catalog::Kind;
use crate::collection::{CollectionId, Key};

/// Determines the position of an object in its list. Lists are in descending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortKey {
    pub(crate) created: i64,
    /// Orders the objects of one second.
    pub(crate) tie: u64,
}

/// The lowest `tie` of inserted objects. They are newer than all computed objects of their second.
pub(crate) const FIRST_INSERTED_TIE: u64 = 1 << 60;

/// An object that a test has inserted.
#[derive(Debug)]
pub(crate) struct InsertedObject {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    pub(crate) sort_key: SortKey,
    /// The text that is served instead of the generated object and its patch.
    pub(crate) raw: Option<String>,
}

/// All changes of an account. If there are none, a lookup only checks whether a map is empty.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) deleted: HashSet<Key>,
    pub(crate) patches: HashMap<Key, Value>,
    pub(crate) inserted: HashMap<Key, InsertedObject>,
    /// Inserted objects by collection and index of the parent (0 in top-level collections), in the
    /// order of their lists.
    pub(crate) lists: HashMap<(CollectionId, u64), BTreeMap<SortKey, Key>>,
    pub(crate) by_id: HashMap<(Kind, String), Key>,
    pub(crate) sequence: u64,
    /// The appended events, oldest first.
    pub(crate) events: Vec<Key>,
}

impl Changes {
    pub(crate) fn is_deleted(&self, key: Key) -> bool {
        !self.deleted.is_empty() && self.deleted.contains(&key)
    }

    pub(crate) fn patch(&self, key: Key) -> Option<&Value> {
        if self.patches.is_empty() { None } else { self.patches.get(&key) }
    }

    pub(crate) fn inserted(&self, key: Key) -> Option<&InsertedObject> {
        if self.inserted.is_empty() { None } else { self.inserted.get(&key) }
    }

    /// The inserted objects of a list.
    pub(crate) fn list(
        &self,
        collection: CollectionId,
        parent: u64,
    ) -> Option<&BTreeMap<SortKey, Key>> {
        if self.lists.is_empty() { None } else { self.lists.get(&(collection, parent)) }
    }

    /// Adds an inserted object. `parent` is the index of its parent, and 0 in a top-level
    /// collection.
    pub(crate) fn add(&mut self, key: Key, parent: u64, inserted: InsertedObject) {
        self.by_id.insert((inserted.kind, inserted.id.clone()), key);
        self.lists.entry((key.collection, parent)).or_default().insert(inserted.sort_key, key);
        self.inserted.insert(key, inserted);
    }
}

/// Merges a patch as RFC 7396 does, except that `null` is a value and does not delete a member:
/// Stripe's objects contain nulls.
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
