//! Promise 1: when a backfill reports "complete", every object that Stripe lists is a row.

use stripe_sim::{Account, SimOptions};
use stripe_sync::RunStatus;

use crate::world::{World, ended};

#[tokio::test(flavor = "multi_thread")]
async fn every_object_and_every_nested_item_is_stored() {
    let account = Account::builder(1).uniform(130).build().expect("an account");
    let world = World::new(account).await;
    let report = world.backfill(&[]).await;
    for stream in &report.streams {
        // Stripe rejects this list without a parent. All other lists are available.
        let expected = match stream.table.as_str() {
            "billing_credit_balance_transactions" => "skipped",
            _ => "complete",
        };
        assert_eq!(stream.status, expected, "{stream:?}");
    }
    assert_eq!(report.status, RunStatus::Complete);
    world.assert_identical().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_and_many_objects_in_one_second_lose_no_row() {
    let account = Account::builder(2).demo().same_second(0.5).build().expect("an account");
    let options = SimOptions { fault_rate: 0.03, seed: 7, ..SimOptions::default() };
    let world = World::with(account, options).await;
    let report = world.backfill(&[]).await;
    assert_eq!(report.status, RunStatus::Complete, "{:?}", report.streams);
    world.assert_identical().await;
    let (_, synced, _) = ended(&report, "customers");
    assert_eq!(synced as u64, world.sim.account().count("customer"));
}
