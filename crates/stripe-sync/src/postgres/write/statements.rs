//! The statements of one table's rows, written once per table and schema.
//!
//! All take the same parameters: one array per column of the catalog, `_extra`,
//! `last_synced_at`, and the account.

use crate::catalog::{SqlType, Table};
use crate::order::{AHEAD_MICROS, CLOSE_MICROS};
use crate::postgres::names::{Names, literal, quote};

/// SQL text per table.
pub(in crate::postgres) struct Sql {
    /// Inserts, and overwrites rows whose content differs and whose stamp is certainly older.
    pub(in crate::postgres) upsert: String,
    /// Advances the stamp of rows that show the same content as the observation.
    pub(in crate::postgres) stamp: String,
    /// Finds rows of differing content whose stamps are too close to order them. A row that this very
    /// transaction has written differs only by what a trigger of the user's made of it.
    pub(in crate::postgres) uncertain: String,
    /// Advances the stamp of rows that are still behind: a trigger of the user's makes something else
    /// of what is inserted, and the row shows that already.
    pub(in crate::postgres) follow: String,
    /// Counts rows that should be there with this stamp and are not: something of the user's, such
    /// as a trigger or a rule, has dropped them without a word.
    pub(in crate::postgres) swallowed: String,
    /// Overwrites one row that has not moved since it was looked at.
    pub(in crate::postgres) replace: String,
}

pub(in crate::postgres) fn write(table: &Table, names: &Names) -> Sql {
    let name = names.table(&table.name);
    let columns: Vec<String> = table.columns.iter().map(|c| quote(&c.name)).collect();
    let content: Vec<&str> =
        columns.iter().map(String::as_str).filter(|c| *c != "\"id\"").chain(["_extra"]).collect();
    let source = unnest(table);
    let account = format!("${}", table.columns.len() + 3);
    let stored = list(&content, "t.");
    let incoming = list(&content, "excluded.");
    let close = format!("interval '{CLOSE_MICROS} microseconds'");
    let ahead = format!("interval '{AHEAD_MICROS} microseconds'");
    // The items of a nested list follow their parent, whose order has been settled.
    let older = match table.parent {
        Some(_) => "t.last_synced_at <= excluded.last_synced_at".to_owned(),
        None => format!("t.last_synced_at <= excluded.last_synced_at - {close}"),
    };
    let select: Vec<String> =
        columns.iter().map(|c| format!("e.{c}")).chain(["e._extra".to_owned()]).collect();
    let not_deleted = not_buried(table, names, &account, "id");
    let of_a_living_parent = of_a_living_parent(table, names, &account);
    let set_from = |from: &str| {
        content.iter().map(|c| format!("{c} = {from}{c}")).collect::<Vec<_>>().join(", ")
    };
    let upsert = format!(
        "insert into {name} as t ({cols}, _extra, _account_id, last_synced_at)
select {select}, {account}, e.last_synced_at from {source}
where {not_deleted}{of_a_living_parent}
on conflict (id, _account_id) do update set {set}, last_synced_at = excluded.last_synced_at, updated_at = now()
where (t.last_synced_at is null or {older})
and ({stored}) is distinct from ({incoming})",
        cols = columns.join(", "),
        select = select.join(", "),
        set = set_from("excluded."),
    );
    let joined = format!("t.id = e.\"id\" and t._account_id = {account}");
    let ours = list(&content, "e.");
    let stamp = format!(
        "update {name} t set last_synced_at = e.last_synced_at from {source}
where {joined} and (t.last_synced_at is null or t.last_synced_at < e.last_synced_at) and ({stored}) is not distinct from ({ours})"
    );
    let uncertain = format!(
        "select t.id, t.last_synced_at from {name} t join {source} on {joined}
where t.last_synced_at > e.last_synced_at - {close}
and (t.last_synced_at < e.last_synced_at + {close} or t.last_synced_at > now() + {ahead})
and ({stored}) is distinct from ({ours})
and not (t.last_synced_at = e.last_synced_at and t.updated_at = now())"
    );
    let behind = match table.parent {
        Some(_) => "t.last_synced_at < e.last_synced_at".to_owned(),
        None => format!("t.last_synced_at <= e.last_synced_at - {close}"),
    };
    let follow = format!(
        "update {name} t set last_synced_at = e.last_synced_at from {source}
where {joined} and (t.last_synced_at is null or {behind})
and {not_deleted}{of_a_living_parent}"
    );
    let swallowed = format!(
        "select count(*) from {source} left join {name} t on {joined}
where (t.id is null or t.last_synced_at is null or {behind})
and {not_deleted}{of_a_living_parent}"
    );
    let replace = format!(
        "update {name} t set {set}, updated_at = now(),
last_synced_at = greatest(e.last_synced_at, t.last_synced_at + interval '1 microsecond')
from {source} where {joined} and t.last_synced_at is not distinct from ${seen}",
        set = set_from("e."),
        seen = table.columns.len() + 4,
    );
    Sql { upsert, stamp, uncertain, follow, swallowed, replace }
}

/// No tombstone covers the observation.
///
/// An id of the user's own choice can be used again in a later second. Any other never is, but a
/// 404 can be wrong for a moment (FACTS 5), so even there a much later list is believed.
fn not_buried(table: &Table, names: &Names, account: &str, id_column: &str) -> String {
    let silence = if table.custom_ids { "1 second" } else { "60 seconds" };
    format!(
        "not exists (select 1 from {tombstones} d where d.table_name = {table_name} \
         and d.account_id = {account} and d.id = e.{id_column} \
         and d.deleted_at + interval '{silence}' > e.last_synced_at)",
        tombstones = names.table("_tombstones"),
        table_name = literal(&table.name),
        id_column = quote(id_column),
    )
}

/// An item does not come back out of an older reading of its parent, nor of a deleted one.
fn of_a_living_parent(table: &Table, names: &Names, account: &str) -> String {
    let (Some(parent), Some(above)) = (&table.parent, table.holder()) else {
        return String::new();
    };
    format!(
        "\nand not exists (select 1 from {above_name} p where p.id = e.{column} \
         and p._account_id = {account} and p.last_synced_at > e.last_synced_at)\nand {not_buried}",
        above_name = names.table(&above.name),
        column = quote(&parent.column),
        not_buried = not_buried(above, names, account, &parent.column),
    )
}

/// The parameters as a row set named `e`.
fn unnest(table: &Table) -> String {
    let count = table.columns.len();
    let mut arrays: Vec<String> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, c)| match c.sql {
            // The digits travel as text.
            SqlType::Numeric => format!("${}::text[]::numeric[]", i + 1),
            other => format!("${}::{}[]", i + 1, other.as_str()),
        })
        .collect();
    arrays.push(format!("${}::jsonb[]", count + 1));
    arrays.push(format!("${}::timestamptz[]", count + 2));
    let columns: Vec<String> = table.columns.iter().map(|c| quote(&c.name)).collect();
    format!("unnest({}) as e({}, _extra, last_synced_at)", arrays.join(", "), columns.join(", "))
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
            [sql.upsert, sql.stamp, sql.uncertain, sql.follow, sql.swallowed, sql.replace]
                .join("\n\n")
        );
    }
}
