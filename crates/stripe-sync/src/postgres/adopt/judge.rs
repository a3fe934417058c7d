//! Decides what is done to each table, or names everything that stands in the way. Pure.

use super::survey::{Constraint, Found, FoundColumn, Survey};
use super::{THEIR_FOREIGN_KEYS, THEIR_UNIQUE, THEIRS};
use crate::catalog::{Column, SqlType};

/// What happens to one table.
pub(super) struct Plan<'a> {
    pub(super) found: &'a Found,
    /// Columns with the type they get.
    pub(super) retyped: Vec<(&'a str, &'static str)>,
    /// Types of theirs that become text, as SQL.
    pub(super) became_text: Vec<String>,
    /// Columns that lose `not null`.
    pub(super) nullable: Vec<&'a str>,
    /// Columns that lose their default: ours have none, and every row of ours says what it holds.
    pub(super) no_default: Vec<&'a str>,
    /// Columns that the table lacks.
    pub(super) added: Vec<&'static Column>,
    /// A foreign key of the user's needs `id` to stay unique by itself.
    pub(super) unique_id: bool,
}

/// A plan for each table that is not taken over yet, or what stands in the way.
pub(super) fn judge(survey: &Survey) -> Result<Vec<Plan<'_>>, Vec<String>> {
    let mut obstacles = Vec::new();
    let mut plans = Vec::new();
    for found in &survey.tables {
        if let Some(why) = not_theirs(found) {
            obstacles.push(why);
            continue;
        }
        if !is_taken_over(found) {
            plans.push(plan(found, survey, &mut obstacles));
        }
    }
    obstacles.extend(survey.others.iter().cloned());
    if obstacles.is_empty() { Ok(plans) } else { Err(obstacles) }
}

/// The shape that this engine gives a table; the other engine's has neither column.
pub(super) fn is_taken_over(found: &Found) -> bool {
    let has = |name: &str| found.columns.iter().any(|c| c.name == name);
    has("_extra") && primary_key(found).is_some_and(|key| key.columns == ["id", "_account_id"])
}

/// A foreign key that the other engine's migrations made.
pub(super) fn is_their_foreign_key(from: &str, columns: &[String], to: &str) -> bool {
    THEIR_FOREIGN_KEYS.iter().any(|(table, column, parent)| {
        *table == from && columns == [(*column).to_owned()] && *parent == to
    })
}

/// A unique constraint of theirs that would refuse rows.
pub(super) fn is_their_unique(found: &Found, constraint: &Constraint) -> bool {
    constraint.kind == 'u'
        && THEIR_UNIQUE.iter().any(|(table, column)| {
            *table == found.table.name && constraint.columns == [(*column).to_owned()]
        })
}

fn primary_key(found: &Found) -> Option<&Constraint> {
    found.constraints.iter().find(|c| c.kind == 'p')
}

fn not_theirs(found: &Found) -> Option<String> {
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
        None if is_taken_over(found) => return None,
        None if !THEIRS.contains(&name.as_str()) => "is none of that engine's tables".to_owned(),
        None if found.columns.iter().any(|c| c.name == "_raw_data") => {
            "has generated columns, as engines later than 0.48 make them".to_owned()
        }
        None if primary_key(found).is_none_or(|key| key.columns != ["id"]) => {
            "has another primary key than (id)".to_owned()
        }
        // All of theirs have it, whatever their version.
        None if !found.columns.iter().any(|c| c.name == "object") => {
            "has no column object, as that engine's tables have".to_owned()
        }
        None if !found.alone => "is part of an inheritance or partition tree".to_owned(),
        None if found.forced_security => "forces row security on its owner".to_owned(),
        None if !found.may_alter => {
            format!("belongs to role {}: migrate as that role", found.owner)
        }
        None => return None,
    };
    Some(format!("table {name} {why}"))
}

fn plan<'a>(found: &'a Found, survey: &Survey, obstacles: &mut Vec<String>) -> Plan<'a> {
    let table = found.table;
    let mut plan = Plan {
        found,
        retyped: Vec::new(),
        became_text: Vec::new(),
        nullable: Vec::new(),
        no_default: Vec::new(),
        added: Vec::new(),
        unique_id: false,
    };
    for column in &found.columns {
        let of = |why: &str| format!("column {}.{}, {why}", table.name, column.name);
        if column.generated {
            obstacles.push(of("which is generated"));
            continue;
        }
        if column.name == "_account_id" {
            obstacles.push(of("a name that stripe-sync needs for its own"));
            continue;
        }
        let wanted = wanted_type(found, &column.name);
        match wanted.map(|sql| retype(column, sql)) {
            Some(Retype::Fits) => {}
            Some(Retype::To(sql)) => {
                plan.retyped.push((&column.name, sql));
                if column.is_enum {
                    plan.became_text.push(column.type_sql.clone());
                }
            }
            Some(Retype::Cannot) => obstacles.push(format!(
                "column {}.{} of type {} where {} is needed",
                table.name,
                column.name,
                column.type_sql,
                wanted.unwrap_or_default()
            )),
            None if column.not_null && !column.has_default => {
                obstacles.push(of("which is not Stripe's, is not null and has no default"));
            }
            None => {}
        }
        let stays = wanted.is_none() || ["id", "updated_at"].contains(&column.name.as_str());
        if column.not_null && !stays {
            plan.nullable.push(&column.name);
        }
        if column.has_default && !stays {
            plan.no_default.push(&column.name);
        }
    }
    let has = |name: &str| found.columns.iter().any(|c| c.name == name);
    plan.added = table.columns.iter().filter(|c| !has(&c.name)).collect();
    outgoing(found, survey, obstacles);
    for key in survey.incoming.iter().filter(|key| key.to == found.oid) {
        let from = survey.tables.iter().find(|t| t.oid == key.from);
        match from {
            // Judged as the other table's own.
            Some(_) => {}
            None if key.columns == ["id"] => plan.unique_id = true,
            None => obstacles.push(format!(
                "foreign key {} of {} refers to {}({}) instead of its id",
                key.name,
                key.from_name,
                table.name,
                key.columns.join(", ")
            )),
        }
    }
    plan
}

fn outgoing(found: &Found, survey: &Survey, obstacles: &mut Vec<String>) {
    for key in found.constraints.iter().filter(|c| c.kind == 'f') {
        let to = survey.tables.iter().find(|t| t.oid == key.refers_to);
        let theirs = to.is_some_and(|to| {
            is_their_foreign_key(&found.table.name, &key.columns, &to.table.name)
        });
        if !theirs {
            obstacles.push(format!(
                "foreign key {} of table {}, which would refuse rows that come first",
                key.name, found.table.name
            ));
        }
    }
}

/// The type a column of ours must have; `None` for columns that are not ours.
fn wanted_type(found: &Found, column: &str) -> Option<&'static str> {
    match column {
        "last_synced_at" | "updated_at" => Some("timestamptz"),
        "_account_id" => Some("text"),
        "_extra" => Some("jsonb"),
        name => found.table.columns.iter().find(|c| c.name == name).map(|c| c.sql.as_str()),
    }
}

enum Retype {
    Fits,
    To(&'static str),
    Cannot,
}

fn retype(column: &FoundColumn, wanted: &'static str) -> Retype {
    let has = match column.type_name.as_str() {
        "int8" => SqlType::Bigint.as_str(),
        "bool" => SqlType::Boolean.as_str(),
        "float8" => SqlType::Double.as_str(),
        other => other,
    };
    if has == wanted && !column.is_enum {
        return Retype::Fits;
    }
    let widens = match wanted {
        "bigint" => matches!(has, "int2" | "int4"),
        "text" => column.is_enum || matches!(has, "varchar" | "bpchar" | "name"),
        "numeric" => matches!(has, "int2" | "int4" | "bigint"),
        "double precision" => has == "float4",
        "jsonb" => has == "json",
        _ => false,
    };
    if widens { Retype::To(wanted) } else { Retype::Cannot }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

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

    fn table(name: &str, columns: Vec<FoundColumn>) -> Found {
        Found {
            table: Catalog::get().table(name).expect("table"),
            oid: 1,
            kind: 'r',
            rows: 0,
            bytes: 0,
            alone: true,
            forced_security: false,
            may_alter: true,
            owner: "u".to_owned(),
            columns,
            constraints: vec![Constraint {
                name: "k".to_owned(),
                kind: 'p',
                columns: vec!["id".to_owned()],
                refers_to: 0,
            }],
            touch_triggers: Vec::new(),
            identified_by_key: false,
            plain_indexes: Vec::new(),
        }
    }

    fn survey(tables: Vec<Found>) -> Survey {
        Survey { tables, incoming: Vec::new(), views: Vec::new(), others: Vec::new() }
    }

    #[test]
    fn types_are_widened_and_nothing_is_narrowed() {
        for (has, wanted, fits, changes) in [
            ("text", "text", true, false),
            ("int4", "bigint", false, true),
            ("int8", "bigint", true, false),
            ("varchar", "text", false, true),
            ("json", "jsonb", false, true),
            ("int8", "text", false, false),
            ("text", "bigint", false, false),
            ("timestamptz", "bigint", false, false),
        ] {
            let got = retype(&column("x", has), wanted);
            assert_eq!(matches!(got, Retype::Fits), fits, "{has} {wanted}");
            assert_eq!(matches!(got, Retype::To(_)), changes, "{has} {wanted}");
        }
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
        let obstacles = judge(&survey(vec![customers, accounts])).err().expect("obstacles");
        assert_eq!(
            obstacles,
            [
                "column customers.balance of type text where bigint is needed",
                "column customers.mine, which is not Stripe's, is not null and has no default",
                "table accounts is none of that engine's tables",
            ]
        );
    }

    #[test]
    fn a_table_of_a_later_engine_is_not_mistaken_for_ours() {
        let later = table(
            "customers",
            vec![column("id", "text"), column("_account_id", "text"), column("_raw_data", "jsonb")],
        );
        assert!(judge(&survey(vec![later])).is_err());
    }
}
