//! Responses from broken networks, from proxies and from a failing Stripe: which are retried, and
//! how the others are reported.

use super::scripted_server::{message, one_charge_compressed, truncated};
use super::*;

#[tokio::test]
async fn a_broken_response_is_retried() {
    let cut_head = Reply::Bytes(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec());
    let reset = Reply::ThenReset(message(200, &[], &ONE_CHARGE.as_bytes()[..9], ONE_CHARGE.len()));
    for (name, broken) in [
        ("no response", Reply::Bytes(Vec::new())),
        ("reset before the head", Reply::ThenReset(Vec::new())),
        ("reset in the body", reset),
        ("head cut off", cut_head),
        ("body cut off", truncated(200, ONE_CHARGE)),
        ("compressed body cut off", one_charge_compressed(9)),
        ("not HTTP", Reply::Bytes(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())),
        ("HTML", response(200, &["Content-Type: text/html"], "<html>please log in</html>")),
        ("empty", response(200, &[], "")),
        ("no content", response(204, &[], "")),
        ("another shape", response(200, &[], r#"{"id":"ch_1"}"#)),
        ("no has_more", response(200, &[], r#"{"data":[]}"#)),
        ("not UTF-8", Reply::Bytes(message(200, &[], b"{\"data\":[],\"has_more\":\xff}", 25))),
        ("error status with HTML", response(404, &[], "<html>not here</html>")),
        ("error cut off", truncated(403, r#"{"error":{"message":"m"}}"#)),
        ("bad gateway", response(502, &[], "<html>bad gateway</html>")),
        ("server error", refused(500, &[], "")),
        ("conflict", refused(409, &[], "")),
        ("lock timeout", refused(429, &[], "lock_timeout")),
        ("timeout at Stripe", refused(408, &[], "")),
        ("told to retry", refused(400, &["Stripe-Should-Retry: true"], "")),
        ("told to retry immediately", refused(503, &["Retry-After: 0"], "")),
    ] {
        let (page, client, server) = list(vec![broken, good()]).await;
        let page = page.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((page.items().count(), page.requests), (1, 2), "{name}");
        assert_eq!((server.heads().len(), client.stats().retries), (2, 1), "{name}");
    }
}

/// Proxies add headers to those of Stripe.
#[tokio::test]
async fn many_header_lines_are_accepted_and_too_many_are_the_reason() {
    let with_headers = |count: usize| {
        let lines: Vec<String> = (0..count).map(|i| format!("X-Proxy-{i}: value")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        response(200, &lines, ONE_CHARGE)
    };
    let (page, _client, server) = list(vec![with_headers(150)]).await;
    assert_eq!(page.unwrap().items().count(), 1);
    assert_eq!(server.heads().len(), 1);
    let (outcome, _client, _server) = list(vec![with_headers(2_000)]).await;
    let error = outcome.unwrap_err();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    assert!(cause.to_string().contains("message head is too large"), "{cause}");
}

#[tokio::test]
async fn permanent_refusals_are_not_retried() {
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
        (response(301, &[elsewhere], ""), Redirected),
        (response(307, &["Location: /v1/elsewhere"], ""), Redirected),
        (response(304, &[], ""), Redirected),
    ] {
        let (outcome, _client, server) = list(vec![reply, good()]).await;
        let error = outcome.unwrap_err();
        assert_eq!((&error.kind, error.requests), (&kind, 1), "{error}");
        assert_eq!(server.heads().len(), 1, "{error}");
    }
}

#[tokio::test]
async fn the_last_failure_is_reported_when_attempts_run_out() {
    use StripeErrorKind::*;
    for (reply, kind, status) in [
        (refused(500, &["Request-Id: req_9"], ""), Server, Some(500)),
        (response(200, &[], "<html>"), Malformed, Some(200)),
        (response(403, &[], "<html>"), Malformed, Some(403)),
        (truncated(200, ONE_CHARGE), ConnectionLost, None),
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
async fn a_retrieved_object_must_be_an_object() {
    let path = ApiPath::with_segment("/v1/coupons/{coupon}", "50% off/all").unwrap();
    let endpoint = "/v1/coupons/{coupon}".to_owned();
    let request = Request::new(path, endpoint, Vec::new());
    let server = ScriptedServer::start(vec![
        response(200, &[], "[]"),
        response(200, &["request-id: req_1"], r#"{"id":"50% off/all","deleted":true}"#),
    ])
    .await;
    let coupon = client(&server).get(&request).await.unwrap();
    assert_eq!(coupon.body, r#"{"id":"50% off/all","deleted":true}"#);
    assert_eq!(coupon.request_id.as_deref(), Some("req_1"));
    assert!(server.heads()[0].starts_with("GET /v1/coupons/50%25%20off%2Fall HTTP/1.1\r\n"));
}
