//! Plans the change of each table, or names everything that prevents it. Pure.

use super::legacy;
use super::retype::{Retype, retype, target_type};
use super::survey::{Constraint, FoundTable, Survey};
use crate::catalog::Column;

/// The change of one table.
pub(super) struct TablePlan<'a> {
    pub(super) found: &'a FoundTable,
    /// Columns and their new types.
    pub(super) retyped: Vec<(&'a str, &'static str)>,
    /// Enum types that become text, as SQL.
    pub(super) became_text: Vec<String>,
    /// Columns that lose `not null`.
    pub(super) nullable: Vec<&'a str>,
    /// Columns that lose their default. Ours have none, because every insert names all columns.
    pub(super) no_default: Vec<&'a str>,
    /// Columns that the table lacks.
    pub(super) added: Vec<&'static Column>,
    /// A foreign key of another table needs `id` to be unique on its own.
    pub(super) unique_id: bool,
}

/// A plan for each table that is not adopted yet, or every obstacle.
pub(super) fn plan_tables(survey: &Survey) -> Result<Vec<TablePlan<'_>>, Vec<String>> {
    let mut obstacles = Vec::new();
    let mut plans = Vec::new();
    for found in &survey.tables {
        if let Some(obstacle) = unsuitable(found) {
            obstacles.push(obstacle);
            continue;
        }
        if !is_adopted(found) {
            plans.push(plan_table(found, survey, &mut obstacles));
        }
    }
    obstacles.extend(survey.others.iter().cloned());
    if obstacles.is_empty() { Ok(plans) } else { Err(obstacles) }
}

/// Whether a table has been adopted: tables of the other engine have neither `_extra` nor this key.
fn is_adopted(found: &FoundTable) -> bool {
    let has = |name: &str| found.columns.iter().any(|c| c.name == name);
    has("_extra") && primary_key(found).is_some_and(|key| key.columns == ["id", "_account_id"])
}

/// Whether a constraint is dropped.
pub(super) fn is_dropped(found: &FoundTable, constraint: &Constraint) -> bool {
    match constraint.kind {
        'p' | 'f' => true,
        _ => legacy::has_unique_constraint(&found.table.name, &constraint.columns),
    }
}

fn primary_key(found: &FoundTable) -> Option<&Constraint> {
    found.constraints.iter().find(|c| c.kind == 'p')
}

/// Why a table cannot be adopted as a whole, if it cannot.
fn unsuitable(found: &FoundTable) -> Option<String> {
    let name = &found.table.name;
    let kind = match found.kind {
        'r' => None,
        'p' => Some("a partitioned table"),
        'v' => Some("a view"),
        'm' => Some("a materialized view"),
        _ => Some("a foreign table"),
    };
    let why = match kind {
        Some(kind) => format!("is {kind}"),
        None if is_adopted(found) => return None,
        None if !legacy::TABLES.contains(&name.as_str()) => {
            "is not one of that engine's tables".to_owned()
        }
        None if found.columns.iter().any(|c| c.name == "_raw_data") => {
            "has generated columns, which engines later than 0.48 create".to_owned()
        }
        None if primary_key(found).is_none_or(|key| key.columns != ["id"]) => {
            "has a primary key other than (id)".to_owned()
        }
        // Every version of that engine creates this column.
        None if !found.columns.iter().any(|c| c.name == "object") => {
            "has no column object, which all tables of that engine have".to_owned()
        }
        None if !found.standalone => "is part of an inheritance or partition tree".to_owned(),
        None if found.forces_row_security => "forces row security on its owner".to_owned(),
        None if !found.may_alter => {
            format!("belongs to the role {} (migrate as that role)", found.owner)
        }
        None => return None,
    };
    Some(format!("table {name} {why}"))
}

fn plan_table<'a>(
    found: &'a FoundTable,
    survey: &Survey,
    obstacles: &mut Vec<String>,
) -> TablePlan<'a> {
    let table = found.table;
    let mut plan = TablePlan {
        found,
        retyped: Vec::new(),
        became_text: Vec::new(),
        nullable: Vec::new(),
        no_default: Vec::new(),
        added: Vec::new(),
        unique_id: false,
    };
    for column in &found.columns {
        let obstacle = |why: &str| format!("column {}.{} {why}", table.name, column.name);
        if column.generated {
            obstacles.push(obstacle("is generated"));
            continue;
        }
        if column.name == "_account_id" {
            obstacles.push(obstacle("has a name that stripe-sync needs"));
            continue;
        }
        let target = target_type(found, &column.name);
        match target.map(|sql| retype(column, sql)) {
            Some(Retype::Unchanged) => {}
            Some(Retype::To(sql)) => {
                plan.retyped.push((&column.name, sql));
                if column.is_enum {
                    plan.became_text.push(column.type_sql.clone());
                }
            }
            Some(Retype::Impossible) => obstacles.push(obstacle(&format!(
                "has type {} instead of {}",
                column.type_sql,
                target.unwrap_or_default()
            ))),
            None if column.not_null && !column.has_default => {
                obstacles
                    .push(obstacle("is unknown to stripe-sync, is `not null` and has no default"));
            }
            None => {}
        }
        let is_kept = target.is_none() || ["id", "updated_at"].contains(&column.name.as_str());
        if column.not_null && !is_kept {
            plan.nullable.push(&column.name);
        }
        if column.has_default && !is_kept {
            plan.no_default.push(&column.name);
        }
    }
    let has = |name: &str| found.columns.iter().any(|c| c.name == name);
    plan.added = table.columns.iter().filter(|c| !has(&c.name)).collect();
    check_outgoing_keys(found, survey, obstacles);
    for key in survey.incoming.iter().filter(|key| key.to == found.oid) {
        let from = survey.tables.iter().find(|t| t.oid == key.from);
        match from {
            // Checked as an outgoing key of that table.
            Some(_) => {}
            None if key.columns == ["id"] => plan.unique_id = true,
            None => obstacles.push(format!(
                "foreign key {} of {} refers to {}({}) instead of its column id",
                key.name,
                key.from_name,
                table.name,
                key.columns.join(", ")
            )),
        }
    }
    plan
}

/// Adds the foreign keys of a table that the other engine did not create.
fn check_outgoing_keys(found: &FoundTable, survey: &Survey, obstacles: &mut Vec<String>) {
    for key in found.constraints.iter().filter(|c| c.kind == 'f') {
        let to = survey.tables.iter().find(|t| t.oid == key.refers_to);
        let is_legacy = to.is_some_and(|to| {
            legacy::has_foreign_key(&found.table.name, &key.columns, &to.table.name)
        });
        if !is_legacy {
            obstacles.push(format!(
                "foreign key {} of table {} would reject rows that are written before the rows \
                 they refer to",
                key.name, found.table.name
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::postgres::adopt::survey::FoundColumn;

    fn column(name: &str, type_name: &str) -> FoundColumn {
        FoundColumn {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            type_sql: type_name.to_owned(),
            is_enum: false,
            not_null: name == "id",
            has_default: false,
            generated: false,
        }
    }

    fn table(name: &str, columns: Vec<FoundColumn>) -> FoundTable {
        FoundTable {
            table: Catalog::get().table(name).expect("table"),
            oid: 1,
            kind: 'r',
            rows: 0,
            bytes: 0,
            standalone: true,
            forces_row_security: false,
            may_alter: true,
            owner: "u".to_owned(),
            columns,
            constraints: vec![Constraint {
                name: "k".to_owned(),
                kind: 'p',
                columns: vec!["id".to_owned()],
                refers_to: 0,
            }],
            updated_at_triggers: Vec::new(),
            key_is_replica_identity: false,
            plain_indexes: Vec::new(),
        }
    }

    fn survey(tables: Vec<FoundTable>) -> Survey {
        Survey { tables, incoming: Vec::new(), views: Vec::new(), others: Vec::new() }
    }

    #[test]
    fn each_obstacle_is_named() {
        let mut odd = column("mine", "text");
        odd.not_null = true;
        let customers = table(
            "customers",
            vec![column("id", "text"), column("object", "text"), column("balance", "text"), odd],
        );
        let mut accounts = table("accounts", vec![column("id", "text")]);
        accounts.oid = 2;
        let obstacles = plan_tables(&survey(vec![customers, accounts])).err().expect("obstacles");
        assert_eq!(
            obstacles,
            [
                "column customers.balance has type text instead of bigint",
                "column customers.mine is unknown to stripe-sync, is `not null` and has no default",
                "table accounts is not one of that engine's tables",
            ]
        );
    }

    #[test]
    fn a_table_of_a_later_engine_is_not_adopted() {
        let later = table(
            "customers",
            vec![column("id", "text"), column("_account_id", "text"), column("_raw_data", "jsonb")],
        );
        assert!(plan_tables(&survey(vec![later])).is_err());
    }
}
