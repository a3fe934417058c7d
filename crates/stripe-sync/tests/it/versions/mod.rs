//! Fills the columns that the TypeScript engines have from objects of three API versions.
//!
//! This directory contains one small fixture per table. `common` contains the properties of all
//! versions, `versions` those that each version adds, `null` the known columns that a version
//! cannot fill, and `differs` the columns whose value has another form in a version (its text, or
//! null for any text). All other known columns must have the same value in all three versions, and
//! not null.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use stripe_sim::Account;
use stripe_sync::RunStatus;

use crate::world::{World, connect, fresh_database};

const VERSIONS: [&str; 3] = ["2020-08-27", "2023-08-16", "2026-07-29.dahlia"];

/// The columns that `docs/known-columns.md` lists: table, column, and what to query instead.
fn page() -> BTreeMap<(String, String), String> {
    let page = include_str!("../../../../../docs/known-columns.md");
    let mut table = String::new();
    let mut columns = BTreeMap::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("## `") {
            table = rest.split('`').next().expect("a name").to_owned();
        } else if let Some(rest) = line.strip_prefix("| `") {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let column = rest.split('`').next().expect("a name").to_owned();
            assert!(!cells[3].is_empty(), "{table}.{column} has no source");
            columns.insert((table.clone(), column), cells[4].to_owned());
        }
    }
    columns
}

#[tokio::test]
async fn every_known_column_is_documented() {
    let sql = connect(&fresh_database().await).await;
    sql.batch_execute(include_str!("../adopt/typescript.sql")).await.expect("their tables");
    let theirs = sql
        .query(
            "select c.table_name::text, c.column_name::text from information_schema.columns c
             join information_schema.tables t using (table_schema, table_name)
             where table_schema = 'stripe' and t.table_type = 'BASE TABLE'
               and table_name <> 'stripe_migrations'
               and column_name not in ('updated_at', 'last_synced_at')",
            &[],
        )
        .await
        .expect("columns");
    let theirs: BTreeSet<(String, String)> =
        theirs.iter().map(|row| (row.get(0), row.get(1))).collect();
    let ours: BTreeSet<(String, String)> = page().into_keys().collect();
    let missing: Vec<_> = theirs.difference(&ours).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(theirs.len() > 400, "{} columns", theirs.len());
}

struct Fixture {
    table: String,
    value: Value,
}

fn fixtures() -> Vec<Fixture> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/versions");
    let files =
        std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path());
    let mut fixtures: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|e| e == "json"))
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("a fixture");
            let table = file.file_stem().expect("a name").to_string_lossy().into_owned();
            Fixture { table, value: serde_json::from_str(&text).expect("json") }
        })
        .collect();
    fixtures.sort_by(|a, b| a.table.cmp(&b.table));
    fixtures
}

/// The object in one version. Its id ends with the version, and so do the ids inside it.
fn object(fixture: &Value, version: &str) -> String {
    let mut fields: Map<String, Value> = fixture["common"].as_object().expect("fields").clone();
    fields.extend(fixture["versions"][version].as_object().expect("fields").clone());
    fields.insert("id".into(), id(fixture, version).into());
    Value::Object(fields).to_string()
}

fn id(fixture: &Value, version: &str) -> String {
    let object = fixture["object"].as_str().expect("an object");
    let prefix = if object == "subscription" { "sub" } else { object };
    format!("{prefix}_{version}")
}

/// The known columns of the row of each version, as text, without the version in ids.
async fn rows(world: &World, table: &str, columns: &[&str]) -> Vec<Vec<Option<String>>> {
    let list: Vec<_> = columns.iter().map(|column| format!("\"{column}\"::text")).collect();
    let mut rows = Vec::new();
    for version in VERSIONS {
        let sql =
            format!("select {} from stripe.{table} where id like '%\\_{version}'", list.join(", "));
        let row = world
            .sql
            .query_one(&sql, &[])
            .await
            .unwrap_or_else(|e| panic!("{table} {version}: {e}"));
        let text = |i| row.get::<_, Option<String>>(i).map(|text| text.replace(version, "version"));
        rows.push((0..columns.len()).map(text).collect());
    }
    rows
}

async fn compare(
    world: &World,
    table: &str,
    rules: &Value,
    page: &BTreeMap<(String, String), String>,
) {
    let known = page.keys().filter(|(t, _)| t == table).map(|(_, column)| column.as_str());
    let known: Vec<&str> = known.collect();
    let rows = rows(world, table, &known).await;
    for (i, column) in known.iter().enumerate() {
        let differing = &rules["differs"][column];
        let mut same: BTreeSet<&str> = BTreeSet::new();
        for (version, row) in VERSIONS.iter().zip(&rows) {
            let nulls = rules["null"][version].as_array();
            let is_null = nulls.is_some_and(|nulls| nulls.iter().any(|null| null == column));
            let what = format!("{table}.{column} of {version}");
            let Some(value) = &row[i] else {
                assert!(is_null, "{what} is null");
                let lost = *version == VERSIONS[2] && rows.iter().any(|row| row[i].is_some());
                let instead = &page[&(table.to_owned(), (*column).to_owned())];
                assert!(!lost || !instead.is_empty(), "{what}: the page names no replacement");
                continue;
            };
            assert!(!is_null, "{what} is {value}, not null");
            match differing.get(version) {
                Some(Value::String(expected)) => assert_eq!(value, expected, "{what}"),
                Some(_) => {}
                None => drop(same.insert(value)),
            }
        }
        assert!(same.len() <= 1, "{table}.{column} differs: {same:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_three_api_versions_fill_the_known_columns_equally() {
    let account = Account::builder(70).build().expect("an account");
    let at = account.now() - 1_000;
    let fixtures = fixtures();
    let objects: Vec<&str> =
        fixtures.iter().map(|f| f.value["object"].as_str().expect("an object")).collect();
    for (fixture, object_name) in fixtures.iter().zip(&objects) {
        for version in VERSIONS {
            let (id, json) = (id(&fixture.value, version), object(&fixture.value, version));
            account.insert_raw(object_name, &id, at, json).expect("inserted");
        }
    }
    let world = World::new(account).await;
    let report = world.backfill(&objects).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let page = page();
    let mut tables = BTreeSet::new();
    for fixture in &fixtures {
        compare(&world, &fixture.table, &fixture.value, &page).await;
        tables.insert(fixture.table.clone());
        if let Some(items) = fixture.value["items"].as_object() {
            let table = items["table"].as_str().expect("a table");
            compare(&world, table, &fixture.value["items"], &page).await;
            tables.insert(table.to_owned());
        }
    }
    // Active entitlements can only be listed per customer.
    let known: BTreeSet<String> = page.into_keys().map(|(table, _)| table).collect();
    let untested: Vec<_> = known.difference(&tables).collect();
    assert_eq!(untested, ["active_entitlements"]);
}
