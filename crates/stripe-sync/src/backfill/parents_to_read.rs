//! Which lists of parents a part of a stream reads.

use std::collections::HashSet;

use crate::catalog::ParentLists;
use crate::postgres::LastReading;

/// A part of a stream that reads the lists of parents.
#[derive(Debug, Clone, Copy)]
pub(super) struct ParentsPart {
    pub(super) lists: &'static ParentLists,
    pub(super) run_id: i64,
}

/// Which parents' lists are read.
#[derive(Debug)]
pub(super) enum ParentsToRead {
    All,
    Changed {
        last: LastReading,
        /// Parents that events name, and those with a list or an object that is quarantined.
        named: HashSet<String>,
    },
}
