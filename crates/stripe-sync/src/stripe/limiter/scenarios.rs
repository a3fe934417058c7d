//! Scenarios in virtual time against a model of Stripe with its own limits. Each expects a range of
//! served requests.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::join_all;
use tokio::time::{sleep, timeout};

use super::*;
use crate::account::Mode;

/// Counts requests within the last second and returns 429 beyond its limits.
#[derive(Default)]
struct StripeModel {
    account_limit: Option<usize>,
    endpoint_limit: Option<usize>,
    concurrency_limit: Option<usize>,
    names_reason: bool,
    sent: RefCell<VecDeque<(Instant, String)>>,
    in_flight: RefCell<usize>,
    refused: RefCell<usize>,
    served: RefCell<HashMap<String, usize>>,
}

impl StripeModel {
    fn check(&self, endpoint: &str) -> Option<Reason> {
        let now = Instant::now();
        let mut sent = self.sent.borrow_mut();
        while sent.front().is_some_and(|(at, _)| now - *at >= Duration::from_secs(1)) {
            sent.pop_front();
        }
        let of_endpoint = sent.iter().filter(|(_, other)| other == endpoint).count();
        let over = |limit: Option<usize>, used: usize| limit.is_some_and(|limit| used >= limit);
        let reason = if over(self.concurrency_limit, *self.in_flight.borrow()) {
            Reason::GlobalConcurrency
        } else if over(self.endpoint_limit, of_endpoint) {
            Reason::EndpointRate
        } else if over(self.account_limit, sent.len()) {
            Reason::GlobalRate
        } else {
            sent.push_back((now, endpoint.to_owned()));
            return None;
        };
        Some(if self.names_reason { reason } else { Reason::Unnamed })
    }

    async fn respond(&self, endpoint: &str, latency: Duration) -> Option<Reason> {
        let refused = self.check(endpoint);
        if refused.is_some() {
            *self.refused.borrow_mut() += 1;
            sleep(Duration::from_millis(20)).await;
        } else {
            *self.in_flight.borrow_mut() += 1;
            sleep(latency).await;
            *self.in_flight.borrow_mut() -= 1;
            *self.served.borrow_mut().entry(endpoint.to_owned()).or_default() += 1;
        }
        refused
    }

    fn served(&self) -> usize {
        self.served.borrow().values().sum()
    }
}

/// Workers that send requests continuously for `seconds`.
async fn run(
    limiter: &Limiter,
    stripe: &Rc<StripeModel>,
    endpoints: &[&str],
    workers: usize,
    seconds: u64,
) {
    let latency = Duration::from_millis(200);
    let work = (0..workers).map(|worker| async move {
        let endpoint = endpoints[worker % endpoints.len()];
        loop {
            let permit = limiter.acquire(endpoint, RequestClass::Backfill).await;
            match stripe.respond(endpoint, latency).await {
                None => limiter.record_success(&permit),
                Some(reason) => {
                    limiter.slow_down(&permit, reason, None);
                }
            }
        }
    });
    let stopped = timeout(Duration::from_secs(seconds), join_all(work)).await;
    assert!(stopped.is_err());
}

const A: [&str; 1] = ["/v1/charges"];
const FIVE: [&str; 5] = ["/v1/charges", "/v1/customers", "/v1/invoices", "/v1/prices", "/v1/plans"];

#[tokio::test(start_paused = true)]
async fn three_quarters_of_the_documented_limits_are_used_and_never_exceeded() {
    let live = RateOptions::Documented { mode: Mode::Live };
    let test = RateOptions::Documented { mode: Mode::Test };
    for (rate, account_limit, endpoints, workers, expected) in [
        (live, 100, &A[..], 40, 180..=190),
        (live, 100, &FIVE[..], 60, 735..=758),
        (test, 25, &FIVE[..], 60, 180..=190),
        (live, 100, &["/v1/files"][..], 40, 145..=152),
        (RateOptions::Fixed(5.0), 100, &FIVE[..], 10, 48..=52),
    ] {
        let stripe = Rc::new(StripeModel {
            account_limit: Some(account_limit),
            endpoint_limit: Some(if endpoints.len() == 1 && endpoints[0] == "/v1/files" {
                20
            } else {
                25
            }),
            ..StripeModel::default()
        });
        run(&Limiter::new(rate), &stripe, endpoints, workers, 10).await;
        assert!(expected.contains(&stripe.served()), "{rate:?}: {}", stripe.served());
        assert_eq!(*stripe.refused.borrow(), 0, "{rate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn endpoints_share_the_account_evenly_whatever_their_number_of_workers() {
    let stripe = Rc::new(StripeModel::default());
    let limiter = Limiter::new(RateOptions::Fixed(20.0));
    let many = run(&limiter, &stripe, &A, 50, 20);
    let few = run(&limiter, &stripe, &["/v1/prices"], 8, 20);
    tokio::join!(many, few);
    let served = stripe.served.borrow();
    let (charges, prices) = (served["/v1/charges"], served["/v1/prices"]);
    assert!((180..=220).contains(&charges), "{charges}");
    assert!((180..=220).contains(&prices), "{prices}");
}

#[tokio::test(start_paused = true)]
async fn lower_limits_are_found_with_few_refusals() {
    for (rate, names_reason, account, endpoint, endpoints, expected) in [
        (RateOptions::Documented { mode: Mode::Live }, true, None, Some(8), &A[..], 420..=480),
        (RateOptions::Documented { mode: Mode::Live }, false, None, Some(8), &A[..], 420..=480),
        (
            RateOptions::Documented { mode: Mode::Live },
            true,
            Some(40),
            None,
            &FIVE[..],
            2_160..=2_400,
        ),
        (RateOptions::Fixed(1_000.0), true, Some(25), None, &FIVE[..], 1_350..=1_500),
        (RateOptions::Unlimited, true, Some(40), None, &FIVE[..], 2_160..=2_400),
        (RateOptions::Unlimited, false, Some(40), Some(25), &FIVE[..], 2_160..=2_400),
    ] {
        let stripe = Rc::new(StripeModel {
            account_limit: account,
            endpoint_limit: endpoint,
            names_reason,
            ..StripeModel::default()
        });
        run(&Limiter::new(rate), &stripe, endpoints, 60, 60).await;
        let (served, refused) = (stripe.served(), *stripe.refused.borrow());
        assert!(expected.contains(&served), "{rate:?} {names_reason}: {served}");
        assert!(refused * 10 <= served, "{rate:?} {names_reason}: {refused} of {served}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_concurrency_limit_is_found() {
    let stripe = Rc::new(StripeModel {
        concurrency_limit: Some(10),
        names_reason: true,
        ..StripeModel::default()
    });
    run(&Limiter::new(RateOptions::Unlimited), &stripe, &FIVE, 60, 60).await;
    let (served, refused) = (stripe.served(), *stripe.refused.borrow());
    // Ten in flight, each for 200 ms: at most 3,000 in a minute.
    assert!((1_800..=3_000).contains(&served), "{served}");
    assert!(refused * 5 <= served, "{refused} of {served}");
}

#[tokio::test(start_paused = true)]
async fn requests_of_an_endpoint_are_sent_in_order() {
    let limiter = Limiter::new(RateOptions::Fixed(1.0));
    let order = RefCell::new(Vec::new());
    let send = |number: u32| {
        let (limiter, order) = (&limiter, &order);
        async move {
            sleep(Duration::from_millis(u64::from(number))).await;
            limiter.acquire("/v1/charges", RequestClass::Backfill).await;
            order.borrow_mut().push(number);
        }
    };
    join_all([3, 1, 4, 2, 5].map(send)).await;
    assert_eq!(*order.borrow(), [1, 2, 3, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_canceled_request_takes_nothing_and_delays_no_other() {
    let limiter = Limiter::new(RateOptions::Fixed(1.0));
    drop(limiter.acquire("/v1/charges", RequestClass::Backfill).await);
    let start = Instant::now();
    let canceled = (0..20).map(|_| {
        timeout(Duration::from_millis(300), limiter.acquire("/v1/charges", RequestClass::Backfill))
    });
    let waiting = limiter.acquire("/v1/charges", RequestClass::Backfill);
    let (outcomes, _permit) = tokio::join!(join_all(canceled), waiting);
    assert!(outcomes.iter().all(Result::is_err));
    let waited = start.elapsed();
    assert!((950..=1_050).contains(&waited.as_millis()), "{waited:?}");
    assert_eq!((limiter.bottleneck(), limiter.in_flight()), (Bottleneck::Nothing, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_one_endpoint_delays_no_other() {
    let limiter = Limiter::new(RateOptions::Documented { mode: Mode::Live });
    let permit = limiter.acquire("/v1/charges", RequestClass::Backfill).await;
    assert!(limiter.slow_down(&permit, Reason::EndpointRate, Some(Duration::from_secs(60))));
    drop(permit);
    let start = Instant::now();
    let stripe = Rc::new(StripeModel::default());
    let paused = async {
        limiter.acquire("/v1/charges", RequestClass::Backfill).await;
        start.elapsed()
    };
    let others = run(&limiter, &stripe, &["/v1/prices"], 10, 30);
    let (waited, ()) = tokio::join!(paused, others);
    assert!((59..=61).contains(&waited.as_secs()), "{waited:?}");
    assert!(stripe.served() > 500, "{}", stripe.served());
}

#[tokio::test(start_paused = true)]
async fn a_pause_applies_to_a_request_that_already_waits_for_the_account() {
    let limiter = Limiter::new(RateOptions::Documented { mode: Mode::Live });
    let account = limiter.acquire("/v1/prices", RequestClass::Backfill).await;
    let refused = limiter.acquire("/v1/charges", RequestClass::Backfill).await;
    let start = Instant::now();
    limiter.slow_down(&account, Reason::GlobalRate, Some(Duration::from_secs(5)));
    let waiting = async {
        limiter.acquire("/v1/charges", RequestClass::Backfill).await;
        start.elapsed()
    };
    let other = async {
        sleep(Duration::from_secs(1)).await;
        limiter.slow_down(&refused, Reason::EndpointRate, Some(Duration::from_secs(30)));
        limiter.acquire("/v1/invoices", RequestClass::Backfill).await;
        start.elapsed()
    };
    let (waited, other) = tokio::join!(waiting, other);
    assert!((30..=32).contains(&waited.as_secs()), "{waited:?}");
    assert!((5..=6).contains(&other.as_secs()), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn the_bottleneck_is_reported() {
    let narrow = Limiter::new(RateOptions::Documented { mode: Mode::Live });
    let wide = Limiter::new(RateOptions::Unlimited);
    let stripe = Rc::new(StripeModel::default());
    for (limiter, endpoints, workers, expected) in [
        (&narrow, &A[..], 30, Bottleneck::Endpoint("/v1/charges".to_owned())),
        (&narrow, &FIVE[..], 60, Bottleneck::Account),
        (&wide, &FIVE[..], 60, Bottleneck::Nothing),
        (&wide, &FIVE[..], 90, Bottleneck::InFlight),
    ] {
        let watch = async {
            sleep(Duration::from_millis(5_005)).await;
            limiter.bottleneck()
        };
        let (seen, ()) = tokio::join!(watch, run(limiter, &stripe, endpoints, workers, 10));
        assert_eq!(seen, expected);
    }
}

/// Forty workers of a backfill wait at a rate of 10 requests per second. Live requests, which have
/// other endpoints, are sent within two turns, and the backfill continues.
#[tokio::test(start_paused = true)]
async fn live_requests_go_before_waiting_requests_of_a_backfill() {
    const LIVE: [&str; 2] = ["/v1/events", "/v1/charges/{id}"];
    let limiter = Limiter::new(RateOptions::Fixed(10.0));
    let sent = RefCell::new(Vec::new());
    let request = async |endpoint: &'static str, class| {
        let permit = limiter.acquire(endpoint, class).await;
        sent.borrow_mut().push(class);
        limiter.record_success(&permit);
    };
    let backfill = join_all((0..40).map(|n| request(FIVE[n % 5], RequestClass::Backfill)));
    let live = async {
        // The requests above are already waiting.
        sleep(Duration::from_millis(500)).await;
        join_all((0..10).map(|n| request(LIVE[n % 2], RequestClass::Live))).await;
    };
    tokio::join!(backfill, live);
    let sent = sent.borrow();
    let first = sent.iter().position(|class| *class == RequestClass::Live).expect("a live one");
    let last = sent.iter().rposition(|class| *class == RequestClass::Live).expect("a live one");
    assert_eq!(sent.len(), 50);
    assert!(last - first < 20 && last < 40, "{sent:?}");
    assert!(sent[first..last].contains(&RequestClass::Backfill), "{sent:?}");
}
