//! A consistent view of the account: the computed objects with all changes applied.
//!
//! A request holds the read lock of the changes and is answered from one [`View`], so a change
//! takes effect between two requests and never during one.

use serde_json::Value;

use crate::account::AccountData;
use crate::account::changes::{Changes, FIRST_INSERTED_TIE, InsertedObject, SortKey, merge};
use crate::catalog::{Kind, catalog};
use crate::collection::{CollectionId, FIRST_INSERTED_INDEX, FIRST_INSERTED_SUB, Key, collections};
use crate::expand::{Expand, NO_EXPANSION};
use crate::id::Ids;
use crate::seed::mix2;

/// The values from which the properties of one object are computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectSeed {
    pub(crate) key: Key,
    pub(crate) kind: Kind,
    /// A hash of the account's seed and the key; see [`ObjectSeed::draw`].
    pub(crate) hash: u64,
    pub(crate) created: i64,
}

impl ObjectSeed {
    /// Returns a pseudo-random number for this object and `salt`.
    pub(crate) fn draw(&self, salt: u64) -> u64 {
        mix2(self.hash, salt)
    }
}

/// The account as one request reads it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) account: &'a AccountData,
    pub(crate) changes: &'a Changes,
}

impl<'a> View<'a> {
    /// The type of an object. The types of the children of a mixed list alternate.
    pub(crate) fn kind(&self, key: Key) -> Kind {
        if let Some(inserted) = self.changes.inserted(key) {
            return inserted.kind;
        }
        let kinds = &collections().get(key.collection).kinds;
        if kinds.len() == 1 {
            kinds[0]
        } else {
            kinds[(key.index + u64::from(key.sub)) as usize % kinds.len()]
        }
    }

    pub(crate) fn object_seed(&self, key: Key) -> ObjectSeed {
        let hash = mix2(
            self.account.seed ^ ((key.collection as u64) << 48),
            (key.index << 20) ^ u64::from(key.sub),
        );
        ObjectSeed { key, kind: self.kind(key), hash, created: self.sort_key(key).created }
    }

    /// The number of computed children that a parent has in a collection.
    pub(crate) fn child_count(&self, collection: CollectionId, parent: u64) -> u64 {
        self.account.sizes[collection].size(self.account.seed, collection, parent)
    }

    /// The sort key of an object in its list.
    pub(crate) fn sort_key(&self, key: Key) -> SortKey {
        if let Some(inserted) = self.changes.inserted(key) {
            return inserted.sort_key;
        }
        let parent = collections().get(key.collection).parent;
        match parent {
            None if key.index < FIRST_INSERTED_INDEX => {
                SortKey { created: self.account.created(key.collection, key.index), tie: key.index }
            }
            None => SortKey { created: self.account.to, tie: FIRST_INSERTED_TIE },
            Some(parent) => {
                let first =
                    self.sort_key(Key { collection: parent, index: key.index, sub: 0 }).created;
                let created = (first + i64::from(key.sub) * 37).min(self.account.to.max(first));
                SortKey { created, tie: u64::from(key.sub) }
            }
        }
    }

    /// Whether an object exists or has existed.
    pub(crate) fn is_known(&self, key: Key) -> bool {
        if self.changes.inserted(key).is_some() {
            return true;
        }
        match collections().get(key.collection).parent {
            None => key.sub == 0 && key.index < self.account.relations.count(key.collection),
            Some(parent) => {
                key.sub < FIRST_INSERTED_SUB
                    && u64::from(key.sub) < self.child_count(key.collection, key.index)
                    && self.is_known(Key { collection: parent, index: key.index, sub: 0 })
            }
        }
    }

    /// Returns the key of an id, if the object exists or has existed.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<Key> {
        if !self.changes.by_id.is_empty()
            && let Some(key) = self.changes.by_id.get(&(kind, id.to_owned()))
        {
            return Some(*key);
        }
        self.account
            .ids
            .read(kind, id)
            .filter(|key| self.is_known(*key) && self.changes.inserted(*key).is_none())
    }

    /// Returns the key of the id of a child. The ids of capabilities are unique only within their
    /// account.
    pub(crate) fn find_child(
        &self,
        collection: CollectionId,
        parent: u64,
        id: &str,
    ) -> Option<Key> {
        for kind in &collections().get(collection).kinds {
            let key = if catalog().name(*kind) == "capability" {
                let sub = Ids::read_capability(id)?;
                Some(Key { collection, index: parent, sub }).filter(|key| self.is_known(*key))
            } else {
                self.find(*kind, id)
            };
            if let Some(key) = key.filter(|k| k.collection == collection && k.index == parent) {
                return Some(key);
            }
        }
        None
    }

    /// The text of an appended event, by its number.
    pub(crate) fn event(&self, number: u64) -> Option<String> {
        let key = self.changes.events.get(usize::try_from(number).ok()?)?;
        self.changes.inserted(*key)?.raw.clone()
    }

    pub(crate) fn write_id(&self, key: Key, out: &mut String) {
        match self.changes.inserted(key) {
            Some(inserted) => out.push_str(&inserted.id),
            None => self.account.ids.write(self.kind(key), key, out),
        }
    }

    pub(crate) fn id(&self, key: Key) -> String {
        let mut id = String::with_capacity(32);
        self.write_id(key, &mut id);
        id
    }

    /// Appends the id as a JSON string.
    pub(crate) fn write_quoted_id(&self, key: Key, out: &mut String) {
        if self.changes.inserted(key).is_some() || self.account.hostile_ids {
            return crate::json::string(out, &self.id(key));
        }
        out.push('"');
        self.write_id(key, out);
        out.push('"');
    }

    /// Appends the object as the API returns it.
    pub(crate) fn write_object(&self, key: Key, expand: &Expand, out: &mut String) {
        if let Some(InsertedObject { raw: Some(raw), .. }) = self.changes.inserted(key) {
            return out.push_str(raw);
        }
        match self.changes.patch(key) {
            None => self.write_base(key, expand, out),
            Some(patch) => out.push_str(&self.patched(key, expand, patch).to_string()),
        }
    }

    /// Appends the object as it is computed, without its patch.
    pub(crate) fn write_base(&self, key: Key, expand: &Expand, out: &mut String) {
        let seed = self.object_seed(key);
        self.account.generators[seed.kind].write(self, &seed, expand, out);
    }

    /// Appends the object that the API returns for a deleted object.
    pub(crate) fn write_deleted(&self, key: Key, out: &mut String) {
        out.push_str("{\"id\":");
        crate::json::string(out, &self.id(key));
        out.push_str(",\"object\":\"");
        out.push_str(catalog().name(self.kind(key)));
        out.push_str("\",\"deleted\":true}");
    }

    fn patched(&self, key: Key, expand: &Expand, patch: &Value) -> Value {
        let mut text = String::new();
        self.write_base(key, expand, &mut text);
        let mut value: Value = serde_json::from_str(&text).expect("generators write valid JSON");
        merge(&mut value, patch);
        self.expand_value(&mut value, self.kind(key), expand);
        value
    }

    /// Expands ids that a patch contains. The generator expands only computed ids.
    fn expand_value(&self, value: &mut Value, kind: Kind, expand: &Expand) {
        for (name, nested) in expand.iter() {
            let Some(property) = catalog().object(kind).properties.get(name) else { continue };
            let Some(Value::String(id)) = value.get(name) else { continue };
            let targets = property.expandable.iter().filter_map(|t| catalog().kind(t));
            let Some(key) = targets.filter_map(|t| self.find(t, id)).next() else { continue };
            value[name] = self.value(key, nested);
        }
    }

    /// Returns the object as a value, for slow paths only. Returns `null` for an object that was
    /// inserted as invalid JSON.
    pub(crate) fn value(&self, key: Key, expand: &Expand) -> Value {
        let mut text = String::new();
        self.write_object(key, expand, &mut text);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Writes the JSON text of one property to `out` and returns whether the object has the
    /// property. Does not generate the whole object unless it has a patch.
    pub(crate) fn property(&self, key: Key, name: &str, out: &mut String) -> bool {
        out.clear();
        if let Some(InsertedObject { raw: Some(raw), .. }) = self.changes.inserted(key) {
            let found = crate::json::member(raw, name);
            out.push_str(found.unwrap_or_default());
            return found.is_some();
        }
        if self.changes.patch(key).is_some() {
            let value = self.value(key, &NO_EXPANSION);
            let found = value.get(name);
            out.push_str(&found.map(Value::to_string).unwrap_or_default());
            return found.is_some();
        }
        let seed = self.object_seed(key);
        self.account.generators[seed.kind].write_property(self, &seed, name, out)
    }
}
