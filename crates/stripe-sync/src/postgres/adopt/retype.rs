//! How the type of a column changes. Types are only widened. Pure.

use super::survey::{FoundColumn, FoundTable};
use crate::catalog::SqlType;

/// The type of a column in our tables; `None` for other columns.
pub(super) fn target_type(found: &FoundTable, column: &str) -> Option<&'static str> {
    match column {
        "last_synced_at" | "updated_at" => Some("timestamptz"),
        "_account_id" => Some("text"),
        "_extra" => Some("jsonb"),
        name => found.table.columns.iter().find(|c| c.name == name).map(|c| c.sql.as_str()),
    }
}

/// How a column gets its type.
pub(super) enum Retype {
    Unchanged,
    To(&'static str),
    /// The type cannot be converted without loss.
    Impossible,
}

/// How a column gets the type `target`.
pub(super) fn retype(column: &FoundColumn, target: &'static str) -> Retype {
    let has = match column.type_name.as_str() {
        "int8" => SqlType::Bigint.as_str(),
        "bool" => SqlType::Boolean.as_str(),
        "float8" => SqlType::Double.as_str(),
        other => other,
    };
    if has == target && !column.is_enum {
        return Retype::Unchanged;
    }
    let widens = match target {
        "bigint" => matches!(has, "int2" | "int4"),
        "text" => column.is_enum || matches!(has, "varchar" | "bpchar" | "name"),
        "numeric" => matches!(has, "int2" | "int4" | "bigint"),
        "double precision" => has == "float4",
        "jsonb" => has == "json",
        _ => false,
    };
    if widens { Retype::To(target) } else { Retype::Impossible }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_widened_and_nothing_is_narrowed() {
        let column = |type_name: &str| FoundColumn {
            name: "x".to_owned(),
            type_name: type_name.to_owned(),
            type_sql: type_name.to_owned(),
            is_enum: false,
            not_null: false,
            has_default: false,
            generated: false,
        };
        for (has, target, unchanged, changes) in [
            ("text", "text", true, false),
            ("int4", "bigint", false, true),
            ("int8", "bigint", true, false),
            ("varchar", "text", false, true),
            ("json", "jsonb", false, true),
            ("int8", "text", false, false),
            ("text", "bigint", false, false),
            ("timestamptz", "bigint", false, false),
        ] {
            let got = retype(&column(has), target);
            assert_eq!(matches!(got, Retype::Unchanged), unchanged, "{has} {target}");
            assert_eq!(matches!(got, Retype::To(_)), changes, "{has} {target}");
        }
    }
}
