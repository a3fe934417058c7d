//! The simulator's catalog, `crates/stripe-sim/src/catalog.json`.
//!
//! A pure function of `catalog.json` and `events.json`: it drops sources and notes, keeps paths,
//! parameters and property types, and writes one line per list and per object, so that a diff is
//! easy to read. It ignores the engine's overlay: a mistake in the overlay must not reach both
//! sides.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

/// The text of the simulator's catalog, built from the files in `facts_dir`.
///
/// # Errors
/// If a file is missing, is not JSON, or lacks a part that the simulator needs.
pub(super) fn generate(facts_dir: &Path) -> Result<String> {
    let catalog = read(facts_dir, "catalog.json")?;
    let events = read(facts_dir, "events.json")?;
    let version =
        catalog["meta"]["api_version"].as_str().context("catalog.json has no API version")?;
    let lists = catalog["lists"].as_array().context("catalog.json has no lists")?;
    let objects = catalog["objects"].as_object().context("catalog.json has no objects")?;

    let mut out = String::new();
    writeln!(out, "{{\"version\":{},\"lists\":[", json!(version))?;
    for (i, list) in lists.iter().enumerate() {
        let comma = if i + 1 < lists.len() { "," } else { "" };
        writeln!(out, "{}{comma}", compact_list(list)?)?;
    }
    writeln!(out, "],\"objects\":{{")?;
    for (i, (name, object)) in objects.iter().enumerate() {
        let comma = if i + 1 < objects.len() { "," } else { "" };
        writeln!(
            out,
            "{}:{}{comma}",
            json!(name),
            compact_object(object, &events["objects_to_events"][name])?
        )?;
    }
    writeln!(out, "}}}}")?;
    Ok(out)
}

fn read(dir: &Path, name: &str) -> Result<Value> {
    let path = dir.join(name);
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

fn compact_list(list: &Value) -> Result<Value> {
    let path = list["list_path"].as_str().context("a list has no path")?;
    let mut filters = Map::new();
    for (name, filter) in
        list["filters"].as_object().with_context(|| format!("{path} has no filters"))?
    {
        filters.insert(name.clone(), keep(filter, &["type", "enum", "properties"]));
    }
    let hidden: Vec<Value> = list["hidden_rows"]
        .as_array()
        .with_context(|| format!("{path} has no hidden_rows"))?
        .iter()
        .map(|h| keep(h, &["filter", "default"]))
        .collect();
    Ok(json!({
        "path": path,
        "objects": list["objects"],
        "required": list["required_query_params"],
        "free": list["fully_enumerable_without_parent"],
        "created": list["created_filter"],
        "paged": list["has_limit"],
        "ranges": list["other_range_filters"],
        "filters": filters,
        "hidden": hidden,
        "retrieve": list["retrieve_path"],
    }))
}

fn compact_object(object: &Value, events: &Value) -> Result<Value> {
    let prefixes: Vec<&Value> = object["id_prefixes"]
        .as_array()
        .context("an object has no id_prefixes")?
        .iter()
        .map(|p| &p["prefix"])
        .collect();
    let nested: Vec<Value> = object["nested_lists"]
        .as_array()
        .context("an object has no nested_lists")?
        .iter()
        .map(|n| {
            json!({"path": n["path"], "items": n["items"], "optional": n["optional_includable"], "endpoint": n["list_endpoint"]})
        })
        .collect();
    let mut properties = Map::new();
    for (name, property) in
        object["properties"].as_object().context("an object has no properties")?
    {
        properties.insert(name.clone(), slim(property));
    }
    Ok(json!({
        "prefixes": prefixes,
        "retrieve": object["retrieve_paths"],
        "deleted": object["retrieve_may_return_deleted"],
        "events": if events.is_null() { json!([]) } else { events.clone() },
        "nested": nested,
        "properties": properties,
    }))
}

/// A property without null and `false` values; an absent value means `false`.
fn slim(property: &Value) -> Value {
    let Some(map) = property.as_object() else { return property.clone() };
    map.iter()
        .filter(|(_, v)| !v.is_null() && **v != Value::Bool(false))
        .map(|(k, v)| (k.clone(), if k == "items" { slim(v) } else { v.clone() }))
        .collect::<Map<_, _>>()
        .into()
}

fn keep(value: &Value, names: &[&str]) -> Value {
    names
        .iter()
        .filter(|n| !value[**n].is_null())
        .map(|n| ((*n).to_owned(), value[*n].clone()))
        .collect::<Map<_, _>>()
        .into()
}
