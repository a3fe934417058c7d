//! Tables that another session has locked. While a table is contended, one operation at a time tries to
//! write to it, so that those that wait for it do not hold every connection.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

/// How long a statement waits for a lock, and an operation for its turn on a contended table. Whoever needs
/// a stronger lock than ours queues behind us for this time at most.
pub(in crate::postgres) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

type Turn = Arc<tokio::sync::Mutex<()>>;

/// The contended tables of one database.
#[derive(Default)]
pub(in crate::postgres) struct ContendedTables(Mutex<HashMap<String, Turn>>);

impl ContendedTables {
    /// Waits for the turn on each of these tables that is contended. `Err` names the table whose turn did
    /// not come in time.
    pub(in crate::postgres) async fn turns<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Result<Vec<OwnedMutexGuard<()>>, &'t str> {
        let wanted: Vec<(&str, Turn)> = {
            let contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if contended.is_empty() {
                return Ok(Vec::new());
            }
            let mut tables: Vec<&str> = tables.into_iter().collect();
            // One order for all, so that two operations cannot wait for each other.
            tables.sort_unstable();
            tables.dedup();
            tables
                .into_iter()
                .filter_map(|table| Some((table, Arc::clone(contended.get(table)?))))
                .collect()
        };
        let mut turns = Vec::new();
        for (table, turn) in wanted {
            match tokio::time::timeout(LOCK_TIMEOUT, turn.lock_owned()).await {
                Ok(turn) => turns.push(turn),
                Err(_) => return Err(table),
            }
        }
        Ok(turns)
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

    /// A statement waited too long for the lock of this table.
    pub(in crate::postgres) fn insert(&self, table: &str) {
        let mut contended = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        contended.entry(table.to_owned()).or_default();
    }

    /// These tables were written: nobody has locked them.
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
        let free = tables.turns(["customers"]).await;
        assert!(free.is_ok_and(|turns| turns.is_empty()), "nothing is contended");
        tables.insert("customers");
        assert_eq!(tables.count(["invoices", "customers", "customers"].into_iter()), 1);
        let first = tables.turns(["invoices", "customers", "customers"]).await.expect("a turn");
        assert_eq!(first.len(), 1);
        assert_eq!(tables.turns(["customers"]).await.err(), Some("customers"));
        assert!(tables.turns(["invoices"]).await.is_ok_and(|turns| turns.is_empty()));
        drop(first);
        tables.remove(["customers"]);
        assert!(tables.turns(["customers"]).await.is_ok_and(|turns| turns.is_empty()));
    }
}
