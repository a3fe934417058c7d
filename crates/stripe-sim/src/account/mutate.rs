//! Changes to an account. A change takes effect between two requests and appends the event that
//! Stripe would send.

use std::fmt;

use serde_json::{Value, json};

use super::changes::{Changes, FIRST_INSERTED_TIE, InsertedObject, SortKey, merge};
use super::{Account, top_level_key};
use crate::catalog::{Kind, catalog};
use crate::collection::{FIRST_INSERTED_INDEX, FIRST_INSERTED_SUB, Key, collections};
use crate::expand::NO_EXPANSION;
use crate::generator::event_type;
use crate::view::View;

/// Why a change was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MutationError {
    /// Stripe has no object type of this name.
    UnknownObject(String),
    /// The account has no object of this type and id.
    NoSuchObject(String, String),
    /// The object type has no nested list of this name.
    UnknownNested(String, String),
    /// An object with this id already exists.
    IdExists(String),
    /// The patch or the new object is not a JSON object.
    NotAnObject,
}

impl fmt::Display for MutationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownObject(name) => write!(f, "unknown object type `{name}`"),
            Self::NoSuchObject(object, id) => write!(f, "the account has no {object} `{id}`"),
            Self::UnknownNested(object, name) => {
                write!(f, "`{object}` has no nested list `{name}`")
            }
            Self::IdExists(id) => write!(f, "an object with the id `{id}` already exists"),
            Self::NotAnObject => f.write_str("the value is not a JSON object"),
        }
    }
}

impl std::error::Error for MutationError {}

impl Account {
    /// Deletes an object of a list or of a nested list. A deleted customer can still be retrieved
    /// and has `deleted: true`.
    ///
    /// # Errors
    /// If the object does not exist.
    pub fn delete(&self, object: &str, id: &str) -> Result<(), MutationError> {
        self.change(object, id, |account, changes, key| {
            let before = account.event(changes, key, "deleted", Value::Null);
            changes.deleted.insert(key);
            account.append(changes, before);
        })
    }

    /// Merges a patch into an object. Nested objects are merged, other values are replaced, and
    /// `null` is a value.
    ///
    /// # Errors
    /// If the object does not exist or the patch is not a JSON object.
    pub fn update(&self, object: &str, id: &str, patch: Value) -> Result<(), MutationError> {
        if !patch.is_object() {
            return Err(MutationError::NotAnObject);
        }
        self.change(object, id, |account, changes, key| {
            let before = account.view(changes).value(key, &NO_EXPANSION);
            merge(changes.patches.entry(key).or_insert_with(|| json!({})), &patch);
            let mut previous = json!({});
            for name in patch.as_object().into_iter().flat_map(|p| p.keys()) {
                previous[name] = before[name].clone();
            }
            let event = account.event(changes, key, "updated", previous);
            account.append(changes, event);
        })
    }

    /// Inserts an object of a top-level list and returns its id. Properties that `value` does not
    /// contain are generated; it may contain `id` and `created`.
    ///
    /// # Errors
    /// If the type is unknown, the id exists, or `value` is not a JSON object.
    pub fn insert(&self, object: &str, value: Value) -> Result<String, MutationError> {
        let kind = kind(object)?;
        self.insert_at(kind, 0, None, value, None)
    }

    /// Inserts an item into a nested list of a parent and returns its id.
    ///
    /// # Errors
    /// Those of [`Account::insert`], and if the parent does not exist or has no such list.
    pub fn insert_nested(
        &self,
        object: &str,
        parent: &str,
        name: &str,
        value: Value,
    ) -> Result<String, MutationError> {
        let kind = kind(object)?;
        let key = self.existing(kind, object, parent)?;
        let collection = collections()
            .child(kind, name)
            .ok_or_else(|| MutationError::UnknownNested(object.to_owned(), name.to_owned()))?;
        let item = collections().get(collection).kinds[0];
        self.insert_at(item, key.index, Some(collection), value, None)
    }

    /// Inserts an object whose text is served byte for byte, even if it is not valid JSON. The
    /// object is listed at `created`, and filters use its top-level properties. No event is
    /// appended.
    ///
    /// # Errors
    /// If the type is unknown or the id exists.
    pub fn insert_raw(
        &self,
        object: &str,
        id: &str,
        created: i64,
        text: String,
    ) -> Result<(), MutationError> {
        let kind = kind(object)?;
        self.insert_at(kind, 0, None, json!({"id": id, "created": created}), Some(text)).map(|_| ())
    }

    /// Deletes an item of a nested list of a parent. Appends an update event of the parent.
    ///
    /// # Errors
    /// If the parent, its list or the item does not exist.
    pub fn remove_nested_item(
        &self,
        object: &str,
        parent: &str,
        name: &str,
        id: &str,
    ) -> Result<(), MutationError> {
        let kind = kind(object)?;
        let parent = self.existing(kind, object, parent)?;
        let collection = collections()
            .child(kind, name)
            .ok_or_else(|| MutationError::UnknownNested(object.to_owned(), name.to_owned()))?;
        let mut changes = self.write();
        let key = self.view(&changes).find_child(collection, parent.index, id);
        let key = key.ok_or_else(|| MutationError::NoSuchObject(name.to_owned(), id.to_owned()))?;
        changes.deleted.insert(key);
        let event = self.event(&changes, parent, "updated", json!({}));
        self.append(&mut changes, event);
        Ok(())
    }

    fn insert_at(
        &self,
        kind: Kind,
        parent: u64,
        child: Option<usize>,
        value: Value,
        raw: Option<String>,
    ) -> Result<String, MutationError> {
        if !value.is_object() {
            return Err(MutationError::NotAnObject);
        }
        let mut changes = self.write();
        changes.sequence += 1;
        let sequence = changes.sequence;
        let key = match child {
            None => top_level_key(kind, FIRST_INSERTED_INDEX + sequence),
            Some(collection) => {
                Key { collection, index: parent, sub: FIRST_INSERTED_SUB + sequence as u32 }
            }
        };
        let mut id = String::new();
        match value["id"].as_str() {
            Some(given) => id.push_str(given),
            None => self.inner.ids.write(kind, key, &mut id),
        }
        let time = if catalog().name(kind) == "invoiceitem" { "date" } else { "created" };
        let created =
            value[time].as_i64().or(value["created"].as_i64()).unwrap_or_else(|| self.now());
        let existing = self.view(&changes).find(kind, &id);
        if existing.is_some_and(|key| !changes.is_deleted(key)) {
            return Err(MutationError::IdExists(id));
        }
        let appends_event = raw.is_none();
        let sort_key = SortKey { created, tie: FIRST_INSERTED_TIE + sequence };
        changes.add(key, parent, InsertedObject { kind, id: id.clone(), sort_key, raw });
        if appends_event {
            changes.patches.insert(key, value);
            let event = self.event(&changes, key, "created", Value::Null);
            self.append(&mut changes, event);
        }
        Ok(id)
    }

    fn change(
        &self,
        object: &str,
        id: &str,
        change: impl FnOnce(&Self, &mut Changes, Key),
    ) -> Result<(), MutationError> {
        let kind = kind(object)?;
        let key = self.existing(kind, object, id)?;
        let mut changes = self.write();
        change(self, &mut changes, key);
        Ok(())
    }

    fn existing(&self, kind: Kind, object: &str, id: &str) -> Result<Key, MutationError> {
        self.read(|view| view.find(kind, id).filter(|key| !view.changes.is_deleted(*key)))
            .ok_or_else(|| MutationError::NoSuchObject(object.to_owned(), id.to_owned()))
    }

    fn view<'a>(&'a self, changes: &'a Changes) -> View<'a> {
        View { account: &self.inner, changes }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Changes> {
        self.inner.changes.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Returns the id and the text of the event that reports a change to the object, if its type
    /// has such an event.
    fn event(
        &self,
        changes: &Changes,
        key: Key,
        change: &str,
        previous: Value,
    ) -> Option<(String, String)> {
        let view = self.view(changes);
        let kind = view.kind(key);
        let event = event_type(kind, change)?;
        let event_kind = catalog().kind("event")?;
        let mut id = String::new();
        let at = top_level_key(event_kind, FIRST_INSERTED_INDEX + changes.sequence + 1);
        self.inner.ids.write(event_kind, at, &mut id);
        let mut text = String::new();
        view.write_object(key, &NO_EXPANSION, &mut text);
        let mut out = format!(
            "{{\"id\":\"{id}\",\"object\":\"event\",\"api_version\":\"{}\",\"created\":{},\"data\":{{\"object\":{text}",
            catalog().version,
            self.now()
        );
        if !previous.is_null() && event.ends_with(".updated") {
            out.push_str(&format!(",\"previous_attributes\":{previous}"));
        }
        out.push_str(&format!(
            "}},\"livemode\":{},\"pending_webhooks\":0,\"request\":{{\"id\":null,\"idempotency_key\":null}},\"type\":\"{event}\"}}",
            self.inner.live
        ));
        Some((id, out))
    }

    fn append(&self, changes: &mut Changes, event: Option<(String, String)>) {
        let (Some((id, text)), Some(kind)) = (event, catalog().kind("event")) else { return };
        changes.sequence += 1;
        let sequence = changes.sequence;
        let sort_key = SortKey { created: self.now(), tie: FIRST_INSERTED_TIE + sequence };
        let key = top_level_key(kind, FIRST_INSERTED_INDEX + sequence);
        changes.add(key, 0, InsertedObject { kind, id, sort_key, raw: Some(text) });
        changes.events.push(key);
        self.inner.event_count.send_replace(changes.events.len() as u64);
    }
}

fn kind(object: &str) -> Result<Kind, MutationError> {
    catalog().kind(object).ok_or_else(|| MutationError::UnknownObject(object.to_owned()))
}
