//! What an event does to the row of its object. Pure.
//!
//! The stamp of an event is the second in which it was created. Two events are ordered by their
//! seconds. An event and a read are ordered only if they are further apart than the lag of reads
//! (FACTS 5). If the stamps do not decide, the object is fetched, and the response takes
//! precedence.

use super::rule::{FUTURE_LIMIT, UNCERTAINTY_WINDOW, Verdict, micros};
use super::stamp::Stamp;

/// What is known about an object when an event about it is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ObjectState {
    /// The row, if there is one.
    pub(crate) row: Option<RowState>,
    /// The object was observed as deleted at this time, and has a tombstone.
    pub(crate) deleted_at: Option<Stamp>,
    /// The database's clock.
    pub(crate) now: Stamp,
}

/// The row of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowState {
    /// `None` in a row that another engine wrote.
    pub(crate) stamp: Option<Stamp>,
    /// The row already shows everything that the event says.
    pub(crate) same_content: bool,
    /// The row is kept with `deleted = true`.
    pub(crate) marked_deleted: bool,
    /// When the row's object was created and when the event's was, in Unix seconds, if users choose
    /// the ids of these objects and both are known.
    pub(crate) created: Option<Created>,
}

/// When the objects of a row and of an event with the same id were created, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) row: i64,
    pub(crate) event: i64,
}

impl RowState {
    /// The event is about a different object from the row's.
    fn is_of_another(&self) -> bool {
        self.created.is_some_and(|created| created.row != created.event)
    }

    /// The row's object was created in the second of the event.
    fn is_created_in(&self, event: Stamp) -> bool {
        self.created.is_some_and(|created| created.row == event.unix_seconds())
    }
}

/// What an event says about its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventContent {
    /// Its state; `whole` if it includes everything that the table stores for a new object.
    State {
        /// Whether a row may be inserted from it.
        whole: bool,
    },
    /// That it was deleted.
    Deletion,
}

/// What an event does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventDecision {
    /// Insert a row.
    Insert,
    /// Overwrite what the event carries, and keep the rest of the row.
    Merge,
    /// Delete the row or mark it.
    Delete,
    /// Nothing: the copy shows a later state, or this one.
    Ignore,
    /// Fetch the object.
    Refetch,
}

/// Decides what an event does to its object.
///
/// `custom_ids` tells whether users choose the ids of these objects, so that an id can be used
/// again after a deletion.
pub(crate) fn decide(
    content: EventContent,
    event: Stamp,
    state: &ObjectState,
    custom_ids: bool,
) -> EventDecision {
    match (content, state.row) {
        (EventContent::State { whole }, None) => match state.deleted_at {
            Some(deleted_at) if is_after_deletion(event, deleted_at, custom_ids) => {
                EventDecision::Refetch
            }
            Some(_) => EventDecision::Ignore,
            None if whole => EventDecision::Insert,
            None => EventDecision::Refetch,
        },
        (EventContent::State { .. }, Some(row)) => {
            match compare(row.stamp, event, row.same_content, state.now) {
                // The object exists although it was observed as deleted.
                Verdict::Newer if row.marked_deleted => EventDecision::Refetch,
                // Properties that the event lacks would keep the values of the deleted object.
                Verdict::Newer if row.is_of_another() => EventDecision::Refetch,
                Verdict::Newer => EventDecision::Merge,
                Verdict::Older => EventDecision::Ignore,
                Verdict::Uncertain => EventDecision::Refetch,
            }
        }
        // The deletion is known.
        (EventContent::Deletion, None)
            if state.deleted_at.is_some_and(|deleted_at| deleted_at >= event) =>
        {
            EventDecision::Ignore
        }
        (EventContent::Deletion, Some(row))
            if row.marked_deleted && row.stamp.is_some_and(|stamp| stamp >= event) =>
        {
            EventDecision::Ignore
        }
        (EventContent::Deletion, Some(row)) if custom_ids => {
            match compare(row.stamp, event, false, state.now) {
                Verdict::Newer => EventDecision::Delete,
                // Another object with this id was created in the second of the deletion, and the
                // row can have properties of both.
                Verdict::Older if row.is_created_in(event) => EventDecision::Refetch,
                Verdict::Older => EventDecision::Ignore,
                // The row can be that of a new object with the same id.
                Verdict::Uncertain => EventDecision::Refetch,
            }
        }
        // An id that Stripe assigned is never used again. Without a row, the tombstone remains.
        (EventContent::Deletion, _) => EventDecision::Delete,
    }
}

/// Whether an event says that an object exists after it was observed as deleted. Within the second
/// of the deletion, only an id that a user chose can be in use again.
fn is_after_deletion(event: Stamp, deleted_at: Stamp, custom_ids: bool) -> bool {
    match custom_ids {
        true => event.unix_seconds() >= deleted_at.unix_seconds(),
        false => event.unix_seconds() > deleted_at.unix_seconds(),
    }
}

/// Orders an event against the stored row of its object.
fn compare(stored: Option<Stamp>, event: Stamp, same_content: bool, now: Stamp) -> Verdict {
    let Some(stored) = stored else { return Verdict::Newer };
    let apart = event.micros() - stored.micros();
    if same_content {
        return if apart > 0 { Verdict::Newer } else { Verdict::Older };
    }
    if apart < 0 && stored.micros() - now.micros() > micros(FUTURE_LIMIT) {
        return Verdict::Uncertain;
    }
    let window = if stored.is_event() { 1 } else { micros(UNCERTAINTY_WINDOW) };
    match apart {
        _ if apart >= window => Verdict::Newer,
        _ if apart <= -window => Verdict::Older,
        _ => Verdict::Uncertain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Stamp = Stamp::of_event(10_000);
    const STATE: EventContent = EventContent::State { whole: true };

    fn row(stamp: Stamp) -> ObjectState {
        let row = RowState {
            stamp: Some(stamp),
            same_content: false,
            marked_deleted: false,
            created: None,
        };
        ObjectState { row: Some(row), deleted_at: None, now: NOW }
    }

    fn of_row(change: impl FnOnce(&mut RowState), stamp: Stamp) -> ObjectState {
        let mut state = row(stamp);
        change(state.row.as_mut().expect("a row"));
        state
    }

    fn tombstone(second: i64) -> ObjectState {
        ObjectState { row: None, deleted_at: Some(Stamp::of_event(second)), now: NOW }
    }

    #[test]
    fn of_two_events_the_later_second_wins_and_equal_seconds_are_uncertain() {
        let stored = row(Stamp::of_event(100));
        let decision = |second| decide(STATE, Stamp::of_event(second), &stored, false);
        assert_eq!(decision(101), EventDecision::Merge);
        assert_eq!(decision(100), EventDecision::Refetch);
        assert_eq!(decision(99), EventDecision::Ignore);
    }

    #[test]
    fn an_event_and_a_read_are_ordered_outside_the_lag_of_reads() {
        let stored = row(Stamp::of_read(100_500_000));
        let decision = |second| decide(STATE, Stamp::of_event(second), &stored, false);
        assert_eq!(decision(106), EventDecision::Merge);
        assert_eq!(decision(105), EventDecision::Refetch);
        assert_eq!(decision(96), EventDecision::Refetch);
        assert_eq!(decision(95), EventDecision::Ignore);
    }

    #[test]
    fn a_duplicate_changes_nothing_and_needs_no_request() {
        let state = |stamp| of_row(|row| row.same_content = true, stamp);
        let event = Stamp::of_event(100);
        assert_eq!(decide(STATE, event, &state(event), false), EventDecision::Ignore);
        let later = state(Stamp::of_read(100_000_000));
        assert_eq!(decide(STATE, event, &later, false), EventDecision::Ignore);
        let earlier = state(Stamp::of_read(99_000_000));
        assert_eq!(decide(STATE, event, &earlier, false), EventDecision::Merge);
    }

    #[test]
    fn rows_of_other_engines_and_stamps_in_the_future_do_not_win() {
        let event = Stamp::of_event(100);
        let unknown = of_row(|row| row.stamp = None, event);
        assert_eq!(decide(STATE, event, &unknown, false), EventDecision::Merge);
        let future = row(Stamp::of_event(10_061));
        assert_eq!(decide(STATE, event, &future, false), EventDecision::Refetch);
    }

    #[test]
    fn an_object_without_a_row_is_inserted_only_if_the_event_shows_all_of_it() {
        let absent = ObjectState { row: None, deleted_at: None, now: NOW };
        let decision = |whole| decide(EventContent::State { whole }, NOW, &absent, false);
        assert_eq!(decision(true), EventDecision::Insert);
        assert_eq!(decision(false), EventDecision::Refetch);
    }

    #[test]
    fn a_late_event_does_not_restore_a_deleted_object() {
        for (second, custom_ids, expected) in [
            (99, false, EventDecision::Ignore),
            (100, false, EventDecision::Ignore),
            (101, false, EventDecision::Refetch),
            (99, true, EventDecision::Ignore),
            (100, true, EventDecision::Refetch),
            (101, true, EventDecision::Refetch),
        ] {
            let decision = decide(STATE, Stamp::of_event(second), &tombstone(100), custom_ids);
            assert_eq!(decision, expected, "{second} {custom_ids}");
        }
        let marked = of_row(|row| row.marked_deleted = true, Stamp::of_event(100));
        let decision = |second| decide(STATE, Stamp::of_event(second), &marked, false);
        assert_eq!(decision(99), EventDecision::Ignore);
        assert_eq!(decision(101), EventDecision::Refetch);
    }

    #[test]
    fn a_deletion_is_certain_unless_the_id_can_be_used_again() {
        let stored = row(Stamp::of_event(100));
        for (second, custom_ids, expected) in [
            (50, false, EventDecision::Delete),
            (100, false, EventDecision::Delete),
            (99, true, EventDecision::Ignore),
            (100, true, EventDecision::Refetch),
            (101, true, EventDecision::Delete),
        ] {
            let event = Stamp::of_event(second);
            let decision = decide(EventContent::Deletion, event, &stored, custom_ids);
            assert_eq!(decision, expected, "{second} {custom_ids}");
        }
        let absent = ObjectState { row: None, deleted_at: None, now: NOW };
        let decision = decide(EventContent::Deletion, NOW, &absent, true);
        assert_eq!(decision, EventDecision::Delete);
    }

    #[test]
    fn an_event_about_another_object_with_the_same_id_is_not_merged() {
        let decision = |content, second, row, event| {
            let created = Some(Created { row, event });
            let state = of_row(|row| row.created = created, Stamp::of_event(100));
            decide(content, Stamp::of_event(second), &state, true)
        };
        assert_eq!(decision(STATE, 101, 50, 101), EventDecision::Refetch);
        assert_eq!(decision(STATE, 101, 50, 50), EventDecision::Merge);
        assert_eq!(decision(STATE, 99, 50, 40), EventDecision::Ignore);
        let deletion = EventContent::Deletion;
        assert_eq!(decision(deletion, 99, 99, 99), EventDecision::Refetch);
        assert_eq!(decision(deletion, 99, 98, 97), EventDecision::Ignore);
    }

    #[test]
    fn a_known_deletion_changes_nothing() {
        let marked = of_row(|row| row.marked_deleted = true, Stamp::of_event(100));
        for (state, second, expected) in [
            (tombstone(100), 100, EventDecision::Ignore),
            (tombstone(100), 99, EventDecision::Ignore),
            (tombstone(100), 101, EventDecision::Delete),
            (marked, 100, EventDecision::Ignore),
            (marked, 101, EventDecision::Delete),
        ] {
            let event = Stamp::of_event(second);
            let decision = decide(EventContent::Deletion, event, &state, false);
            assert_eq!(decision, expected, "{second}");
        }
    }
}
