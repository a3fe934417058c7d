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

/// For each stream with rows: its table, its full pages, and the requests sent for them.
type Counts = Vec<(String, u64, u64)>;

async fn backfill(account: Account, objects: &[&str]) -> Counts {
    let mut world = World::with(account, live_options()).await;
    world.config.rate = Some(RateOptions::Fixed(100.0));
    let report: Report = world.backfill(objects).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let streams = report.streams.iter().filter(|stream| stream.synced > 0);
    let counts = streams.map(|stream| {
        let full_pages = (stream.synced as u64).div_ceil(100);
        (stream.table.clone(), full_pages, stream.requests as u64)
    });
    counts.collect()
}

/// Asserts that each stream is read with at most 10 % more requests than full pages, and four more.
///
/// The number of guesses for the end of a list depends on the order in which responses arrive, and so
/// on the load of the machine. Therefore one of three backfills has to meet the bound, and each has to
/// stay within twice the additional requests.
async fn assert_few_requests(account: impl Fn() -> Account, objects: &[&str]) {
    let within = |counts: &Counts, factor: u64| {
        counts.iter().all(|(_, full, sent)| *sent <= full + factor * (full / 10 + 4))
    };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let counts = backfill(account(), objects).await;
        assert!(within(&counts, 2), "table, full pages, requests: {counts:?}");
        if within(&counts, 1) {
            return;
        }
        seen.push(counts);
    }
    panic!("table, full pages, requests of three backfills: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_split_with_few_additional_requests() {
    let account = || Account::builder(71).objects("charge", 20_000).build().expect("an account");
    assert_few_requests(account, &["charge"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_any_length_and_age_are_read_with_few_additional_requests() {
    let now = 1_790_000_000;
    for days in [2, 3_000] {
        let account = || {
            Account::builder(72)
                .objects("customer", 90)
                .objects("product", 150)
                .objects("payout", 450)
                .objects("coupon", 1_000)
                .objects("charge", 2_000)
                .objects("refund", 6_000)
                .window(now - days * 86_400, now)
                .build()
                .expect("an account")
        };
        let objects = ["customer", "product", "payout", "coupon", "charge", "refund"];
        assert_few_requests(account, &objects).await;
    }
}

/// Long lists are read at the same time as each other and as the other streams, so that the last
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
