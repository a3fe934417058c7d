//! Outages in virtual time.

use std::cell::Cell;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use tokio::time::sleep;

use super::*;

/// How long an attempt takes.
const ATTEMPT: Duration = Duration::from_millis(10);

/// One request that is retried until it succeeds or gives up; `true` if it succeeded.
async fn request(gate: &OutageGate, is_up: impl Fn() -> bool, attempts: &Cell<u32>) -> bool {
    loop {
        let Ok(permit) = gate.admit().await else { return false };
        attempts.set(attempts.get() + 1);
        sleep(ATTEMPT).await;
        if is_up() {
            gate.record_reached();
            return true;
        }
        if gate.record_unreachable(&permit) == OutageEffect::Expired {
            return false;
        }
    }
}

fn gate_after_a_response(max_wait: u64) -> OutageGate {
    let gate = OutageGate::new(Duration::from_secs(max_wait), Backoff::PROBES);
    gate.record_reached();
    gate
}

#[tokio::test(start_paused = true)]
async fn one_request_probes_and_all_resume_together() {
    let gate = gate_after_a_response(600);
    let attempts = Cell::new(0);
    let up_at = Instant::now() + Duration::from_secs(100);
    let requests = (0..50).map(|_| request(&gate, || Instant::now() >= up_at, &attempts));
    let succeeded = join_all(requests).await;
    assert!(succeeded.iter().all(|succeeded| *succeeded));
    let late = up_at.elapsed();
    assert!(late <= Duration::from_secs(15) + ATTEMPT * 2, "{late:?}");
    // 50 failures, about 15 probes, 49 successes after the last probe.
    assert!((103..=130).contains(&attempts.get()), "{}", attempts.get());
    assert_eq!(gate.duration(), None);
}

#[tokio::test(start_paused = true)]
async fn simultaneous_failures_count_as_one_probe() {
    let rounds = 200;
    let mut down = Duration::ZERO;
    for _ in 0..rounds {
        let gate = gate_after_a_response(600);
        let start = Instant::now();
        let is_up = || start.elapsed() > Duration::from_millis(1_200);
        let attempts = Cell::new(0);
        join_all((0..50).map(|_| request(&gate, is_up, &attempts))).await;
        down += start.elapsed();
    }
    // If each counted, the next probe would come after 7 seconds instead of 2.
    let mean = down / rounds;
    assert!((1_500..=3_500).contains(&mean.as_millis()), "{mean:?}");
}

#[tokio::test(start_paused = true)]
async fn all_give_up_together_and_later_requests_get_one_attempt() {
    let gate = gate_after_a_response(600);
    let attempts = Cell::new(0);
    let start = Instant::now();
    let succeeded = join_all((0..50).map(|_| request(&gate, || false, &attempts))).await;
    assert!(succeeded.iter().all(|succeeded| !succeeded));
    assert_eq!(start.elapsed().as_secs(), 600);
    assert!((100..=190).contains(&attempts.get()), "{}", attempts.get());

    attempts.set(0);
    assert!(!request(&gate, || false, &attempts).await);
    assert_eq!((attempts.get(), start.elapsed().as_secs()), (1, 600));
    assert!(request(&gate, || true, &attempts).await);
    assert_eq!(gate.duration(), None);
}

#[tokio::test(start_paused = true)]
async fn the_wait_is_short_before_the_first_response() {
    let gate = OutageGate::new(Duration::from_secs(600), Backoff::PROBES);
    let start = Instant::now();
    assert!(!request(&gate, || false, &Cell::new(0)).await);
    assert_eq!(start.elapsed().as_secs(), MAX_WAIT_BEFORE_FIRST_RESPONSE.as_secs());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_is_replaced() {
    let gate = gate_after_a_response(600);
    let first = gate.admit().await.unwrap();
    assert_eq!(gate.record_unreachable(&first), OutageEffect::Started);
    let probe = gate.admit().await.unwrap();
    assert!(probe.probe_turn.is_some());
    assert!(gate.admit().now_or_never().is_none());
    let (next, ()) = tokio::join!(gate.admit(), async { drop(probe) });
    assert!(next.unwrap().probe_turn.is_some());
}
