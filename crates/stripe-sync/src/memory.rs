//! Room for what a run holds in flight: pages, and nested lists that are put back into their objects.
//!
//! Pages wait until there is room. A nested list that grows cannot wait for it: what would free the
//! room may be the very page that waits. So a list takes what is free, and where nothing is, the
//! one place beyond the budget, which only the first unfinished object of a page may wait for.
//! The objects before it have been handed on by then, so whoever holds the place gets done.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The budget of a run. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Memory {
    /// In KiB.
    free: Arc<Semaphore>,
    budget: usize,
    beyond: Arc<Semaphore>,
}

/// A part of the budget; given back when dropped.
pub(crate) type Held = OwnedSemaphorePermit;

/// What one object's nested lists take.
#[derive(Debug, Default)]
pub(crate) struct Room {
    counted: Option<Counted>,
    held: Vec<Held>,
    beyond: Option<Held>,
}

#[derive(Debug)]
struct Counted {
    memory: Memory,
    /// The place of the first unfinished object, and the place of this one.
    head: watch::Receiver<usize>,
    place: usize,
}

impl Memory {
    pub(crate) fn new(kib: usize) -> Memory {
        Memory {
            free: Arc::new(Semaphore::new(kib)),
            budget: kib,
            beyond: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for room. What is larger than all of it goes alone.
    pub(crate) async fn reserve(&self, bytes: usize) -> Held {
        let kib = (bytes / 1024).clamp(1, self.budget) as u32;
        Arc::clone(&self.free).acquire_many_owned(kib).await.expect("the semaphore is never closed")
    }

    /// Room for the object at `place` of a page whose first unfinished object `head` tells.
    pub(crate) fn room(&self, head: watch::Receiver<usize>, place: usize) -> Room {
        let counted = Counted { memory: self.clone(), head, place };
        Room { counted: Some(counted), ..Room::default() }
    }
}

impl Room {
    /// Takes more room before it is used.
    pub(crate) async fn grow(&mut self, bytes: usize) {
        let Some(Counted { memory, head, place }) = &mut self.counted else { return };
        if self.beyond.is_some() {
            return;
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        if let Ok(held) = Arc::clone(&memory.free).try_acquire_many_owned(kib) {
            self.held.push(held);
            return;
        }
        // An error means that the page is given up, and this future with it.
        if head.wait_for(|head| *head >= *place).await.is_ok() {
            self.beyond = Arc::clone(&memory.beyond).acquire_owned().await.ok();
        }
    }

    /// What is held at this moment, for [`Room::split_off`].
    pub(crate) fn mark(&self) -> (usize, bool) {
        (self.held.len(), self.beyond.is_some())
    }

    /// Moves what was taken since a mark into a room of its own.
    pub(crate) fn split_off(&mut self, (held, beyond): (usize, bool)) -> Room {
        let held = self.held.split_off(held.min(self.held.len()));
        let beyond = if beyond { None } else { self.beyond.take() };
        Room { counted: None, held, beyond }
    }

    /// Whether the place beyond the budget is taken: what holds it must get done first.
    pub(crate) fn is_beyond(&self) -> bool {
        self.beyond.is_some()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn lists_grow_beyond_the_budget_one_after_the_other() {
        let memory = Memory::new(10);
        let page = memory.reserve(4 << 10).await;
        let (head, turn) = watch::channel(0);
        let mut first = memory.room(turn.clone(), 0);
        let mut second = memory.room(turn, 1);
        second.grow(5 << 10).await;
        assert!(!second.is_beyond());
        first.grow(1 << 30).await;
        first.grow(1 << 30).await;
        assert!(first.is_beyond(), "the head never waits for what is behind it");
        {
            let mut growing = std::pin::pin!(second.grow(2 << 10));
            assert!(growing.as_mut().now_or_never().is_none(), "not the head");
            head.send(1).expect("listeners");
            assert!(growing.as_mut().now_or_never().is_none(), "the place is taken");
            drop(first);
            growing.await;
        }
        assert!(second.is_beyond());
        drop((page, second));
        assert_eq!(memory.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn a_list_that_goes_to_its_table_gives_its_room_back() {
        let memory = Memory::new(10);
        let mut room = memory.room(watch::channel(0).1, 0);
        room.grow(2 << 10).await;
        let mark = room.mark();
        room.grow(5 << 10).await;
        room.grow(50 << 10).await;
        assert!(room.is_beyond());
        drop(room.split_off(mark));
        assert_eq!(memory.beyond.available_permits(), 1);
        assert_eq!(memory.free.available_permits(), 8);
        Room::default().grow(usize::MAX).await;
    }
}
