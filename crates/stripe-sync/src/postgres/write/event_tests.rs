//! Tests how events change rows: properties that a payload carries are stored, the others are kept.

use std::sync::OnceLock;
use std::time::SystemTime;

use super::{EventChange, Statements, WriteOutcome, WriteRequest};
use crate::catalog::{Catalog, Table};
use crate::order::Stamp;
use crate::order::event::{EventContent, EventDecision};
use crate::postgres::ledger::inbox::InboxCounts;
use crate::postgres::{Batch, Database, DatabaseOptions, Names};
use crate::row::Observation;

struct TestDatabase {
    database: Database,
    statements: Statements,
    _server: private_postgres::Server,
}

impl TestDatabase {
    async fn new() -> TestDatabase {
        let server = private_postgres::Server::temporary().await.expect("a server");
        let url = server.connection_url();
        let database =
            Database::connect(&url, DatabaseOptions::impatient(4)).await.expect("a database");
        let names = Names::new("stripe", "").expect("names");
        database.migrate(&names).await.expect("a schema");
        TestDatabase { database, statements: Statements::new(names), _server: server }
    }

    async fn read(&self, table: &str, json: &str, stamp: Stamp) {
        let table = table_of(table);
        let batches = vec![Batch::new(table, vec![seen(json, stamp)])];
        self.write(WriteRequest { batches, ..WriteRequest::default() }).await;
    }

    async fn event(&self, table: &str, json: &str, created: i64) -> EventDecision {
        self.apply(table, json, created, EventContent::State { whole: true }).await
    }

    async fn deletion(&self, table: &str, json: &str, created: i64) -> EventDecision {
        self.apply(table, json, created, EventContent::Deletion).await
    }

    async fn apply(
        &self,
        table: &str,
        json: &str,
        created: i64,
        content: EventContent,
    ) -> EventDecision {
        let change = EventChange {
            table: table_of(table),
            id: ID,
            row: seen(json, Stamp::of_event(created)),
            content,
            items: Vec::new(),
            complete_lists: Vec::new(),
        };
        let events = vec![change];
        self.write(WriteRequest { events, ..WriteRequest::default() }).await[0]
    }

    async fn write(&self, request: WriteRequest<'_>) -> Vec<EventDecision> {
        let request = WriteRequest { account: "acct_1", ..request };
        match self.database.write(&self.statements, &request).await.expect("an outcome") {
            WriteOutcome::Committed(committed) => committed.events,
            other => panic!("{other:?}"),
        }
    }

    async fn text(&self, sql: &str) -> String {
        let client = self.database.get().await.expect("a connection");
        let row = client.query_typed_one(sql, &[]).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
        row.get::<_, Option<String>>(0).unwrap_or_else(|| "(null)".to_owned())
    }

    async fn inbox(&self) -> InboxCounts {
        self.database.inbox_counts(self.statements.names(), None).await.expect("counts")
    }
}

const ID: &str = "x_1";

fn table_of(name: &str) -> &'static Table {
    Catalog::get().table(name).expect("a table")
}

fn seen(json: &str, stamp: Stamp) -> Observation<'_> {
    Observation { id: ID.into(), object: json.into(), stamp, parent: None, request_id: None }
}

/// A second in the past, the same one whenever it is asked for.
fn second(n: i64) -> i64 {
    static NOW: OnceLock<i64> = OnceLock::new();
    let now = NOW.get_or_init(|| Stamp::from_system(SystemTime::now()).unix_seconds());
    now - 100_000 + n
}

fn read_at(n: i64) -> Stamp {
    Stamp::of_read(second(n) * 1_000_000 + 5)
}

#[tokio::test]
async fn properties_that_an_event_does_not_carry_are_kept() {
    let database = TestDatabase::new().await;
    let listed = r#"{"id":"x_1","object":"checkout.session","status":"open","currency":"eur",
        "line_items":{"data":[1]},"unknown":1,"other":2,"customer":{"id":"cus_1","name":"A"}}"#;
    database.read("checkout_sessions", listed, read_at(0)).await;
    let event = r#"{"id":"x_1","object":"checkout.session","status":"complete","currency":null,
        "other":3,"customer":"cus_2"}"#;
    let decision = database.event("checkout_sessions", event, second(20)).await;
    assert_eq!(decision, EventDecision::Merge);
    let sql = "select concat_ws('|', status, currency is null, line_items::text, customer, \
               _extra::text) from stripe.checkout_sessions";
    let extra = r#"{"other": 3, "unknown": 1}"#;
    let expected = format!(r#"complete|t|{{"data": [1]}}|cus_2|{extra}"#);
    assert_eq!(database.text(sql).await, expected);
}

#[tokio::test]
async fn a_duplicate_changes_neither_the_content_nor_updated_at() {
    let database = TestDatabase::new().await;
    let json = r#"{"id":"x_1","object":"charge","amount":5,"new":[1]}"#;
    assert_eq!(database.event("charges", json, second(0)).await, EventDecision::Insert);
    let sql = "select concat_ws('|', amount, _extra::text, updated_at, last_synced_at) from stripe.charges";
    let before = database.text(sql).await;
    assert_eq!(database.event("charges", json, second(0)).await, EventDecision::Ignore);
    assert_eq!(database.text(sql).await, before);
    let sql = "select updated_at::text from stripe.charges";
    let before = database.text(sql).await;
    assert_eq!(database.event("charges", json, second(9)).await, EventDecision::Merge);
    assert_eq!(database.text(sql).await, before);
    assert_eq!(database.inbox().await, InboxCounts::default());
}

#[tokio::test]
async fn an_event_that_cannot_be_ordered_puts_its_object_into_the_inbox_once() {
    let database = TestDatabase::new().await;
    let json = |amount| format!(r#"{{"id":"x_1","object":"charge","amount":{amount}}}"#);
    database.read("charges", &json(1), read_at(0)).await;
    for amount in [2, 3] {
        let decision = database.event("charges", &json(amount), second(1)).await;
        assert_eq!(decision, EventDecision::Refetch);
    }
    assert_eq!(database.text("select amount::text from stripe.charges").await, "1");
    assert_eq!(database.inbox().await.waiting, 1);
}

#[tokio::test]
async fn a_late_event_does_not_restore_a_deleted_row() {
    let database = TestDatabase::new().await;
    let json = r#"{"id":"x_1","object":"invoice","status":"draft"}"#;
    database.event("invoices", json, second(0)).await;
    assert_eq!(database.deletion("invoices", json, second(5)).await, EventDecision::Delete);
    assert_eq!(database.event("invoices", json, second(3)).await, EventDecision::Ignore);
    assert_eq!(database.text("select count(*)::text from stripe.invoices").await, "0");
    assert_eq!(database.inbox().await.waiting, 0);
}

#[tokio::test]
async fn a_deleted_customer_is_marked_even_if_it_had_no_row() {
    let database = TestDatabase::new().await;
    let json = r#"{"deleted":true,"id":"x_1","object":"customer","email":"a@b.c"}"#;
    assert_eq!(database.deletion("customers", json, second(5)).await, EventDecision::Delete);
    let updated = r#"{"id":"x_1","object":"customer","email":"old@b.c"}"#;
    assert_eq!(database.event("customers", updated, second(4)).await, EventDecision::Ignore);
    let sql = "select concat_ws('|', email, deleted) from stripe.customers";
    assert_eq!(database.text(sql).await, "a@b.c|t");
}

/// An event does not contain `applies_to`, and the row's value belongs to a coupon that was deleted.
#[tokio::test]
async fn properties_of_a_deleted_object_are_not_kept_for_a_new_one_with_its_id() {
    let database = TestDatabase::new().await;
    let coupon = |created, name| {
        format!(r#"{{"id":"x_1","object":"coupon","created":{created},"name":"{name}"}}"#)
    };
    let listed = coupon(100, "old").replace("}", r#","applies_to":{"products":["prod_1"]}}"#);
    database.read("coupons", &listed, read_at(0)).await;
    // The event of the deletion arrives later or never.
    let decision = database.event("coupons", &coupon(200, "new"), second(20)).await;
    assert_eq!(decision, EventDecision::Refetch);
    assert_eq!(database.inbox().await.waiting, 1);
    assert_eq!(database.text("select name from stripe.coupons").await, "old");
    // The same coupon.
    let decision = database.event("coupons", &coupon(100, "other"), second(20)).await;
    assert_eq!(decision, EventDecision::Merge);
    let sql = "select concat_ws('|', name, applies_to) from stripe.coupons";
    assert_eq!(database.text(sql).await, r#"other|{"products": ["prod_1"]}"#);
}

#[tokio::test]
async fn items_of_a_stale_payload_are_not_written() {
    let database = TestDatabase::new().await;
    let table = table_of("invoices");
    let change = |json: &'static str, item: &'static str, created: i64| {
        let items = table_of("invoice_line_items");
        let stamp = Stamp::of_event(created);
        let row = Observation { id: item.into(), parent: Some(ID), ..seen(item_json(item), stamp) };
        let list = super::CompleteList { table: items, parent: ID.to_owned(), stamp };
        EventChange {
            table,
            id: ID,
            row: seen(json, stamp),
            content: EventContent::State { whole: true },
            items: vec![Batch::new(items, vec![row])],
            complete_lists: vec![list],
        }
    };
    let newer = change(r#"{"id":"x_1","object":"invoice","status":"open"}"#, "il_2", second(9));
    let older = change(r#"{"id":"x_1","object":"invoice","status":"draft"}"#, "il_1", second(3));
    for event in [newer, older] {
        database.write(WriteRequest { events: vec![event], ..WriteRequest::default() }).await;
    }
    let sql = "select string_agg(id, ',') from stripe.invoice_line_items";
    assert_eq!(database.text(sql).await, "il_2");
}

fn item_json(id: &str) -> &'static str {
    match id {
        "il_1" => r#"{"id":"il_1","object":"line_item"}"#,
        _ => r#"{"id":"il_2","object":"line_item"}"#,
    }
}

/// A process whose lease has expired, and the process that has leased the entry since, both fetch the
/// object. They must not cause each other to fetch it again.
#[tokio::test]
async fn a_process_without_its_lease_ends_the_entry_but_not_the_lease_of_another() {
    let test = TestDatabase::new().await;
    let (database, names) = (&test.database, test.statements.names());
    let expire = "with expired as (update stripe._inbox set leased_until = now() - interval '1 s'
        returning id) select count(*)::text from expired";
    let lease = async || {
        let leased = database.lease_inbox(names, "acct_1", 10).await.expect("the inbox");
        leased.into_iter().next()
    };
    let product = |name| format!(r#"{{"id":"x_1","object":"product","name":"{name}"}}"#);
    test.read("products", &product("read"), read_at(0)).await;
    let event = test.event("products", &product("event"), second(0)).await;
    assert_eq!(event, EventDecision::Refetch);
    let first = lease().await.expect("an entry");
    assert!(lease().await.is_none(), "leased");
    test.text(expire).await;
    let second_lease = lease().await.expect("an entry");
    // An event after the request of the first process: the entry stays, and so does the second lease.
    test.event("products", &product("later"), second(1)).await;
    database.finish_inbox_entry(names, "acct_1", &first).await.expect("released");
    let pause = std::time::Duration::from_secs(60);
    database.postpone_inbox_entry(names, "acct_1", &first, pause, "failed").await.expect("nothing");
    assert!(lease().await.is_none(), "leased by the second process");
    // The second process releases its own lease.
    database.finish_inbox_entry(names, "acct_1", &second_lease).await.expect("released");
    let third = lease().await.expect("an entry that is due");
    test.text(expire).await;
    assert!(lease().await.is_some());
    // No event since: the response of the process that has lost its lease suffices.
    database.finish_inbox_entry(names, "acct_1", &third).await.expect("removed");
    assert_eq!(test.inbox().await.waiting, 0);
}
