//! Tables that another session has locked. Only one operation at a time tries to use such a table,
//! so that waiting operations do not use up the connections. A table can be locked for writers only,
//! for example while an index is built; then its readers do not wait.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

/// How long a statement waits for a lock, and how long an operation waits for its permit for a
/// contended table. Sessions that queue behind the statement wait at most this much longer.
pub(in crate::postgres) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What an operation does with its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgres) enum TableUse {
    Read,
    Write,
}

impl TableUse {
    /// The lock mode that the statements of the operation take.
    pub(super) fn lock_mode(self) -> &'static str {
        match self {
            TableUse::Read => "access share",
            TableUse::Write => "row exclusive",
        }
    }
}

type Permit = Arc<tokio::sync::Mutex<()>>;

#[derive(Default)]
struct ContendedTable {
    permit: Permit,
    /// Readers had to wait too. Writers always have.
    for_readers: bool,
    /// Who held the lock when an operation last waited for it.
    holders: Option<String>,
}

impl ContendedTable {
    fn concerns(&self, usage: TableUse) -> bool {
        usage == TableUse::Write || self.for_readers
    }
}

/// The contended tables of one database.
#[derive(Default)]
pub(in crate::postgres) struct ContendedTables(Mutex<HashMap<String, ContendedTable>>);

impl ContendedTables {
    /// Waits for a permit for each of these tables that is contended for this use. `Err` names the
    /// table whose permit was not granted in time.
    pub(in crate::postgres) async fn permits<'t>(
        &self,
        usage: TableUse,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<(&'t str, OwnedMutexGuard<()>)>, &'t str> {
        let wanted: Vec<(&str, Permit)> = {
            let contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if contended.is_empty() {
                return Ok(Vec::new());
            }
            let mut tables: Vec<&str> = tables.into_iter().collect();
            // Every operation uses the same order, so that two cannot wait for each other.
            tables.sort_unstable();
            tables.dedup();
            tables
                .into_iter()
                .filter_map(|table| {
                    let entry = contended.get(table).filter(|entry| entry.concerns(usage))?;
                    Some((table, Arc::clone(&entry.permit)))
                })
                .collect()
        };
        let mut permits = Vec::new();
        for (table, permit) in wanted {
            match tokio::time::timeout(LOCK_TIMEOUT, permit.lock_owned()).await {
                Ok(permit) => permits.push((table, permit)),
                Err(_) => return Err(table),
            }
        }
        Ok(permits)
    }

    /// How many of these tables are contended for this use.
    pub(in crate::postgres) fn count<'t>(
        &self,
        usage: TableUse,
        tables: impl Iterator<Item = &'t str>,
    ) -> usize {
        let concerns = |entry: &ContendedTable| entry.concerns(usage);
        let contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match contended.is_empty() {
            true => 0,
            false => {
                let found = tables.filter(|table| contended.get(*table).is_some_and(concerns));
                found.collect::<HashSet<_>>().len()
            }
        }
    }

    /// Marks tables as contended: a statement of this use waited too long for a lock. `holders` says
    /// who held it, if that is known.
    pub(in crate::postgres) fn insert<'t>(
        &self,
        usage: TableUse,
        tables: impl IntoIterator<Item = &'t str>,
        holders: Option<String>,
    ) {
        let mut contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for table in tables {
            let entry = contended.entry(table.to_owned()).or_default();
            entry.for_readers |= usage == TableUse::Read;
            if holders.is_some() {
                entry.holders.clone_from(&holders);
            }
        }
    }

    /// Who held the lock of one of these tables.
    pub(in crate::postgres) fn holders<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Option<String> {
        let contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tables.into_iter().find_map(|table| contended.get(table)?.holders.clone())
    }

    /// Marks tables as not contended: they were used in this way. A table that was read can still be
    /// locked for writers.
    pub(in crate::postgres) fn remove<'t>(
        &self,
        usage: TableUse,
        tables: impl IntoIterator<Item = &'t str>,
    ) {
        let mut contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if contended.is_empty() {
            return;
        }
        for table in tables {
            match usage {
                TableUse::Write => drop(contended.remove(table)),
                TableUse::Read => {
                    contended.entry(table.to_owned()).and_modify(|entry| entry.for_readers = false);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_operation_at_a_time_tries_a_contended_table() {
        let tables = ContendedTables::default();
        let free = tables.permits(TableUse::Write, ["customers"]).await;
        assert!(free.is_ok_and(|permits| permits.is_empty()), "nothing is contended");
        tables.insert(TableUse::Write, ["customers"], Some("backend 7".to_owned()));
        tables.insert(TableUse::Write, ["customers"], None);
        assert_eq!(tables.holders(["invoices", "customers"]).as_deref(), Some("backend 7"));
        assert_eq!(
            tables.count(TableUse::Write, ["invoices", "customers", "customers"].into_iter()),
            1
        );
        let first = tables
            .permits(TableUse::Write, ["invoices", "customers", "customers"])
            .await
            .expect("a permit");
        assert_eq!(first.len(), 1);
        assert_eq!(tables.permits(TableUse::Write, ["customers"]).await.err(), Some("customers"));
        assert!(
            tables
                .permits(TableUse::Write, ["invoices"])
                .await
                .is_ok_and(|permits| permits.is_empty())
        );
        drop(first);
        tables.remove(TableUse::Write, ["customers"]);
        assert!(
            tables
                .permits(TableUse::Write, ["customers"])
                .await
                .is_ok_and(|permits| permits.is_empty())
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_table_that_can_be_read_stays_contended_for_writers() {
        let tables = ContendedTables::default();
        let count = |usage| tables.count(usage, ["customers"].into_iter());
        tables.insert(TableUse::Write, ["customers"], None);
        let writer = tables.permits(TableUse::Write, ["customers"]).await.expect("a permit");
        assert_eq!(writer.len(), 1);
        let reader = tables.permits(TableUse::Read, ["customers"]).await;
        assert!(reader.is_ok_and(|permits| permits.is_empty()), "readers do not wait");
        tables.insert(TableUse::Read, ["customers"], None);
        assert_eq!(tables.permits(TableUse::Read, ["customers"]).await.err(), Some("customers"));
        tables.remove(TableUse::Read, ["customers"]);
        assert_eq!((count(TableUse::Read), count(TableUse::Write)), (0, 1));
        tables.remove(TableUse::Write, ["customers"]);
        assert_eq!(count(TableUse::Write), 0);
    }
}
