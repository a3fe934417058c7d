//! Decides how many objects to request at once: Stripe's maximum, or fewer if they are large.
//!
//! All slices of a stream share the result. Otherwise each of 32 workers could have a first page of
//! the largest size in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// Maximum number of objects per page (FACTS 3).
const LIMIT: usize = 100;
/// After a page larger than this, fewer objects are requested, until pages are small again.
const LARGE_PAGE: usize = 4 << 20;
/// The assumed size of a first page.
const GUESS: usize = 256 << 10;

/// How many pages are requested at a ceiling before a larger page is tried again.
const PAGES_AT_CEILING: usize = 16;
/// The first page of a stream.
const FIRST: PageSize = PageSize { limit: LIMIT, guess: GUESS, ceiling: LIMIT, at_ceiling: 0 };

/// The next page of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSize {
    /// Objects to request.
    pub(super) limit: usize,
    /// The bytes that are expected.
    pub(super) guess: usize,
    /// Larger pages could not be delivered.
    ceiling: usize,
    /// Pages that were delivered at the ceiling.
    at_ceiling: usize,
}

impl PageSize {
    /// The size to request after a page of this many bytes, which was delivered with this limit.
    pub(super) fn after(self, bytes: usize, delivered: usize) -> PageSize {
        let mut size = self;
        if delivered < self.limit {
            (size.limit, size.ceiling, size.at_ceiling) = (delivered, delivered, 0);
        } else if delivered == self.ceiling && self.ceiling < LIMIT {
            size.at_ceiling += 1;
            if size.at_ceiling == PAGES_AT_CEILING {
                (size.ceiling, size.at_ceiling) = ((self.ceiling * 2).min(LIMIT), 0);
            }
        }
        size.limit = match bytes {
            _ if bytes > LARGE_PAGE => (size.limit * LARGE_PAGE / bytes).max(1),
            _ if bytes < LARGE_PAGE / 2 => (size.limit * 2).min(size.ceiling),
            _ => size.limit,
        };
        size.guess = bytes.max(1 << 10);
        size
    }
}

/// That of a first page.
impl Default for PageSize {
    fn default() -> PageSize {
        FIRST
    }
}

/// The page sizes of the streams of a run.
#[derive(Debug, Default)]
pub(super) struct PageSizes(Mutex<HashMap<String, PageSize>>);

impl PageSizes {
    /// The size of the first page of a slice.
    pub(super) fn of(&self, stream: &str) -> PageSize {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(stream).copied().unwrap_or_default()
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

    fn after(size: PageSize, bytes: usize) -> PageSize {
        size.after(bytes, size.limit)
    }

    #[test]
    fn pages_shrink_immediately_and_grow_again() {
        let sizes = PageSizes::default();
        assert_eq!(sizes.of("customers"), FIRST);
        sizes.learn("customers", after(sizes.of("customers"), 100 << 20));
        let small = sizes.of("customers");
        assert_eq!((small.limit, small.guess), (4, 100 << 20));
        let mut limits = Vec::new();
        for bytes in [4 << 20, 3 << 20, 1 << 20, 100, 100, 100, 100, 100] {
            sizes.learn("customers", after(sizes.of("customers"), bytes));
            limits.push(sizes.of("customers").limit);
        }
        assert_eq!(limits, [4, 4, 8, 16, 32, 64, 100, 100]);
        assert_eq!(after(sizes.of("customers"), usize::MAX >> 8).limit, 1);
        assert_eq!(sizes.of("charges").limit, 100);
    }

    #[test]
    fn an_undelivered_page_temporarily_lowers_the_maximum() {
        let mut size = FIRST.after(100, 33);
        assert_eq!(size.limit, 33);
        for _ in 1..PAGES_AT_CEILING {
            size = after(size, 100);
            assert_eq!(size.limit, 33);
        }
        assert_eq!(after(size, 100).limit, 66);
        assert_eq!(after(size, 100).after(100, 22).limit, 22, "not delivered again");
    }
}
