//! `cargo xtask catalog <facts>`: merges the facts about Stripe's API with the hand-written
//! overlay into the engine's checked-in catalog, and generates what depends on it.
//!
//! Guarantees that every column of `compat/columns.txt` has a source or a replacement, that every
//! property of every object has a column, and that table names are unique. Contains no SQL except
//! the types of columns.

mod columns;
mod events;
mod known_columns;
mod simulator;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use columns::{ColumnOverlay, Compat, columns};

/// The hand-written overlay, `xtask/overlay.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Overlay {
    revision: u32,
    tables: BTreeMap<String, String>,
    stream: BTreeMap<String, StreamOverlay>,
    nested: BTreeMap<String, NestedOverlay>,
    parented: BTreeMap<String, StreamOverlay>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(deny_unknown_fields, default)]
struct StreamOverlay {
    aliases: Vec<String>,
    parts: Vec<Vec<String>>,
    expand: Vec<String>,
    optional_expand: Vec<String>,
    indexes: Vec<String>,
    not_shown: Vec<String>,
    prefixes: Option<Vec<String>>,
    parent_lists: Option<Value>,
    created_property: Option<String>,
    keep_deleted: bool,
    custom_ids: bool,
    columns: BTreeMap<String, ColumnOverlay>,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct NestedOverlay {
    #[serde(rename = "in")]
    within: String,
    list_path: String,
    #[serde(default)]
    params: Vec<String>,
    parent_column: String,
    removed: String,
    #[serde(default)]
    indexes: Vec<String>,
    #[serde(default)]
    columns: BTreeMap<String, ColumnOverlay>,
}

/// The generated files: the path of each, relative to the workspace, and its content.
///
/// # Errors
/// If the facts cannot be read, an overlay entry matches nothing, or a known column has no
/// source.
pub(crate) fn generate(facts: &Path, workspace: &Path) -> Result<[(&'static str, String); 4]> {
    let engine = engine(facts, workspace)?;
    Ok([
        ("docs/known-columns.md", known_columns::generate(facts, &engine)?),
        ("crates/stripe-sync/src/catalog/catalog.json", engine),
        (
            "crates/stripe-sync/src/catalog/events.txt",
            events::generate(&read_json(&facts.join("stripe/events.json"))?)?,
        ),
        ("crates/stripe-sim/src/catalog.json", simulator::generate(&facts.join("stripe"))?),
    ])
}

/// The engine's catalog.
fn engine(facts: &Path, workspace: &Path) -> Result<String> {
    let api: Value = read_json(&facts.join("stripe/catalog.json"))?;
    let events: Value = read_json(&facts.join("stripe/events.json"))?;
    let overlay: Overlay =
        toml::from_str(&fs::read_to_string(workspace.join("xtask/overlay.toml"))?)?;
    let compat = Compat::read(&facts.join("compat/columns.txt"))?;
    let version = api["meta"]["api_version"].as_str().context("meta.api_version")?;

    let mut tables = Vec::new();
    let mut used = BTreeSet::new();
    for list in api["lists"].as_array().context("lists")? {
        if list["fully_enumerable_without_parent"] == true {
            let object = list["object"].as_str().context("list without object")?;
            used.insert(object.to_owned());
            let own = overlay.stream.get(object).cloned().unwrap_or_default();
            tables.push(stream(&api, &events, &overlay, &compat, list, object, &own)?);
        }
    }
    for object in overlay.stream.keys() {
        ensure!(
            used.contains(object),
            "xtask/overlay.toml names the stream {object}, which Stripe does not list"
        );
    }
    for (object, nested) in &overlay.nested {
        tables.push(nested_table(&api, &overlay, &compat, object, nested)?);
    }
    for (object, own) in &overlay.parented {
        let list = list_of(&api, object)?;
        tables.push(stream(&api, &events, &overlay, &compat, list, object, own)?);
    }
    tables.sort_by_key(|t| t["table"].as_str().unwrap_or_default().to_owned());
    let names: BTreeSet<_> = tables.iter().map(|t| t["table"].to_string()).collect();
    ensure!(names.len() == tables.len(), "two tables have the same name");
    for table in compat.tables() {
        ensure!(names.contains(&format!("\"{table}\"")), "known table {table} has no stream");
    }
    write(version, overlay.revision, &tables)
}

fn stream(
    api: &Value,
    events: &Value,
    overlay: &Overlay,
    compat: &Compat,
    list: &Value,
    object: &str,
    own: &StreamOverlay,
) -> Result<Value> {
    let table = table_name(overlay, object);
    let properties = properties(api, object)?;
    let mut out = Map::new();
    out.insert("table".into(), json!(table));
    out.insert("object".into(), json!(object));
    if list["fully_enumerable_without_parent"] == true {
        out.insert("list".into(), list_entry(list, own, properties)?);
    }
    if let Some(path) = list["retrieve_path"].as_str() {
        out.insert("retrieve_path".into(), json!(with_id(path)));
    }
    out.insert("id_prefixes".into(), json!(prefixes(list, own)));
    put_some(&mut out, "aliases", &own.aliases);
    put_some(&mut out, "expand", &own.expand);
    for name in &own.optional_expand {
        ensure!(properties.contains_key(name), "{object} has no property {name} to expand");
    }
    put_some(&mut out, "optional_expand", &own.optional_expand);
    put_some(&mut out, "indexes", &own.indexes);
    put_some(&mut out, "not_shown", &own.not_shown);
    if own.keep_deleted {
        out.insert("keep_deleted".into(), json!(true));
    }
    if own.custom_ids {
        out.insert("custom_ids".into(), json!(true));
    }
    let nested = nested_lists(overlay, list, object)?;
    put_some(&mut out, "nested", &nested);
    put_some(&mut out, "events", &events_of(events, object));
    out.insert(
        "columns".into(),
        columns(properties, compat.columns(&table), &own.columns, None)
            .with_context(|| format!("table {table}"))?,
    );
    Ok(Value::Object(out))
}

fn list_entry(list: &Value, own: &StreamOverlay, properties: &Map<String, Value>) -> Result<Value> {
    let mut out = Map::new();
    out.insert("path".into(), list["list_path"].clone());
    let parts = if own.parts.is_empty() { vec![Vec::new()] } else { own.parts.clone() };
    let parts: Vec<Vec<(String, String)>> = parts
        .iter()
        .map(|params| params.iter().map(|p| pair(p)).collect::<Result<_>>())
        .collect::<Result<_>>()?;
    out.insert("parts".into(), json!(parts));
    if list["created_filter"] == true {
        let property = own.created_property.as_deref().unwrap_or("created");
        ensure!(properties.contains_key(property), "there is no property {property} to filter by");
        out.insert("created".into(), json!(property));
        let filtered = &properties[property];
        if filtered["optional"] == true || filtered["nullable"] == true {
            out.insert("created_optional".into(), json!(true));
        }
    }
    out.insert("paged".into(), list["has_limit"].clone());
    if let Some(parents) = &own.parent_lists {
        out.insert("parent_lists".into(), parents.clone());
    }
    Ok(Value::Object(out))
}

fn nested_table(
    api: &Value,
    overlay: &Overlay,
    compat: &Compat,
    object: &str,
    nested: &NestedOverlay,
) -> Result<Value> {
    let table = table_name(overlay, object);
    let mut out = Map::new();
    out.insert("table".into(), json!(table));
    out.insert("object".into(), json!(object));
    // `/v1/subscription_items/{item}` exists; line items have no retrieve path of their own.
    if let Some(path) = list_of(api, object)?["retrieve_path"].as_str() {
        out.insert("retrieve_path".into(), json!(with_id(path)));
    }
    out.insert("id_prefixes".into(), json!(prefixes(list_of(api, object)?, &Default::default())));
    out.insert(
        "parent".into(),
        json!({"column": nested.parent_column, "within": nested.within, "removed": nested.removed}),
    );
    put_some(&mut out, "indexes", &nested.indexes);
    out.insert(
        "columns".into(),
        columns(
            properties(api, object)?,
            compat.columns(&table),
            &nested.columns,
            Some(&nested.parent_column),
        )
        .with_context(|| format!("table {table}"))?,
    );
    Ok(Value::Object(out))
}

/// The embedded lists of `object`: their property, the endpoint that lists all items, and the
/// table of the items.
fn nested_lists(overlay: &Overlay, list: &Value, object: &str) -> Result<Vec<Value>> {
    let mut out = Vec::new();
    for nested in list["nested_lists"].as_array().into_iter().flatten() {
        let path = nested["path"].as_str().context("nested list without path")?;
        let own = overlay.nested.iter().find(|(_, n)| n.within == format!("{object}.{path}"));
        let mut entry = Map::new();
        entry.insert("path".into(), json!(path));
        match own {
            Some((item, own)) => {
                let params: Vec<_> =
                    own.params.iter().map(|p| pair(p)).collect::<Result<Vec<_>>>()?;
                entry.insert("list_path".into(), json!(own.list_path));
                put_some(&mut entry, "params", &params);
                entry.insert("table".into(), json!(table_name(overlay, item)));
            }
            None => {
                let endpoint = nested["list_endpoint"].as_str().context("list_endpoint")?;
                let endpoint = endpoint.split(" (").next().unwrap_or(endpoint);
                let (path, query) = endpoint.split_once('?').unwrap_or((endpoint, ""));
                entry.insert("list_path".into(), json!(with_parent(path)));
                let params: Vec<_> = query
                    .split('&')
                    .filter(|p| !p.is_empty())
                    .map(|p| pair(&with_parent(p)))
                    .collect::<Result<Vec<_>>>()?;
                put_some(&mut entry, "params", &params);
            }
        }
        out.push(Value::Object(entry));
    }
    Ok(out)
}

fn events_of(events: &Value, object: &str) -> Vec<Value> {
    let names = events["objects_to_events"][object].as_array().cloned().unwrap_or_default();
    names
        .into_iter()
        .map(|name| {
            match events["events"][name.as_str().unwrap_or_default()]["deletion"].as_str() {
                Some("deleted") => json!([name, "deleted"]),
                _ => json!([name]),
            }
        })
        .collect()
}

fn prefixes(list: &Value, own: &StreamOverlay) -> Vec<String> {
    if let Some(prefixes) = &own.prefixes {
        return prefixes.clone();
    }
    list["id_prefixes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|p| p["prefix"].as_str())
        // An upcoming invoice is a preview without an id that could be retrieved.
        .filter(|p| !p.starts_with("upcoming_"))
        .map(str::to_owned)
        .collect()
}

fn table_name(overlay: &Overlay, object: &str) -> String {
    match overlay.tables.get(object) {
        Some(name) => name.clone(),
        None => format!("{}s", object.replace('.', "_")),
    }
}

fn list_of<'a>(api: &'a Value, object: &str) -> Result<&'a Value> {
    api["lists"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|l| l["object"] == object)
        .max_by_key(|l| l["retrieve_path"].is_string())
        .with_context(|| format!("no list of {object}"))
}

fn properties<'a>(api: &'a Value, object: &str) -> Result<&'a Map<String, Value>> {
    api["objects"][object]["properties"].as_object().with_context(|| format!("object {object}"))
}

fn with_id(path: &str) -> String {
    replace_placeholder(path, "{id}")
}

fn with_parent(path: &str) -> String {
    replace_placeholder(path, "{parent}")
}

fn replace_placeholder(path: &str, with: &str) -> String {
    match (path.find('{'), path.find('}')) {
        (Some(from), Some(to)) => format!("{}{with}{}", &path[..from], &path[to + 1..]),
        _ => path.to_owned(),
    }
}

fn pair(param: &str) -> Result<(String, String)> {
    let (name, value) = param.split_once('=').with_context(|| format!("parameter {param}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

fn put_some<T: serde::Serialize>(out: &mut Map<String, Value>, key: &str, values: &[T]) {
    if !values.is_empty() {
        out.insert(key.into(), json!(values));
    }
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Formats the catalog with one line per property and per column, so that a diff shows what
/// changed.
fn write(version: &str, revision: u32, tables: &[Value]) -> Result<String> {
    let mut out = String::new();
    out.push_str(&format!(
        "{{\n\"api_version\": \"{version}\",\n\"revision\": {revision},\n\"tables\": [\n"
    ));
    for (i, table) in tables.iter().enumerate() {
        let Value::Object(fields) = table else { bail!("a table is not an object") };
        let mut lines = Vec::new();
        for (key, value) in fields.iter().filter(|(key, _)| *key != "columns") {
            lines.push(format!("  \"{key}\": {value}"));
        }
        let columns: Vec<_> = fields["columns"]
            .as_array()
            .context("columns")?
            .iter()
            .map(|c| format!("    {c}"))
            .collect();
        lines.push(format!("  \"columns\": [\n{}\n  ]", columns.join(",\n")));
        let comma = if i + 1 < tables.len() { "," } else { "" };
        out.push_str(&format!("{{\n{}\n}}{comma}\n", lines.join(",\n")));
    }
    out.push_str("]\n}\n");
    Ok(out)
}
