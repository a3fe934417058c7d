//! Limits the memory for what a run holds in flight: pages, and nested lists that are put back into
//! their objects.
//!
//! A page waits until memory is free. A growing nested list cannot wait: memory may become free
//! only once the list's own page is written. So a list takes what is free, and if that is not
//! enough, it exceeds the budget. Only one list at a time may do so, and only the first unfinished
//! object of a page may wait for the permit. The objects before it have already been handed over,
//! so the list that holds the permit is always read to its end.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// The memory budget. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct MemoryBudget {
    /// Permits for one KiB each.
    free: Arc<Semaphore>,
    /// In KiB.
    size: usize,
    /// The permit to exceed the budget.
    excess: Arc<Semaphore>,
}

/// A part of the budget. Dropping it returns the memory.
pub(crate) type MemoryPermit = OwnedSemaphorePermit;

/// The memory of one object's nested lists. The default is not counted against any budget.
#[derive(Debug, Default)]
pub(crate) struct ListMemory {
    source: Option<Source>,
    permits: Vec<MemoryPermit>,
    excess: Option<MemoryPermit>,
}

/// The budget of a list, and the position of its object in the page.
#[derive(Debug)]
struct Source {
    budget: MemoryBudget,
    /// The index in the page of the first unfinished object.
    first_unfinished: watch::Receiver<usize>,
    /// The index in the page of the object that the list belongs to.
    index: usize,
}

impl MemoryBudget {
    pub(crate) fn new(kib: usize) -> MemoryBudget {
        MemoryBudget {
            free: Arc::new(Semaphore::new(kib)),
            size: kib,
            excess: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for memory. A request for more than the whole budget gets the whole budget.
    pub(crate) async fn reserve(&self, bytes: usize) -> MemoryPermit {
        let kib = (bytes / 1024).clamp(1, self.size) as u32;
        Arc::clone(&self.free).acquire_many_owned(kib).await.expect("the semaphore is never closed")
    }

    /// Memory for the lists of the object at `index` of a page. `first_unfinished` is the index of
    /// the first object of that page that is not finished.
    pub(crate) fn list_memory(
        &self,
        first_unfinished: watch::Receiver<usize>,
        index: usize,
    ) -> ListMemory {
        let source = Source { budget: self.clone(), first_unfinished, index };
        ListMemory { source: Some(source), ..ListMemory::default() }
    }
}

impl ListMemory {
    /// Takes more memory, before it is used.
    pub(crate) async fn grow(&mut self, bytes: usize) {
        let Some(Source { budget, first_unfinished, index }) = &mut self.source else { return };
        if self.excess.is_some() {
            return;
        }
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        if let Ok(permit) = Arc::clone(&budget.free).try_acquire_many_owned(kib) {
            self.permits.push(permit);
            return;
        }
        // An error means that the page was dropped, and this future with it.
        if first_unfinished.wait_for(|first| *first >= *index).await.is_ok() {
            self.excess = Arc::clone(&budget.excess).acquire_owned().await.ok();
        }
    }

    /// The memory that is currently held, for [`ListMemory::split_off`].
    pub(crate) fn mark(&self) -> (usize, bool) {
        (self.permits.len(), self.excess.is_some())
    }

    /// Removes the memory that was taken since a mark, and returns it.
    pub(crate) fn split_off(&mut self, (permits, excess): (usize, bool)) -> ListMemory {
        let permits = self.permits.split_off(permits.min(self.permits.len()));
        let excess = if excess { None } else { self.excess.take() };
        ListMemory { source: None, permits, excess }
    }

    /// Whether the lists exceed the budget. They have to be finished before any other list may do
    /// so.
    pub(crate) fn exceeds_budget(&self) -> bool {
        self.excess.is_some()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_list_at_a_time_exceeds_the_budget() {
        let budget = MemoryBudget::new(10);
        let page = budget.reserve(4 << 10).await;
        let (unfinished, first_unfinished) = watch::channel(0);
        let mut first = budget.list_memory(first_unfinished.clone(), 0);
        let mut second = budget.list_memory(first_unfinished, 1);
        second.grow(5 << 10).await;
        assert!(!second.exceeds_budget());
        first.grow(1 << 30).await;
        first.grow(1 << 30).await;
        assert!(first.exceeds_budget(), "the first unfinished object waits for no other");
        {
            let mut growing = std::pin::pin!(second.grow(2 << 10));
            assert!(growing.as_mut().now_or_never().is_none(), "another object is unfinished");
            unfinished.send(1).expect("listeners");
            assert!(growing.as_mut().now_or_never().is_none(), "the other list exceeds the budget");
            drop(first);
            growing.await;
        }
        assert!(second.exceeds_budget());
        drop((page, second));
        assert_eq!(budget.free.available_permits(), 10);
    }

    #[tokio::test]
    async fn sending_a_list_to_its_table_frees_its_memory() {
        let budget = MemoryBudget::new(10);
        let mut memory = budget.list_memory(watch::channel(0).1, 0);
        memory.grow(2 << 10).await;
        let mark = memory.mark();
        memory.grow(5 << 10).await;
        memory.grow(50 << 10).await;
        assert!(memory.exceeds_budget());
        drop(memory.split_off(mark));
        assert_eq!(budget.excess.available_permits(), 1);
        assert_eq!(budget.free.available_permits(), 8);
        ListMemory::default().grow(usize::MAX).await;
    }
}
