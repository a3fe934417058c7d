//! Promise 6: every object that Stripe sends is stored, kept in `_extra`, or quarantined by name.

use stripe_sim::{Account, Fault};
use stripe_sync::{RefreshOutcome, RunStatus};

use crate::world::{World, ended};

async fn with(objects: &[(&str, &str, String)]) -> World {
    let account = Account::builder(30).objects("customer", 150).build().expect("an account");
    let at = account.now() - 1_000;
    for (object, id, json) in objects {
        account.insert_raw(object, id, at, json.clone()).expect("inserted");
    }
    World::new(account).await
}

fn customer(id: &str, rest: &str) -> (&'static str, String, String) {
    let json = format!(r#"{{"id":"{id}","object":"customer","created":1700000000{rest}}}"#);
    ("customer", id.to_owned(), json)
}

async fn customers(rows: &[(&'static str, String, String)]) -> World {
    let rows: Vec<_> = rows.iter().map(|(o, id, json)| (*o, id.as_str(), json.clone())).collect();
    with(&rows).await
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_values_are_stored_or_kept_in_extra() {
    let long = format!("cus_{}", "x".repeat(250));
    let world = customers(&[
        customer("cus_big", r#","balance":9007199254740993,"next_invoice_sequence":50.0"#),
        customer("cus_nul", r#","name":"a\u0000b","metadata":{"k\u0000":"v\ud800"}"#),
        customer("cus_emoji", r#","name":"😀\ud83d\ude00","description":"\\u0000""#),
        customer("cus_odd", r#","balance":"12","delinquent":"no","name":7,"email":true"#),
        customer("cus_new", r#","brand_new":{"a":[1,2.50,null]},"other":null"#),
        customer("cus_ref", r#","default_source":{"id":"card_1","object":"card","last4":"4242"}"#),
        customer("cus_mb", &format!(r#","metadata":{{"big":"{}"}}"#, "y".repeat(1 << 20))),
        customer(&long, ""),
    ])
    .await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert!(report.replaced_characters >= 3);
    let get = |column: &str, id: &str| {
        let sql = format!("select ({column})::text from stripe.customers where id = '{id}'");
        let world = &world;
        async move { world.text(&sql).await }
    };
    assert_eq!(get("balance", "cus_big").await, "9007199254740993");
    assert_eq!(get("next_invoice_sequence", "cus_big").await, "50");
    assert_eq!(get("name", "cus_nul").await, "a\u{fffd}b");
    assert_eq!(get("metadata", "cus_nul").await, "{\"k\u{fffd}\": \"v\u{fffd}\"}");
    assert_eq!(get("name", "cus_emoji").await, "😀😀");
    assert_eq!(get("description", "cus_emoji").await, "\\u0000");
    assert_eq!(get("balance", "cus_odd").await, "(null)");
    assert_eq!(get("name", "cus_odd").await, "7");
    let extra = r#"{"name": 7, "email": true, "balance": "12", "delinquent": "no"}"#;
    assert_eq!(get("_extra", "cus_odd").await, extra);
    let extra = r#"{"other": null, "brand_new": {"a": [1, 2.50, null]}}"#;
    assert_eq!(get("_extra", "cus_new").await, extra);
    assert_eq!(get("default_source", "cus_ref").await, "card_1");
    let kept = get("_extra -> 'default_source' ->> 'last4'", "cus_ref").await;
    assert_eq!(kept, "4242");
    assert_eq!(get("length(metadata ->> 'big')", "cus_mb").await, (1 << 20).to_string());
    assert!(world.ids("customers").await.contains(&long));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_row_is_quarantined_alone() {
    let deep = format!(",\"metadata\":{}1{}", "[".repeat(20_000), "]".repeat(20_000));
    let world = customers(&[
        customer("cus_deep", &deep),
        customer("cus_huge", r#","metadata":{"n":1e400000}"#),
        customer("cus_extra", r#","brand_new":1e200000"#),
        customer("cus_number", r#","balance":-1e200000"#),
        customer("cus_tiny", r#","brand_new":1e-20000"#),
    ])
    .await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Incomplete);
    assert_eq!(ended(&report, "customers").0, "complete");
    assert_eq!(world.ids("customers").await.len(), 150);
    let (rows, total) = world.engine().await.quarantined(10).await.expect("quarantine");
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    let refused = ["cus_deep", "cus_extra", "cus_huge", "cus_number", "cus_tiny"];
    assert_eq!((ids, total), (refused.to_vec(), 5));
    assert!(rows.iter().all(|row| row.request_id.is_some()), "{rows:?}");
    assert!(!rows.iter().any(|row| row.reason.contains("0000")), "no values: {rows:?}");

    // A row that can be stored again leaves the quarantine in the next run, although the other rows
    // are still rejected. A deleted row leaves it in a refresh.
    let account = world.sim.account();
    let again = |id| {
        account.delete("customer", id).expect("deleted");
        let (object, _, json) = customer(id, "");
        account.insert_raw(object, id, account.now() - 500, json).expect("inserted");
    };
    again("cus_deep");
    // The clocks of two processes may differ by the resolution of the Date header.
    let earlier = "update stripe._quarantine set seen_at = seen_at - interval '1 second'";
    world.sql.batch_execute(earlier).await.expect("moved");
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Incomplete);
    assert_eq!(quarantined(&world).await, refused[1..]);
    let rest: Vec<String> = refused[1..].iter().map(|id| (*id).to_owned()).collect();
    again("cus_extra");
    for id in &refused[2..] {
        account.delete("customer", id).expect("deleted");
    }
    let ahead = "update stripe._quarantine set seen_at = now() + interval '5 seconds'";
    world.sql.batch_execute(ahead).await.expect("moved");
    let done = world.engine().await.refresh(&rest).await.expect("refreshed");
    assert_eq!(done[0].outcome, RefreshOutcome::Stored);
    assert!(quarantined(&world).await.is_empty());
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
    assert!(
        world.ids("customers").await.is_superset(&[refused[0].into(), refused[1].into()].into())
    );
}

/// An object whose id is too long for an index cannot have a row, and the id cannot be the key of
/// its quarantine entry. Entries of other tables and accounts do not affect this run.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_too_long_for_an_index_is_quarantined_under_a_shorter_name() {
    let mut dice: u64 = 7;
    let long: String = std::iter::repeat_with(|| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(
            b"abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                [(dice >> 33) as usize % 62],
        )
    })
    .take(20_000)
    .collect();
    let world = customers(&[customer(&format!("cus_{long}"), "")]).await;
    for _ in 0..2 {
        let report = world.backfill(&["customer"]).await;
        assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
        let names = quarantined(&world).await;
        assert!(names.len() == 1 && names[0].len() < 100, "{names:?}");
        assert!(names[0].starts_with(&format!("cus_{}", &long[..28])), "{names:?}");
        let kept = world.text("select object from stripe._quarantine").await;
        assert!(kept.contains(&long), "the complete object must be stored");
    }
    let other = "update stripe._quarantine set table_name = 'invoices';
                 insert into stripe._quarantine
                 select 'customers', 'acct_other', id, reason, sqlstate, request_id, seen_at, object
                 from stripe._quarantine";
    world.sql.batch_execute(other).await.expect("others");
    world.sim.account().delete("customer", &format!("cus_{long}")).expect("deleted");
    // The event of the deletion shows the object again, and its row would be quarantined.
    world.sim.fail_times("/v1/events", 1, 1, Fault::Status(402));
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
}

async fn quarantined(world: &World) -> Vec<String> {
    let (rows, _) = world.engine().await.quarantined(100).await.expect("quarantine");
    rows.into_iter().map(|row| row.id).collect()
}

/// Pages that are committed together keep their own request ids.
#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_row_names_its_own_request() {
    let account = Account::builder(32).objects("customer", 350).build().expect("an account");
    let ids: Vec<String> = account.ids("customer").collect();
    for (name, neighbor) in [("cus_one", 150), ("cus_two", 320)] {
        let json = account.object_json("customer", &ids[neighbor]).expect("an object");
        let at = json.split_once("\"created\":").expect("created").1;
        let at = at.split(',').next().and_then(|at| at.parse().ok()).expect("a second");
        let (object, id, json) = customer(name, r#","metadata":{"n":1e400000}"#);
        account.insert_raw(object, &id, at, json).expect("inserted");
    }
    let world = World::new(account).await;
    world.engine().await.migrate().await.expect("a schema");
    // The first page cannot be written until all others wait for it.
    let hold = "begin; lock table stripe.customers in share mode";
    world.sql.batch_execute(hold).await.expect("locked");
    let release = async {
        while world.sim.requests_to("/v1/customers") < 4 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        world.sql.batch_execute("commit").await.expect("released");
    };
    tokio::join!(world.backfill(&["customer"]), release);
    let (rows, _) = world.engine().await.quarantined(10).await.expect("quarantine");
    let ids: Vec<_> = rows.iter().filter_map(|row| row.request_id.as_deref()).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{rows:?}");
}

/// A page contains an object twice, because the list changed while it was read.
#[tokio::test(flavor = "multi_thread")]
async fn the_last_of_two_listings_on_one_page_is_stored() {
    let twin = |place: &'static str, name: &str| {
        let (object, _, json) = customer("cus_twin", &format!(r#","name":"{name}""#));
        (object, place.to_owned(), json)
    };
    // The list is in descending order, so the object inserted first is read last.
    let world = customers(&[twin("cus_1st", "last on the page"), twin("cus_2nd", "first")]).await;
    for _ in 0..2 {
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        let name = world.text("select name from stripe.customers where id = 'cus_twin'").await;
        assert_eq!(name, "last on the page");
    }
    assert_eq!(world.ids("customers").await.len(), 151);
}

#[tokio::test(flavor = "multi_thread")]
async fn expanded_and_deleted_references_are_stored_as_ids() {
    let invoice = r#"{"id":"in_refs","object":"invoice","created":1700000000,
        "customer":{"id":"cus_gone","object":"customer","deleted":true},
        "subscription":{"id":"sub_1","object":"subscription","plan":{"id":"gold"}},
        "default_payment_method":{"object":"payment_method"},"lines":null}"#;
    let world = with(&[("invoice", "in_refs", invoice.to_owned())]).await;
    let report = world.backfill(&["invoice"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let row = "select concat_ws(' ', customer, subscription, default_payment_method,
                                _extra #>> '{customer,deleted}', _extra #>> '{subscription,plan,id}')
               from stripe.invoices where id = 'in_refs'";
    let reference_without_id = r#"{"object":"payment_method"}"#;
    let expected = format!("cus_gone sub_1 {reference_without_id} true gold");
    assert_eq!(world.text(row).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn invoice_items_are_sliced_by_their_date() {
    let account = Account::builder(31).objects("invoiceitem", 350).build().expect("an account");
    let world = World::new(account).await;
    let report = world.backfill(&["invoiceitem"]).await;
    assert_eq!(report.status, RunStatus::Complete);
    assert_eq!(world.ids("invoiceitems").await.len(), 350);
    assert_eq!(
        world.text("select count(*)::text from stripe.invoiceitems where date is null").await,
        "0"
    );
}

/// Each object has its own name in the quarantine, and the rows after it are read. A later run that
/// no longer reads the object removes its entry.
#[tokio::test(flavor = "multi_thread")]
async fn objects_without_an_id_are_quarantined_one_by_one() {
    let nameless = [
        r#"{"object":"customer","name":"one"}"#,
        r#"{"object":"customer","name":"two"}"#,
        r#"{"id":null,"object":"customer"}"#,
        r#"{"id":7,"object":"customer"}"#,
        r#"{"id":{"id":"cus_inner"},"object":"customer","deleted":true}"#,
        "null",
        "[]",
    ];
    let places: Vec<String> = (0..nameless.len()).map(|n| format!("cus_place{n}")).collect();
    let rows: Vec<_> = places.iter().zip(nameless).map(|(p, j)| ("customer", p, j)).collect();
    let world =
        with(&rows.iter().map(|(o, p, j)| (*o, p.as_str(), (*j).to_owned())).collect::<Vec<_>>())
            .await;
    for _ in 0..2 {
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Incomplete);
        assert_eq!(ended(&report, "customers").0, "complete", "{:?}", report.streams);
        assert_eq!(world.ids("customers").await.len(), 150);
        let (rows, total) = world.engine().await.quarantined(10).await.expect("quarantine");
        assert_eq!(total, nameless.len() as i64, "{rows:?}");
        assert!(rows.iter().all(|row| row.request_id.is_some()), "{rows:?}");
        let objects = "select object from stripe._quarantine";
        let objects = world.sql.query(objects, &[]).await.expect("objects");
        let mut objects: Vec<String> = objects.iter().map(|row| row.get(0)).collect();
        let mut wanted = nameless.map(str::to_owned);
        objects.sort();
        wanted.sort();
        assert_eq!(objects, wanted);
    }
    for place in &places {
        world.sim.account().delete("customer", place).expect("deleted");
    }
    let earlier = "update stripe._quarantine set seen_at = seen_at - interval '10 minutes'";
    world.sql.batch_execute(earlier).await.expect("moved");
    assert_eq!(world.backfill(&["customer"]).await.status, RunStatus::Complete);
}

/// No list should contain deleted customers. As the row of a deleted customer is kept, a new one is
/// stored.
#[tokio::test(flavor = "multi_thread")]
async fn a_customer_that_is_listed_as_deleted_has_a_row() {
    let world = customers(&[customer("cus_gone", r#","name":"was here","deleted":true"#)]).await;
    for _ in 0..2 {
        let report = world.backfill(&["customer"]).await;
        assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
        let row = "select deleted || ' ' || name from stripe.customers where id = 'cus_gone'";
        assert_eq!(world.text(row).await, "true was here");
    }
}

/// The objects of a page's last second are read with the next page, unless the page has no others.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_listed_twice_before_a_second_with_many_objects_does_not_stop_the_list() {
    let account = Account::builder(37).objects("customer", 1).build().expect("an account");
    let at = account.now() - 1_000;
    let put = |place: &str, (object, id, json): (&str, String, String), at: i64| {
        let json = json.replace("1700000000", &at.to_string());
        account.insert_raw(object, place, at, json).expect("inserted");
        id
    };
    let crowd = (0..120).map(|n| format!("cus_crowd{n:03}"));
    let mut wanted: std::collections::BTreeSet<String> =
        crowd.map(|id| put(&id, customer(&id, ""), at)).collect();
    put("cus_again", customer("cus_twin", ""), at + 1);
    wanted.insert(put("cus_twin", customer("cus_twin", ""), at + 1));
    wanted.extend(account.ids("customer").filter(|id| id != "cus_again"));
    let world = World::new(account).await;
    let report = world.backfill(&["customer"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_eq!(world.ids("customers").await, wanted);
}

/// A trigger of the user's raises an error for one row, with the code of `raise` or with its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_for_which_a_trigger_raises_an_error_is_quarantined_alone() {
    for code in ["P0001", "ZZ123"] {
        let world = customers(&[customer("cus_bad", r#","name":"bad""#)]).await;
        world.engine().await.migrate().await.expect("a schema");
        let trigger = format!(
            "create function public.check_name() returns trigger language plpgsql as $$ begin
                 if new.name = 'bad' then raise exception 'bad' using errcode = '{code}'; end if;
                 return new; end $$;
             create trigger check_name before insert or update on stripe.customers
                 for each row execute function public.check_name()"
        );
        world.sql.batch_execute(&trigger).await.expect("a trigger");
        let report = world.backfill(&["customer"]).await;
        assert_eq!((report.status, report.quarantined), (RunStatus::Incomplete, 1));
        assert_eq!(ended(&report, "customers").0, "complete");
        assert_eq!(world.ids("customers").await.len(), 150);
        assert_eq!(quarantined(&world).await, ["cus_bad"]);
        let reason = world.text("select reason from stripe._quarantine").await;
        assert!(reason.contains(code) && !reason.contains("bad"), "{reason}");
        let refreshed = world.engine().await.refresh(&["cus_bad".into()]).await.expect("refreshed");
        assert_eq!(refreshed[0].outcome, RefreshOutcome::Quarantined);
    }
}

/// Another process quarantines a customer after this run has begun. A later page of this run shows
/// the customer, and the server accepts the row.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_another_process_quarantined_is_cleared_by_a_good_write() {
    let account = Account::builder(33).objects("customer", 350).build().expect("an account");
    let last = account.ids("customer").last().expect("a customer");
    let world = World::new(account).await;
    world.engine().await.migrate().await.expect("a schema");
    let database = world.text("select current_database()::text").await;
    let url = crate::world::server().await.connection_url_to(&database);
    let other = crate::world::connect(&url).await;
    let runtime = tokio::runtime::Handle::current();
    let insert = format!(
        "insert into stripe._quarantine (table_name, account_id, id, reason, seen_at, object)
         values ('customers', '{}', '{last}', 'refused', now() - interval '1 minute', '{{}}')",
        world.sim.account().id()
    );
    world.sim.before_nth("/v1/customers", 2, move |_| {
        let insert = other.batch_execute(&insert);
        tokio::task::block_in_place(|| runtime.block_on(insert)).expect("quarantined");
    });
    // The events do not show the customer.
    world.sim.fail_times("/v1/events", 1, 1, Fault::Status(402));
    let report = world.backfill(&["customer"]).await;
    assert_eq!((report.status, report.quarantined), (RunStatus::Complete, 0));
    assert!(quarantined(&world).await.is_empty());
}

/// The user has added a column or constraint that no row of the copy satisfies.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_refuses_every_row_fails_after_its_first_pages() {
    for (change, named) in [
        ("add column tenant text not null", "column tenant requires a value"),
        ("add constraint only_vips check (name = 'vip')", "constraint only_vips"),
    ] {
        let account = Account::builder(71).objects("customer", 3_000).build().expect("an account");
        let world = World::new(account).await;
        world.engine().await.migrate().await.expect("a schema");
        world.sql.batch_execute(&format!("alter table stripe.customers {change}")).await.unwrap();
        let report = world.backfill(&["customer"]).await;
        let (status, _, message) = ended(&report, "customers");
        assert!(status == "failed" && message.contains(named), "{status}: {message}");
        assert!(message.contains("remove or change"), "{message}");
        assert!(report.quarantined < 3_000, "{} quarantined rows", report.quarantined);
    }
}
