//! Streams of which the server rejects every row.
//!
//! A rejected row is quarantined. If a user's column, constraint or trigger makes the server reject
//! every row, the stream fails after its first pages instead of filling the quarantine.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::postgres::Refusal;

/// A stream fails after this many rejected rows, if none was accepted.
const MAX_REFUSED: u64 = 100;

/// What the server did with the rows of each stream of a run.
#[derive(Debug, Default)]
pub(super) struct RefusedRows(Mutex<HashMap<String, State>>);

#[derive(Debug, Clone, Copy)]
enum State {
    Refused(u64),
    /// A row was accepted.
    Accepted,
}

impl RefusedRows {
    /// Counts the rows of a commit. Returns why the stream fails if the server rejects all of its
    /// rows.
    pub(super) fn count(&self, stream: &str, rows: u64, refusals: &[Refusal]) -> Option<String> {
        let refusal = refusals.iter().find(|refusal| refusal.table == stream);
        let refused = refusal.map_or(0, |refusal| refusal.rows);
        let mut states = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state = states.entry(stream.to_owned()).or_insert(State::Refused(0));
        *state = match *state {
            State::Refused(before) if refused >= rows => State::Refused(before + refused),
            State::Refused(_) | State::Accepted => State::Accepted,
        };
        let State::Refused(MAX_REFUSED..) = *state else { return None };
        Some(format!(
            "{}; the server rejects every row: remove or change the column, constraint or trigger \
             that does not belong to the copy",
            refusal?.reason
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stream_without_an_accepted_row_fails() {
        let refused = |rows| [Refusal { table: "customers", rows, reason: "no".into() }];
        let counts = RefusedRows::default();
        assert!(counts.count("customers", 60, &refused(60)).is_none());
        assert!(counts.count("customers", 60, &refused(60)).is_some());
        let counts = RefusedRows::default();
        assert!(counts.count("customers", 60, &refused(59)).is_none());
        assert!(counts.count("customers", 600, &refused(600)).is_none());
        assert!(counts.count("charges", 600, &refused(600)).is_none(), "another table's rows");
    }
}
