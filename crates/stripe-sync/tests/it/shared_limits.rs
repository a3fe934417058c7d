//! Processes that read one account share its rate limits.

use stripe_sim::Account;
use stripe_sync::{RateOptions, RunStatus};
use tokio::time::Instant;

use crate::world::World;

/// Requests per second of all processes.
const RATE: f64 = 20.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_uses_its_part_of_the_limits_while_another_one_reads() {
    let account = Account::builder(61).objects("customer", 6_000).build().expect("an account");
    let mut world = World::new(account).await;
    world.config.rate = Some(RateOptions::Fixed(RATE));
    world.engine().await.prepare().await.expect("a schema");
    // Another machine reads another stream of the account.
    let sql = "with run as (
                   insert into stripe._runs (account_id, identity, objects, range, catalog_version,
                                             event_cursor)
                   values ($1, 'another', 'charge', 'all', '1', 0) returning id)
               insert into stripe._slices (run_id, stream, part, owner, lease_until)
               select id, 'charges', 0, 'another-host/b.1/7/7/1.1', now() + interval '1 hour' from run";
    let account = world.engine().await.identity().await.expect("an identity").account.to_string();
    world.sql.execute(sql, &[&account]).await.expect("another process");
    let started = Instant::now();
    let report = world.backfill(&["customer"]).await;
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    let requests = world.sim.requests_to("/v1/customers") as f64;
    assert!(requests >= 60.0, "{requests} requests");
    // The burst, and half of the rate.
    let most = 3.0 + RATE / 2.0 * seconds;
    assert!(requests <= most, "{requests} requests in {seconds} s, at most {most}");
}
