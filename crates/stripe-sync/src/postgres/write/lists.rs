//! Applies nested lists that were read to their end: stored items that are no longer in the list
//! are removed or marked as deleted.

use std::collections::BTreeMap;
use std::time::SystemTime;

use tokio_postgres::types::Type;

use super::quarantine;
use super::removal::{KEYS, Removal};
use super::remover::Remover;
use super::request::CompleteList;
use super::upsert::Statements;
use crate::catalog::{Removed, Table};
use crate::postgres::error::PostgresError;
use crate::postgres::names::{literal, quote};

/// Removes, or marks as deleted, the items that left their lists: one statement per table of items.
/// Returns the rows that the server refused to remove, as table and id.
pub(super) async fn remove_missing(
    remover: &Remover<'_>,
    complete: &[CompleteList],
    nothing_quarantined: bool,
) -> Result<Vec<(&'static str, String)>, PostgresError> {
    let Remover { transaction, statements, account, .. } = *remover;
    let mut by_table: BTreeMap<&str, (&'static Table, Vec<&str>, Vec<SystemTime>)> =
        BTreeMap::new();
    for list in complete {
        let (_, parents, stamps) = by_table
            .entry(list.table.name.as_str())
            .or_insert_with(|| (list.table, Vec::new(), Vec::new()));
        parents.push(&list.parent);
        stamps.push(list.stamp.to_system());
    }
    let mut kept = Vec::new();
    for (table, parents, stamps) in by_table.into_values() {
        if let Some(removal) = removal(table, statements) {
            let removed = remover.remove(&removal, &parents, &stamps).await?;
            if !removed.ids.is_empty() && !nothing_quarantined {
                let ids: Vec<&str> = removed.ids.iter().map(String::as_str).collect();
                quarantine::remove(transaction, statements, table, &ids, account).await?;
            }
            kept.extend(removed.kept);
        }
        if !nothing_quarantined {
            transaction
                .execute_typed(
                    &duplicates_removal(table, statements),
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
    Ok(kept)
}

/// Removes quarantined duplicates (items with the id of another item) that left their lists.
fn duplicates_removal(table: &Table, statements: &Statements) -> String {
    format!(
        "delete from {} q using {KEYS} where q.table_name = {} and q.account_id = $3
         and {} and q.seen_at < e.stamp",
        statements.names.table("_quarantine"),
        literal(&table.name),
        quarantine::is_duplicate_of("e.key"),
    )
}

fn removal(table: &'static Table, statements: &Statements) -> Option<Removal> {
    let parent = table.parent.as_ref()?;
    let column = quote(&parent.column);
    let mark = parent.removed == Removed::Mark;
    let is_marked = if mark { " and t.deleted is distinct from true" } else { "" };
    // An item that this read quarantined is in its list, although its row has an older stamp. Its
    // entry can have the name of an item that has the id of another item.
    let condition = format!(
        "(t.last_synced_at is null or t.last_synced_at < e.stamp){is_marked}
         and not exists (select 1 from {quarantine} q where q.table_name = {literal}
                         and q.account_id = $3 and q.id in (t.id, {duplicate})
                         and q.seen_at >= e.stamp)",
        duplicate = quarantine::duplicate_name_sql("t.id", &format!("t.{column}")),
        quarantine = statements.names.table("_quarantine"),
        literal = literal(&table.name),
    );
    Some(Removal {
        table,
        doing: "cannot remove items from",
        why: "the item left its list",
        column,
        condition,
        mark,
    })
}
