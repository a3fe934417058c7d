//! Invalid or unexpected responses from Stripe or from a proxy: the run ends, no row is lost silently,
//! and one object never stops the others.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use stripe_sync::{BackfillRequest, RefreshOutcome, RunStatus};

use crate::scripted_stripe::{ReceivedRequest, ScriptedStripe, error, held, list, ok, page_of};
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
        assert!(status == "failed" && message.contains("sent an earlier page again"), "{message}");
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

/// A server that ignores `archived` shows the same features for each of the parameters.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_several_parts_of_a_list_show_counts_once() {
    let feature = |i| json!({"id": format!("feat_{i}"), "object": "entitlements.feature"});
    let all: Vec<Value> = (0..6).map(feature).collect();
    let server = ScriptedStripe::start(move |asked| ok(page_of(&all, asked))).await;
    // The second run finds all rows stored.
    for _ in 0..2 {
        let report = server.backfill("features").await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        assert_eq!((ended(&report, "features").1, server.count("features").await), (6, 6));
    }
}

/// A price is archived after the active ones were read, and reactivated after the archived ones were.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_moves_between_the_parts_of_a_list_counts_once() {
    let price = |i: i64, active: bool| {
        json!({"id": format!("price_{i}"), "object": "price",
                                "created": 1_700_000_000 - i, "active": active})
    };
    let read = Arc::new(AtomicUsize::new(0));
    let server = ScriptedStripe::start(move |asked| {
        let part = read.fetch_add(1, Ordering::Relaxed);
        // Price 1 is in the first two parts, price 2 only in the last one.
        let shown: Vec<Value> = match part {
            0 => vec![price(0, true), price(1, true)],
            1 => vec![price(1, false), price(3, false)],
            _ => vec![price(0, true), price(2, true)],
        };
        ok(page_of(&shown, asked))
    })
    .await;
    let report = server.backfill("price").await;
    assert_eq!((ended(&report, "prices").1, server.count("prices").await), (4, 4));
}

/// A key may be allowed to read invoices, but not their lines.
#[tokio::test(flavor = "multi_thread")]
async fn check_finds_that_nested_lists_cannot_be_read() {
    let all = invoices(3);
    let denied = "Having the 'rak_invoice_line_item_read' permission would allow this";
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/invoices" => ok(page_of(&all, asked)),
        "/v1/customers" => ok(list(&[], false)),
        path if path.ends_with("/lines") => error(403, denied),
        _ => error(404, "no"),
    })
    .await;
    let objects = vec!["invoice".to_owned(), "customer".to_owned()];
    let request = stripe_sync::CheckRequest { objects, database: false, ..Default::default() };
    let report = stripe_sync::check(&server.config, &request).await.expect("a report");
    let stripe = report.stripe.expect("Stripe was checked");
    let found = |table: &str| stripe.streams.iter().find(|s| s.table == table).expect("a stream");
    assert_eq!(found("customers").access, stripe_sync::StreamAccess::Readable);
    let invoices = found("invoices");
    assert_eq!(invoices.access, stripe_sync::StreamAccess::Failed);
    assert_eq!(invoices.missing_permission.as_deref(), Some("rak_invoice_line_item_read"));
    let message = invoices.message.as_deref().unwrap_or_default();
    assert!(message.contains("lines: the key lacks the permission"), "{message}");
    // One request for the account, two for the streams, and one for the list.
    assert_eq!(server.asked.lock().expect("a log").len(), 4);
}

/// Items whose ids are not unique: two of one list, and one that two invoices share.
#[tokio::test(flavor = "multi_thread")]
async fn items_with_the_same_id_are_not_lost_in_silence() {
    let line = |id: &str, amount: i64| json!({"id": id, "object": "line_item", "amount": amount});
    let lines = [
        vec![line("il_a", 1), line("il_a", 2), line("il_b", 3)],
        vec![line("il_shared", 4), line("il_c", 5)],
        vec![line("il_shared", 6)],
    ];
    let invoice = |number: usize, lines: &[Value]| {
        json!({"id": format!("in_{number}"), "object": "invoice",
               "created": 1_700_000_000 - number, "lines": list(lines, false)})
    };
    let shown = Arc::new(Mutex::new(Vec::new()));
    let all = Arc::clone(&shown);
    let server = ScriptedStripe::start(move |asked| {
        let all = all.lock().expect("objects");
        match asked.path.strip_prefix("/v1/invoices/") {
            Some(id) => ok(all.iter().find(|i: &&Value| i["id"] == id).expect("one").clone()),
            None => ok(page_of(&all, asked)),
        }
    })
    .await;
    let set = |invoices: Vec<Value>| *shown.lock().expect("objects") = invoices;
    let entries = "select coalesce(string_agg(id, ', ' order by id), '') from stripe._quarantine";
    let shared = "select invoice from stripe.invoice_line_items where id = 'il_shared'";

    // Together, and then each in a commit of its own.
    set(lines.iter().enumerate().map(|(number, lines)| invoice(number, lines)).collect());
    for _ in 0..2 {
        let report = server.backfill("invoice").await;
        assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 2));
        assert_eq!(server.count("invoice_line_items").await, 4);
        assert_eq!(server.text(entries).await, "il_a of in_0, il_shared of in_2");
        assert_eq!(server.text(shared).await, "in_1");
    }
    let refreshed = server.engine().await.refresh(&["in_2".to_owned()]).await.expect("refreshed");
    assert_eq!(refreshed[0].outcome, RefreshOutcome::Quarantined);
    assert_eq!(server.text(shared).await, "in_1");

    // The duplicates are gone, and one invoice has another shared item.
    set(vec![invoice(0, &lines[0][1..]), invoice(1, &lines[1][1..]), invoice(2, &lines[2])]);
    let report = server.backfill("invoice").await;
    assert_eq!(server.text(shared).await, "in_2", "{:?}", report.streams);
    assert_eq!(server.text(entries).await, "");
    assert_eq!(report.status, RunStatus::Complete);

    // The shared item stays with the invoice whose row it is, although another invoice of the same
    // commit comes first, and it shows the newest state.
    let earlier = "update stripe.invoices set last_synced_at = last_synced_at - interval '1 min';
         update stripe.invoice_line_items set last_synced_at = last_synced_at - interval '1 min'";
    server.sql.batch_execute(earlier).await.expect("moved");
    set(vec![invoice(1, &lines[1]), invoice(2, &[line("il_shared", 7)]), invoice(3, &[])]);
    let report = server.backfill("invoice").await;
    assert_eq!(server.text(shared).await, "in_2", "{:?}", report.streams);
    let amount = shared.replace("invoice from", "amount::text from");
    assert_eq!(server.text(&amount).await, "7");
    assert_eq!(server.text(entries).await, "il_shared of in_1");
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_would_take_too_much_memory_is_read_in_smaller_pages() {
    let text = "x".repeat(400_000);
    let charge = |i| {
        json!({"id": format!("ch_{i}"), "object": "charge", "created": 1_700_000_000 - i,
               "description": text})
    };
    let all: Vec<Value> = (0..110).map(charge).collect();
    let server = ScriptedStripe::start(move |asked| ok(page_of(&all, asked))).await;
    let report = server.backfill("charge").await;
    assert_eq!(ended(&report, "charges"), ("complete", 110, String::new()));
    assert_eq!(server.count("charges where length(description) = 400000").await, 110);
    let asked = server.asked.lock().expect("a log");
    let first_pages =
        asked.iter().filter(|r| r.path == "/v1/charges" && r.get("starting_after").is_none());
    let limits: Vec<usize> = first_pages.map(ReceivedRequest::limit).take(2).collect();
    assert_eq!(limits, [100, 33], "the page of 40 MB was not accepted");
}

/// Inactive prices, which only the second part of their list shows.
fn inactive_prices(count: i64) -> Vec<Value> {
    let price = |i| json!({"id": format!("price_{i}"), "object": "price", "active": false, "created": 1_700_000_000 - i});
    (0..count).map(price).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_counted_although_a_later_part_is_read_again_from_its_start() {
    let (all, cursors) = (inactive_prices(150), AtomicUsize::new(0));
    let server = ScriptedStripe::start(move |asked| match asked.get("active") {
        Some("true") => ok(list(&[], false)),
        // Every row of the trail is missing.
        _ if asked.get("starting_after").is_some()
            && cursors.fetch_add(1, Ordering::Relaxed) < 5 =>
        {
            let error = json!({"type": "invalid_request_error", "code": "resource_missing",
                               "param": "starting_after", "message": "No such price"});
            (404, json!({ "error": error }).to_string())
        }
        _ => ok(page_of(&all, asked)),
    })
    .await;
    let report = server.backfill("price").await;
    assert_eq!(ended(&report, "prices"), ("complete", 150, String::new()));
}

/// The page in flight has rows of both slices.
#[tokio::test(flavor = "multi_thread")]
async fn objects_are_counted_although_a_slice_of_a_later_part_is_split_while_they_are_read() {
    let all = inactive_prices(150);
    let is_held = Arc::new(AtomicBool::new(true));
    let held_back = Arc::clone(&is_held);
    let server = ScriptedStripe::start(move |asked| match asked.get("active") {
        Some("true") => ok(list(&[], false)),
        _ if asked.get("starting_after").is_some() && held_back.load(Ordering::Relaxed) => held(),
        _ => ok(page_of(&all, asked)),
    })
    .await;
    let engine = server.engine().await;
    engine.migrate().await.expect("a schema");
    let request = BackfillRequest { objects: vec!["price".into()], ..Default::default() };
    let mut run = engine.start_backfill(request).await.expect("a run");
    while server.count("_slices where part = 1 and seq > 0").await == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Split by another process, which has the new slice until the page is written.
    let split = 1_700_000_000 - 119;
    let sql = format!(
        "with kept as (update stripe._slices set created_from = {split} where part = 1
                       returning run_id, stream, part)
         insert into stripe._slices (run_id, stream, part, created_before, owner, lease_until)
         select run_id, stream, part, {split}, 'another', now() + interval '1 hour' from kept"
    );
    server.sql.execute(&sql, &[]).await.expect("split");
    is_held.store(false, Ordering::Relaxed);
    server.release();
    while server.count("prices").await < 150 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let sql = "update stripe._slices set owner = null, lease_until = null where owner = 'another'";
    server.sql.execute(sql, &[]).await.expect("freed");
    let report = run.join().await.expect("a report");
    assert_eq!(ended(&report, "prices"), ("complete", 150, String::new()));
}

/// Prices as Stripe shows them: the expanded properties only if they are requested. One of them can be
/// rejected.
fn prices_of(asked: &ReceivedRequest, refused: Option<&str>) -> (u16, String) {
    let expands = |name: &str| asked.expanded.iter().any(|e| *e == format!("data.{name}"));
    if refused.is_some_and(expands) {
        return error(400, "This property cannot be expanded.");
    }
    let active = asked.get("active") == Some("true");
    let price = |i: i64| {
        let mut price = json!({"id": format!("price_{i}"), "object": "price", "active": true,
                               "created": 1_700_000_000 - i});
        for name in ["tiers", "currency_options"] {
            if expands(name) {
                price[name] = json!([name]);
            }
        }
        price
    };
    let all: Vec<Value> = (0..250).filter(|_| active).map(price).collect();
    ok(page_of(&all, asked))
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_are_only_sent_if_expanded_are_stored() {
    let server = ScriptedStripe::start(|asked| prices_of(asked, None)).await;
    let report = server.backfill("price").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(ended(&report, "prices").2, "");
    assert_eq!(server.count("prices where tiers is not null").await, 250);
    assert_eq!(server.count("prices where currency_options is not null").await, 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_expansion_is_dropped_with_a_note() {
    let server = ScriptedStripe::start(|asked| prices_of(asked, Some("currency_options"))).await;
    let report = server.backfill("price").await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let note = "read without currency_options, which Stripe refused to expand";
    assert_eq!(ended(&report, "prices"), ("complete", 250, note.to_owned()));
    assert_eq!(server.count("prices where tiers is not null").await, 250);
    let requests = server.requests_to("/v1/prices");
    assert!(requests < 20, "a refusal is remembered: {requests} requests");
}

/// A server whose answers to requests with expansions are `answer`, if it returns one. Its arguments
/// are the request and the number of earlier requests with expansions.
async fn prices_with_failures(
    answer: impl Fn(&ReceivedRequest, usize) -> Option<(u16, String)> + Send + Sync + 'static,
) -> ScriptedStripe {
    let requests = AtomicUsize::new(0);
    ScriptedStripe::start(move |asked| {
        let failed = match asked.expanded.is_empty() {
            true => None,
            false => answer(asked, requests.fetch_add(1, Ordering::Relaxed)),
        };
        failed.unwrap_or_else(|| prices_of(asked, None))
    })
    .await
}

const EXPANDED: &str = "prices where tiers is not null and currency_options is not null";

#[tokio::test(flavor = "multi_thread")]
async fn a_transient_failure_is_not_taken_for_a_refused_expansion() {
    // The first page fails at each size.
    let server =
        prices_with_failures(|_, earlier| (earlier < 20).then(|| error(500, "a failure"))).await;
    let report = server.backfill("price").await;
    assert_eq!(ended(&report, "prices"), ("complete", 250, String::new()));
    assert_eq!((report.status, server.count(EXPANDED).await), (RunStatus::Complete, 250));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_rejection_does_not_drop_all_expansions() {
    let server =
        prices_with_failures(|_, earlier| (earlier == 0).then(|| error(400, "rejected"))).await;
    let report = server.backfill("price").await;
    assert_eq!(ended(&report, "prices"), ("complete", 250, String::new()));
    assert_eq!(server.count(EXPANDED).await, 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_while_refused_expansions_are_determined_is_retried() {
    let failures = AtomicUsize::new(0);
    let server = prices_with_failures(move |asked, _| match asked.expanded.len() {
        2 => Some(error(400, "This property cannot be expanded.")),
        _ if asked.expanded == ["data.currency_options"] => Some(error(400, "not this one")),
        _ => (failures.fetch_add(1, Ordering::Relaxed) < 3).then(|| error(500, "a failure")),
    })
    .await;
    let report = server.backfill("price").await;
    let note = "read without currency_options, which Stripe refused to expand";
    assert_eq!(ended(&report, "prices"), ("complete", 250, note.to_owned()));
    assert_eq!(server.count("prices where tiers is not null").await, 250);
}

/// One object whose expanded form Stripe cannot deliver.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_cannot_be_expanded_is_stored_and_quarantined() {
    let shows_it = |asked: &ReceivedRequest| {
        let (_, body) = prices_of(asked, None);
        body.contains(r#""price_5""#)
    };
    let server =
        prices_with_failures(move |asked, _| shows_it(asked).then(|| error(500, "too much"))).await;
    let report = server.backfill("price").await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    assert_eq!(ended(&report, "prices").1, 250);
    assert_eq!(server.count(EXPANDED).await, 249);
    assert_eq!(server.count("prices where id = 'price_5' and tiers is null").await, 1);
    let entry = server.text("select id || ': ' || reason from stripe._quarantine").await;
    let reason = "price_5: stored without currency_options, tiers, which Stripe failed to expand: ";
    assert!(entry.starts_with(reason), "{entry}");
}

/// Stripe fails to expand the properties of every object.
#[tokio::test(flavor = "multi_thread")]
async fn expansions_that_always_fail_are_dropped_with_a_note() {
    let server = prices_with_failures(|_, _| Some(error(500, "a failure"))).await;
    let report = server.backfill("price").await;
    let note = "read without currency_options, tiers, which Stripe failed to expand";
    assert_eq!(ended(&report, "prices"), ("complete", 250, note.to_owned()));
    let requests = server.requests_to("/v1/prices");
    assert!(requests < 100, "{requests} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_expansion_of_one_object_drops_no_other() {
    let server = ScriptedStripe::start(|asked| {
        let names = asked.expanded.iter().map(|name| format!("data.{name}")).collect();
        let asked = ReceivedRequest { expanded: names, ..asked.clone() };
        let active = [("active".to_owned(), "true".to_owned())].into();
        let (status, body) =
            prices_of(&ReceivedRequest { query: active, ..asked }, Some("currency_options"));
        let page: Value = serde_json::from_str(&body).expect("JSON");
        match status {
            200 => ok(page["data"][0].clone()),
            status => (status, body),
        }
    })
    .await;
    server.engine().await.refresh(&["price_0".to_owned()]).await.expect("refreshed");
    assert_eq!(server.text("select tiers::text from stripe.prices").await, r#"["tiers"]"#);
}

/// The refusal of the whole list is not mistaken for that of an expansion.
#[tokio::test(flavor = "multi_thread")]
async fn a_denied_list_with_optional_expansions_is_denied() {
    let message = "Having the 'rak_plan_read' permission would allow this";
    let server = ScriptedStripe::start(move |_| error(403, message)).await;
    let report = server.backfill("price").await;
    assert_eq!(ended(&report, "prices").0, "denied", "{:?}", report.streams);
}

/// The items of a long list are written in several transactions.
#[tokio::test(flavor = "multi_thread")]
async fn items_with_the_same_id_in_different_parts_of_a_long_list_are_not_lost_in_silence() {
    let padding = "x".repeat(1_000);
    let lines: Vec<Value> = (0..2_500)
        .map(|i| {
            let id = format!("il_0_{}", if i == 2_450 { 50 } else { i });
            json!({"id": id, "object": "line_item", "amount": i, "description": padding})
        })
        .collect();
    let all = invoices(2);
    let server = ScriptedStripe::start(move |asked| match asked.path.as_str() {
        "/v1/invoices" => ok(page_of(&all, asked)),
        "/v1/invoices/in_0/lines" => ok(page_of(&lines, asked)),
        path => ok(page_of(&more_lines(path, 3).expect("lines"), asked)),
    })
    .await;
    let report = server.backfill("invoice").await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
    assert_eq!(server.count("invoice_line_items").await, 2_499 + 3);
    let entry = server.text("select id || ': ' || reason from stripe._quarantine").await;
    assert_eq!(entry, "in_0: lines of invoice in_0 has two items with the ID il_0_50");
}
