//! What the client makes of answers as networks, proxies and Stripe on a bad day give them.

use std::error::Error as _;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::timeout;

use super::scripted_server::{
    ONE_CHARGE, Reply, ScriptedServer, answer, message, one_charge_packed, truncated,
};
use super::*;
use crate::account::AccountId;

const KEY: &str = "sk_test_SeCrEtSeCrEt";

fn options(server: &ScriptedServer) -> ClientOptions {
    ClientOptions {
        base: ApiBase::parse(&format!("http://{}", server.address)).unwrap(),
        rate: RateOptions::Unlimited,
        max_attempts: 3,
        ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "2026-01-01.test")
    }
}

fn client(server: &ScriptedServer) -> StripeClient {
    StripeClient::hurried(options(server)).unwrap()
}

fn charges() -> Request {
    Request::to_list("/v1/charges").with("limit", "100")
}

fn good() -> Reply {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    answer(200, &["Request-Id: req_good", date], ONE_CHARGE)
}

fn refused(status: u16, headers: &[&str], code: &str) -> Reply {
    let body = format!(r#"{{"error":{{"type":"t","code":"{code}","message":"m for {KEY}"}}}}"#);
    answer(status, headers, &body)
}

/// Lists charges against a script; shows no secret whatever comes out.
async fn list(script: Vec<Reply>) -> (Result<Page, StripeError>, StripeClient, ScriptedServer) {
    let server = ScriptedServer::start(script).await;
    let client = client(&server);
    let outcome = client.list(&charges()).await;
    let mut shown = format!("{outcome:?} {client:?}");
    if let Err(error) = &outcome {
        shown.push_str(&error.to_string());
        let mut cause = error.source();
        while let Some(error) = cause {
            shown.push_str(&format!("{error} {error:?}"));
            cause = error.source();
        }
    }
    assert!(!shown.contains("SeCrEt"), "{shown}");
    (outcome, client, server)
}

#[tokio::test]
async fn a_request_says_who_asks_what() {
    let server = ScriptedServer::start(vec![good()]).await;
    let account = AccountId::parse("acct_1Ab");
    let client = StripeClient::hurried(ClientOptions { account, ..options(&server) }).unwrap();
    let request = charges().with("created[gte]", "5");
    let page = client.list(&request).await.unwrap();
    assert_eq!(page.items().collect::<Vec<_>>(), [r#"{"id":"ch_1"}"#]);
    assert_eq!((page.request_id.as_deref(), page.requests), (Some("req_good"), 1));
    // The stamp is on Stripe's clock, not after the second in which Stripe answered.
    assert!((784_111_770..=784_111_777).contains(&page.sent.unix_seconds()), "{:?}", page.sent);
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
async fn a_good_answer_after_a_broken_one_is_taken() {
    let cut_head = Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec());
    let reset = Reply::ThenReset(message(200, &[], &ONE_CHARGE.as_bytes()[..9], ONE_CHARGE.len()));
    for (name, broken) in [
        ("no answer at all", Reply::Bytes(Vec::new())),
        ("reset at once", Reply::ThenReset(Vec::new())),
        ("reset in the body", reset),
        ("head cut off", cut_head),
        ("body cut off", truncated(200, ONE_CHARGE)),
        ("compressed body cut off", one_charge_packed(9)),
        ("not HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
        ("HTML", answer(200, &["Content-Type: text/html"], "<html>please log in</html>")),
        ("empty", answer(200, &[], "")),
        ("no content", answer(204, &[], "")),
        ("another shape", answer(200, &[], r#"{"id":"ch_1"}"#)),
        ("no has_more", answer(200, &[], r#"{"data":[]}"#)),
        ("not UTF-8", Reply::Bytes(message(200, &[], b"{\"data\":[],\"has_more\":\xff}", 25))),
        ("HTML with an error", answer(404, &[], "<html>not here</html>")),
        ("error cut off", truncated(403, r#"{"error":{"message":"m"}}"#)),
        ("bad gateway", answer(502, &[], "<html>bad gateway</html>")),
        ("server error", refused(500, &[], "")),
        ("conflict", refused(409, &[], "")),
        ("lock", refused(429, &[], "lock_timeout")),
        ("timeout there", refused(408, &[], "")),
        ("told to repeat", refused(400, &["Stripe-Should-Retry: true"], "")),
        ("repeat at once", refused(503, &["Retry-After: 0"], "")),
    ] {
        let (page, client, server) = list(vec![broken, good()]).await;
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((page.items().count(), page.requests), (1, 2), "{name}");
        assert_eq!((server.heads().len(), client.stats().retries), (2, 1), "{name}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_and_replaced_when_it_ends() {
    let open = Reply::ThenNext(
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ONE_CHARGE}", ONE_CHARGE.len())
            .into(),
    );
    let server = ScriptedServer::start(vec![open.clone(), open, good()]).await;
    let client = client(&server);
    // The server listens to one connection at a time: a second one would never be answered.
    for _ in 0..4 {
        let page = timeout(Duration::from_secs(10), client.list(&charges())).await.unwrap();
        assert_eq!(page.unwrap().items().count(), 1);
    }
    assert_eq!(server.heads().len(), 4);
}

#[tokio::test]
async fn a_compressed_answer_is_unpacked() {
    let (page, client, _server) = list(vec![one_charge_packed(0)]).await;
    assert_eq!(page.unwrap().items().collect::<Vec<_>>(), [r#"{"id":"ch_1"}"#]);
    assert_eq!(client.stats().bytes, ONE_CHARGE.len() as u64);
}

#[tokio::test]
async fn what_repeating_cannot_change_is_asked_once() {
    use StripeErrorKind::*;
    let elsewhere = "Location: https://evil.example/v1/charges";
    for (reply, kind) in [
        (refused(401, &[], ""), Unauthorized { expired: false }),
        (refused(401, &[], "api_key_expired"), Unauthorized { expired: true }),
        (refused(402, &[], ""), InvalidRequest),
        (refused(403, &[], ""), Denied { missing_permission: None, account: None }),
        (refused(404, &[], "resource_missing"), ResourceMissing),
        (refused(400, &[], "parameter_unknown"), InvalidRequest),
        (refused(500, &["Stripe-Should-Retry: false"], ""), Server),
        (answer(301, &[elsewhere], ""), Redirected),
        (answer(307, &["Location: /v1/elsewhere"], ""), Redirected),
        (answer(304, &[], ""), Redirected),
    ] {
        let (outcome, _client, server) = list(vec![reply, good()]).await;
        let error = outcome.unwrap_err();
        assert_eq!((&error.kind, error.requests), (&kind, 1), "{error}");
        assert_eq!(server.heads().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn attempts_end_with_the_last_failure() {
    use StripeErrorKind::*;
    for (reply, kind, status) in [
        (refused(500, &["Request-Id: req_9"], ""), Server, Some(500)),
        (answer(200, &[], "<html>"), Malformed, Some(200)),
        (answer(403, &[], "<html>"), Malformed, Some(403)),
        (truncated(200, ONE_CHARGE), Broken, None),
        (refused(409, &[], ""), Conflict, Some(409)),
    ] {
        let (outcome, client, server) = list(vec![reply]).await;
        let error = outcome.unwrap_err();
        assert_eq!((&error.kind, error.status, error.requests), (&kind, status, 3), "{error}");
        assert!(error.to_string().contains("3 requests"), "{error}");
        assert_eq!((server.heads().len(), client.stats().retries), (3, 2));
    }
}

#[tokio::test]
async fn silence_ends_with_the_timeout() {
    let half = message(200, &[], &ONE_CHARGE.as_bytes()[..9], ONE_CHARGE.len());
    for said in [Vec::new(), half] {
        // Silence from the first request on is no reason to go on asking.
        for (heard, requests) in [(false, 1), (true, 2)] {
            let mut script = vec![Reply::ThenSilence(said.clone())];
            if heard {
                script.insert(0, good());
            }
            let server = ScriptedServer::start(script).await;
            let client = StripeClient::hurried(ClientOptions {
                request_timeout: Duration::from_millis(40),
                max_attempts: 2,
                ..options(&server)
            });
            let client = client.unwrap();
            if heard {
                client.list(&charges()).await.unwrap();
            }
            let error = client.list(&charges()).await.unwrap_err();
            assert_eq!((&error.kind, error.requests), (&StripeErrorKind::Timeout, requests));
        }
    }
}

#[tokio::test]
async fn rate_limits_spend_no_attempts_and_are_told_apart() {
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
            answer(429, &[], "busy"),
            refused(400, &[], "rate_limit"),
            good(),
        ];
        let server = ScriptedServer::start(script).await;
        // So fast that even what is left of it after the cuts takes no time.
        let rate = RateOptions::Fixed(10_000.0);
        let client = StripeClient::hurried(ClientOptions { rate, ..options(&server) }).unwrap();
        assert_eq!(client.list(&charges()).await.unwrap().requests, 5, "{reason}");
        let stats = client.stats();
        assert_eq!((stats.rate_limited, stats.retries, stats.in_flight), (4, 4, 0), "{reason}");
    }
}

#[tokio::test]
async fn retry_after_is_waited_for() {
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
        // The call was dropped while it paused.
        assert_eq!((client.stats().limit, client.stats().in_flight), (Limit::None, 0));
    }
}

#[tokio::test]
async fn nobody_there_is_waited_for_and_spends_no_attempts() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let options = ClientOptions {
        base: ApiBase::parse(&format!("http://{address}")).unwrap(),
        max_attempts: 1,
        ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "v")
    };
    let client = StripeClient::hurried(options.clone()).unwrap();
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
async fn an_outage_longer_than_the_patience_ends_the_request() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = ApiBase::parse(&format!("http://{}", free.local_addr().unwrap())).unwrap();
    drop(free);
    let client = StripeClient::hurried(ClientOptions {
        base,
        max_outage: Duration::from_millis(50),
        ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "v")
    })
    .unwrap();
    let request = charges();
    let outcomes = futures_util::future::join_all((0..5).map(|_| client.list(&request))).await;
    for outcome in outcomes {
        let error = outcome.unwrap_err();
        assert_eq!((&error.kind, error.requests), (&StripeErrorKind::Unreachable, 0));
    }
    let error = client.list(&request).await.unwrap_err();
    assert_eq!(error.to_string(), "GET /v1/charges failed: stripe cannot be reached");
    let cause = error.source().unwrap().to_string();
    assert!(!cause.contains("http"), "{cause}");
}

#[tokio::test]
async fn an_object_is_an_object() {
    let path = ApiPath::with_segment("/v1/coupons/{coupon}", "50% off/all").unwrap();
    let endpoint = "/v1/coupons/{coupon}".to_owned();
    let request = Request { path, endpoint, query: Vec::new() };
    let server = ScriptedServer::start(vec![
        answer(200, &[], "[]"),
        answer(200, &["request-id: req_1"], r#"{"id":"50% off/all","deleted":true}"#),
    ])
    .await;
    let answer = client(&server).get(&request).await.unwrap();
    assert_eq!(answer.body, r#"{"id":"50% off/all","deleted":true}"#);
    assert_eq!(answer.request_id.as_deref(), Some("req_1"));
    assert!(server.heads()[0].starts_with("GET /v1/coupons/50%25%20off%2Fall HTTP/1.1\r\n"));
}

#[tokio::test]
async fn an_endpoint_that_does_not_speak_tls_never_sees_the_key() {
    let server = ScriptedServer::start(vec![good()]).await;
    let base = format!("https://localhost:{}", server.address.port());
    let client = StripeClient::hurried(ClientOptions {
        base: ApiBase::parse(&base).unwrap(),
        request_timeout: Duration::from_millis(200),
        max_attempts: 1,
        ..options(&server)
    });
    // On a machine without certificates the client is not even made.
    if let Ok(client) = client {
        client.list(&charges()).await.unwrap_err();
    }
    assert_eq!(server.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn options_that_cannot_work_are_refused() {
    let key = ApiKey::parse(KEY).unwrap();
    let good = ClientOptions::new(key, "2026-01-01.test");
    assert!(!format!("{good:?}").contains("SeCrEt"));
    for bad in [
        ClientOptions { rate: RateOptions::Fixed(0.0), ..good.clone() },
        ClientOptions { rate: RateOptions::Fixed(f64::NAN), ..good.clone() },
        ClientOptions { version: "a\nb".to_owned(), ..good.clone() },
    ] {
        let error = StripeClient::new(bad).unwrap_err();
        assert_eq!(error.kind, StripeErrorKind::Setup);
        assert!(error.source().is_some());
    }
}

#[tokio::test]
async fn the_account_is_settled_or_explained() {
    use crate::stripe::AccountSource::{Configuration, Refusal, Stripe};
    let named = r#"{"error":{"type":"invalid_request_error","message":"no permissions on account 'acct_1Ab'. Having the 'rak_x_read' permission would help."}}"#;
    let mine = r#"{"id":"acct_1Ab","object":"account"}"#;
    let asked = AccountId::parse("acct_2Cd").unwrap();
    let same = AccountId::parse("acct_1Ab").unwrap();
    for (reply, explicit, expected) in [
        (answer(200, &[], mine), None, Ok(("acct_1Ab", Stripe))),
        (answer(200, &[], mine), Some(&same), Ok(("acct_1Ab", Stripe))),
        (answer(200, &[], mine), Some(&asked), Err("the key reads account acct_1Ab, not acct_2Cd")),
        (answer(200, &[], "{}"), None, Err("has no account id; pass --account")),
        (answer(200, &[], "{}"), Some(&asked), Ok(("acct_2Cd", Configuration))),
        (answer(403, &[], named), None, Ok(("acct_1Ab", Refusal))),
        (answer(403, &[], named), Some(&same), Ok(("acct_1Ab", Refusal))),
        (answer(403, &[], named), Some(&asked), Err("reads account acct_1Ab, not acct_2Cd")),
        (refused(403, &[], ""), Some(&asked), Ok(("acct_2Cd", Configuration))),
        (refused(403, &[], ""), None, Err("pass --account")),
        (refused(401, &[], ""), None, Err("stripe does not know this key")),
        (refused(401, &[], ""), Some(&asked), Err("stripe does not know this key")),
        (refused(401, &[], "api_key_expired"), None, Err("has expired")),
        (refused(400, &[], ""), Some(&asked), Err("cannot ask stripe")),
    ] {
        let server = ScriptedServer::start(vec![reply]).await;
        let found = resolve_account(&client(&server), explicit).await;
        match (&found, expected) {
            (Ok((found, by)), Ok(expected)) => assert_eq!((found.as_str(), *by), expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{found:?}, not {expected:?}"),
        }
        assert!(server.heads()[0].starts_with("GET /v1/account HTTP/1.1\r\n"));
    }
}
