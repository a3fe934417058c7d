//! Writes generated objects as rows and reconstructs them: nothing that Stripe can send is lost in
//! encoding, SQL or the server.
//!
//! The reconstruction shares no code with the engine. `_extra` takes precedence over columns, null
//! equals absent, and characters that PostgreSQL cannot store are U+FFFD.

mod json;
mod objects;

use crate::postgres::DatabaseOptions;
use std::collections::BTreeMap;

use proptest::test_runner::{Config, TestRunner};

use json::{Json, parse, value_of};
use objects::{any_fields, object};

use crate::catalog::{Catalog, Exclusions, JsonKind, Source, SqlType, Table};
use crate::order::Stamp;
use crate::postgres::connection::pool::Database;
use crate::postgres::names::Names;
use crate::postgres::write::Statements;
use crate::row::{Observation, winners};

const TABLES: [&str; 7] =
    ["customers", "invoices", "prices", "products", "subscriptions", "events", "payouts"];

/// The properties of a row, each with whether only its numeric value is known.
fn reconstruct(
    table: &Table,
    row: &tokio_postgres::Row,
    sent: &BTreeMap<String, Json>,
) -> BTreeMap<String, (Json, bool)> {
    let extra = row.get::<_, Option<&str>>(table.columns.len()).map(parse);
    let mut out: BTreeMap<String, (Json, bool)> = match extra {
        Some(Json::Object(fields)) => {
            fields.into_iter().map(|(key, value)| (key, (value, false))).collect()
        }
        _ => BTreeMap::new(),
    };
    for (i, column) in table.columns.iter().enumerate() {
        let Some(text) = row.get::<_, Option<&str>>(i) else { continue };
        let own = column.from.first() == Some(&Source::Path(vec![column.name.clone()]));
        let computed =
            column.from.len() > 1 && sent.get(&column.name).is_none_or(|v| *v == Json::Null);
        if !own || computed || out.contains_key(&column.name) {
            continue;
        }
        let value = match (column.sql, column.json) {
            (SqlType::Text, JsonKind::String | JsonKind::Id) => {
                (Json::Text(text.replace('\0', "\u{fffd}")), false)
            }
            (SqlType::Jsonb | SqlType::Text | SqlType::Numeric, _) => (parse(text), false),
            (SqlType::Bigint | SqlType::Boolean | SqlType::Double, _) => (parse(text), true),
        };
        out.insert(column.name.clone(), value);
    }
    out.retain(|_, (value, _)| *value != Json::Null);
    out
}

async fn check(
    database: &Database,
    statements: &Statements,
    table: &'static Table,
    objects: &[String],
) {
    let ids: Vec<String> = (0..objects.len()).map(|i| format!("x_{i:05}")).collect();
    let stamp = Stamp::from_micros(1_700_000_000_000_000);
    let seen = ids.iter().zip(objects).map(|(id, json)| Observation {
        id: id.into(),
        object: json.as_str().into(),
        stamp,
        parent: None,
        request_id: None,
    });
    let mut client = database.get().await.expect("a connection");
    let transaction = client.transaction().await.expect("a transaction");
    let rows = winners(seen.collect());
    statements
        .upsert(&transaction, table, "acct_1", &rows, &Exclusions::default())
        .await
        .expect("written");
    let columns: Vec<String> =
        table.columns.iter().map(|c| format!("\"{}\"::text", c.name)).collect();
    let sql = format!(
        "select {}, _extra::text from stripe.{} order by id",
        columns.join(", "),
        table.name
    );
    let stored = transaction.query_typed(&sql, &[]).await.expect("rows");
    assert_eq!(stored.len(), objects.len());
    for (row, sent) in stored.iter().zip(objects) {
        let Json::Object(mut wanted) = parse(sent) else { panic!("an object: {sent}") };
        let found = reconstruct(table, row, &wanted);
        wanted.retain(|_, value| *value != Json::Null);
        assert!(wanted.keys().eq(found.keys()), "{sent}\n{found:?}");
        for (key, wanted) in wanted {
            let (found, by_value) = &found[&key];
            match by_value {
                true => assert_eq!(value_of(&wanted), value_of(found), "{key} of {sent}"),
                false => assert_eq!(&wanted, found, "{key} of {sent}"),
            }
        }
    }
}

#[test]
fn any_object_comes_back_as_it_was_sent() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = runtime.block_on(private_postgres::Server::temporary()).expect("a server");
    let url = server.connection_url();
    let connect = Database::connect(&url, DatabaseOptions::impatient(2));
    let database = runtime.block_on(connect).expect("a database");
    let names = Names::new("stripe", "").expect("names");
    runtime.block_on(database.migrate(&names)).expect("a schema");
    let statements = Statements::new(names);
    let config =
        Config { cases: 6, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
    for name in TABLES {
        let table = Catalog::get().table(name).expect("a table");
        let objects = proptest::collection::vec(any_fields(table), 200);
        TestRunner::new(config.clone())
            .run(&objects, |objects| {
                let objects: Vec<String> = objects
                    .into_iter()
                    .enumerate()
                    .map(|(i, mut fields)| {
                        fields.push(("\"id\"".to_owned(), format!("\"x_{i:05}\"")));
                        object(&fields)
                    })
                    .collect();
                runtime.block_on(check(&database, &statements, table, &objects));
                Ok(())
            })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
