//! How long a request waits: timeouts, rate limits, `Retry-After`, outages.

use tokio::time::timeout;

use super::scripted_server::message;
use super::*;

#[tokio::test]
async fn a_silent_server_times_out() {
    let half = message(200, &[], &ONE_CHARGE.as_bytes()[..9], ONE_CHARGE.len());
    for sent in [Vec::new(), half] {
        // A request to a server that has never responded is not retried.
        for (ever_responded, requests) in [(false, 1), (true, 2)] {
            let mut script = vec![Reply::ThenSilence(sent.clone())];
            if ever_responded {
                script.insert(0, good());
            }
            let server = ScriptedServer::start(script).await;
            let transport = Transport::new(TransportOptions {
                base: ApiBase::parse(&server.base()).unwrap(),
                request_timeout: Duration::from_millis(40),
                ..TransportOptions::default()
            });
            let options = ClientOptions { max_attempts: 2, ..options() };
            let client = StripeClient::with_short_pauses(transport.unwrap(), options).unwrap();
            if ever_responded {
                client.list(&charges()).await.unwrap();
            }
            let error = client.list(&charges()).await.unwrap_err();
            assert_eq!((&error.kind, error.requests), (&StripeErrorKind::Timeout, requests));
        }
    }
}

#[tokio::test]
async fn rate_limits_use_no_attempts() {
    for reason in [
        "global-rate",
        "global-concurrency",
        "endpoint-rate",
        "endpoint-concurrency",
        "resource-specific",
        "",
    ] {
        let header = format!("Stripe-Rate-Limited-Reason: {reason}");
        let limited = || refused(429, &[&header, "Stripe-Should-Retry: false"], "rate_limit");
        let script = vec![
            limited(),
            limited(),
            response(429, &[], "busy"),
            refused(400, &[], "rate_limit"),
            good(),
        ];
        let server = ScriptedServer::start(script).await;
        // So fast that waiting takes no time even after the rate has been reduced.
        let rate = RateOptions::Fixed(10_000.0);
        let client = client_with(&server, ClientOptions { rate, ..options() });
        assert_eq!(client.list(&charges()).await.unwrap().requests, 5, "{reason}");
        let stats = client.stats();
        assert_eq!((stats.rate_limited, stats.retries, stats.in_flight), (4, 4, 0), "{reason}");
    }
}

#[tokio::test]
async fn retry_after_is_honored() {
    for (reply, limit) in [
        (refused(503, &["Retry-After: 60"], ""), Limit::Retrying),
        (refused(429, &["Retry-After: 60"], ""), Limit::Retrying),
    ] {
        let server = ScriptedServer::start(vec![reply, good()]).await;
        let client = client(&server);
        let request = charges();
        let asking = client.list(&request);
        let watching = async {
            while server.heads().is_empty() || client.stats().in_flight > 0 {
                tokio::task::yield_now().await;
            }
            timeout(Duration::from_millis(100), std::future::pending::<()>()).await.unwrap_err();
            client.stats()
        };
        let stats = tokio::select! {
            outcome = asking => panic!("did not wait: {outcome:?}"),
            stats = watching => stats,
        };
        assert_eq!((server.heads().len(), stats.requests, stats.limit), (1, 1, limit));
        // The request was dropped while it paused.
        assert_eq!((client.stats().limit, client.stats().in_flight), (Limit::None, 0));
    }
}

#[tokio::test]
async fn an_unreachable_server_is_waited_for_without_using_attempts() {
    let address = unused_address().await;
    let transport = transport_to(&format!("http://{address}"));
    let options =
        ClientOptions { max_attempts: 1, ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "v") };
    let client = StripeClient::with_short_pauses(transport, options).unwrap();
    let request = charges();
    let mut asking = Box::pin(client.list(&request));
    let failed_once = async {
        while !matches!(client.stats().limit, Limit::Outage { .. }) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = &mut asking => panic!("did not wait: {outcome:?}"),
        () = failed_once => {}
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let _server = ScriptedServer::listen(listener, vec![good()]);
    assert_eq!(asking.await.unwrap().requests, 1);
    assert_eq!(client.stats().limit, Limit::None);
}

#[tokio::test]
async fn an_outage_longer_than_the_limit_ends_the_request() {
    let transport = transport_to(&format!("http://{}", unused_address().await));
    let options = ClientOptions {
        max_outage: Duration::from_millis(50),
        ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "v")
    };
    let client = StripeClient::with_short_pauses(transport, options).unwrap();
    let request = charges();
    let outcomes = futures_util::future::join_all((0..5).map(|_| client.list(&request))).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!((&error.kind, error.requests), (&StripeErrorKind::Unreachable, 0));
    }
    let error = client.list(&request).await.unwrap_err();
    assert_eq!(error.to_string(), "GET /v1/charges failed: Stripe cannot be reached");
    let cause = error.source().unwrap().to_string();
    assert!(!cause.contains("http"), "{cause}");
}
