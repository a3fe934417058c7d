//! The statements for the rows of one table, built once per table and schema.
//!
//! All take the same parameters: one array per column of the catalog, `_extra`,
//! `last_synced_at`, and the account.

use super::event_statements::{self, EventSql};
use crate::catalog::{Removed, SqlType, Table};
use crate::order::sql as order_sql;
use crate::postgres::names::{Names, literal, quote};

/// SQL text per table.
pub(super) struct Sql {
    /// Inserts, and overwrites rows whose content differs and whose stamp is certainly older.
    pub(super) upsert: String,
    /// Advances the stamp of rows that show the same content as the observation.
    pub(super) advance_equal: String,
    /// Finds rows whose content differs from the observation, with both stamps and the database's
    /// clock, so that the ordering rule decides which ones are uncertain. A row that this
    /// transaction wrote differs only through a user's trigger.
    pub(super) differing: String,
    /// Advances the stamp of rows that are still behind, because a user's trigger changes what is
    /// inserted and the row already shows the result.
    pub(super) advance_changed_by_trigger: String,
    /// Counts rows that should exist with this stamp and do not: a user's trigger or rule dropped
    /// them without an error.
    pub(super) missing_after_upsert: String,
    /// Finds items that have the id of an item of another parent. Only for the items of nested
    /// lists.
    pub(super) of_another_parent: Option<String>,
    /// Overwrites one row whose stamp is the expected one.
    pub(super) replace: String,
    /// Finds observations that a tombstone covers: the id, and whether the object was observed
    /// after the deletion, or the deletion has a time too far in the future to be valid.
    pub(super) tombstoned: String,
    pub(super) event: EventSql,
}

pub(super) fn write(table: &Table, names: &Names) -> Sql {
    let name = names.table(&table.name);
    let columns: Vec<String> = table.columns.iter().map(|c| quote(&c.name)).collect();
    let content: Vec<&str> =
        columns.iter().map(String::as_str).filter(|c| *c != "\"id\"").chain(["_extra"]).collect();
    let source = unnest(table);
    let account = format!("${}", table.columns.len() + 3);
    let stored = list(&content, "t.");
    let incoming = list(&content, "excluded.");
    let is_newer = |observed: &str| match table.parent {
        Some(_) => order_sql::item_is_newer("t.last_synced_at", observed),
        None => order_sql::is_newer("t.last_synced_at", observed),
    };
    let select: Vec<String> =
        columns.iter().map(|c| format!("e.{c}")).chain(["e._extra".to_owned()]).collect();
    let insertable = format!(
        "{}{}",
        not_tombstoned(table, names, &account, "id"),
        parent_is_not_newer(table, names, &account)
    );
    let set_from = |from: &str| {
        content.iter().map(|c| format!("{c} = {from}{c}")).collect::<Vec<_>>().join(", ")
    };
    // A row stays with its parent.
    let same_parent = |observed: &str| match is_of_another_parent(table, observed) {
        Some(other) => format!("\nand ({other}) is not true"),
        None => String::new(),
    };
    let upsert = format!(
        "insert into {name} as t ({cols}, _extra, _account_id, last_synced_at)
select {select}, {account}, e.last_synced_at from {source}
where {insertable}
on conflict (id, _account_id) do update set {set}, last_synced_at = excluded.last_synced_at, updated_at = now()
where (t.last_synced_at is null or {is_newer})
and ({stored}) is distinct from ({incoming}){same_parent}",
        same_parent = same_parent("excluded"),
        cols = columns.join(", "),
        select = select.join(", "),
        set = set_from("excluded."),
        is_newer = is_newer("excluded.last_synced_at"),
    );
    let joined = format!("t.id = e.\"id\" and t._account_id = {account}");
    let observed = list(&content, "e.");
    let advance_equal = format!(
        "update {name} t set last_synced_at = e.last_synced_at from {source}
where {joined} and (t.last_synced_at is null or t.last_synced_at < e.last_synced_at) and ({stored}) is not distinct from ({observed})"
    );
    let differing = format!(
        "select t.id, t.last_synced_at, e.last_synced_at, now() from {name} t join {source} on {joined}
where t.last_synced_at is not null and ({stored}) is distinct from ({observed})
and not (t.last_synced_at = e.last_synced_at and t.updated_at = now())"
    );
    let behind = match table.parent {
        Some(_) => "t.last_synced_at < e.last_synced_at".to_owned(),
        None => is_newer("e.last_synced_at"),
    };
    let advance_changed_by_trigger = format!(
        "update {name} t set last_synced_at = e.last_synced_at from {source}
where {joined} and (t.last_synced_at is null or {behind})
and {insertable}{}",
        same_parent("e")
    );
    let missing_after_upsert = format!(
        "select count(*) from {source} left join {name} t on {joined}
where (t.id is null or t.last_synced_at is null or {behind})
and {insertable}{}",
        same_parent("e")
    );
    let of_another_parent = is_of_another_parent(table, "e").map(|other| {
        format!("select e.\"id\" from {source} join {name} t on {joined}\nwhere {other}")
    });
    let replace = format!(
        "update {name} t set {set}, updated_at = now(),
last_synced_at = greatest(e.last_synced_at, case when t.last_synced_at <= now() + {future_limit} \
then t.last_synced_at + interval '1 microsecond' end)
from {source} where {joined} and t.last_synced_at is not distinct from ${expected}",
        set = set_from("e."),
        expected = table.columns.len() + 4,
        future_limit = order_sql::future_limit(),
    );
    let tombstoned = format!(
        "select e.\"id\", e.last_synced_at > {deleted_at} or d.deleted_at > now() + {limit} from {source} join {tombstones} d \
         on d.table_name = {table_name} and d.account_id = {account} and d.id = e.\"id\"
where {covers}",
        deleted_at = order_sql::not_in_future("d.deleted_at"),
        limit = order_sql::future_limit(),
        tombstones = names.table("_tombstones"),
        table_name = literal(&table.name),
        covers = tombstone_covers(table),
    );
    Sql {
        event: event_statements::write(table, names, &arrays(table)),
        tombstoned,
        upsert,
        advance_equal,
        differing,
        advance_changed_by_trigger,
        missing_after_upsert,
        of_another_parent,
        replace,
    }
}

/// The stored row `t` is an item of another parent, and has not left its list.
fn is_of_another_parent(table: &Table, observed: &str) -> Option<String> {
    let parent = table.parent.as_ref()?;
    let column = quote(&parent.column);
    let is_in_list = match parent.removed {
        Removed::Mark => " and t.deleted is not true",
        Removed::Delete => "",
    };
    Some(format!("t.{column} <> {observed}.{column}{is_in_list}"))
}

/// The tombstone `d` covers the observation `e`.
fn tombstone_covers(table: &Table) -> String {
    let deleted_at = order_sql::not_in_future("d.deleted_at");
    order_sql::tombstone_covers(&deleted_at, "e.last_synced_at", table.custom_ids)
}

/// No tombstone covers the observation.
fn not_tombstoned(table: &Table, names: &Names, account: &str, id_column: &str) -> String {
    format!(
        "not exists (select 1 from {tombstones} d where d.table_name = {table_name} \
         and d.account_id = {account} and d.id = e.{id_column} and {covers})",
        tombstones = names.table("_tombstones"),
        table_name = literal(&table.name),
        id_column = quote(id_column),
        covers = tombstone_covers(table),
    )
}

/// An older observation of the parent, or one of a deleted parent, does not restore an item.
fn parent_is_not_newer(table: &Table, names: &Names, account: &str) -> String {
    let (Some(parent), Some(holder)) = (&table.parent, table.parent_table()) else {
        return String::new();
    };
    format!(
        "\nand not exists (select 1 from {holder_name} p where p.id = e.{column} \
         and p._account_id = {account} and p.last_synced_at > e.last_synced_at)\nand {not_tombstoned}",
        holder_name = names.table(&holder.name),
        column = quote(&parent.column),
        not_tombstoned = not_tombstoned(holder, names, account, &parent.column),
    )
}

/// The parameters as a row set named `e`.
fn unnest(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|c| quote(&c.name)).collect();
    format!(
        "unnest({}) as e({}, _extra, last_synced_at)",
        arrays(table).join(", "),
        columns.join(", ")
    )
}

/// The parameters with their types: one array per column, `_extra` and `last_synced_at`.
fn arrays(table: &Table) -> Vec<String> {
    let count = table.columns.len();
    let mut arrays: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| match c.sql {
            // Digits are sent as text.
            SqlType::Numeric => format!("${}::text[]::numeric[]", i + 1),
            other => format!("${}::{}[]", i + 1, other.as_str()),
        })
        .collect();
    arrays.push(format!("${}::jsonb[]", count + 1));
    arrays.push(format!("${}::timestamptz[]", count + 2));
    arrays
}

fn list(columns: &[&str], prefix: &str) -> String {
    columns.iter().map(|c| format!("{prefix}{c}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn statements_of_a_small_table() {
        let names = Names::new("stripe", "").expect("names");
        let table = Catalog::get().table("exchange_rates").expect("table");
        let sql = write(table, &names);
        insta::assert_snapshot!(
            "statements",
            [
                sql.upsert,
                sql.advance_equal,
                sql.differing,
                sql.advance_changed_by_trigger,
                sql.missing_after_upsert,
                sql.replace,
                sql.tombstoned
            ]
            .join("\n\n")
        );
    }
}
