//! Tables that another session has locked. Only one operation at a time tries to write to such a
//! table, so that waiting operations do not use up the connections.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

/// How long a statement waits for a lock, and how long an operation waits for its permit for a
/// contended table. Sessions that queue behind the statement wait at most this much longer.
pub(in crate::postgres) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

type Permit = Arc<tokio::sync::Mutex<()>>;

#[derive(Default)]
struct ContendedTable {
    permit: Permit,
    /// Who held the lock when an operation last waited for it.
    holders: Option<String>,
}

/// The contended tables of one database.
#[derive(Default)]
pub(in crate::postgres) struct ContendedTables(Mutex<HashMap<String, ContendedTable>>);

impl ContendedTables {
    /// Waits for a permit for each of these tables that is contended. `Err` names the table whose
    /// permit was not granted in time.
    pub(in crate::postgres) async fn permits<'t>(
        &self,
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
                .filter_map(|table| Some((table, Arc::clone(&contended.get(table)?.permit))))
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

    /// How many of these tables are contended.
    pub(in crate::postgres) fn count<'t>(&self, tables: impl Iterator<Item = &'t str>) -> usize {
        let contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match contended.is_empty() {
            true => 0,
            false => {
                tables.filter(|table| contended.contains_key(*table)).collect::<HashSet<_>>().len()
            }
        }
    }

    /// Marks tables as contended: a statement waited too long for a lock. `holders` says who held
    /// it, if that is known.
    pub(in crate::postgres) fn insert<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t str>,
        holders: Option<String>,
    ) {
        let mut contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for table in tables {
            let entry = contended.entry(table.to_owned()).or_default();
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

    /// Marks tables as not contended: they were written.
    pub(in crate::postgres) fn remove<'t>(&self, tables: impl IntoIterator<Item = &'t str>) {
        let mut contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if contended.is_empty() {
            return;
        }
        for table in tables {
            contended.remove(table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_operation_at_a_time_tries_a_contended_table() {
        let tables = ContendedTables::default();
        let free = tables.permits(["customers"]).await;
        assert!(free.is_ok_and(|permits| permits.is_empty()), "nothing is contended");
        tables.insert(["customers"], Some("backend 7".to_owned()));
        tables.insert(["customers"], None);
        assert_eq!(tables.holders(["invoices", "customers"]).as_deref(), Some("backend 7"));
        assert_eq!(tables.count(["invoices", "customers", "customers"].into_iter()), 1);
        let first = tables.permits(["invoices", "customers", "customers"]).await.expect("a permit");
        assert_eq!(first.len(), 1);
        assert_eq!(tables.permits(["customers"]).await.err(), Some("customers"));
        assert!(tables.permits(["invoices"]).await.is_ok_and(|permits| permits.is_empty()));
        drop(first);
        tables.remove(["customers"]);
        assert!(tables.permits(["customers"]).await.is_ok_and(|permits| permits.is_empty()));
    }
}
