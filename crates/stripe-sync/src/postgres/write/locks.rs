//! The advisory locks of a write.
//!
//! Writers share the list of excluded columns, and the lock of each table and account they write to.
//! A change of the list takes its lock alone, and so does a deletion with the table's: two open
//! transactions must not leave both a row and its tombstone. Items are deleted with the object that
//! lists them, so writers of items share that object's table as well. Events take the lock alone
//! because what they do depends on the rows that they find.

use std::collections::BTreeMap;

use super::request::WriteRequest;
use super::upsert::Statements;
use crate::postgres::exclusions::list;

/// One statement that takes every lock of a write, in the order of the keys, so that two writers cannot
/// wait for each other.
pub(in crate::postgres) fn locks(statements: &Statements, request: &WriteRequest<'_>) -> String {
    let names = &statements.names;
    let key = |table: &str| names.table_lock_key(table, request.account);
    // Key and whether it is taken alone.
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
