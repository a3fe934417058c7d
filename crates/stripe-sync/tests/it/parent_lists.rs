//! Payment methods that only the lists of their customers show, as with API versions whose account-wide list
//! omits them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sync::{BackfillRequest, ColumnName, RunStatus};

use crate::scripted_stripe::{
    Answer, ReceivedRequest, ScriptedStripe, error, held, list, ok, page_of,
};
use crate::world::ended;

const OLD_VERSION: &str = "2020-08-27";

/// An account whose customers have payment methods.
#[derive(Default)]
struct Contents {
    customers: Vec<Value>,
    /// Each with its customer.
    methods: Vec<Value>,
    /// What `/v1/payment_methods` shows.
    listed: Vec<Value>,
    events: Vec<Value>,
    /// A path that is rejected.
    refused: Option<String>,
    /// A path that is not answered.
    held: Option<String>,
    /// `/v1/payment_methods` requires `customer`.
    requires_customer: bool,
    /// A text in the bodies of responses, and what is sent instead of it.
    replaced: Option<(String, String)>,
}

impl Contents {
    /// Customers with one payment method each; the one with number 7 has 150.
    fn new(customers: usize) -> Contents {
        let customer = |i: usize| json!({"id": format!("cus_{i}"), "object": "customer", "created": 1_700_000_000 - i});
        let customer_objects = (0..customers).map(customer).collect();
        let mut contents = Contents { customers: customer_objects, ..Contents::default() };
        for i in 0..customers {
            let count = if i == 7 { 150 } else { 1 };
            (0..count).for_each(|number| contents.attach(&format!("cus_{i}"), &number.to_string()));
        }
        contents
    }

    fn attach(&mut self, customer: &str, name: &str) {
        let id = format!("pm_{customer}_{name}");
        self.methods.push(json!({"id": id, "object": "payment_method", "customer": customer}));
    }

    fn ids(&self) -> BTreeSet<String> {
        let methods = self.methods.iter().chain(&self.listed);
        methods.map(|method| method["id"].as_str().expect("an id").to_owned()).collect()
    }

    fn answer(&self, asked: &ReceivedRequest) -> Answer {
        let (status, body) = self.answer_as_stored(asked);
        match &self.replaced {
            Some((text, other)) => (status, body.replace(text, other)),
            None => (status, body),
        }
    }

    fn answer_as_stored(&self, asked: &ReceivedRequest) -> Answer {
        if self.held.as_ref() == Some(&asked.path) {
            return held();
        }
        if self.refused.as_ref() == Some(&asked.path) {
            return error(402, "refused");
        }
        match asked.path.as_str() {
            "/v1/payment_methods" if self.requires_customer => {
                let message = "Missing required param: customer.";
                let code = "parameter_missing";
                let kind = "invalid_request_error";
                let error =
                    json!({"type": kind, "code": code, "param": "customer", "message": message});
                (400, json!({ "error": error }).to_string())
            }
            "/v1/customers" => ok(page_of(&self.customers, asked)),
            "/v1/events" => ok(page_of(&self.events, asked)),
            "/v1/payment_methods" if asked.get("type").is_some() => ok(list(&[], false)),
            "/v1/payment_methods" => ok(page_of(&self.listed, asked)),
            path if path.starts_with("/v1/payment_methods/") => {
                let id = path.rsplit('/').next().expect("an ID");
                let method = self.methods.iter().find(|method| method["id"] == id);
                ok(method.expect("a payment method").clone())
            }
            path => {
                let customer = path.strip_prefix("/v1/customers/").expect("a customer");
                let customer = customer.strip_suffix("/payment_methods").expect("its methods");
                let own = |method: &&Value| method["customer"] == customer;
                ok(page_of(&self.methods.iter().filter(own).cloned().collect::<Vec<_>>(), asked))
            }
        }
    }
}

/// A server with these contents, and the contents to change.
async fn serve(
    contents: Contents,
    version: Option<&str>,
) -> (ScriptedStripe, Arc<Mutex<Contents>>) {
    let contents = Arc::new(Mutex::new(contents));
    let shown = Arc::clone(&contents);
    let mut server =
        ScriptedStripe::start(move |asked| shown.lock().expect("contents").answer(asked)).await;
    server.config.api_version = version.map(str::to_owned);
    (server, contents)
}

/// The customers whose lists were requested since the last call.
fn read_customers(server: &ScriptedStripe) -> BTreeSet<String> {
    let mut asked = server.asked.lock().expect("a log");
    let read = asked.drain(..).filter_map(|asked| {
        Some(asked.path.strip_prefix("/v1/customers/")?.split('/').next()?.to_owned())
    });
    read.collect()
}

async fn stored(server: &ScriptedStripe) -> BTreeSet<String> {
    let rows = server.sql.query("select id from stripe.payment_methods", &[]).await.expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn payment_methods_are_read_from_the_customers_lists() {
    let (server, contents) = serve(Contents::new(250), Some(OLD_VERSION)).await;
    let report = server.backfill("payment_method").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(ended(&report, "payment_methods").1, 250 + 149);
    assert_eq!(stored(&server).await, contents.lock().expect("contents").ids());
    assert_eq!(read_customers(&server).len(), 250);

    // Later runs read only customers that have changed: an event names one, a row another, one is new.
    let sql = "insert into stripe.customers (id, _account_id) values ('cus_100', 'acct_scripted')";
    server.sql.execute(sql, &[]).await.expect("a changed row");
    {
        let mut contents = contents.lock().expect("contents");
        for customer in ["cus_5", "cus_100", "cus_new"] {
            contents.attach(customer, "more");
        }
        let object = json!({"id": "pm_cus_5_more", "customer": "cus_5"});
        let event = json!({"id": "evt_1", "object": "event", "created": 1_900_000_000,
                           "type": "payment_method.attached", "data": {"object": object}});
        contents.events.push(event);
        let new = json!({"id": "cus_new", "object": "customer", "created": 1_900_000_000});
        contents.customers.insert(0, new);
    }
    let report = server.backfill("payment_method").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(read_customers(&server), set(&["cus_100", "cus_5", "cus_new"]));
    assert_eq!(stored(&server).await, contents.lock().expect("contents").ids());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_reading_of_customers_lists_is_resumed() {
    let (server, contents) = serve(Contents::new(250), Some(OLD_VERSION)).await;
    // The run is killed while it reads the second page of customers.
    contents.lock().expect("contents").held = Some("/v1/customers/cus_150/payment_methods".into());
    let run = async {
        let engine = server.engine().await;
        engine.backfill(&methods(false)).await.expect("a report")
    };
    let first_page_is_committed = async {
        while server.count("_slices where part = 2 and seq > 0").await == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    // The schema exists before its tables are queried.
    server.engine().await.migrate().await.expect("a schema");
    tokio::select! {
        () = first_page_is_committed => {}
        report = run => panic!("the run was not interrupted: {report:?}"),
    }
    contents.lock().expect("contents").held = None;
    read_customers(&server);
    let free = "update stripe._slices set owner = null, lease_until = null, epoch = epoch + 1";
    server.sql.execute(free, &[]).await.expect("freed");
    let report = server.backfill("payment_method").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert!(!read_customers(&server).contains("cus_0"), "the first page was committed");
    assert_eq!(stored(&server).await, contents.lock().expect("contents").ids());
}

/// Changes a payment method. No event shows it.
fn change_without_an_event(contents: &Mutex<Contents>, id: &str, billing: Value) {
    let mut contents = contents.lock().expect("contents");
    let method = contents.methods.iter_mut().find(|method| method["id"] == id);
    method.expect("a payment method")["billing_details"] = billing;
}

fn methods(fresh: bool) -> BackfillRequest {
    let objects = vec!["payment_method".to_owned()];
    BackfillRequest { objects, fresh, ..Default::default() }
}

const BILLING: &str = "select billing_details::text from stripe.payment_methods
                       where id = 'pm_cus_3_0'";

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_run_reads_the_lists_of_all_customers() {
    let (server, contents) = serve(Contents::new(5), Some(OLD_VERSION)).await;
    let engine = server.engine().await;
    engine.backfill(&methods(false)).await.expect("a report");
    change_without_an_event(&contents, "pm_cus_3_0", json!({"name": "new"}));
    read_customers(&server);
    engine.backfill(&methods(false)).await.expect("a report");
    assert!(read_customers(&server).is_empty(), "no customer has changed");

    // The run is interrupted, and the same command without `--fresh` resumes it.
    contents.lock().expect("contents").refused = Some("/v1/customers".into());
    let report = engine.backfill(&methods(true)).await.expect("a report");
    assert_eq!(ended(&report, "payment_methods").0, "failed");
    contents.lock().expect("contents").refused = None;
    let report = engine.backfill(&methods(false)).await.expect("a report");
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(read_customers(&server).len(), 5);
    assert_eq!(server.text(BILLING).await, r#"{"name": "new"}"#);
    // It counts as a complete read.
    engine.backfill(&methods(false)).await.expect("a report");
    assert!(read_customers(&server).is_empty(), "no customer has changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_included_again_is_read_from_the_lists_of_all_customers() {
    let (mut server, contents) = serve(Contents::new(5), Some(OLD_VERSION)).await;
    change_without_an_event(&contents, "pm_cus_3_0", json!({"name": "x"}));
    let column = [ColumnName::parse("payment_methods.billing_details").expect("a column")];
    server.config.exclude_columns = column.to_vec();
    let engine = server.engine().await;
    engine.backfill(&methods(false)).await.expect("a report");
    assert_eq!(server.text(BILLING).await, "");
    server.config.exclude_columns.clear();
    let engine = server.engine().await;
    engine.include_columns(&column).await.expect("included");
    engine.backfill(&methods(false)).await.expect("a report");
    assert_eq!(server.text(BILLING).await, r#"{"name": "x"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_payment_method_is_read_again_although_its_customer_has_not_changed() {
    let (server, contents) = serve(Contents::new(5), Some(OLD_VERSION)).await;
    let engine = server.engine().await;
    // PostgreSQL has no such number.
    let refused = r#"{"name": 1e400000}"#;
    contents.lock().expect("contents").replaced =
        Some((r#"{"name":"refused"}"#.into(), refused.into()));
    change_without_an_event(&contents, "pm_cus_3_0", json!({"name": "refused"}));
    let report = engine.backfill(&methods(false)).await.expect("a report");
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));

    contents.lock().expect("contents").replaced = None;
    read_customers(&server);
    let report = engine.backfill(&methods(false)).await.expect("a report");
    assert_eq!((report.status, report.quarantined), (RunStatus::Complete, 0));
    assert_eq!(read_customers(&server), set(&["cus_3"]));
    assert_eq!(server.text(BILLING).await, r#"{"name": "refused"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unreadable_list_of_a_customer_does_not_stop_the_others() {
    let (server, contents) = serve(Contents::new(30), Some(OLD_VERSION)).await;
    contents.lock().expect("contents").refused = Some("/v1/customers/cus_3/payment_methods".into());
    let report = server.backfill("payment_method").await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    assert_eq!(stored(&server).await.len(), 30 + 149 - 1);
    let entry = server.text("select id || ': ' || reason from stripe._quarantine").await;
    assert!(entry.starts_with("payment_methods of cus_3: payment_methods of cus_3: "), "{entry}");
    // The next run reads it although the customer has not changed.
    read_customers(&server);
    contents.lock().expect("contents").refused = None;
    let report = server.backfill("payment_method").await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Complete, 0));
    assert_eq!(read_customers(&server), set(&["cus_3"]));
    assert_eq!(stored(&server).await, contents.lock().expect("contents").ids());
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_lists_are_not_read_if_the_accounts_list_shows_everything() {
    // The version documents it.
    let (server, _) = serve(Contents::new(3), None).await;
    assert_eq!(server.backfill("payment_method").await.status, RunStatus::Complete);
    assert!(read_customers(&server).is_empty());
    // The list itself shows it.
    let mut contents = Contents::new(3);
    contents.listed = contents.methods.clone();
    let (server, _) = serve(contents, Some(OLD_VERSION)).await;
    let report = server.backfill("payment_method").await;
    assert_eq!(ended(&report, "payment_methods").1, 3);
    assert!(read_customers(&server).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_requires_a_customer_is_replaced_by_the_customers_lists() {
    let (server, contents) = serve(Contents::new(3), Some(OLD_VERSION)).await;
    contents.lock().expect("contents").requires_customer = true;
    let report = server.backfill("payment_method").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(stored(&server).await, contents.lock().expect("contents").ids());
    let objects = vec!["payment_method".to_owned()];
    let request = stripe_sync::CheckRequest { objects, ..Default::default() };
    let report = stripe_sync::check(&server.config, &request).await;
    let report = report.expect("a report");
    let stripe = report.stripe.expect("Stripe was checked");
    assert_eq!(stripe.streams[0].access, stripe_sync::StreamAccess::Readable);
}
