//! Changing an account. Each change takes effect between two requests and appends the event that Stripe would send.

use std::fmt;

use serde_json::{Value, json};

use super::overlay::{Added, INSERTED_TIE, Overlay, Place, merge};
use super::{Account, rooted};
use crate::catalog::{Kind, catalog};
use crate::collection::{INSERTED, INSERTED_SUB, Key, collections};
use crate::expand::NOTHING;
use crate::recipe::event_type;
use crate::view::View;

/// Why a change was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MutationError {
    /// No object of Stripe's is called this.
    UnknownObject(String),
    /// The account has no such object.
    NoSuchObject(String, String),
    /// The object has no such nested list.
    UnknownNested(String, String),
    /// An object with this id exists.
    Taken(String),
    /// A patch or a new object must be a JSON object.
    NotAnObject,
}

impl fmt::Display for MutationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownObject(name) => write!(f, "no object is called `{name}`"),
            Self::NoSuchObject(object, id) => write!(f, "the account has no {object} `{id}`"),
            Self::UnknownNested(object, name) => {
                write!(f, "`{object}` has no nested list `{name}`")
            }
            Self::Taken(id) => write!(f, "an object with the id `{id}` exists"),
            Self::NotAnObject => f.write_str("not a json object"),
        }
    }
}

impl std::error::Error for MutationError {}

impl Account {
    /// Deletes an object, of a list or of a nested list. Customers can still be retrieved, as `deleted`.
    ///
    /// # Errors
    /// When there is no such object.
    pub fn delete(&self, object: &str, id: &str) -> Result<(), MutationError> {
        self.change(object, id, |account, overlay, key| {
            let before = account.event(overlay, key, "deleted", Value::Null);
            overlay.deleted.insert(key);
            account.append(overlay, before);
        })
    }

    /// Merges a patch into an object: objects merge, everything else replaces, `null` is a value.
    ///
    /// # Errors
    /// When there is no such object or the patch is no JSON object.
    pub fn update(&self, object: &str, id: &str, patch: Value) -> Result<(), MutationError> {
        if !patch.is_object() {
            return Err(MutationError::NotAnObject);
        }
        self.change(object, id, |account, overlay, key| {
            let before = account.view(overlay).value(key, &NOTHING);
            merge(overlay.patches.entry(key).or_insert_with(|| json!({})), &patch);
            let mut previous = json!({});
            for name in patch.as_object().into_iter().flat_map(|p| p.keys()) {
                previous[name] = before[name].clone();
            }
            let event = account.event(overlay, key, "updated", previous);
            account.append(overlay, event);
        })
    }

    /// Inserts an object of a rooted list. What `value` leaves out is made up; `id` and `created` may be given.
    /// Returns the id.
    ///
    /// # Errors
    /// When the type is unknown, the id is taken, or `value` is no JSON object.
    pub fn insert(&self, object: &str, value: Value) -> Result<String, MutationError> {
        let kind = kind(object)?;
        self.insert_at(kind, 0, None, value, None)
    }

    /// Inserts a child below a parent, by the name of the nested list. Returns the id.
    ///
    /// # Errors
    /// As [`Account::insert`], and when the parent or its list is unknown.
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

    /// Inserts an object whose JSON text is served byte for byte, whatever it is. It is listed at `created`; filters
    /// see its top-level properties. No event is appended.
    ///
    /// # Errors
    /// When the type is unknown or the id is taken.
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

    /// Deletes an item of a nested list of a parent.
    ///
    /// # Errors
    /// When the parent, its list or the item is unknown.
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
        let mut overlay = self.write();
        let key = self.view(&overlay).find_child(collection, parent.index, id);
        let key = key.ok_or_else(|| MutationError::NoSuchObject(name.to_owned(), id.to_owned()))?;
        overlay.deleted.insert(key);
        let event = self.event(&overlay, parent, "updated", json!({}));
        self.append(&mut overlay, event);
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
        let mut overlay = self.write();
        overlay.sequence += 1;
        let sequence = overlay.sequence;
        let key = match child {
            None => rooted(kind, INSERTED + sequence),
            Some(collection) => {
                Key { collection, index: parent, sub: INSERTED_SUB + sequence as u32 }
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
        let taken = self.view(&overlay).find(kind, &id);
        if taken.is_some_and(|key| !overlay.is_deleted(key)) {
            return Err(MutationError::Taken(id));
        }
        let announce = raw.is_none();
        let place = Place { created, tie: INSERTED_TIE + sequence };
        overlay.add(key, parent, Added { kind, id: id.clone(), place, raw });
        if announce {
            overlay.patches.insert(key, value);
            let event = self.event(&overlay, key, "created", Value::Null);
            self.append(&mut overlay, event);
        }
        Ok(id)
    }

    fn change(
        &self,
        object: &str,
        id: &str,
        change: impl FnOnce(&Self, &mut Overlay, Key),
    ) -> Result<(), MutationError> {
        let kind = kind(object)?;
        let key = self.existing(kind, object, id)?;
        let mut overlay = self.write();
        change(self, &mut overlay, key);
        Ok(())
    }

    fn existing(&self, kind: Kind, object: &str, id: &str) -> Result<Key, MutationError> {
        self.read(|view| view.find(kind, id).filter(|key| !view.overlay.is_deleted(*key)))
            .ok_or_else(|| MutationError::NoSuchObject(object.to_owned(), id.to_owned()))
    }

    fn view<'a>(&'a self, overlay: &'a Overlay) -> View<'a> {
        View { account: &self.inner, overlay }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Overlay> {
        self.inner.overlay.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The event that reports a change of the object as it stands, if its type has one.
    fn event(
        &self,
        overlay: &Overlay,
        key: Key,
        change: &str,
        previous: Value,
    ) -> Option<(String, String)> {
        let view = self.view(overlay);
        let kind = view.kind(key);
        let event = event_type(kind, change)?;
        let event_kind = catalog().kind("event")?;
        let mut id = String::new();
        let at = rooted(event_kind, INSERTED + overlay.sequence + 1);
        self.inner.ids.write(event_kind, at, &mut id);
        let mut text = String::new();
        view.write_object(key, &NOTHING, &mut text);
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

    fn append(&self, overlay: &mut Overlay, event: Option<(String, String)>) {
        let (Some((id, text)), Some(kind)) = (event, catalog().kind("event")) else { return };
        overlay.sequence += 1;
        let sequence = overlay.sequence;
        let place = Place { created: self.now(), tie: INSERTED_TIE + sequence };
        overlay.add(
            rooted(kind, INSERTED + sequence),
            0,
            Added { kind, id, place, raw: Some(text) },
        );
    }
}

fn kind(object: &str) -> Result<Kind, MutationError> {
    catalog().kind(object).ok_or_else(|| MutationError::UnknownObject(object.to_owned()))
}
