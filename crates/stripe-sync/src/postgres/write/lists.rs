//! Nested lists that were read to their end: stored items that are not in them have left the list
//! and are removed or marked.

use std::collections::BTreeMap;
use std::time::SystemTime;

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::quarantine;
use super::request::CompleteList;
use super::upsert::Statements;
use crate::catalog::{Removed, Table};
use crate::postgres::error::PostgresError;
use crate::postgres::names::{literal, quote};

/// The lists, as parameters.
const LISTS: &str = "unnest($1::text[], $2::timestamptz[]) as l(parent, stamp)";

/// Removes, or marks as deleted, the items that left their lists: one statement per table of items.
pub(super) async fn remove_missing(
    transaction: &Transaction<'_>,
    statements: &Statements,
    account: &str,
    complete: &[CompleteList],
    nothing_quarantined: bool,
) -> Result<(), PostgresError> {
    let mut by_table: BTreeMap<&str, (&Table, Vec<&str>, Vec<SystemTime>)> = BTreeMap::new();
    for list in complete {
        let (_, parents, stamps) = by_table
            .entry(list.table.name.as_str())
            .or_insert_with(|| (list.table, Vec::new(), Vec::new()));
        parents.push(&list.parent);
        stamps.push(list.stamp.to_system());
    }
    for (table, parents, stamps) in by_table.into_values() {
        let duplicates = (!nothing_quarantined).then(|| duplicates_removal(table, statements));
        for sql in removal(table, statements).into_iter().chain(duplicates) {
            transaction
                .execute_typed(
                    &sql,
                    &[
                        (&parents, Type::TEXT_ARRAY),
                        (&stamps, Type::TIMESTAMPTZ_ARRAY),
                        (&account, Type::TEXT),
                    ],
                )
                .await
                .map_err(|e| {
                    PostgresError::new(format!("cannot remove items from {}", table.name), &e)
                })?;
        }
    }
    Ok(())
}

/// Removes quarantined items with the id of another item that left their lists.
fn duplicates_removal(table: &Table, statements: &Statements) -> String {
    format!(
        "delete from {} q using {LISTS} where q.table_name = {} and q.account_id = $3
         and {} and q.seen_at < l.stamp",
        statements.names.table("_quarantine"),
        literal(&table.name),
        quarantine::is_duplicate_of("l.parent"),
    )
}

fn removal(table: &Table, statements: &Statements) -> Option<String> {
    let parent = table.parent.as_ref()?;
    let name = statements.names.table(&table.name);
    // The newest state of a quarantined item is not in its row. The item is still in its list.
    let which = format!(
        "where i.{column} = l.parent and i._account_id = $3
         and (i.last_synced_at is null or i.last_synced_at < l.stamp)
         and not exists (select 1 from {quarantine} q where q.table_name = {literal}
                         and q.account_id = $3 and q.id = i.id)",
        column = quote(&parent.column),
        quarantine = statements.names.table("_quarantine"),
        literal = literal(&table.name),
    );
    Some(match parent.removed {
        Removed::Delete => format!("delete from {name} i using {LISTS} {which}"),
        Removed::Mark => format!(
            "update {name} i set deleted = true, last_synced_at = l.stamp, updated_at = now()
             from {LISTS} {which} and i.deleted is distinct from true"
        ),
    })
}
