//! One consistent look at the account: the function of the seed with the overlay on top.
//!
//! A request takes the overlay's read lock once and answers out of one [`View`], so a mutation falls between requests
//! and never into one.

use serde_json::Value;

use crate::account::Inner;
use crate::account::overlay::{Added, INSERTED_TIE, Overlay, Place, merge};
use crate::catalog::{Kind, catalog};
use crate::collection::{CollectionId, INSERTED, INSERTED_SUB, Key, collections};
use crate::expand::{Expand, NOTHING};
use crate::id::Ids;
use crate::seed::mix2;

/// One object in the making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) key: Key,
    pub(crate) kind: Kind,
    /// What the seed says about this object; see [`Row::draw`].
    pub(crate) hash: u64,
    pub(crate) created: i64,
}

impl Row {
    /// A number that belongs to this object and this question.
    pub(crate) fn draw(&self, salt: u64) -> u64 {
        mix2(self.hash, salt)
    }
}

/// The account as one request sees it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) account: &'a Inner,
    pub(crate) overlay: &'a Overlay,
}

impl<'a> View<'a> {
    /// The object's type: children of mixed lists alternate.
    pub(crate) fn kind(&self, key: Key) -> Kind {
        if let Some(added) = self.overlay.added(key) {
            return added.kind;
        }
        let kinds = &collections().get(key.collection).kinds;
        if kinds.len() == 1 {
            kinds[0]
        } else {
            kinds[(key.index + u64::from(key.sub)) as usize % kinds.len()]
        }
    }

    pub(crate) fn row(&self, key: Key) -> Row {
        let hash = mix2(
            self.account.seed ^ ((key.collection as u64) << 48),
            (key.index << 20) ^ u64::from(key.sub),
        );
        Row { key, kind: self.kind(key), hash, created: self.place(key).created }
    }

    /// How many children of a collection the parent has by the seed.
    pub(crate) fn child_count(&self, collection: CollectionId, parent: u64) -> u64 {
        self.account.sizes[collection].of(self.account.seed, collection, parent)
    }

    /// Where the object stands in its list.
    pub(crate) fn place(&self, key: Key) -> Place {
        if let Some(added) = self.overlay.added(key) {
            return added.place;
        }
        let parent = collections().get(key.collection).parent;
        match parent {
            None if key.index < INSERTED => {
                Place { created: self.account.created(key.collection, key.index), tie: key.index }
            }
            None => Place { created: self.account.to, tie: INSERTED_TIE },
            Some(parent) => {
                let first =
                    self.place(Key { collection: parent, index: key.index, sub: 0 }).created;
                let created = (first + i64::from(key.sub) * 37).min(self.account.to.max(first));
                Place { created, tie: u64::from(key.sub) }
            }
        }
    }

    /// Whether the key names an object that was ever there, deleted or not.
    pub(crate) fn known(&self, key: Key) -> bool {
        if self.overlay.added(key).is_some() {
            return true;
        }
        match collections().get(key.collection).parent {
            None => key.sub == 0 && key.index < self.account.relations.count(key.collection),
            Some(parent) => {
                key.sub < INSERTED_SUB
                    && u64::from(key.sub) < self.child_count(key.collection, key.index)
                    && self.known(Key { collection: parent, index: key.index, sub: 0 })
            }
        }
    }

    /// The key of an id, of an object that was ever there.
    pub(crate) fn find(&self, kind: Kind, id: &str) -> Option<Key> {
        if !self.overlay.by_id.is_empty()
            && let Some(key) = self.overlay.by_id.get(&(kind, id.to_owned()))
        {
            return Some(*key);
        }
        self.account
            .ids
            .read(kind, id)
            .filter(|key| self.known(*key) && self.overlay.added(*key).is_none())
    }

    /// The key of a child's id. Ids of capabilities are only unique below their account.
    pub(crate) fn find_child(
        &self,
        collection: CollectionId,
        parent: u64,
        id: &str,
    ) -> Option<Key> {
        let shape = collections().get(collection);
        for kind in &shape.kinds {
            let key = if catalog().name(*kind) == "capability" {
                let sub = Ids::read_capability(id)?;
                Some(Key { collection, index: parent, sub }).filter(|key| self.known(*key))
            } else {
                self.find(*kind, id)
            };
            if let Some(key) = key.filter(|k| k.collection == collection && k.index == parent) {
                return Some(key);
            }
        }
        None
    }

    pub(crate) fn write_id(&self, key: Key, out: &mut String) {
        match self.overlay.added(key) {
            Some(added) => out.push_str(&added.id),
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
        if self.overlay.added(key).is_some() || self.account.hostile_ids {
            return crate::json::string(out, &self.id(key));
        }
        out.push('"');
        self.write_id(key, out);
        out.push('"');
    }

    /// Appends the object as the API shows it.
    pub(crate) fn write_object(&self, key: Key, expand: &Expand, out: &mut String) {
        if let Some(Added { raw: Some(raw), .. }) = self.overlay.added(key) {
            return out.push_str(raw);
        }
        match self.overlay.patch(key) {
            None => self.write_base(key, expand, out),
            Some(patch) => out.push_str(&self.patched(key, expand, patch).to_string()),
        }
    }

    /// Appends the object as the seed makes it, without its patch.
    pub(crate) fn write_base(&self, key: Key, expand: &Expand, out: &mut String) {
        let row = self.row(key);
        self.account.recipes[row.kind].write(self, &row, expand, out);
    }

    fn patched(&self, key: Key, expand: &Expand, patch: &Value) -> Value {
        let mut text = String::new();
        self.write_base(key, expand, &mut text);
        let mut value: Value = serde_json::from_str(&text).expect("recipes write well-formed json");
        merge(&mut value, patch);
        self.expand_value(&mut value, self.kind(key), expand);
        value
    }

    /// Expands ids that a patch put in: the recipe could not.
    fn expand_value(&self, value: &mut Value, kind: Kind, expand: &Expand) {
        for (name, below) in expand.iter() {
            let Some(property) = catalog().object(kind).properties.get(name) else { continue };
            let Some(Value::String(id)) = value.get(name) else { continue };
            let targets = property.expandable.iter().filter_map(|t| catalog().kind(t));
            let Some(key) = targets.filter_map(|t| self.find(t, id)).next() else { continue };
            value[name] = self.value(key, below);
        }
    }

    /// The object as a value; for the slow paths only. An object inserted as hostile raw text reads as `null`.
    pub(crate) fn value(&self, key: Key, expand: &Expand) -> Value {
        let mut text = String::new();
        self.write_object(key, expand, &mut text);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// One property's JSON text, without making the whole object when the recipe alone decides. `None`: absent.
    pub(crate) fn property(&self, key: Key, name: &str, out: &mut String) -> bool {
        out.clear();
        if let Some(Added { raw: Some(raw), .. }) = self.overlay.added(key) {
            let found = crate::json::member(raw, name);
            out.push_str(found.unwrap_or_default());
            return found.is_some();
        }
        if self.overlay.patch(key).is_some() {
            let value = self.value(key, &NOTHING);
            let found = value.get(name);
            out.push_str(&found.map(Value::to_string).unwrap_or_default());
            return found.is_some();
        }
        let row = self.row(key);
        self.account.recipes[row.kind].write_property(self, &row, name, out)
    }
}
