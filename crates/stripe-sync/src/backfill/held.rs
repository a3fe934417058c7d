//! The slices that workers of this process hold, and how far each has been read.
//!
//! The ledger knows a page only once it is durable, and a slice is read several pages ahead of that.
//! Splits are computed from what has been read, and a worker requests its next page with the bounds that
//! a split leaves it: otherwise rows would be read twice. The ledger alone decides what is still unread:
//! a crash of the server can undo a split that was seen here, and the slice then has the wider bounds again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::postgres::{ClaimedSlice, OpenSlice};
use crate::slice::{Bounds, ReadRange, max_splits};

/// The slices held by this process, by their ids, and what it has read and split of each part.
#[derive(Debug, Default)]
pub(super) struct HeldSlices {
    held: Mutex<HashMap<i64, Arc<HeldSlice>>>,
    /// By stream and part.
    read: Arc<Mutex<ReadParts>>,
}

type ReadParts = HashMap<(String, i32), ReadPart>;

/// What this process has read and split of a part.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReadPart {
    /// The times of the rows that were read.
    pub(super) range: Option<ReadRange>,
    pub(super) pages: i64,
    /// The largest number of pages, read or not, that the part was known to have at a split.
    known_pages: f64,
    splits: i64,
}

impl ReadPart {
    /// How often the part may still be split, if it is known to have this many pages.
    pub(super) fn splits_left(&self, known_pages: f64) -> usize {
        let most = max_splits(known_pages.max(self.known_pages));
        usize::try_from(most - self.splits).unwrap_or(0)
    }
}

/// One slice that a worker holds.
#[derive(Debug)]
pub(super) struct HeldSlice {
    part: (String, i32),
    state: Mutex<State>,
    read: Arc<Mutex<ReadParts>>,
}

#[derive(Debug)]
struct State {
    /// The narrowest bounds that the ledger has had since the worker started from it.
    bounds: Bounds,
    reading: Option<Reading>,
}

/// What has been read since the worker last started from the ledger.
#[derive(Debug, Clone, Copy)]
struct Reading {
    first_created: i64,
    cursor_created: i64,
    pages: i64,
}

impl HeldSlices {
    /// A worker of this process has claimed a slice.
    pub(super) fn insert(&self, slice: &ClaimedSlice) -> Arc<HeldSlice> {
        let held = Arc::new(HeldSlice {
            part: (slice.stream.clone(), slice.part),
            state: Mutex::new(State { bounds: slice.position.bounds, reading: None }),
            read: Arc::clone(&self.read),
        });
        lock(&self.held).insert(slice.id, Arc::clone(&held));
        held
    }

    /// A worker has finished or released its slice. If its lease had expired, another worker of this
    /// process may hold the slice, whose entry stays.
    pub(super) fn remove(&self, id: i64, held: &Arc<HeldSlice>) {
        let mut slices = lock(&self.held);
        if slices.get(&id).is_some_and(|current| Arc::ptr_eq(current, held)) {
            slices.remove(&id);
        }
    }

    pub(super) fn get(&self, id: i64) -> Option<Arc<HeldSlice>> {
        lock(&self.held).get(&id).cloned()
    }

    pub(super) fn ids(&self) -> Vec<i64> {
        lock(&self.held).keys().copied().collect()
    }

    pub(super) fn count(&self) -> usize {
        lock(&self.held).len()
    }

    /// What this process has read of a part.
    pub(super) fn read_of(&self, stream: &str, part: i32) -> ReadPart {
        lock(&self.read).get(&(stream.to_owned(), part)).copied().unwrap_or_default()
    }

    /// A part that was known to have this many pages has been split.
    pub(super) fn part_split(&self, stream: &str, part: i32, known_pages: f64) {
        let mut read = lock(&self.read);
        let read = read.entry((stream.to_owned(), part)).or_default();
        read.splits += 1;
        read.known_pages = read.known_pages.max(known_pages);
    }
}

impl HeldSlice {
    /// The worker starts, or starts again, from the position in the ledger. Bounds that are wider than
    /// those after a split cost requests, but no row.
    pub(super) fn start_from(&self, bounds: Bounds) {
        *lock(&self.state) = State { bounds, reading: None };
    }

    /// The bounds of the next request.
    pub(super) fn bounds(&self) -> Bounds {
        lock(&self.state).bounds
    }

    /// The ledger has these bounds. Splits only make them narrower, so the narrower ones are newer. If a
    /// crash undid a split, the commit at the end of the slice finds that rows are left to read.
    pub(super) fn narrow(&self, ledger: Bounds) {
        let mut state = lock(&self.state);
        let narrower_to = [state.bounds.to, ledger.to].into_iter().flatten().min();
        state.bounds = Bounds { from: state.bounds.from.max(ledger.from), to: narrower_to };
    }

    /// A page with rows of these times was read, and more follow it.
    pub(super) fn page_read(&self, times: impl Iterator<Item = i64> + Clone) {
        let (Some(first), Some(cursor)) = (times.clone().next(), times.clone().last()) else {
            return;
        };
        let newest = times.clone().max().unwrap_or(first);
        let page = ReadRange { newest, oldest: times.min().unwrap_or(cursor) };
        {
            let mut read = lock(&self.read);
            let read = read.entry(self.part.clone()).or_default();
            read.range = Some(read.range.map_or(page, |range| range.and(page)));
            read.pages += 1;
        }
        let mut state = lock(&self.state);
        let before = state.reading.unwrap_or(Reading {
            first_created: first,
            cursor_created: cursor,
            pages: 0,
        });
        state.reading = Some(Reading { cursor_created: cursor, pages: before.pages + 1, ..before });
    }

    /// What the ledger says about this slice, with what has been read since.
    pub(super) fn update(&self, slice: &mut OpenSlice) {
        if let Some(reading) = lock(&self.state).reading {
            slice.split.first_created = reading.first_created;
            slice.split.cursor_created = reading.cursor_created;
            slice.split.pages = reading.pages;
        }
    }
}

/// Each change under these locks is complete, so a panic elsewhere leaves them usable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postgres::Position;
    use crate::slice::Split;

    fn slice(id: i64, bounds: Bounds) -> ClaimedSlice {
        let position = Position { bounds, trail: Vec::new(), seq: 0 };
        let (stream, part) = ("charges".to_owned(), 0);
        ClaimedSlice { id, run_id: 1, stream, part, epoch: 1, restarts: 0, position }
    }

    #[test]
    fn bounds_only_become_narrower_until_the_worker_starts_again() {
        let held = HeldSlices::default().insert(&slice(1, Bounds { from: None, to: Some(90) }));
        let split = Bounds { from: Some(50), to: Some(90) };
        held.narrow(split);
        // A commit that began before the split reports the bounds of that time.
        held.narrow(Bounds { from: None, to: Some(90) });
        assert_eq!(held.bounds(), split);
        // The worker starts again after a crash that undid the split.
        held.start_from(Bounds { from: None, to: Some(90) });
        assert_eq!(held.bounds(), Bounds { from: None, to: Some(90) });
    }

    #[test]
    fn a_former_holder_does_not_remove_the_entry_of_the_next_one() {
        let slices = HeldSlices::default();
        let claimed = slice(7, Bounds { from: None, to: None });
        let (former, next) = (slices.insert(&claimed), slices.insert(&claimed));
        slices.remove(7, &former);
        assert!(slices.get(7).is_some_and(|current| Arc::ptr_eq(&current, &next)));
        slices.remove(7, &next);
        assert_eq!(slices.count(), 0);
    }

    #[test]
    fn pages_count_as_read_before_the_ledger_has_them() {
        let slices = HeldSlices::default();
        let held = slices.insert(&slice(7, Bounds { from: None, to: None }));
        held.page_read([90, 80, 80].into_iter());
        held.page_read([70, 60].into_iter());
        held.page_read(std::iter::empty());
        let split = Split {
            bounds: held.bounds(),
            first_created: 90,
            cursor_created: 80,
            pages: 1,
            requests_per_page: 3.0,
        };
        let mut open = OpenSlice { id: 7, stream: "charges".into(), part: 0, split: split.clone() };
        held.update(&mut open);
        assert_eq!(open.split, Split { cursor_created: 60, pages: 2, ..split.clone() });
        // The worker starts again from the ledger.
        held.start_from(held.bounds());
        open.split = split.clone();
        held.update(&mut open);
        assert_eq!(open.split, split);
        slices.remove(7, &held);
        assert!(slices.get(7).is_none() && slices.ids().is_empty());
        let read = slices.read_of("charges", 0);
        assert_eq!((read.range, read.pages), (Some(ReadRange { newest: 90, oldest: 60 }), 2));
        assert_eq!(slices.read_of("charges", 1).range, None);
    }

    #[test]
    fn a_part_is_split_as_often_as_its_length_allows() {
        let slices = HeldSlices::default();
        let left = |known| slices.read_of("charges", 0).splits_left(known);
        let few = left(0.0);
        slices.part_split("charges", 0, 0.0);
        assert_eq!(left(0.0), few - 1);
        slices.part_split("charges", 0, 100.0);
        // A slice that was split off and that nobody has read yet still counts.
        assert_eq!(left(0.0), left(100.0));
        assert!(left(0.0) > few - 2);
        for _ in 0..100 {
            slices.part_split("charges", 0, 0.0);
        }
        assert_eq!(left(100.0), 0);
    }
}
