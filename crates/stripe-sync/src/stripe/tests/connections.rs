//! What is sent and received: headers, reused connections, compression, TLS.

use tokio::time::timeout;

use super::scripted_server::one_charge_compressed;
use super::*;
use crate::account::AccountId;

#[tokio::test]
async fn a_request_carries_key_version_account_and_query() {
    let server = ScriptedServer::start(vec![good()]).await;
    let connected_account = AccountId::parse("acct_1Ab");
    let client = client_with(&server, ClientOptions { connected_account, ..options() });
    let request = charges().with("created[gte]", "5");
    let page = client.list(&request).await.unwrap();
    assert_eq!(page.items().collect::<Vec<_>>(), [r#"{"id":"ch_1"}"#]);
    assert_eq!((page.request_id.as_deref(), page.requests), (Some("req_good"), 1));
    // The stamp is on Stripe's clock, not after the second in which Stripe responded.
    assert!((1_699_999_993..=1_700_000_000).contains(&page.sent.unix_seconds()), "{:?}", page.sent);
    assert!(client.now() >= page.sent);

    let head = server.heads().remove(0);
    let lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines[0], "GET /v1/charges?limit=100&created%5Bgte%5D=5 HTTP/1.1");
    let agent = format!("user-agent: stripe-sync/{}", env!("CARGO_PKG_VERSION"));
    for expected in [
        "authorization: Bearer sk_test_SeCrEtSeCrEt",
        "stripe-version: 2026-01-01.test",
        "stripe-account: acct_1Ab",
        "accept-encoding: gzip",
        agent.as_str(),
    ] {
        assert!(lines.contains(&expected), "{expected} in {head}");
    }
    assert!(!head.contains("cookie") && !head.contains("referer"), "{head}");

    let stats = client.stats();
    assert_eq!((stats.requests, stats.retries, stats.rate_limited), (1, 0, 0));
    assert_eq!((stats.bytes, stats.in_flight), (ONE_CHARGE.len() as u64, 0));
    assert_eq!(stats.limit, Limit::None);
}

#[tokio::test]
async fn connections_are_reused_and_replaced_when_closed() {
    let open = Reply::ThenNext(
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ONE_CHARGE}", ONE_CHARGE.len())
            .into(),
    );
    let server = ScriptedServer::start(vec![open.clone(), open, good()]).await;
    let client = client(&server);
    // The server serves one connection at a time: a second one would never get a response.
    for _ in 0..4 {
        let page = timeout(Duration::from_secs(10), client.list(&charges())).await.unwrap();
        assert_eq!(page.unwrap().items().count(), 1);
    }
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn compressed_responses_are_decompressed() {
    let (page, client, _server) = list(vec![one_charge_compressed(0)]).await;
    assert_eq!(page.unwrap().items().collect::<Vec<_>>(), [r#"{"id":"ch_1"}"#]);
    assert_eq!(client.stats().bytes, ONE_CHARGE.len() as u64);
}

#[tokio::test]
async fn an_endpoint_that_does_not_speak_tls_never_sees_the_key() {
    let server = ScriptedServer::start(vec![good()]).await;
    let base = format!("https://localhost:{}", server.address.port());
    let transport = Transport::new(TransportOptions {
        base: ApiBase::parse(&base).unwrap(),
        request_timeout: Duration::from_millis(200),
        ..TransportOptions::default()
    });
    // On a machine without certificates no transport can be created.
    if let Ok(transport) = transport {
        let options = ClientOptions { max_attempts: 1, ..options() };
        let client = StripeClient::with_short_pauses(transport, options).unwrap();
        client.list(&charges()).await.unwrap_err();
    }
    assert_eq!(server.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn unusable_options_are_rejected() {
    let good = options();
    assert!(!format!("{good:?}").contains("SeCrEt"));
    for bad in [
        ClientOptions { rate: RateOptions::Fixed(0.0), ..good.clone() },
        ClientOptions { rate: RateOptions::Fixed(f64::NAN), ..good.clone() },
        ClientOptions { version: "a\nb".to_owned(), ..good.clone() },
    ] {
        let transport = transport_to("http://127.0.0.1:1");
        let error = StripeClient::with_transport(transport, bad).unwrap_err();
        assert_eq!(error.kind, StripeErrorKind::Setup);
        assert!(error.source().is_some());
    }
}
