//! The columns of one table: first the columns that users of the TypeScript engines know, in
//! their order and with their types, then every other property of the current API version.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Columns that the engine adds to every table.
pub(super) const SYSTEM: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// Where a column's value comes from when its own property is not enough.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnOverlay {
    pub(super) from: Vec<String>,
    pub(super) instead: Option<String>,
    pub(super) json: Option<String>,
}

/// `compat/columns.txt`: the tables that users of the TypeScript engines have.
pub(super) struct Compat(BTreeMap<String, Vec<(String, String)>>);

impl Compat {
    pub(super) fn read(path: &Path) -> Result<Compat> {
        let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
        let mut tables = BTreeMap::new();
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            let (table, columns) = line.split_once(" | ").context("a line is `table | columns`")?;
            // The engine reads this table during an adoption and never creates it.
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

    pub(super) fn tables(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// Tables with their columns as the TypeScript engines name and type them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Vec<(String, String)>)> {
        self.0.iter()
    }

    pub(super) fn columns(&self, table: &str) -> &[(String, String)] {
        self.0.get(table).map_or(&[], Vec::as_slice)
    }
}

/// All columns of a table without the system columns.
pub(super) fn columns(
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
        ensure!(!SYSTEM.contains(&name), "property {name} has the name of a system column");
        let kind = json_kind(&properties[name])?;
        out.push(column(name, natural_type(kind), Some(kind), overlay, parent_column)?);
        seen.push(name);
    }
    if let Some(parent) = parent_column.filter(|p| !seen.contains(p)) {
        out.push(column(parent, "text", None, overlay, parent_column)?);
        seen.push(parent);
    }
    for name in overlay.keys() {
        ensure!(
            seen.contains(&name.as_str()),
            "xtask/overlay.toml names the column {name}, which no source has"
        );
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
        None => bail!("column {name} has no source; add one to xtask/overlay.toml"),
    };
    if parent_column == Some(name) {
        from.push("parent()".to_owned());
    }
    let instead = overlay.get(name).and_then(|o| o.instead.as_deref());
    // Only earlier versions of the API have a property of this name.
    let gone = json_kind.is_none() && parent_column != Some(name);
    if json_kind.is_none() && parent_column != Some(name) && from.len() < 2 {
        ensure!(
            instead.is_some(),
            "column {name} no longer exists; `instead` must say what to query"
        );
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

/// The kind of JSON value that Stripe sends. `id` is a string that `expand[]` turns into an
/// object.
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
        // A removed property may have been a reference, which an older API version can send
        // expanded.
        _ => "id",
    }
}

/// The engine's type for a known column: integers become `bigint` and enums `text`, so that a
/// value of a later API version fits.
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
        other => bail!("unknown column type {other}"),
    })
}
