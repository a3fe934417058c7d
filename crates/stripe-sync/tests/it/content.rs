//! Compares the rows of a table with the simulator's objects, property by property.

use serde_json::Value;
use stripe_sim::Account;

use crate::world::World;

/// Derived columns of the catalog: they can have a value although the object has no such property.
fn derived_columns(table: &str) -> Vec<String> {
    let catalog = include_str!("../../src/catalog/catalog.json");
    let catalog: Value = serde_json::from_str(catalog).expect("the catalog");
    let tables = catalog["tables"].as_array().expect("tables");
    let table = tables.iter().find(|entry| entry["table"] == table).expect("a table");
    let columns = table["columns"].as_array().expect("columns").iter();
    let derived = columns.filter(|column| column.get("from").is_some()).map(|c| &c["name"]);
    // A retrieve request without `expand` does not show these.
    let lists = ["expand", "optional_expand"].into_iter();
    let expanded = lists.filter_map(|name| table[name].as_array()).flatten();
    derived.chain(expanded).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The columns of each table that belong to the engine.
const SYSTEM_COLUMNS: [&str; 4] = ["_account_id", "_extra", "last_synced_at", "updated_at"];

/// What the rows of a table show differently from the objects that they were made from, or in addition.
async fn differences(world: &World, account: &Account, object: &str, table: &str) -> Vec<String> {
    let derived = derived_columns(table);
    let sql = format!("select id, to_jsonb(t)::text from stripe.{table} t");
    let rows = world.sql.query(&sql, &[]).await.unwrap_or_else(|e| panic!("{table}: {e}"));
    let mut differences = Vec::new();
    for row in rows {
        let (id, text): (&str, &str) = (row.get(0), row.get(1));
        let row: Value = serde_json::from_str(text).expect("a row");
        if let Some(difference) = account.row_difference(object, id, &row) {
            differences.push(format!("{id}: {difference}"));
        }
        let Some(sent) = account.object_json(object, id) else { continue };
        let sent: Value = serde_json::from_str(&sent).expect("an object");
        for (column, value) in row.as_object().expect("a row") {
            let is_own = SYSTEM_COLUMNS.contains(&column.as_str());
            let may_be_set = is_own || derived.contains(column) || !sent[column].is_null();
            if !value.is_null() && !may_be_set {
                differences.push(format!("{id}: {column} is set"));
            }
        }
    }
    differences
}

/// Asserts that each row of a table shows the whole object that it was made from, and nothing else.
pub(crate) async fn assert_content(world: &World, account: &Account, object: &str, table: &str) {
    let differences = differences(world, account, object, table).await;
    let first: Vec<_> = differences.iter().take(10).collect();
    assert!(first.is_empty(), "{table}: {} differences: {first:#?}", differences.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_other_content_is_found() {
    let account = Account::builder(9).objects("customer", 3).build().expect("an account");
    let world = World::new(account).await;
    world.backfill(&["customer"]).await;
    let account = world.sim.account();
    assert_content(&world, account, "customer", "customers").await;
    let id = account.ids("customer").next().expect("a customer");
    for (change, expected) in [
        ("created = created + 1", "created differs"),
        ("livemode = not livemode", "livemode differs"),
        ("metadata = '{\"other\": \"x\"}'", "metadata differs"),
        ("object = null", "object differs"),
        ("_extra = '{\"color\": \"red\"}'", "_extra.color is not a property"),
        ("test_clock = 'clock_1'", "test_clock is set"),
    ] {
        let before = "create table before as select * from stripe.customers";
        world.sql.batch_execute(before).await.expect("a copy of the rows");
        let update = format!("update stripe.customers set {change} where id = '{id}'");
        world.sql.batch_execute(&update).await.unwrap_or_else(|e| panic!("{update}: {e}"));
        let found = differences(&world, account, "customer", "customers").await;
        assert_eq!(found, [format!("{id}: {expected}")], "{change}");
        let restore =
            "truncate stripe.customers; insert into stripe.customers select * from before;
                       drop table before";
        world.sql.batch_execute(restore).await.expect("the rows");
    }
}
