//! The account of a client: the key's own or a connected one, and how it is resolved.

use super::*;
use crate::account::AccountId;

/// The values that a request head has for a header, in lower case.
fn header<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let named = |line: &'a str| line.split_once(": ").filter(|(n, _)| n.eq_ignore_ascii_case(name));
    head.lines().filter_map(named).map(|(_, value)| value).collect()
}

#[tokio::test]
async fn clients_of_one_transport_each_send_their_own_account() {
    let server = ScriptedServer::start(vec![good()]).await;
    let transport = transport_to(&server.base());
    let client = |key: &str, connected: Option<&str>| {
        let options = ClientOptions {
            key: ApiKey::parse(key).unwrap(),
            connected_account: connected.map(|id| AccountId::parse(id).unwrap()),
            ..options()
        };
        StripeClient::with_short_pauses(transport.clone(), options).unwrap()
    };
    let clients = [
        (client(KEY, None), KEY, None),
        (client(KEY, Some("acct_1Ab")), KEY, Some("acct_1Ab")),
        (client("rk_test_other", Some("acct_2Cd")), "rk_test_other", Some("acct_2Cd")),
    ];
    let template = "/v1/coupons/{coupon}";
    let path = ApiPath::with_segment(template, "c").unwrap();
    let coupon = Request::new(path, template, Vec::new());
    // Interleaved, so that a header that outlived its request would show.
    for (client, ..) in &clients {
        client.list(&charges()).await.unwrap();
    }
    for (client, ..) in clients.iter().rev() {
        client.get(&coupon).await.unwrap();
    }
    let expected = clients.iter().chain(clients.iter().rev());
    for (head, (_, key, connected)) in server.heads().iter().zip(expected) {
        let bearer = format!("Bearer {key}");
        assert_eq!(header(head, "authorization"), [bearer.as_str()], "{head}");
        let connected: Vec<&str> = connected.iter().copied().collect();
        assert_eq!(header(head, "stripe-account"), connected, "{head}");
    }
    for (client, ..) in &clients {
        assert_eq!(client.stats().requests, 2, "each account counts its own requests");
    }
}

#[tokio::test]
async fn a_rate_limit_of_one_account_does_not_slow_another() {
    let pause = &["Retry-After: 600"];
    let server = ScriptedServer::start(vec![refused(429, pause, ""), good()]).await;
    let transport = transport_to(&server.base());
    let client = || StripeClient::with_short_pauses(transport.clone(), options()).unwrap();
    let (limited, other) = (client(), client());
    let request = charges();
    let mut waiting = Box::pin(limited.list(&request));
    let refused = async {
        while limited.stats().rate_limited == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        outcome = &mut waiting => panic!("did not wait: {outcome:?}"),
        () = refused => {}
    }
    let page = tokio::time::timeout(Duration::from_secs(10), other.list(&request)).await;
    assert_eq!(page.unwrap().unwrap().requests, 1);
    assert_eq!((other.stats().rate_limited, limited.stats().limit), (0, Limit::Retrying));
}

#[tokio::test]
async fn a_retried_request_is_sent_for_the_same_account() {
    let server = ScriptedServer::start(vec![refused(500, &[], ""), good()]).await;
    let connected_account = AccountId::parse("acct_1Ab");
    let client = client_with(&server, ClientOptions { connected_account, ..options() });
    client.list(&charges()).await.unwrap();
    for head in server.heads() {
        assert_eq!(header(&head, "stripe-account"), ["acct_1Ab"], "{head}");
    }
    assert_eq!(server.heads().len(), 2);
}

#[tokio::test]
async fn the_account_is_resolved_or_the_reason_is_given() {
    use crate::stripe::AccountSource::{Configuration, Refusal, Stripe};
    let named = r#"{"error":{"type":"invalid_request_error","message":"no permissions on account 'acct_1Ab'. Having the 'rak_x_read' permission would help."}}"#;
    let own = r#"{"id":"acct_1Ab","object":"account"}"#;
    let other = AccountId::parse("acct_2Cd").unwrap();
    let same = AccountId::parse("acct_1Ab").unwrap();
    for (reply, configured, expected) in [
        (response(200, &[], own), None, Ok(("acct_1Ab", Stripe))),
        (response(200, &[], own), Some(&same), Ok(("acct_1Ab", Stripe))),
        (
            response(200, &[], own),
            Some(&other),
            Err("this key belongs to account acct_1Ab, not acct_2Cd"),
        ),
        (response(200, &[], "{}"), None, Err("has no account ID; pass --account")),
        (response(200, &[], "{}"), Some(&other), Ok(("acct_2Cd", Configuration))),
        (response(403, &[], named), None, Ok(("acct_1Ab", Refusal))),
        (response(403, &[], named), Some(&same), Ok(("acct_1Ab", Refusal))),
        (response(403, &[], named), Some(&other), Err("belongs to account acct_1Ab, not acct_2Cd")),
        (refused(403, &[], ""), Some(&other), Ok(("acct_2Cd", Configuration))),
        (
            refused(403, &[], ""),
            None,
            Err("this key is not allowed to read its own account; pass --account"),
        ),
        (refused(401, &[], ""), None, Err("Stripe rejected this API key")),
        (refused(401, &[], ""), Some(&other), Err("Stripe rejected this API key")),
        (refused(401, &[], "api_key_expired"), None, Err("has expired")),
        (refused(400, &[], ""), Some(&other), Err("cannot ask Stripe")),
    ] {
        let server = ScriptedServer::start(vec![reply]).await;
        let found = resolve_account(&client(&server), configured).await;
        match (&found, expected) {
            (Ok((found, by)), Ok(expected)) => assert_eq!((found.as_str(), *by), expected),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            _ => panic!("{found:?}, not {expected:?}"),
        }
        assert!(server.heads()[0].starts_with("GET /v1/account HTTP/1.1\r\n"));
    }
}
