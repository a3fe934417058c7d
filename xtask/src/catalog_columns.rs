//! The columns of one table: known ones first, in their known order and type, then every
//! property of the current API version.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::catalog::ColumnOverlay;

/// Columns that every table gets from the engine itself.
pub(crate) const SYSTEM: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// `compat/columns.txt`: the tables that users of the TypeScript engines have.
pub(crate) struct Compat(BTreeMap<String, Vec<(String, String)>>);

impl Compat {
    pub(crate) fn read(path: &Path) -> Result<Compat> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut tables = BTreeMap::new();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let (table, columns) = line.split_once(" | ").context("a line is `table | columns`")?;
            // Their migration table is read when a database is adopted, never made.
            if table == "stripe_migrations" {
                continue;
            }
            let columns = columns
                .split(", ")
                .map(|c| {
                    let (name, sql) = c.split_once(' ').context("a column is `name type`")?;
                    Ok((name.to_owned(), sql.trim_end_matches('!').to_owned()))
                })
                .collect::<Result<_>>()?;
            tables.insert(table.to_owned(), columns);
        }
        Ok(Compat(tables))
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Tables with their columns as the TypeScript engines name and type them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<(String, String)>)> {
        self.0.iter()
    }

    pub(crate) fn columns(&self, table: &str) -> &[(String, String)] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }
}

/// All columns of a table without the system columns.
pub(crate) fn columns(
    properties: &Map<String, Value>,
    known: &[(String, String)],
    overlay: &BTreeMap<String, ColumnOverlay>,
    parent_column: Option<&str>,
) -> Result<Value> {
    let mut out = Vec::new();
    let mut seen = Vec::new();
    let known_columns = known.iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
    for (name, sql) in known_columns {
        let json_kind = properties.get(name).map(json_kind).transpose()?;
        out.push(column(name, known_type(sql)?, json_kind, overlay, parent_column)?);
        seen.push(name.as_str());
    }
    let mut rest: Vec<&str> =
        properties.keys().map(String::as_str).filter(|p| !seen.contains(p)).collect();
    rest.sort_by_key(|p| (*p != "id", *p != "object", *p));
    for name in rest {
        ensure!(!SYSTEM.contains(&name), "property {name} collides with a system column");
        let kind = json_kind(&properties[name])?;
        out.push(column(name, natural_type(kind), Some(kind), overlay, parent_column)?);
        seen.push(name);
    }
    if let Some(parent) = parent_column.filter(|p| !seen.contains(p)) {
        out.push(column(parent, "text", None, overlay, parent_column)?);
        seen.push(parent);
    }
    for name in overlay.keys() {
        ensure!(seen.contains(&name.as_str()), "overlay names column {name}, which nobody has");
    }
    Ok(Value::Array(out))
}

fn column(
    name: &str,
    sql: &str,
    json_kind: Option<&str>,
    overlay: &BTreeMap<String, ColumnOverlay>,
    parent_column: Option<&str>,
) -> Result<Value> {
    let mut from = match overlay.get(name) {
        Some(overlay) => overlay.from.clone(),
        None if json_kind.is_some() || parent_column == Some(name) => vec![name.to_owned()],
        None => bail!("column {name} has no source: give it one in xtask/overlay.toml"),
    };
    if parent_column == Some(name) {
        from.push("parent()".to_owned());
    }
    let instead = overlay.get(name).and_then(|o| o.instead.as_deref());
    // Only earlier versions of the API have a property of this name.
    let gone = json_kind.is_none() && parent_column != Some(name);
    if json_kind.is_none() && parent_column != Some(name) && from.len() < 2 {
        ensure!(instead.is_some(), "column {name} is gone: `instead` must say what to query");
    }
    let json_kind = overlay
        .get(name)
        .and_then(|o| o.json.as_deref())
        .or(json_kind)
        .unwrap_or(kind_of_type(sql));
    let mut out = json!({"name": name, "sql": sql, "json": json_kind});
    if from != [name] {
        out["from"] = json!(from);
    }
    if gone {
        out["gone"] = json!(true);
    }
    if let Some(instead) = instead {
        out["instead"] = json!(instead);
    }
    Ok(out)
}

/// What Stripe sends: `id` is a string that `expand[]` turns into an object.
fn json_kind(property: &Value) -> Result<&'static str> {
    Ok(match (property["type"].as_str(), property["format"].as_str()) {
        (Some("string"), Some("expandable-id")) => "id",
        (Some("string"), _) => "string",
        (Some("integer"), _) => "integer",
        (Some("number"), _) => "number",
        (Some("boolean"), _) => "boolean",
        (Some("object" | "array" | "list"), _) => "json",
        (other, _) => bail!("property type {other:?}"),
    })
}

fn natural_type(kind: &str) -> &'static str {
    match kind {
        "id" | "string" => "text",
        "integer" => "bigint",
        "number" => "numeric",
        "boolean" => "boolean",
        _ => "jsonb",
    }
}

fn kind_of_type(sql: &str) -> &'static str {
    match sql {
        "bigint" => "integer",
        "boolean" => "boolean",
        "double precision" | "numeric" => "number",
        "jsonb" => "json",
        // What is gone may have been a reference, and an older API version may send it expanded.
        _ => "id",
    }
}

/// Integers are widened, their enums become text (DESIGN.md, Tables).
fn known_type(sql: &str) -> Result<&'static str> {
    Ok(match sql {
        "int" | "bigint" => "bigint",
        "bool" => "boolean",
        "float8" => "double precision",
        "jsonb" => "jsonb",
        "text"
        | "invoice_status"
        | "pricing_type"
        | "pricing_tiers"
        | "subscription_status"
        | "subscription_schedule_status" => "text",
        other => bail!("known column type {other}"),
    })
}
