//! Client, limiter and slices together, against a simulated Stripe with latency and limits of its own.

use std::time::Duration;

use stripe_sim::{Account, RateLimit, RateLimits, SimOptions};
use stripe_sync::{RateOptions, Report, RunStatus};

use crate::world::World;

/// Stripe's usual latency and the account's limit in live mode.
fn live_options() -> SimOptions {
    SimOptions {
        latency: Duration::from_millis(150),
        jitter: Duration::from_millis(50),
        limits: RateLimits { global: Some(RateLimit::per_second(100.0)), ..RateLimits::none() },
        ..SimOptions::default()
    }
}

/// Asserts that each stream was read with only a few more requests than it has full pages.
fn assert_few_requests(report: &Report) {
    let streams = report.streams.iter().filter(|stream| stream.synced > 0);
    let counts = streams.map(|stream| {
        let ideal = (stream.synced as u64).div_ceil(100);
        (stream.table.as_str(), ideal, stream.requests as u64)
    });
    let counts: Vec<_> = counts.collect();
    let within = counts.iter().all(|(_, ideal, sent)| *sent <= ideal + ideal / 10 + 4);
    assert!(within, "table, full pages, requests: {counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_split_with_few_additional_requests() {
    let account = Account::builder(71).objects("charge", 20_000).build().expect("an account");
    let mut world = World::with(account, live_options()).await;
    world.config.rate = Some(RateOptions::Fixed(100.0));
    let report = world.backfill(&["charge"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    assert_few_requests(&report);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_any_length_and_age_are_read_with_few_additional_requests() {
    let now = 1_790_000_000;
    for days in [2, 3_000] {
        let account = Account::builder(72)
            .objects("customer", 90)
            .objects("product", 150)
            .objects("payout", 450)
            .objects("coupon", 1_000)
            .objects("charge", 2_000)
            .objects("refund", 6_000)
            .window(now - days * 86_400, now)
            .build()
            .expect("an account");
        let mut world = World::with(account, live_options()).await;
        world.config.rate = Some(RateOptions::Fixed(100.0));
        let objects = ["customer", "product", "payout", "coupon", "charge", "refund"];
        let report = world.backfill(&objects).await;
        assert_eq!(report.status, RunStatus::Complete, "{days} days: {:?}", report.streams);
        assert_few_requests(&report);
    }
}

/// Long lists are read concurrently with each other and with the other streams, so that the last
/// requests are not sent one after the other.
#[tokio::test(flavor = "multi_thread")]
async fn long_nested_lists_are_read_at_the_same_time() {
    let mut builder = Account::builder(73).objects("invoice", 200).objects("customer", 2_000);
    for invoice in 0..200 {
        builder = builder.nested_at("invoice", invoice, "lines", 25 + (invoice * 7919) % 226);
    }
    let mut world = World::with(builder.build().expect("an account"), live_options()).await;
    world.config.rate = Some(RateOptions::Fixed(100.0));
    let report = world.backfill(&["invoice", "customer"]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let most = world.sim.max_concurrent();
    assert!(most >= 20, "{most} requests at once");
}
