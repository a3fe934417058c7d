//! Objects whose nested lists could not be read, counted per stream.
//!
//! One such object is quarantined. If a missing permission or a broken list affects every object,
//! the stream fails instead of filling the quarantine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::object::nested::{CompletedObject, ListProblem};

/// After this many unreadable objects in a row, the stream fails.
pub(super) const MAX_IN_A_ROW: u32 = 100;

/// Consecutive unreadable objects, per stream.
#[derive(Debug, Default)]
pub(super) struct UnreadLists(Mutex<HashMap<String, u32>>);

impl UnreadLists {
    /// Counts an object. Returns its problem once the limit is reached.
    pub(super) fn count<'o>(
        &self,
        stream: &str,
        object: &'o CompletedObject,
    ) -> Option<&'o ListProblem> {
        self.count_problem(stream, object.problem.as_ref(), object.requests)
    }

    /// Counts an object whose lists took this many requests.
    pub(super) fn count_problem<'o>(
        &self,
        stream: &str,
        problem: Option<&'o ListProblem>,
        requests: u32,
    ) -> Option<&'o ListProblem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match problem {
            Some(problem) => {
                let count = counts.entry(stream.to_owned()).or_insert(0);
                *count += 1;
                (*count >= MAX_IN_A_ROW).then_some(problem)
            }
            // Only objects whose lists were requested show that lists can be read.
            None if requests > 0 => {
                counts.remove(stream);
                None
            }
            None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readable_list_resets_the_count() {
        let problem = ListProblem { reason: "refused".into(), request_id: None };
        let unread = CompletedObject { problem: Some(problem), ..CompletedObject::default() };
        let read = CompletedObject { requests: 1, ..CompletedObject::default() };
        let lists = UnreadLists::default();
        for _ in 1..MAX_IN_A_ROW {
            assert!(lists.count("invoices", &unread).is_none());
        }
        assert!(lists.count("invoices", &read).is_none());
        assert!(lists.count("invoices", &unread).is_none());
        for _ in 2..MAX_IN_A_ROW {
            assert!(lists.count("invoices", &unread).is_none());
        }
        assert!(lists.count("subscriptions", &unread).is_none(), "another stream");
        assert!(lists.count("invoices", &unread).is_some());
    }
}
