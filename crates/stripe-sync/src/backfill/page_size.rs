//! How many objects to ask for at once: as many as Stripe gives, and fewer where they are large.
//!
//! What one slice of a stream has learned holds for the others from their first page on, or each of
//! 32 workers would have a page of the largest kind in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Objects per page; Stripe's most (FACTS 3).
const LIMIT: usize = 100;
/// A page larger than this makes the following ones smaller, until they are small again.
const LARGE_PAGE: usize = 4 << 20;
/// What a first page is taken for before its size is known.
const GUESS: usize = 256 << 10;

/// The next page of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSize {
    /// Objects to ask for.
    pub(super) limit: usize,
    /// The bytes that are expected.
    pub(super) guess: usize,
}

impl PageSize {
    /// After a page of this many bytes.
    pub(super) fn after(self, bytes: usize) -> PageSize {
        let limit = match bytes {
            _ if bytes > LARGE_PAGE => (self.limit * LARGE_PAGE / bytes).max(1),
            _ if bytes < LARGE_PAGE / 2 => (self.limit * 2).min(LIMIT),
            _ => self.limit,
        };
        PageSize { limit, guess: bytes.max(1 << 10) }
    }
}

/// What is known of the streams of a run.
#[derive(Debug, Default)]
pub(super) struct PageSizes(Mutex<HashMap<String, PageSize>>);

impl PageSizes {
    /// How to ask for the first page of a slice.
    pub(super) fn of(&self, stream: &str) -> PageSize {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(stream).copied().unwrap_or(PageSize { limit: LIMIT, guess: GUESS })
    }

    pub(super) fn learn(&self, stream: &str, size: PageSize) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get_mut(stream) {
            Some(known) => *known = size,
            None => drop(known.insert(stream.to_owned(), size)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_shrink_at_once_and_grow_again() {
        let sizes = PageSizes::default();
        assert_eq!(sizes.of("customers"), PageSize { limit: 100, guess: GUESS });
        sizes.learn("customers", sizes.of("customers").after(100 << 20));
        assert_eq!(sizes.of("customers"), PageSize { limit: 4, guess: 100 << 20 });
        let mut limits = Vec::new();
        for bytes in [4 << 20, 3 << 20, 1 << 20, 100, 100, 100, 100, 100] {
            sizes.learn("customers", sizes.of("customers").after(bytes));
            limits.push(sizes.of("customers").limit);
        }
        assert_eq!(limits, [4, 4, 8, 16, 32, 64, 100, 100]);
        assert_eq!(sizes.of("customers").after(usize::MAX >> 8).limit, 1);
        assert_eq!(sizes.of("charges").limit, 100);
    }
}
