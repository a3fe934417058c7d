//! Nested lists are stored exactly: all items, and no removed items.

use std::time::Duration;

use serde_json::json;
use stripe_sim::{Account, Fault, SimOptions};
use stripe_sync::{BackfillRequest, RefreshOutcome, RunStatus};

use crate::world::{World, assert_same};

async fn line_ids(world: &World, invoice: &str) -> std::collections::BTreeSet<String> {
    let sql = "select id from stripe.invoice_line_items where invoice = $1";
    let rows = world.sql.query(sql, &[&invoice]).await.expect("lines");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_nested_lists_are_stored_to_the_last_item() {
    let account = Account::builder(13)
        .objects("invoice", 40)
        .nested_at("invoice", 3, "lines", 250)
        .nested_at("invoice", 7, "lines", 12_000)
        .build()
        .expect("an account");
    let world = World::new(account).await;
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let account = world.sim.account();
    let mut most = 0;
    for invoice in account.ids("invoice") {
        let wanted: std::collections::BTreeSet<_> =
            account.nested_ids("invoice", &invoice, "lines").into_iter().collect();
        most = most.max(wanted.len());
        assert_same(&invoice, &wanted, &line_ids(&world, &invoice).await);
    }
    assert_eq!(most, 12_000);
    // A list of moderate size is complete in its parent's column as well.
    let whole = world
        .text(
            "select count(*)::text from stripe.invoices
             where jsonb_array_length(lines -> 'data') = 250 and lines ->> 'has_more' = 'false'",
        )
        .await;
    assert_eq!(whole, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_removed_from_its_list_is_removed_from_its_table() {
    let account = Account::builder(14)
        .objects("invoice", 5)
        .nested_at("invoice", 0, "lines", 30)
        .objects("subscription", 5)
        .nested_at("subscription", 0, "items", 15)
        .build()
        .expect("an account");
    let world = World::new(account).await;
    world.backfill(&["invoice", "subscription"]).await;
    let account = world.sim.account();
    let longest = |object: &str, name: &str| {
        account
            .ids(object)
            .max_by_key(|id| account.nested_ids(object, id, name).len())
            .expect("an object")
    };
    let (invoice, subscription) = (longest("invoice", "lines"), longest("subscription", "items"));
    let line = account.nested_ids("invoice", &invoice, "lines")[20].clone();
    let item = account.nested_ids("subscription", &subscription, "items")[12].clone();
    account.remove_nested_item("invoice", &invoice, "lines", &line).expect("removed");
    account.remove_nested_item("subscription", &subscription, "items", &item).expect("removed");
    let done =
        world.engine().await.refresh(&[invoice.clone(), subscription]).await.expect("refreshed");
    assert!(done.iter().all(|d| d.outcome == RefreshOutcome::Stored), "{done:?}");
    let lines = line_ids(&world, &invoice).await;
    assert!(lines.len() == 29 && !lines.contains(&line));
    let sql = "select count(*)::text from stripe.subscription_items where deleted";
    assert_eq!(world.text(sql).await, "1");
    let sql = "select id from stripe.subscription_items where deleted";
    assert_eq!(world.text(sql).await, item);
    // A refresh of the item alone reports it as deleted, and its row is kept.
    let done = world.engine().await.refresh(std::slice::from_ref(&item)).await.expect("refreshed");
    assert_eq!(done[0].outcome, RefreshOutcome::Deleted);
    assert_eq!(world.text(sql).await, item);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incompletely_read_list_deletes_no_items() {
    let account = Account::builder(15)
        .objects("invoice", 3)
        .nested_at("invoice", 0, "lines", 40)
        .build()
        .expect("an account");
    let world = World::new(account).await;
    world.backfill(&["invoice"]).await;
    let before = world.ids("invoice_line_items").await;
    for invoice in world.sim.account().ids("invoice") {
        world.sim.fail_times(&format!("/v1/invoices/{invoice}/lines"), 1, 100, Fault::Status(402));
    }
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert_same("invoice_line_items", &before, &world.ids("invoice_line_items").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreadable_nested_list_does_not_make_its_stream_unavailable() {
    let account = Account::builder(28)
        .objects("invoice", 3)
        .nested_at("invoice", 0, "lines", 40)
        .build()
        .expect("an account");
    let world = World::new(account).await;
    for invoice in world.sim.account().ids("invoice") {
        world.sim.fail_times(&format!("/v1/invoices/{invoice}/lines"), 1, 100, Fault::Status(402));
    }
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(crate::world::ended(&report, "invoices").0, "complete");
    // Only one invoice has a truncated list.
    assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_page_does_not_restore_a_removed_item() {
    let account = Account::builder(29).objects("invoice", 4).build().expect("an account");
    let world = World::new(account).await;
    world.backfill(&["invoice"]).await;
    let mut wanted = world.ids("invoice_line_items").await;
    let invoice = world.text("select invoice from stripe.invoice_line_items limit 1").await;
    let lost = line_ids(&world, &invoice).await;
    // A newer response, or a deletion of the invoice, has removed its items in the meantime. Stamps
    // further in the future would be considered wrong.
    let later = "now() + interval '50 seconds'";
    for newer in [
        format!("update stripe.invoices set last_synced_at = {later} where id = '{invoice}'"),
        format!(
            "insert into stripe._tombstones select 'invoices', _account_id, id, {later}
             from stripe.invoices where id = '{invoice}';
             delete from stripe.invoices where id = '{invoice}'"
        ),
    ] {
        let remove = format!("delete from stripe.invoice_line_items where invoice = '{invoice}'");
        world.sql.batch_execute(&format!("{newer}; {remove}")).await.expect("changed");
        world.backfill(&["invoice"]).await;
        wanted.retain(|id| !lost.contains(id));
        assert_same("invoice_line_items", &wanted, &world.ids("invoice_line_items").await);
    }
}

/// The list needs many requests. Meanwhile the item of its cursor is removed, another item is
/// added, and the parent changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_changes_while_its_items_are_read_is_stored_correctly() {
    for size in [250, 9_000] {
        let account = Account::builder(33)
            .objects("invoice", 3)
            .nested_at("invoice", 1, "lines", size)
            .build()
            .expect("an account");
        let longest = |id: &String| account.nested_ids("invoice", id, "lines").len();
        let invoice = account.ids("invoice").max_by_key(longest).expect("an invoice");
        let world = World::new(account.clone()).await;
        let lines = account.nested_ids("invoice", &invoice, "lines");
        // The invoice contains ten lines, so the second request for more starts after line 110.
        let mut throughout: std::collections::BTreeSet<_> = lines.iter().cloned().collect();
        lines[100..120].iter().for_each(|line| assert!(throughout.remove(line)));
        let id = invoice.clone();
        world.sim.before_nth(&format!("/v1/invoices/{invoice}/lines"), 2, move |account| {
            for line in &lines[100..120] {
                account.remove_nested_item("invoice", &id, "lines", line).expect("removed");
            }
            account.insert_nested("invoice", &id, "lines", json!({})).expect("inserted");
            account.update("invoice", &id, json!({"description": "later"})).expect("updated");
        });
        let report = world.backfill(&["invoice"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        assert!(line_ids(&world, &invoice).await.is_superset(&throughout), "{size}");

        let done = world.engine().await.refresh(std::slice::from_ref(&invoice)).await;
        assert_eq!(done.expect("refreshed")[0].outcome, RefreshOutcome::Stored);
        let wanted = account.nested_ids("invoice", &invoice, "lines").into_iter().collect();
        assert_same(&invoice, &wanted, &line_ids(&world, &invoice).await);
        let description = format!("select description from stripe.invoices where id = '{invoice}'");
        assert_eq!(world.text(&description).await, "later");
    }
}

/// Stripe answers the request for the list with 404. This is a deletion, not a failure: the object
/// is not stored, although a page contained it.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_deleted_while_its_items_are_read_is_not_stored() {
    for (nth, size) in [(1, 250), (2, 250), (90, 9_500)] {
        let account = Account::builder(37)
            .objects("invoice", 4)
            .nested_at("invoice", 1, "lines", size)
            .build()
            .expect("an account");
        let longest = |id: &String| account.nested_ids("invoice", id, "lines").len();
        let invoice = account.ids("invoice").max_by_key(longest).expect("an invoice");
        let world = World::new(account.clone()).await;
        let id = invoice.clone();
        world.sim.before_nth(&format!("/v1/invoices/{invoice}/lines"), nth, move |account| {
            account.delete("invoice", &id).expect("deleted");
        });
        let report = world.backfill(&["invoice"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{nth}: {:?}", report.streams);
        let wanted: std::collections::BTreeSet<_> = account.ids("invoice").collect();
        assert!(wanted.len() == 3 && !wanted.contains(&invoice));
        assert_same("invoices", &wanted, &world.ids("invoices").await);
        assert!(line_ids(&world, &invoice).await.is_empty(), "{nth}");
    }
}

/// The lists exceed the size of one piece, so a page is committed in several pieces. Each starts
/// after the previous one.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_committed_in_pieces_loses_no_parent() {
    let mut account = Account::builder(34).objects("radar.value_list", 230);
    for place in (3..230).step_by(9) {
        account = account.nested_at("radar.value_list", place, "list_items", 1_500 + place * 20);
    }
    let world = World::new(account.build().expect("an account")).await;
    let report = world.backfill(&["radar.value_list"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(crate::world::ended(&report, "radar_value_lists").1, 230);
    let account = world.sim.account();
    let sql = "select id, jsonb_array_length(list_items -> 'data') from stripe.radar_value_lists";
    let rows = world.sql.query(sql, &[]).await.expect("rows");
    assert_eq!(rows.len(), 230);
    for row in rows {
        let (id, items): (String, i32) = (row.get(0), row.get(1));
        let wanted = account.nested_ids("radar.value_list", &id, "list_items").len();
        assert_eq!(items as usize, wanted, "{id}");
    }
}

/// A process is killed between two pieces of a page, and the order within a second changes between
/// requests. The checkpoint must not be in the middle of a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_committed_in_pieces_resumes_after_any_piece() {
    let now = Account::builder(35).build().expect("an account").now();
    let mut account = Account::builder(35).objects("radar.value_list", 60).window(now - 4, now);
    for place in (0..60).step_by(3) {
        account = account.nested_at("radar.value_list", place, "list_items", 9_000);
    }
    let options = SimOptions { unstable_order: true, ..SimOptions::default() };
    let world = World::with(account.build().expect("an account"), options).await;
    world.engine().await.migrate().await.expect("a schema");
    let objects = vec!["radar.value_list".to_owned()];
    let request = BackfillRequest { objects, ..Default::default() };
    let seq = "select coalesce(max(seq), 0)::text from stripe._slices";
    let mut kills = 0_i64;
    let report = loop {
        let before: i64 = world.text(seq).await.parse().expect("a number");
        let commits = async {
            // Most pieces end in the middle of a second. The rest of that second must be committed
            // before the next kill.
            while kills == 5
                || world.text(seq).await.parse::<i64>().expect("a number") < before + 2 + kills
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::select! {
            biased;
            report = world.run(&request) => break report,
            () = commits => kills += 1,
        }
        let free = "update stripe._slices set owner = null, lease_until = null, epoch = epoch + 1";
        world.sql.execute(free, &[]).await.expect("freed");
    };
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert!(kills >= 2, "{kills} kills");
    let wanted = world.sim.account().ids("radar.value_list").collect();
    assert_same("radar_value_lists", &wanted, &world.ids("radar_value_lists").await);
}

/// An embedded list without a valid `has_more`, or with the URL of another list, is read from its
/// own path, from the start if necessary.
#[tokio::test(flavor = "multi_thread")]
async fn an_ambiguous_embedded_list_is_read_from_its_own_path() {
    let account = Account::builder(36).objects("invoice", 3).build().expect("an account");
    let first = r#"{"id":"il_ID_24","object":"line_item"}"#;
    let lists = [
        ("string", format!(r#"{{"object":"list","data":[{first}],"has_more":"true"}}"#)),
        ("number", format!(r#"{{"object":"list","data":[{first}],"has_more":1}}"#)),
        ("null", format!(r#"{{"object":"list","data":[{first}],"has_more":null}}"#)),
        ("missing", format!(r#"{{"object":"list","data":[{first}]}}"#)),
        ("twice", format!(r#"{{"data":[{first}],"has_more":true,"has_more":false}}"#)),
        ("no_data", r#"{"object":"list","data":null,"has_more":true}"#.to_owned()),
        ("bad_url", format!(r#"{{"data":[{first}],"has_more":true,"url":7}}"#)),
        ("no_ids", r#"{"data":[{"object":"line_item"},null],"has_more":true}"#.to_owned()),
        (
            "other_url",
            format!(r#"{{"data":[{first}],"has_more":true,"url":"/v1/invoices/in_string/lines"}}"#),
        ),
        // These are not lists, so there is nothing to read.
        ("nothing", "null".to_owned()),
        ("array", format!("[{first}]")),
    ];
    for (name, list) in &lists {
        let id = format!("in_{name}");
        let lines = list.replace("ID", &id);
        let text = format!(r#"{{"id":"{id}","object":"invoice","created":1,"lines":{lines}}}"#);
        account.insert_raw("invoice", &id, account.now() - 9, text).expect("inserted");
        for item in 0..25 {
            let item = json!({"id": format!("il_{id}_{item}")});
            account.insert_nested("invoice", &id, "lines", item).expect("inserted");
        }
    }
    let world = World::new(account).await;
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    for (name, _) in &lists {
        let id = format!("in_{name}");
        let wanted = match *name {
            "nothing" | "array" => Vec::new(),
            _ => world.sim.account().nested_ids("invoice", &id, "lines"),
        };
        assert_same(&id, &wanted.into_iter().collect(), &line_ids(&world, &id).await);
    }
}
