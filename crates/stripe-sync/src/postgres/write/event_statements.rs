//! The statements that apply events to the rows of one table.
//!
//! All take the parameters of an upsert, followed by an array of bit strings that mark the columns
//! an event carries, and an array of the keys of its properties as JSON arrays.

use crate::catalog::Table;
use crate::order::sql as order_sql;
use crate::postgres::names::{Names, literal, quote};

/// SQL text of one table.
pub(super) struct EventSql {
    /// What is known about each object: whether it has a row, its stamp, whether the row shows all
    /// that the event says, whether it is marked as deleted, when its tombstone says it was
    /// deleted, the database's clock, and when the objects of the row and of the event were created if
    /// users choose their ids.
    pub(super) state: String,
    /// Overwrites what the events carry and keeps the rest.
    pub(super) merge: String,
}

/// `arrays` are the parameters of an upsert with their types.
pub(super) fn write(table: &Table, names: &Names, arrays: &[String]) -> EventSql {
    let name = names.table(&table.name);
    let count = arrays.len();
    let account = format!("${}", count + 1);
    let columns: Vec<String> = table.columns.iter().map(|column| quote(&column.name)).collect();
    let source = format!(
        "unnest({}, ${}::bytea[], ${}::text[]) as e({}, _extra, last_synced_at, _present, _keys)",
        arrays.join(", "),
        count + 2,
        count + 3,
        columns.join(", "),
    );
    let content = columns.iter().enumerate().filter(|(_, column)| *column != "\"id\"");
    let kept: Vec<String> = content
        .clone()
        .map(|(place, column)| {
            format!(
                "(get_bit(e._present, {place}) = 0 or t.{column} is not distinct from e.{column})"
            )
        })
        .collect();
    let sets: Vec<String> = content
        .map(|(place, column)| {
            format!("{column} = case when get_bit(e._present, {place}) = 1 then e.{column} else t.{column} end")
        })
        .collect();
    // Values that no column holds: those of the event's properties are replaced, the others are
    // kept.
    let extra = "case when t._extra is null then e._extra else nullif((t._extra - array(select \
         jsonb_array_elements_text(e._keys::jsonb))) || coalesce(e._extra, '{}'), '{}') end";
    let same = format!("({} and t._extra is not distinct from {extra})", kept.join(" and "));
    let joined = format!("t.id = e.\"id\" and t._account_id = {account}");
    let marked = match table.marks_deleted() {
        true => "coalesce(t.deleted, false)",
        false => "false",
    };
    // Another value means that the id was used again. An absent one is null in the source.
    let created = match table.custom_ids && columns.iter().any(|column| column == "\"created\"") {
        true => "t.created, e.created",
        false => "null::bigint, null::bigint",
    };
    let state = format!(
        "select e.\"id\", t.id is not null, t.last_synced_at, t.id is not null and {same}, {marked},
  {deleted_at}, now(), {created}
from {source}
left join {name} t on {joined}
left join {tombstones} d on d.table_name = {table_name} and d.account_id = {account} and d.id = e.\"id\"",
        deleted_at = order_sql::not_in_future("d.deleted_at"),
        tombstones = names.table("_tombstones"),
        table_name = literal(&table.name),
    );
    let merge = format!(
        "update {name} t set {}, _extra = {extra}, last_synced_at = e.last_synced_at,
updated_at = case when {same} then t.updated_at else now() end
from {source} where {joined}
returning t.id",
        sets.join(", "),
    );
    EventSql { state, merge }
}
