//! The tables as DDL. Pure; a snapshot test holds the text.

use std::fmt::Write as _;

use crate::catalog::{Catalog, SqlType, Table};
use crate::postgres::names::{Names, literal, quote};

/// Stamps change more often than rows: room on the page keeps such updates heap-only, and
/// vacuum comes before a fifth of a large table is dead.
pub(in crate::postgres) const STORAGE: &str = "fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, \
                       autovacuum_analyze_scale_factor = 0.05";

/// Every statement that makes a schema from nothing. Each can be repeated.
pub(in crate::postgres) fn create_all(catalog: &Catalog, names: &Names, lz4: bool) -> String {
    let mut out = state(names);
    for table in &catalog.tables {
        out.push_str(&create_table(table, names, lz4));
    }
    out.push_str(&status_view(names));
    out
}

/// One table of rows, with the index that finds a parent's items.
pub(in crate::postgres) fn create_table(table: &Table, names: &Names, lz4: bool) -> String {
    let name = names.table(&table.name);
    let mut out = format!("create table if not exists {name} (\n");
    for column in &table.columns {
        let not_null = if column.name == "id" { " not null" } else { "" };
        let _ = writeln!(out, "  {} {}{not_null},", quote(&column.name), sql(column.sql, lz4));
    }
    let _ = write!(
        out,
        "  _account_id text not null,\n  _extra {},\n  last_synced_at timestamptz,\n  \
         updated_at timestamptz not null default now(),\n  primary key (id, _account_id)\n) \
         with ({STORAGE});\n",
        sql(SqlType::Jsonb, lz4)
    );
    if let Some(parent) = &table.parent {
        let _ = writeln!(
            out,
            "create index if not exists {} on {name} ({});",
            names.index(&table.name, &parent.column),
            quote(&parent.column)
        );
    }
    out
}

/// Gives the columns of `_slices` the names that this version uses. Earlier versions called them
/// `lo`, `hi`, `top` and `bottom`.
pub(in crate::postgres) fn rename_slice_columns(names: &Names) -> String {
    let slices = names.table("_slices");
    let mut out = String::from("do $$ begin\n");
    for (old, new) in [
        ("lo", "created_from"),
        ("hi", "created_before"),
        ("top", "first_created"),
        ("bottom", "cursor_created"),
    ] {
        let _ = writeln!(
            out,
            "if exists (select 1 from pg_catalog.pg_attribute where attrelid = to_regclass({}) \
             and attname = '{old}' and not attisdropped) then\n  \
             alter table {slices} rename column {old} to {new};\nend if;",
            literal(&slices),
        );
    }
    out.push_str("end $$;\n");
    out
}

/// A table of runs that was dropped and made again begins behind the numbers that others know.
pub(in crate::postgres) fn never_number_again(names: &Names) -> String {
    let (runs, streams) = (names.table("_runs"), names.table("_streams"));
    format!(
        "select setval(pg_get_serial_sequence({literal}, 'id'), m.last + 1, false) from (select \
         greatest((select max(run_id) from {streams}), (select max(id) from {runs})) as last) m \
         where m.last is not null;\n",
        literal = literal(&runs),
    )
}

/// Columns that a newer catalog has and an older schema lacks, or that somebody dropped. Nullable
/// or with a constant, so nothing is rewritten.
pub(in crate::postgres) fn add_columns(table: &Table, names: &Names, lz4: bool) -> String {
    let mut columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| format!("add column if not exists {} {}", quote(&c.name), sql(c.sql, lz4)))
        .collect();
    columns.push(format!("add column if not exists _extra {}", sql(SqlType::Jsonb, lz4)));
    columns.push("add column if not exists last_synced_at timestamptz".to_owned());
    columns
        .push("add column if not exists updated_at timestamptz not null default now()".to_owned());
    format!("alter table {} {};\n", names.table(&table.name), columns.join(", "))
}

/// The indexes that are built on a filled table, after the first backfill.
pub(in crate::postgres) fn late_indexes(table: &Table, names: &Names) -> Vec<String> {
    table
        .indexes
        .iter()
        .map(|column| {
            format!(
                "create index if not exists {} on {} ({})",
                names.index(&table.name, column),
                names.table(&table.name),
                quote(column)
            )
        })
        .collect()
}

pub(in crate::postgres) fn sql(sql: SqlType, lz4: bool) -> &'static str {
    match (sql, lz4) {
        (SqlType::Jsonb, true) => "jsonb compression lz4",
        (other, _) => other.as_str(),
    }
}

/// What is known of the schema as a whole: its mode, for one.
pub(in crate::postgres) fn meta(names: &Names) -> String {
    format!(
        "create table if not exists {} (\n  key text primary key,\n  value text not null\n);\n",
        names.table("_meta")
    )
}

/// The engine's own tables: the ledger, tombstones, quarantine, and what was migrated.
fn state(names: &Names) -> String {
    let t = |name: &str| names.table(name);
    format!(
        "{meta}create table if not exists {migrations} (
  catalog_version text primary key,
  migrated_at timestamptz not null default now()
);
create table if not exists {runs} (
  id bigint generated always as identity primary key,
  account_id text not null,
  identity text not null,
  objects text not null,
  range text not null,
  since bigint,
  until bigint,
  catalog_version text not null,
  status text not null default 'running',
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  event_cursor bigint not null
) with (fillfactor = 50);
create index if not exists {runs_identity} on {runs} (identity, id desc);
create table if not exists {streams} (
  run_id bigint not null,
  stream text not null,
  status text not null default 'running',
  part int not null default 0,
  unfiltered boolean not null default false,
  rows bigint not null default 0,
  requests bigint not null default 0,
  message text,
  request_id text,
  updated_at timestamptz not null default now(),
  primary key (run_id, stream)
) with (fillfactor = 50);
create table if not exists {slices} (
  id bigint generated always as identity primary key,
  run_id bigint not null,
  stream text not null,
  part int not null,
  created_from bigint,
  created_before bigint,
  trail jsonb not null default '[]',
  first_created bigint,
  cursor_created bigint,
  rows bigint not null default 0,
  pages bigint not null default 0,
  requests bigint not null default 0,
  restarts int not null default 0,
  seq bigint not null default 0,
  epoch bigint not null default 0,
  owner text,
  lease_until timestamptz
) with (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);
create index if not exists {slices_run} on {slices} (run_id, stream);
create table if not exists {tombstones} (
  table_name text not null,
  account_id text not null,
  id text not null,
  deleted_at timestamptz not null,
  primary key (table_name, account_id, id)
);
create table if not exists {quarantine} (
  table_name text not null,
  account_id text not null,
  id text not null,
  reason text not null,
  sqlstate text,
  request_id text,
  seen_at timestamptz not null,
  object text not null,
  primary key (table_name, account_id, id)
);
",
        meta = meta(names),
        migrations = t("_migrations"),
        runs = t("_runs"),
        runs_identity = names.index("_runs", "identity"),
        streams = t("_streams"),
        slices = t("_slices"),
        slices_run = names.index("_slices", "run"),
        tombstones = t("_tombstones"),
        quarantine = t("_quarantine"),
    )
}

/// One line per stream of every account's latest runs.
fn status_view(names: &Names) -> String {
    format!(
        "create or replace view {view} as
select r.account_id, r.id as run_id, r.status as run_status, r.started_at, r.finished_at,
       r.range, s.stream, s.status, s.unfiltered,
       s.rows + coalesce(sum(l.rows), 0)::bigint as rows,
       s.requests + coalesce(sum(l.requests), 0)::bigint as requests,
       count(l.id) as open_slices, max(l.lease_until) as leased_until,
       s.message, s.request_id, s.updated_at
from {runs} r
join {streams} s on s.run_id = r.id
left join {slices} l on l.run_id = r.id and l.stream = s.stream
group by r.id, s.run_id, s.stream;
",
        view = names.table("sync_status"),
        runs = names.table("_runs"),
        streams = names.table("_streams"),
        slices = names.table("_slices"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddl_of_a_fresh_schema() {
        let names = Names::new("stripe", "").expect("names");
        insta::assert_snapshot!("fresh_schema", create_all(Catalog::get(), &names, false));
    }

    #[test]
    fn ddl_with_a_prefix_and_lz4() {
        let names = Names::new("My Schema", "billing").expect("names");
        let table = Catalog::get().table("subscription_items").expect("table");
        insta::assert_snapshot!("prefixed_table", create_table(table, &names, true));
    }
}
