//! Any interleaving of what Stripe shows about an object ends in Stripe's state.
//!
//! A case generates the lives of some objects: created, updated several times within a second,
//! deleted, and created again under the same id if users choose it. They are shown as pages,
//! refetches, webhooks and entries of the feed, with delays, duplicates, losses and other API
//! versions, to two processes that crash at random. Afterwards every row must equal what a new read
//! of the account stores, and no other row may exist.
//!
//! In half of the cases webhooks get lost, and the feed is read at the end. In the others the key
//! is not allowed to read the feed, and each event is delivered until it is accepted: webhooks
//! alone suffice.
//!
//! A seed determines the schedule of a case, not the timing of its requests. Seeds that have failed
//! are kept in `seeds.txt` and run each time.

mod observations;
mod process;
mod schedule;

use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt as _, stream};

use schedule::Case;

/// How many cases run with new seeds; [`MORE`] changes it.
const NEW_CASES: u64 = 10;
/// Cases that run at the same time. They mostly wait.
const CONCURRENT: usize = 6;
/// The environment variable with the number of new cases.
const MORE: &str = "STRIPE_SYNC_LIFE_CASES";
/// The environment variable with the seed of all of these cases, to repeat one that has failed.
const SEED: &str = "STRIPE_SYNC_LIFE_SEED";

/// Each line is a seed, followed by what it found.
fn kept_seeds() -> Vec<u64> {
    let lines = include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#'));
    let first_word = |line: &str| line.split(' ').next().expect("a word").parse().expect("a seed");
    lines.filter(|line| !line.is_empty()).map(first_word).collect()
}

fn number_in(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is not a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_interleaving_of_an_objects_life_ends_in_stripes_state() {
    let count = number_in(MORE).unwrap_or(NEW_CASES);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_micros();
    let first = u64::try_from(now).expect("the present") % 1_000_000_000;
    let new = (0..count).map(|i| number_in(SEED).unwrap_or(first + i));
    let seeds = kept_seeds().into_iter().chain(new);
    let cases = seeds.map(|seed| async move {
        let case = tokio::spawn(async move { Case::new(seed).await.play().await });
        let failure = case.await.err().map(|error| error.to_string());
        failure.map(|failure| format!("{seed}: {failure}"))
    });
    let failures: Vec<_> = stream::iter(cases)
        .buffer_unordered(CONCURRENT)
        .filter_map(std::future::ready)
        .collect()
        .await;
    assert!(
        failures.is_empty(),
        "these seeds fail; add them to tests/it/life/seeds.txt:\n{}",
        failures.join("\n")
    );
}
