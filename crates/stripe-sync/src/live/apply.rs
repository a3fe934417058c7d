//! Applies a batch of events.
//!
//! Of several events about one object only the newest is applied. Two different events from the
//! same second cannot be ordered, so the object is fetched.

use std::collections::BTreeMap;

use super::event::Event;
use super::plan::{EventPlan, EventTarget, ObjectChange, plan};
use crate::catalog::Table;
use crate::context::AccountContext;
use crate::object::batches::{ObjectBatches, observe};
use crate::order::event::{EventContent, EventDecision};
use crate::postgres::{
    ErrorClass, EventChange, EventCursor, InboxEntry, InboxReason, PostgresError, UnstoredEvent,
    WriteRequest,
};
use crate::row::Object;

/// The result of applying one event.
#[derive(Debug, Clone)]
pub(crate) struct AppliedEvent {
    pub(crate) effect: EventEffect,
    /// Objects that are in the inbox because of it.
    pub(crate) to_fetch: Vec<(&'static Table, String)>,
    /// Its object is outside the scope.
    pub(crate) is_out_of_scope: bool,
}

/// What an event did to the copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventEffect {
    /// Its object was stored, or fetched and stored.
    Stored,
    /// Its object was deleted or marked as deleted.
    Deleted,
    /// PostgreSQL rejected the row that was fetched, or the deletion of the row: it is quarantined.
    Quarantined,
    /// Nothing: the copy already has this state or a later one.
    Unchanged,
    /// Nothing, for this reason; the event is counted in `_unstored_events`.
    Unstored(&'static str),
}

impl EventEffect {
    /// `stored`, `deleted`, `quarantined`, `unchanged` or `unstored`.
    pub fn as_str(self) -> &'static str {
        match self {
            EventEffect::Stored => "stored",
            EventEffect::Deleted => "deleted",
            EventEffect::Quarantined => "quarantined",
            EventEffect::Unchanged => "unchanged",
            EventEffect::Unstored(_) => "unstored",
        }
    }
}

/// The newest event about an object.
enum LatestEvent<'p, 'a> {
    Change(&'p ObjectChange<'a>),
    Conflict,
}

/// Applies events and moves the cursor, if one is given, usually in one transaction. The objects of
/// events whose table another session has locked are put into the inbox instead. If the server
/// rejects a row, or discards or keeps one that it should not, each event gets its own transaction,
/// and the object of an event that fails is put into the inbox. Fetching and writing that object
/// reports what is wrong without delaying the others.
///
/// # Errors
/// The database cannot be written to. Events can have been applied, but the cursor has not moved.
pub(crate) async fn apply(
    context: &AccountContext,
    target: EventTarget<'_>,
    events: &[Event<'_>],
    cursor: Option<EventCursor<'_>>,
) -> Result<Vec<AppliedEvent>, PostgresError> {
    let mut plans: Vec<EventPlan<'_>> = events.iter().map(|event| plan(event, target)).collect();
    loop {
        match apply_together(context, events, &plans, cursor).await {
            Err(error) if postpone_locked(&mut plans, &error) => {}
            Err(error) if concerns_a_row(&error) => break,
            other => return other,
        }
    }
    let mut applied = Vec::with_capacity(events.len());
    for (event, plan) in events.iter().zip(plans) {
        let (event, alone) = (std::slice::from_ref(event), std::slice::from_ref(&plan));
        let error = match apply_together(context, event, alone, None).await {
            Ok(done) => {
                applied.extend(done);
                continue;
            }
            Err(error) => error,
        };
        let EventPlan::Change(ObjectChange { table, id, .. }) = plan else { return Err(error) };
        if !concerns_a_row(&error) && error.locked_table.is_none() {
            return Err(error);
        }
        tracing::warn!(table = %table.name, %id, %error, "an event could not be applied");
        let objects = vec![(table, id.into_owned())];
        let fetch = EventPlan::Fetch(objects, InboxReason::Uncertain);
        applied.extend(apply_together(context, event, &[fetch], None).await?);
    }
    if cursor.is_some() {
        apply_together(context, &[], &[], cursor).await?;
    }
    Ok(applied)
}

/// If another session has locked a table, puts the objects of the events that need it into the
/// inbox, so that the other events are applied. False if no event needs it.
fn postpone_locked(plans: &mut [EventPlan<'_>], error: &PostgresError) -> bool {
    let Some(locked) = error.locked_table.as_deref() else { return false };
    let is_locked = |name: &str| locked.split(", ").any(|table| table == name);
    let mut postponed = false;
    for plan in plans {
        let EventPlan::Change(ObjectChange { table, id, .. }) = plan else { continue };
        if table.with_items().any(is_locked) {
            let objects = vec![(*table, id.clone().into_owned())];
            *plan = EventPlan::Fetch(objects, InboxReason::Uncertain);
            postponed = true;
        }
    }
    if postponed {
        tracing::warn!(%error, "events of a locked table are postponed");
    }
    postponed
}

/// Whether an error is caused by a row, and not by the database or the schema.
pub(super) fn concerns_a_row(error: &PostgresError) -> bool {
    matches!(error.class, ErrorClass::RowRefused | ErrorClass::Other) && !error.is_schema_missing()
}

/// Applies events and moves the cursor in one transaction.
async fn apply_together(
    context: &AccountContext,
    events: &[Event<'_>],
    plans: &[EventPlan<'_>],
    cursor: Option<EventCursor<'_>>,
) -> Result<Vec<AppliedEvent>, PostgresError> {
    let newest = newest(plans);
    let mut request = WriteRequest { event_cursor: cursor, ..WriteRequest::default() };
    let mut keys = Vec::new();
    for (key, newest) in &newest {
        if let LatestEvent::Change(change) = newest {
            request.events.push(event_change(change));
            keys.push(*key);
        }
    }
    let mut fetched: Vec<(&'static Table, String, InboxReason)> = Vec::new();
    for (event, plan) in events.iter().zip(plans) {
        match plan {
            EventPlan::Change(change) => {
                if matches!(newest.get(&key(change)), Some(LatestEvent::Conflict)) {
                    let id = change.id.as_ref().to_owned();
                    fetched.push((change.table, id, InboxReason::Uncertain));
                }
            }
            EventPlan::Fetch(objects, reason) => {
                fetched.extend(objects.iter().map(|(table, id)| (*table, id.clone(), *reason)));
            }
            EventPlan::Unstored(reason) => request.unstored_events.push(UnstoredEvent {
                event_type: &event.event_type,
                id: &event.id,
                reason,
            }),
            EventPlan::OutOfScope => {}
        }
    }
    request.inbox =
        fetched.into_iter().map(|(table, id, reason)| InboxEntry { table, id, reason }).collect();
    let committed = context.write(request).await?.into_committed()?;
    let decisions: BTreeMap<Key<'_>, EventDecision> =
        keys.into_iter().zip(committed.events.iter().copied()).collect();
    Ok(plans.iter().map(|plan| applied(plan, &decisions, &committed.kept)).collect())
}

/// Table and id.
type Key<'p> = (&'static str, &'p str);

fn key<'p>(change: &'p ObjectChange<'_>) -> Key<'p> {
    (change.table.name.as_str(), change.id.as_ref())
}

fn newest<'p, 'a>(plans: &'p [EventPlan<'a>]) -> BTreeMap<Key<'p>, LatestEvent<'p, 'a>> {
    let mut newest: BTreeMap<Key<'p>, LatestEvent<'p, 'a>> = BTreeMap::new();
    for plan in plans {
        let EventPlan::Change(change) = plan else { continue };
        let entry = newest.entry(key(change)).or_insert(LatestEvent::Change(change));
        let LatestEvent::Change(other) = *entry else { continue };
        if is_conflict(other, change) {
            *entry = LatestEvent::Conflict;
        } else if change.stamp > other.stamp {
            *entry = LatestEvent::Change(change);
        }
    }
    newest
}

/// Whether only Stripe can tell which of two events about an object is the last one: they differ
/// and are from the same second, or an id is in use again after its deletion.
fn is_conflict(a: &ObjectChange<'_>, b: &ObjectChange<'_>) -> bool {
    let (older, newer) = if a.stamp <= b.stamp { (a, b) } else { (b, a) };
    if older.stamp == newer.stamp {
        return older.content != newer.content || older.json != newer.json;
    }
    older.content == EventContent::Deletion && newer.content != EventContent::Deletion
}

fn event_change<'p>(change: &'p ObjectChange<'_>) -> EventChange<'p> {
    let ObjectChange { table, id, json, stamp, content } = change;
    let object = Object::from(json.as_ref());
    let (mut items, mut complete_lists) = (Vec::new(), Vec::new());
    if *content != EventContent::Deletion {
        let mut batches = ObjectBatches::new(table);
        batches.add_items(id, object, *stamp, None);
        (items, complete_lists) = batches.finish();
        items.retain(|batch| batch.table.name != table.name && !batch.rows.is_empty());
    }
    EventChange {
        table,
        id,
        row: observe(id, object, *stamp, None),
        content: *content,
        items,
        complete_lists,
    }
}

/// `kept` are the rows that could not be deleted.
fn applied(
    plan: &EventPlan<'_>,
    decisions: &BTreeMap<Key<'_>, EventDecision>,
    kept: &[(&'static str, String)],
) -> AppliedEvent {
    let is_kept = |(table, id): Key<'_>| kept.iter().any(|(t, i)| (*t, i.as_str()) == (table, id));
    let (effect, to_fetch) = match plan {
        EventPlan::Unstored(reason) => (EventEffect::Unstored(reason), Vec::new()),
        EventPlan::Fetch(objects, _) => (EventEffect::Stored, objects.clone()),
        EventPlan::OutOfScope => (EventEffect::Unchanged, Vec::new()),
        EventPlan::Change(change) => match decisions.get(&key(change)) {
            Some(EventDecision::Insert | EventDecision::Merge) => (EventEffect::Stored, Vec::new()),
            Some(EventDecision::Delete) if is_kept(key(change)) => {
                (EventEffect::Quarantined, Vec::new())
            }
            Some(EventDecision::Delete) => (EventEffect::Deleted, Vec::new()),
            Some(EventDecision::Ignore) => (EventEffect::Unchanged, Vec::new()),
            Some(EventDecision::Refetch) | None => {
                (EventEffect::Stored, vec![(change.table, change.id.as_ref().to_owned())])
            }
        },
    };
    AppliedEvent { effect, to_fetch, is_out_of_scope: matches!(plan, EventPlan::OutOfScope) }
}
