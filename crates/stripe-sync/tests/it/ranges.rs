//! Ranges of `created`, and streams that cannot be filtered by it.

use stripe_sim::Account;
use stripe_sync::{BackfillRequest, ColumnName, Range, RunStatus};

use crate::world::{World, assert_same, ended};

fn created(account: &Account, object: &str) -> Vec<(i64, String)> {
    let mut all: Vec<_> = account
        .ids(object)
        .map(|id| {
            let json = account.object_json(object, &id).expect("an object");
            let at = json.split("\"created\":").nth(1).expect("created");
            let second = at.trim_start().split([',', '}']).next().expect("a number");
            (second.trim().parse().expect("a second"), id)
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn range_bounds_have_the_meaning_of_stripes_parameters() {
    let account = Account::builder(16).objects("customer", 400).same_second(0.3).build();
    let world = World::new(account.expect("an account")).await;
    let all = created(world.sim.account(), "customer");
    let (from, to) = (all[100].0, all[300].0);
    for (gt, gte, lt, lte) in [
        (Some(from), None, Some(to), None),
        (None, Some(from), None, Some(to)),
        (None, Some(from), Some(to), None),
        (None, None, None, Some(from)),
    ] {
        world.sql.batch_execute("drop schema if exists stripe cascade").await.expect("dropped");
        let range = Range::all().created(gt, gte, lt, lte).expect("a range");
        let request = BackfillRequest { objects: vec!["customer".into()], range, fresh: false };
        let report = world.run(&request).await;
        assert_eq!(report.status, RunStatus::Complete);
        let inside = |s: i64| {
            gt.is_none_or(|b| s > b)
                && gte.is_none_or(|b| s >= b)
                && lt.is_none_or(|b| s < b)
                && lte.is_none_or(|b| s <= b)
        };
        let wanted = all.iter().filter(|(s, _)| inside(*s)).map(|(_, id)| id.clone()).collect();
        assert_same("customers", &wanted, &world.ids("customers").await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn successive_daily_ranges_read_unfilterable_streams_once() {
    let account = Account::builder(17).small().build().expect("an account");
    let mut world = World::new(account).await;
    let newest = world.sim.account().now();
    let day = |n: i64| {
        let (from, to) = (newest - (n + 1) * 86_400, newest - n * 86_400 - 1);
        let range = Range::all().created(None, Some(from), None, Some(to)).expect("a range");
        BackfillRequest { objects: vec!["all".into()], range, fresh: false }
    };
    let first = world.run(&day(0)).await;
    let methods = first.streams.iter().find(|s| s.table == "payment_methods").expect("stream");
    assert!(methods.unfiltered && methods.requests > 0, "{methods:?}");
    let mut requests = world.sim.requests_to("/v1/payment_methods");
    for n in 1..5 {
        let report = world.run(&day(n)).await;
        assert_eq!(report.status, RunStatus::Complete);
        let (status, _, message) = ended(&report, "payment_methods");
        assert_eq!(status, "complete");
        assert!(message.starts_with("read completely at"), "{message}");
    }
    assert_eq!(world.sim.requests_to("/v1/payment_methods"), requests);
    // If a column is included again, the stream is read again.
    let column = [ColumnName::parse("payment_methods.billing_details").expect("a column")];
    world.config.exclude_columns = column.to_vec();
    world.run(&day(5)).await;
    assert_eq!(world.sim.requests_to("/v1/payment_methods"), requests);
    world.config.exclude_columns.clear();
    world.engine().await.include_columns(&column).await.expect("included");
    world.run(&day(6)).await;
    let requests_before =
        std::mem::replace(&mut requests, world.sim.requests_to("/v1/payment_methods"));
    assert!(requests > requests_before);
    // The same applies to another API version.
    world.config.api_version = Some("2023-08-16".to_owned());
    world.run(&day(7)).await;
    assert!(world.sim.requests_to("/v1/payment_methods") > requests);
    let wanted = world.sim.account().ids("payment_method").collect();
    assert_same("payment_methods", &wanted, &world.ids("payment_methods").await);
}
