//! The client with a scripted server: what it sends, and how it handles each response.

mod accounts;
mod connections;
mod pacing;
mod responses;
mod scripted_server;

use std::error::Error as _;
use std::time::Duration;

use tokio::net::TcpListener;

use self::scripted_server::{ONE_CHARGE, Reply, ScriptedServer, response};
use super::*;

const KEY: &str = "sk_test_SeCrEtSeCrEt";

fn options() -> ClientOptions {
    ClientOptions {
        rate: RateOptions::Unlimited,
        max_attempts: 3,
        ..ClientOptions::new(ApiKey::parse(KEY).unwrap(), "2026-01-01.test")
    }
}

fn transport_to(base: &str) -> Transport {
    let base = ApiBase::parse(base).unwrap();
    Transport::new(TransportOptions { base, ..TransportOptions::default() }).unwrap()
}

fn client_with(server: &ScriptedServer, options: ClientOptions) -> StripeClient {
    StripeClient::with_short_pauses(transport_to(&server.base()), options).unwrap()
}

fn client(server: &ScriptedServer) -> StripeClient {
    client_with(server, options())
}

/// An address of this machine that nothing listens on.
async fn unused_address() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn charges() -> Request {
    Request::to_list("/v1/charges").with("limit", "100")
}

fn good() -> Reply {
    let date = "Date: Tue, 14 Nov 2023 22:13:20 GMT";
    response(200, &["Request-Id: req_good", date], ONE_CHARGE)
}

fn refused(status: u16, headers: &[&str], code: &str) -> Reply {
    let body = format!(r#"{{"error":{{"type":"t","code":"{code}","message":"m for {KEY}"}}}}"#);
    response(status, headers, &body)
}

/// Lists charges from a script, and checks that nothing that can be shown holds a secret.
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
