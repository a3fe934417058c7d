//! Outages in virtual time.

use std::cell::Cell;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;

/// How long it takes to find out that there is no connection.
const TRY: Duration = Duration::from_millis(10);

/// One request that repeats until it is through or gives up; `true` if it got through.
async fn request(gate: &OutageGate, is_up: impl Fn() -> bool, tries: &Cell<u32>) -> bool {
    loop {
        let Ok(pass) = gate.pass().await else { return false };
        tries.set(tries.get() + 1);
        sleep(TRY).await;
        if is_up() {
            gate.answered();
            return true;
        }
        if gate.failed(&pass) == Verdict::GiveUp {
            return false;
        }
    }
}

fn gate_that_was_open(patience: u64) -> OutageGate {
    let gate = OutageGate::new(Duration::from_secs(patience), Backoff::OF_KNOCKS);
    gate.answered();
    gate
}

#[tokio::test(start_paused = true)]
async fn one_knocks_while_all_wait_and_all_go_on_together() {
    let gate = gate_that_was_open(600);
    let tries = Cell::new(0);
    let up_at = Instant::now() + Duration::from_secs(100);
    let requests = (0..50).map(|_| request(&gate, || Instant::now() >= up_at, &tries));
    let through = join_all(requests).await;
    assert!(through.iter().all(|through| *through));
    let late = up_at.elapsed();
    assert!(late <= Duration::from_secs(15) + TRY * 2, "{late:?}");
    // 50 find out, some 15 knocks, 49 go through after the last knock.
    assert!((103..=130).contains(&tries.get()), "{}", tries.get());
    assert_eq!(gate.lasts(), None);
}

#[tokio::test(start_paused = true)]
async fn many_who_fail_together_count_as_one_knock() {
    let rounds = 200;
    let mut down = Duration::ZERO;
    for _ in 0..rounds {
        let gate = gate_that_was_open(600);
        let start = Instant::now();
        let is_up = || start.elapsed() > Duration::from_millis(1_200);
        let tries = Cell::new(0);
        join_all((0..50).map(|_| request(&gate, is_up, &tries))).await;
        down += start.elapsed();
    }
    // Counted singly, the next knock would come after 7 seconds and not after 2.
    let mean = down / rounds;
    assert!((1_500..=3_500).contains(&mean.as_millis()), "{mean:?}");
}

#[tokio::test(start_paused = true)]
async fn all_give_up_together_and_latecomers_get_one_try() {
    let gate = gate_that_was_open(600);
    let tries = Cell::new(0);
    let start = Instant::now();
    let through = join_all((0..50).map(|_| request(&gate, || false, &tries))).await;
    assert!(through.iter().all(|through| !through));
    assert_eq!(start.elapsed().as_secs(), 600);
    assert!((100..=190).contains(&tries.get()), "{}", tries.get());

    tries.set(0);
    assert!(!request(&gate, || false, &tries).await);
    assert_eq!((tries.get(), start.elapsed().as_secs()), (1, 600));
    assert!(request(&gate, || true, &tries).await);
    assert_eq!(gate.lasts(), None);
}

#[tokio::test(start_paused = true)]
async fn without_any_answer_yet_the_patience_is_short() {
    let gate = OutageGate::new(Duration::from_secs(600), Backoff::OF_KNOCKS);
    let start = Instant::now();
    assert!(!request(&gate, || false, &Cell::new(0)).await);
    assert_eq!(start.elapsed().as_secs(), PATIENCE_BEFORE_FIRST_ANSWER.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_knocker_that_goes_away_is_replaced() {
    let gate = gate_that_was_open(600);
    assert_eq!(gate.failed(&gate.pass().await.unwrap()), Verdict::Begins);
    let knocking = gate.pass().await.unwrap();
    assert!(knocking.knocking.is_some());
    assert!(gate.pass().now_or_never().is_none());
    let (next, ()) = tokio::join!(gate.pass(), async { drop(knocking) });
    assert!(next.unwrap().knocking.is_some());
}
