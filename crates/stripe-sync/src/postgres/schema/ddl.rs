//! The DDL of the data tables. Pure; a snapshot test shows the text.

use std::fmt::Write as _;

use crate::catalog::{Catalog, SqlType, Table};
use crate::postgres::names::{Names, quote};
use crate::postgres::schema::engine_tables;

/// Most updates change only the stamp. The free space keeps them heap-only, and vacuum starts
/// before a fifth of a large table consists of dead rows.
pub(in crate::postgres) const STORAGE: &str = "fillfactor = 90, autovacuum_vacuum_scale_factor = 0.05, \
                       autovacuum_analyze_scale_factor = 0.05";

/// Every statement that creates the tables in an empty schema. All are idempotent.
pub(in crate::postgres) fn create_all(catalog: &Catalog, names: &Names, lz4: bool) -> String {
    let mut out = engine_tables::create_tables(names);
    for table in &catalog.tables {
        out.push_str(&create_table(table, names, lz4));
    }
    out.push_str(&engine_tables::create_status_view(names));
    out
}

/// A table of rows, with the index that finds the items of a parent.
fn create_table(table: &Table, names: &Names, lz4: bool) -> String {
    let name = names.table(&table.name);
    let mut out = format!("create table if not exists {name} (\n");
    for column in &table.columns {
        let not_null = if column.name == "id" { " not null" } else { "" };
        let _ =
            writeln!(out, "  {} {}{not_null},", quote(&column.name), column_type(column.sql, lz4));
    }
    let _ = write!(
        out,
        "  _account_id text not null,\n  _extra {},\n  last_synced_at timestamptz,\n  \
         updated_at timestamptz not null default now(),\n  primary key (id, _account_id)\n) \
         with ({STORAGE});\n",
        column_type(SqlType::Jsonb, lz4)
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

/// Adds the columns that a table lacks because an older version created it or a user dropped them.
/// They are nullable or have a constant default, so the table is not rewritten.
pub(in crate::postgres) fn add_columns(table: &Table, names: &Names, lz4: bool) -> String {
    let mut columns: Vec<String> = table
        .columns
        .iter()
        .map(|c| format!("add column if not exists {} {}", quote(&c.name), column_type(c.sql, lz4)))
        .collect();
    columns.push(format!("add column if not exists _extra {}", column_type(SqlType::Jsonb, lz4)));
    columns.push("add column if not exists last_synced_at timestamptz".to_owned());
    columns
        .push("add column if not exists updated_at timestamptz not null default now()".to_owned());
    format!("alter table {} {};\n", names.table(&table.name), columns.join(", "))
}

/// The indexes that are created on a filled table, after the first backfill.
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

/// The type of a column, with its compression.
pub(in crate::postgres) fn column_type(sql: SqlType, lz4: bool) -> &'static str {
    match (sql, lz4) {
        (SqlType::Jsonb, true) => "jsonb compression lz4",
        (other, _) => other.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddl_of_an_empty_schema() {
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
