//! Invalid or unexpected responses of Stripe or of a proxy: the run ends, no row is lost silently,
//! and one object never stops the others.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sync::{RefreshOutcome, RunStatus};

use crate::scripted_stripe::{ReceivedRequest, ScriptedStripe, error, list, ok, page_of};
use crate::world::ended;

fn charges(count: i64) -> Vec<Value> {
    let charge =
        |i| json!({"id": format!("ch_{i}"), "object": "charge", "created": 1_700_000_000 - i});
    (0..count).map(charge).collect()
}

/// Invoices whose embedded lists contain only the first line.
fn invoices(count: i64) -> Vec<Value> {
    let invoice = |i| {
        let first = json!({"id": format!("il_{i}_0"), "object": "line_item"});
        json!({
            "id": format!("in_{i}"), "object": "invoice", "created": 1_700_000_000 - i,
            "lines": {"object": "list", "url": format!("/v1/invoices/in_{i}/lines"),
                      "data": [first], "has_more": true},
        })
    };
    (0..count).map(invoice).collect()
}

/// The lines of an invoice.
fn more_lines(path: &str, count: usize) -> Option<Vec<Value>> {
    let number = path.strip_prefix("/v1/invoices/in_")?.strip_suffix("/lines")?;
    let line = |i| json!({"id": format!("il_{number}_{i}"), "object": "line_item"});
    Some((0..count).map(line).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_fails_above_a_size_is_requested_with_a_smaller_limit() {
    let all = charges(250);
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/charges" if asked.limit() > 20 => error(500, "too much"),
        "/v1/charges" => ok(page_of(&all, asked)),
        _ => error(404, "no"),
    })
    .await;
    let report = server.backfill("charge").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("charges").await, 250);
    let requests = server.requests_to("/v1/charges");
    assert!(requests < 60, "a size that works is remembered: {requests} requests");
}

/// A proxy truncates every body and adjusts its length.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_truncated_at_a_fixed_size_is_requested_in_smaller_pages() {
    let padding = "x".repeat(3_000);
    let all: Vec<Value> = charges(120)
        .into_iter()
        .map(|mut charge| {
            charge["description"] = padding.as_str().into();
            charge
        })
        .collect();
    let server = ScriptedStripe::start(move |asked| {
        let (status, mut body) = ok(page_of(&all, asked));
        body.truncate(131_072);
        (status, body)
    })
    .await;
    let report = server.backfill("charge").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("charges").await, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nested_page_that_fails_above_a_size_is_requested_with_a_smaller_limit() {
    let all = invoices(3);
    let server = ScriptedStripe::start(move |asked| match more_lines(&asked.path, 90) {
        Some(_) if asked.limit() > 20 => error(500, "too much"),
        Some(lines) => ok(page_of(&lines, asked)),
        None => ok(page_of(&all, asked)),
    })
    .await;
    let report = server.backfill("invoice").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("invoice_line_items").await, 270);
}

/// The page after A contains B, and the page after B contains A.
fn cyclic_page(asked: &ReceivedRequest) -> Value {
    let item = |id: &str| json!({"id": id, "object": "line_item"});
    match asked.get("starting_after") {
        Some("il_a") => list(&[item("il_b")], true),
        _ => list(&[item("il_a")], true),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cyclic_nested_list_ends_and_quarantines_its_object() {
    let all = invoices(5);
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/invoices" => ok(page_of(&all, asked)),
        "/v1/invoices/in_2" => ok(all[2].clone()),
        "/v1/invoices/in_2/lines" => ok(cyclic_page(asked)),
        path => ok(page_of(&more_lines(path, 3).expect("lines"), asked)),
    })
    .await;
    let report = server.backfill("invoice").await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert_eq!(ended(&report, "invoices").0, "complete");
    assert_eq!((report.quarantined, server.count("invoices").await), (1, 5));
    let sql = "select id || ': ' || reason from stripe._quarantine";
    let entry = server.text(sql).await;
    assert!(
        entry.starts_with("in_2: lines of invoice in_2 returns the same items again"),
        "{entry}"
    );
    assert!(server.requests_to("/v1/invoices/in_2/lines") < 10);
    let refreshed = server.engine().await.refresh(&["in_2".into()]).await.expect("an outcome");
    assert_eq!(refreshed[0].outcome, RefreshOutcome::Quarantined);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_parent_with_an_unreadable_list_does_not_stop_the_others() {
    for status in [403, 500, 400] {
        let all = invoices(30);
        let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
            "/v1/invoices" => ok(page_of(&all, asked)),
            "/v1/invoices/in_7/lines" => error(status, "not this one"),
            path => ok(page_of(&more_lines(path, 12).expect("lines"), asked)),
        })
        .await;
        let report = server.backfill("invoice").await;
        assert_eq!(report.status, RunStatus::Incomplete, "{status}");
        assert_eq!(ended(&report, "invoices").0, "complete", "{status}");
        assert!(!report.only_denied(), "--skip-denied must not accept an unread object");
        assert_eq!((report.quarantined, server.count("invoices").await), (1, 30), "{status}");
        assert_eq!(server.count("invoice_line_items").await, 29 * 12 + 1, "{status}");
        let sql = "select id || ' ' || (request_id like 'req_%')::text from stripe._quarantine";
        assert_eq!(server.text(sql).await, "in_7 true", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_rejected_without_naming_the_parameter_restarts_the_list() {
    let (all, refused) = (invoices(1), Mutex::new(false));
    let server = ScriptedStripe::start(move |asked| match more_lines(&asked.path, 150) {
        Some(_) if asked.get("starting_after").is_some() && !*refused.lock().unwrap() => {
            *refused.lock().unwrap() = true;
            error(400, "that cursor is too old")
        }
        Some(lines) => ok(page_of(&lines, asked)),
        None => ok(page_of(&all, asked)),
    })
    .await;
    let report = server.backfill("invoice").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("invoice_line_items").await, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_without_readable_nested_lists_fails_before_it_fills_the_quarantine() {
    let all = invoices(400);
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/invoices" => ok(page_of(&all, asked)),
        _ => error(403, "no permission"),
    })
    .await;
    let report = server.backfill("invoice").await;
    let (status, _, message) = ended(&report, "invoices");
    assert!(status == "failed" && message.contains("100 objects in a row"), "{message}");
}

/// The server always sends page 1, or pages 1 and 2 alternately.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ignores_the_cursor_fails_after_the_first_repeated_page() {
    for pages in [1_usize, 2] {
        let (all, turn) = (charges(200), Mutex::new(0));
        let server = ScriptedStripe::start(move |_| {
            let mut turn = turn.lock().unwrap();
            *turn += 1;
            let from = (*turn - 1) % pages * 100;
            ok(list(&all[from..from + 100], true))
        })
        .await;
        let report = server.backfill("charge").await;
        let (status, _, message) = ended(&report, "charges");
        assert!(status == "failed" && message.contains("sent a page again"), "{message}");
        // The number of workers that split the list before it fails depends on timing. Reading a
        // slice ends with the first repeated page, after at most four requests. If a split moves
        // its bounds, the slice is read again from its start, at most five times.
        let mut requests: HashMap<_, usize> = HashMap::new();
        for asked in server.asked.lock().expect("a log").iter() {
            let bound = |name| asked.number(name);
            *requests.entry((bound("created[gte]"), bound("created[lt]"))).or_default() += 1;
        }
        assert!(requests.values().all(|count| *count <= 4 * 6), "{requests:?}");
        assert!(requests.len() <= 64, "{} ranges", requests.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_last_page_that_says_has_more_is_confirmed_by_another_request() {
    let all = charges(150);
    let server = ScriptedStripe::start(move |asked| {
        let mut page = page_of(&all, asked);
        // After the last row: an empty page with `has_more`.
        if asked.get("starting_after").is_some() {
            page["has_more"] = true.into();
        }
        ok(page)
    })
    .await;
    let report = server.backfill("charge").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("charges").await, 150);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_permission_revoked_on_a_later_page_is_a_failure() {
    let all = charges(500);
    let server = ScriptedStripe::start(move |asked| match asked.get("starting_after") {
        Some(_) => error(403, "The provided key does not have the required permissions"),
        None => ok(page_of(&all, asked)),
    })
    .await;
    let report = server.backfill("charge").await;
    assert_eq!(ended(&report, "charges").0, "failed");
    assert!(!report.only_denied());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_missing_from_the_catalog_is_read_to_its_end() {
    let intent = |i: i64| {
        json!({
            "id": format!("pi_{i}"), "object": "payment_intent", "created": 1_700_000_000 - i,
            "charges": {"object": "list", "url": format!("/v1/charges?payment_intent=pi_{i}"),
                        "data": [{"id": format!("ch_{i}_0"), "object": "charge"}], "has_more": true},
        })
    };
    let mut all: Vec<Value> = (0..3).map(intent).collect();
    all[2]["charges"]["url"] = "https://elsewhere.example/x".into();
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/payment_intents" => ok(page_of(&all, asked)),
        _ => {
            let parent = asked.get("payment_intent").expect("a parent").replace("pi_", "");
            let charge = |i| json!({"id": format!("ch_{parent}_{i}"), "object": "charge"});
            ok(page_of(&(0..14).map(charge).collect::<Vec<_>>(), asked))
        }
    })
    .await;
    let report = server.backfill("payment_intent").await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert_eq!((report.quarantined, server.count("payment_intents").await), (1, 3));
    let whole = "select string_agg(jsonb_array_length(_extra -> 'charges' -> 'data')::text, ','
                 order by id) from stripe.payment_intents";
    assert_eq!(server.text(whole).await, "14,14,1");
    assert_eq!(server.text("select id from stripe._quarantine").await, "pi_2");
}

/// Stripe lists some cards that cannot be retrieved.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_retrieved_keeps_its_listed_row() {
    let changes = Mutex::new(HashSet::new());
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/charges" => {
            let mut all = charges(3);
            // The second request returns another state within two seconds.
            let first = changes.lock().unwrap().insert("read");
            all[1]["description"] = if first { "one" } else { "two" }.into();
            ok(page_of(&all, asked))
        }
        _ => error(403, "not retrievable"),
    })
    .await;
    assert_eq!(server.backfill("charge").await.status, RunStatus::Complete);
    let report = server.backfill("charge").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let sql = "select description from stripe.charges where id = 'ch_1'";
    assert_eq!(server.text(sql).await, "two");
}

/// A server that reports an object as missing for the given number of requests.
async fn with_missing_object(missing: Arc<Mutex<usize>>) -> ScriptedStripe {
    ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/charges" => ok(page_of(&charges(5), asked)),
        "/v1/charges/ch_1" => {
            let mut missing = missing.lock().expect("no test panics with the lock");
            match *missing {
                0 => ok(charges(5)[1].clone()),
                _ => {
                    *missing -= 1;
                    let missing = json!({"error": {"type": "invalid_request_error",
                        "code": "resource_missing", "message": "No such charge", "param": "id"}});
                    (404, missing.to_string())
                }
            }
        }
        _ => error(404, "no"),
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_404_from_a_lagging_replica_deletes_nothing() {
    let missing = Arc::new(Mutex::new(0));
    let server = with_missing_object(Arc::clone(&missing)).await;
    server.backfill("charge").await;
    *missing.lock().unwrap() = 1;
    let engine = server.engine().await;
    let refreshed = engine.refresh(&["ch_1".into()]).await.expect("an outcome");
    assert_eq!(refreshed[0].outcome, RefreshOutcome::Stored);
    assert_eq!((server.count("charges").await, server.count("_tombstones").await), (5, 0));
}

/// The deletion was wrong, or the id is in use again. After the outcome "stored" or "complete", the
/// row exists.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_exists_again_replaces_its_tombstone() {
    let missing = Arc::new(Mutex::new(0));
    let server = with_missing_object(Arc::clone(&missing)).await;
    server.backfill("charge").await;
    let engine = server.engine().await;
    for by_list in [false, true] {
        *missing.lock().unwrap() = 2;
        let refreshed = engine.refresh(&["ch_1".into()]).await.expect("an outcome");
        assert_eq!(refreshed[0].outcome, RefreshOutcome::Deleted);
        assert_eq!(server.count("charges").await, 4);
        if by_list {
            let report = server.backfill("charge").await;
            assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        } else {
            let refreshed = engine.refresh(&["ch_1".into()]).await.expect("an outcome");
            assert_eq!(refreshed[0].outcome, RefreshOutcome::Stored);
        }
        assert_eq!((server.count("charges").await, server.count("_tombstones").await), (5, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tombstone_with_a_future_time_counts_as_current() {
    let server = with_missing_object(Arc::default()).await;
    server.engine().await.migrate().await.expect("a schema");
    let tombstone = "insert into stripe._tombstones (table_name, account_id, id, deleted_at)
                     values ('charges', 'acct_scripted', 'ch_1', now() + interval '1 hour')";
    server.sql.batch_execute(tombstone).await.expect("a tombstone");
    let report = server.backfill("charge").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(server.count("charges").await, 5);
}

/// A cache between the engine and Stripe confuses two lists.
#[tokio::test(flavor = "multi_thread")]
async fn objects_of_another_type_are_not_stored() {
    for confused in [1, usize::MAX] {
        let answered = AtomicUsize::new(0);
        let server = ScriptedStripe::start(move |asked| {
            if answered.fetch_add(1, Ordering::Relaxed) >= confused {
                return ok(page_of(&charges(3), asked));
            }
            ok(list(&[json!({"id": "cus_1", "object": "customer", "created": 1})], false))
        })
        .await;
        let report = server.backfill("charge").await;
        let (status, _, message) = ended(&report, "charges");
        match confused {
            1 => assert_eq!((status, server.count("charges").await), ("complete", 3)),
            _ => {
                assert!(status == "failed" && message.contains("cus_1"), "{status}: {message}");
                assert_eq!(server.count("charges").await, 0);
            }
        }
    }
}

/// Stripe can also reject a valid key, for example because of an allowlist of addresses.
#[tokio::test(flavor = "multi_thread")]
async fn the_error_for_a_rejected_key_contains_stripes_reason() {
    let mut server = ScriptedStripe::start(|_| error(404, "no")).await;
    server.config.api_base = {
        let refused =
            ScriptedStripe::start_with_account(|_| error(401, "This address is not allowed."));
        refused.await.config.api_base
    };
    let error = server.engine().await.prepare().await.expect_err("rejected").to_string();
    assert!(error.contains("This address is not allowed."), "{error}");
}

/// The catalog contains no nested list of this table.
#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_list_is_completed_in_a_table_without_known_lists() {
    let dispute = json!({
        "id": "dp_1", "object": "dispute", "created": 1_700_000_000,
        "notes": {"object": "list", "url": "/v1/disputes/dp_1/notes",
                  "data": [{"id": "note_0", "object": "note"}], "has_more": true},
    });
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/disputes" => ok(page_of(std::slice::from_ref(&dispute), asked)),
        _ => {
            let note = |i| json!({"id": format!("note_{i}"), "object": "note"});
            ok(page_of(&(0..14).map(note).collect::<Vec<_>>(), asked))
        }
    })
    .await;
    let report = server.backfill("dispute").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let whole = "select jsonb_array_length(_extra -> 'notes' -> 'data')::text from stripe.disputes";
    assert_eq!(server.text(whole).await, "14");
}

/// If the order of a list changes between two requests, both pages can contain the same object. If
/// it cannot be retrieved, its row is written once, and the commit completes.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_listed_twice_that_cannot_be_retrieved_does_not_block_the_commit() {
    let readings = Mutex::new(0);
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/charges" => {
            let mut all = charges(3);
            let mut readings = readings.lock().unwrap();
            *readings += 1;
            all[1]["description"] = format!("reading {readings}").into();
            // The same object a second time on the same page, with the same content.
            all.push(all[1].clone());
            ok(list(&all, false))
        }
        _ => error(403, "not retrievable"),
    })
    .await;
    assert_eq!(server.backfill("charge").await.status, RunStatus::Complete);
    let second = tokio::time::timeout(Duration::from_secs(30), server.backfill("charge"));
    let report = second.await.expect("the commit completes");
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let sql = "select description from stripe.charges where id = 'ch_1'";
    assert_eq!(server.text(sql).await, "reading 2");
}
