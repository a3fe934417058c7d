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
    out.push_str(&engine_tables::create_migrations_view(names));
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

/// Adds the columns that a table lacks because an older version created it or a user dropped them;
/// `None` if it lacks none. They are nullable or have a constant default, so the table is not
/// rewritten.
pub(in crate::postgres) fn add_columns(
    table: &Table,
    names: &Names,
    lz4: bool,
    has: impl Fn(&str) -> bool,
) -> Option<String> {
    let system = [
        ("_extra", column_type(SqlType::Jsonb, lz4)),
        ("last_synced_at", "timestamptz"),
        ("updated_at", "timestamptz not null default now()"),
    ];
    let columns = table.columns.iter().map(|c| (c.name.as_str(), column_type(c.sql, lz4)));
    let lacking: Vec<String> = columns
        .chain(system)
        .filter(|(name, _)| !has(name))
        .map(|(name, sql)| format!("add column if not exists {} {sql}", quote(name)))
        .collect();
    (!lacking.is_empty())
        .then(|| format!("alter table {} {}", names.table(&table.name), lacking.join(", ")))
}

/// Of statements that create relations unless they exist, those that create a missing one.
/// The others would lock the table of an existing index.
pub(in crate::postgres) fn missing_only(statements: &str, exists: impl Fn(&str) -> bool) -> String {
    let creates_existing = |statement: &&str| {
        let name = statement.strip_prefix("create ").and_then(|rest| {
            let (_, rest) = rest.split_once(" if not exists ")?;
            last_identifier(rest)
        });
        name.is_some_and(|name| exists(&name))
    };
    statements.split_inclusive(";\n").filter(|statement| !creates_existing(statement)).collect()
}

/// The last part of a qualified name in quotes, at the start of a text.
fn last_identifier(text: &str) -> Option<String> {
    let mut rest = text.strip_prefix('"')?;
    let mut name = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        if let Some(continued) = after.strip_prefix('"') {
            name.push('"');
            rest = continued;
        } else if let Some(next) = after.strip_prefix(".\"") {
            name.clear();
            rest = next;
        } else {
            return Some(name);
        }
    }
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
    fn only_missing_relations_are_created() {
        let names = Names::new("My \"odd\" schema", "").expect("names");
        let all = create_all(Catalog::get(), &names, false);
        let views = [
            engine_tables::create_status_view(&names),
            engine_tables::create_migrations_view(&names),
        ];
        assert_eq!(missing_only(&all, |_| true), views.concat());
        assert_eq!(missing_only(&all, |_| false), all);
        let one = missing_only(&all, |name| name != "coupons");
        assert!(one.starts_with(r#"create table if not exists "My ""odd"" schema"."coupons""#));
    }

    #[test]
    fn only_missing_columns_are_added() {
        let names = Names::new("stripe", "").expect("names");
        let table = Catalog::get().table("coupons").expect("a table");
        assert_eq!(add_columns(table, &names, false, |_| true), None);
        let lacks = |name: &str| name != "percent_off" && name != "_extra";
        let sql = add_columns(table, &names, false, lacks).expect("a statement");
        assert_eq!(sql.matches("add column").count(), 2, "{sql}");
    }

    #[test]
    fn ddl_with_a_prefix_and_lz4() {
        let names = Names::new("My Schema", "billing").expect("names");
        let table = Catalog::get().table("subscription_items").expect("table");
        insta::assert_snapshot!("prefixed_table", create_table(table, &names, true));
    }
}
