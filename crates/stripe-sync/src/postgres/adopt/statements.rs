//! The SQL that converts one table of the other engine to this engine's definition. Pure;
//! `tests/it/adopt` runs it.

use super::dependents::IncomingKey;
use super::plan::{TablePlan, is_dropped};
use super::survey::Constraint;
use super::terms::AdoptionTarget;
use crate::catalog::SqlType;
use crate::postgres::names::{literal, quote};
use crate::postgres::schema::ddl;

/// Changes the columns and keys of a table in one `alter table`, so that it is rewritten once.
///
/// A stamp in the future would take precedence over every later state of the object, so it is set
/// to the current time.
pub(super) fn reshape(
    plan: &TablePlan<'_>,
    keys: &[Constraint],
    terms: &AdoptionTarget<'_>,
) -> String {
    let table = terms.names.table(&plan.found.table.name);
    let mut actions = Vec::new();
    for key in keys {
        if is_dropped(plan.found, key) {
            actions.push(format!("drop constraint {}", quote(&key.name)));
        }
    }
    for (column, to) in &plan.retyped {
        let column = quote(column);
        actions.push(format!("alter column {column} type {to} using {column}::{to}"));
    }
    for column in &plan.nullable {
        actions.push(format!("alter column {} drop not null", quote(column)));
    }
    for column in &plan.no_default {
        actions.push(format!("alter column {} drop default", quote(column)));
    }
    for column in &plan.added {
        actions.push(format!(
            "add column {} {}",
            quote(&column.name),
            ddl::column_type(column.sql, terms.lz4)
        ));
    }
    let has = |name: &str| plan.found.columns.iter().find(|c| c.name == name);
    if has("last_synced_at").is_some() {
        actions.push(
            "alter column last_synced_at type timestamptz \
             using case when last_synced_at > now() then now() else last_synced_at end"
                .to_owned(),
        );
    } else {
        actions.push("add column last_synced_at timestamptz".to_owned());
    }
    match has("updated_at") {
        None => actions.push("add column updated_at timestamptz not null default now()".to_owned()),
        Some(column) => {
            if !column.not_null {
                actions.push(
                    "alter column updated_at type timestamptz using coalesce(updated_at, now())"
                        .to_owned(),
                );
                actions.push("alter column updated_at set not null".to_owned());
            }
            actions.push("alter column updated_at set default now()".to_owned());
        }
    }
    if has("_extra").is_none() {
        actions.push(format!("add column _extra {}", ddl::column_type(SqlType::Jsonb, terms.lz4)));
    }
    actions
        .push(format!("add column _account_id text not null default {}", literal(terms.account)));
    actions.push("add primary key (id, _account_id)".to_owned());
    if plan.unique_id {
        actions.push("add unique (id)".to_owned());
    }
    actions.push(format!("set ({})", ddl::STORAGE));
    let mut sql = String::new();
    for trigger in &plan.found.updated_at_triggers {
        sql.push_str(&format!("drop trigger if exists {} on {table};\n", quote(trigger)));
    }
    sql.push_str(&format!("alter table {table}\n  {};\n", actions.join(",\n  ")));
    if plan.found.key_is_replica_identity {
        sql.push_str(&format!("alter table {table} replica identity default;\n"));
    }
    // Existing rows keep the value. New rows have to specify their account.
    sql.push_str(&format!("alter table {table} alter column _account_id drop default;\n"));
    sql
}

/// Gives plain indexes our names, so that no index is built twice.
pub(super) fn rename_indexes(plan: &TablePlan<'_>, terms: &AdoptionTarget<'_>) -> String {
    let table = plan.found.table;
    let parent = table.parent.iter().map(|p| &p.column);
    let mut sql = String::new();
    for column in table.indexes.iter().chain(parent) {
        let Some((_, index)) = plan.found.plain_indexes.iter().find(|(c, _)| c == column) else {
            continue;
        };
        let ours = terms.names.index(&table.name, column);
        if quote(index) != ours {
            sql.push_str(&format!(
                "alter index {}.{} rename to {ours};\n",
                terms.names.quoted_schema(),
                quote(index)
            ));
        }
    }
    sql
}

pub(super) fn drop_incoming(key: &IncomingKey) -> String {
    format!("alter table {} drop constraint if exists {};\n", key.from_sql, quote(&key.name))
}

/// Whether a key is recreated without checking existing rows, so that its table is locked only
/// briefly. PostgreSQL before 18 cannot do that on a partitioned table.
pub(super) fn is_recreated_unchecked(key: &IncomingKey) -> bool {
    key.validated && !key.partitioned
}

/// Recreates a key. The definition of a key that was never validated already contains `not valid`.
pub(super) fn add_incoming(key: &IncomingKey) -> String {
    let (table, name) = (&key.from_sql, quote(&key.name));
    let not_valid = if is_recreated_unchecked(key) { " not valid" } else { "" };
    let mut sql =
        format!("alter table {table} add constraint {name} {}{not_valid};\n", key.definition);
    if let Some(comment) = &key.comment {
        sql.push_str(&format!(
            "comment on constraint {name} on {table} is {};\n",
            literal(comment)
        ));
    }
    sql
}

/// Checks existing rows without blocking readers and writers of the other table.
pub(super) fn validate_incoming(key: &IncomingKey) -> String {
    format!("alter table {} validate constraint {};\n", key.from_sql, quote(&key.name))
}
