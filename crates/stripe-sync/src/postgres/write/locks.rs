//! The advisory locks of a write.
//!
//! Writers take shared locks for the list of excluded columns, and for each table and account they
//! write to. A change of the list takes its lock exclusively. A deletion takes the table's lock
//! exclusively, so that two transactions cannot leave both a row and its tombstone. Items are
//! deleted with the object that lists them, so writers of items also share the lock of that
//! object's table. Events take the lock exclusively because their effect depends on the stored
//! rows.

use std::collections::BTreeMap;

use super::request::WriteRequest;
use super::upsert::Statements;
use crate::postgres::exclusions::list;

/// One statement that takes every lock of a write, in the order of the keys, so that two writers
/// cannot wait for each other.
pub(in crate::postgres) fn locks(statements: &Statements, request: &WriteRequest<'_>) -> String {
    let names = &statements.names;
    let key = |table: &str| names.table_lock_key(table, request.account);
    // The key, and whether the lock is exclusive.
    let mut keys: BTreeMap<i64, bool> = BTreeMap::from([(list::lock_key(names), false)]);
    let replaced = request.replacements.iter().map(|replacement| replacement.table);
    for table in request.batches.iter().map(|batch| batch.table).chain(replaced) {
        for table in [Some(table), table.parent_table()].into_iter().flatten() {
            keys.entry(key(&table.name)).or_insert(false);
        }
    }
    let items = request.events.iter().flat_map(|change| &change.items);
    for batch in items {
        keys.entry(key(&batch.table.name)).or_insert(false);
    }
    let deleted = request.deletions.iter().map(|deletion| deletion.table);
    for table in deleted.chain(request.events.iter().map(|change| change.table)) {
        keys.insert(key(&table.name), true);
    }
    let calls: Vec<String> = keys
        .iter()
        .map(|(key, alone)| match alone {
            true => format!("pg_advisory_xact_lock({key})"),
            false => format!("pg_advisory_xact_lock_shared({key})"),
        })
        .collect();
    format!("select {}", calls.join(", "))
}
