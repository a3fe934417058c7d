//! Injected faults, limits, latency and counters.

use std::time::{Duration, Instant};

use stripe_sim::{Account, Fault, RateLimit, RateLimits, SimOptions};

use crate::client::{Answer, customers, get, http, start, try_get};

#[tokio::test]
async fn scripted_faults_affect_only_their_requests() {
    let sim = customers(SimOptions { log: true, ..SimOptions::default() }).await;
    let path = "/v1/customers";
    sim.fail_nth(path, 2, Fault::Status(500));
    sim.fail_times(path, 4, 2, Fault::ShouldRetry(409, false));
    let mut statuses = Vec::new();
    for _ in 0..7 {
        let answer = get(&sim, path).await;
        if answer.status == 409 {
            assert_eq!(answer.header("stripe-should-retry"), Some("false"));
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 500, 200, 409, 409, 200, 200]);
    assert_eq!((sim.requests(), sim.requests_to(path), sim.requests_to("/v1/charges")), (7, 7, 0));
    let log = sim.log();
    assert_eq!(log[1].status, 500);
    assert_eq!(log[1].fault.as_deref(), Some("Status(500)"));
    assert_eq!((log[6].method.as_str(), log[6].target.as_str()), ("GET", path));
}

#[tokio::test]
async fn each_fault_has_its_documented_effect() {
    let sim = start(
        Account::builder(1).objects("customer", 300),
        SimOptions { gzip: false, ..SimOptions::default() },
    )
    .await;
    let path = "/v1/customers";
    let whole = get(&sim, path).await.text.len();
    for broken in [Fault::Reset, Fault::ResetMidBody, Fault::TruncatedWrongLength] {
        sim.fail_nth(path, 1, broken.clone());
        assert!(try_get(&sim, path).await.is_err(), "{broken:?}");
        assert_eq!(get(&sim, path).await.status, 200);
    }
    sim.fail_nth(path, 1, Fault::Truncated);
    let half = get(&sim, path).await;
    assert!(
        half.status == 200
            && half.text.len() < whole
            && serde_json::from_str::<serde_json::Value>(&half.text).is_err()
    );
    sim.fail_nth(path, 1, Fault::MalformedJson);
    assert!(serde_json::from_str::<serde_json::Value>(&get(&sim, path).await.text).is_err());
    for status in [200, 502] {
        sim.fail_nth(path, 1, Fault::Html(status));
        let page = get(&sim, path).await;
        assert_eq!((page.status, page.header("content-type")), (status, Some("text/html")));
    }
    sim.fail_nth(path, 1, Fault::LockTimeout);
    let locked = get(&sim, path).await;
    assert_eq!((locked.status, locked.error()["code"].as_str()), (429, Some("lock_timeout")));
    assert_eq!(locked.header("stripe-rate-limited-reason"), None);
    sim.fail_nth(path, 1, Fault::RateLimited);
    assert_eq!(get(&sim, path).await.header("stripe-rate-limited-reason"), Some("global-rate"));
    sim.fail_nth(path, 1, Fault::EmptyWithMore);
    let empty = get(&sim, path).await.json();
    assert_eq!(
        (empty["data"].as_array().unwrap().len(), empty["has_more"].as_bool()),
        (0, Some(true))
    );
    sim.fail_nth(path, 1, Fault::Hang);
    let request = http().get(format!("{}{path}", sim.base_url())).bearer_auth(sim.key());
    let hung = request.timeout(Duration::from_millis(300)).send().await.unwrap_err();
    assert!(hung.is_timeout());
    assert_eq!(get(&sim, path).await.status, 200);
}

#[tokio::test]
async fn reset_faults_reset_the_connection_instead_of_closing_it() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let sim = customers(SimOptions::default()).await;
    let address = sim.base_url().replace("http://", "");
    for (fault, error) in [
        (Fault::Reset, Some(std::io::ErrorKind::ConnectionReset)),
        (Fault::ResetMidBody, Some(std::io::ErrorKind::ConnectionReset)),
        (Fault::TruncatedWrongLength, None),
    ] {
        sim.fail_nth("/v1/customers", 1, fault.clone());
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head =
            format!("GET /v1/customers HTTP/1.1\r\nAuthorization: Bearer {}\r\n\r\n", sim.key());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut read = Vec::new();
        let end = stream.read_to_end(&mut read).await;
        assert_eq!(end.err().map(|e| e.kind()), error, "{fault:?}");
    }
}

#[tokio::test]
async fn random_faults_are_determined_by_the_seed() {
    let options = SimOptions {
        fault_rate: 0.3,
        faults: vec![Fault::Status(500), Fault::Status(503)],
        seed: 5,
        ..SimOptions::default()
    };
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sim = customers(options.clone()).await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            statuses.push(get(&sim, "/v1/customers?limit=1").await.status);
        }
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
    let failed = runs[0].iter().filter(|s| **s != 200).count();
    assert!((15..45).contains(&failed), "{failed}");
}

#[tokio::test]
async fn requests_over_a_limit_are_answered_with_429_and_the_reason() {
    let slow = RateLimit { per_second: 0.001, burst: 3.0 };
    let limits = RateLimits { endpoint: Some(slow), retry_after: Some(7), ..RateLimits::none() };
    let sim = customers(SimOptions { limits, ..SimOptions::default() }).await;
    for _ in 0..3 {
        assert_eq!(get(&sim, "/v1/customers").await.status, 200);
    }
    let rejected = get(&sim, "/v1/customers").await;
    assert_eq!(rejected.status, 429);
    assert_eq!(rejected.header("stripe-rate-limited-reason"), Some("endpoint-rate"));
    assert_eq!(rejected.header("retry-after"), Some("7"));
    assert_eq!(get(&sim, "/v1/charges").await.status, 200, "each endpoint has its own limit");
    let ids: Vec<String> = sim.account().ids("customer").take(4).collect();
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(get(&sim, &format!("/v1/customers/{id}")).await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 429], "paths that differ in ids are one endpoint");
    assert_eq!(sim.rate_limited(), 2);
}

#[tokio::test]
async fn latency_and_the_concurrency_limit_apply() {
    let sim =
        customers(SimOptions { latency: Duration::from_millis(80), ..SimOptions::default() }).await;
    let started = Instant::now();
    let (a, b, c) = tokio::join!(
        get(&sim, "/v1/customers"),
        get(&sim, "/v1/customers"),
        get(&sim, "/v1/charges")
    );
    assert!(started.elapsed() >= Duration::from_millis(80));
    assert!([a, b, c].iter().all(|answer| answer.status == 200));
    assert_eq!(sim.max_concurrent(), 3);
    let limits = RateLimits { concurrency: Some(1), ..RateLimits::none() };
    let sim = customers(SimOptions {
        limits,
        latency: Duration::from_millis(80),
        ..SimOptions::default()
    })
    .await;
    let (a, b) = tokio::join!(get(&sim, "/v1/customers"), get(&sim, "/v1/customers"));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses[1], 429);
}

#[tokio::test]
async fn dropping_the_simulator_frees_its_port() {
    let sim = customers(SimOptions::default()).await;
    let base = sim.base_url();
    get(&sim, "/v1/customers").await;
    drop(sim);
    let mut refused = false;
    for _ in 0..100 {
        refused = http().get(format!("{base}/v1/customers")).send().await.is_err();
        if refused {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(refused);
}

#[tokio::test]
async fn a_response_that_is_sent_late_has_the_date_of_its_content() {
    let sim = customers(SimOptions::default()).await;
    let year = |answer: &Answer| answer.header("date").expect("a date")[12..16].to_owned();
    let now = year(&get(&sim, "/v1/customers").await);
    sim.fail_nth("/v1/customers", 1, Fault::SentLate(Duration::from_secs(1)));
    let advance = async {
        while sim.requests_to("/v1/customers") < 2 {
            tokio::task::yield_now().await;
        }
        sim.account().advance_clock(10 * 366 * 86_400);
    };
    let (late, ()) = tokio::join!(get(&sim, "/v1/customers"), advance);
    assert_eq!(year(&late), now);
    assert_ne!(year(&get(&sim, "/v1/customers").await), now);
}
