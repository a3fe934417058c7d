//! A server whose responses a test determines, for behavior that the simulator does not have. It
//! uses real HTTP, with one response per request on a connection that stays open.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use stripe_sync::{ApiBase, ApiKey, Config, Names, RateOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::world::fresh_database;

/// A request in the form that the test's handler receives.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedRequest {
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    /// The values of `expand[]`.
    pub(crate) expanded: Vec<String>,
}

impl ReceivedRequest {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str)
    }

    pub(crate) fn limit(&self) -> usize {
        self.get("limit").map_or(10, |limit| limit.parse().expect("a number"))
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name).map(|value| value.parse().expect("a number"))
    }
}

/// A response: status and body.
pub(crate) type Answer = (u16, String);

/// The status of an answer that the server holds back. It calls the handler again whenever
/// [`ScriptedStripe::release`] is called.
const HELD: u16 = 0;

pub(crate) fn held() -> Answer {
    (HELD, String::new())
}

pub(crate) fn ok(body: Value) -> Answer {
    (200, body.to_string())
}

pub(crate) fn error(status: u16, message: &str) -> Answer {
    let kind = if status >= 500 { "api_error" } else { "invalid_request_error" };
    (status, json!({ "error": { "type": kind, "message": message } }).to_string())
}

/// A list object.
pub(crate) fn list(data: &[Value], has_more: bool) -> Value {
    json!({ "object": "list", "url": "/v1/x", "data": data, "has_more": has_more })
}

/// One page of `all`, newest first, with the correct filters and cursors.
pub(crate) fn page_of(all: &[Value], asked: &ReceivedRequest) -> Value {
    let created = |object: &Value| object["created"].as_i64().unwrap_or(0);
    let inside = |object: &&Value| {
        asked.number("created[gte]").is_none_or(|from| from <= created(object))
            && asked.number("created[lt]").is_none_or(|to| created(object) < to)
    };
    let filtered: Vec<Value> = all.iter().filter(inside).cloned().collect();
    let after = asked.get("starting_after");
    let from = after.map_or(0, |id| {
        filtered.iter().position(|object| object["id"] == id).expect("the cursor") + 1
    });
    let to = (from + asked.limit()).min(filtered.len());
    list(&filtered[from..to], to < filtered.len())
}

/// A scripted server, a database, and an engine's configuration for both.
pub(crate) struct ScriptedStripe {
    pub(crate) config: Config,
    pub(crate) asked: Arc<Mutex<Vec<ReceivedRequest>>>,
    pub(crate) sql: tokio_postgres::Client,
    released: Arc<Notify>,
}

impl ScriptedStripe {
    /// Starts a server that answers requests with `handler`, except those to `/v1/account`.
    pub(crate) async fn start(
        handler: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> ScriptedStripe {
        let account = || ok(json!({ "id": "acct_scripted", "object": "account" }));
        ScriptedStripe::start_with_account(move |asked| match asked.path.as_str() {
            "/v1/account" => account(),
            _ => handler(asked),
        })
        .await
    }

    /// Starts a server that answers every request with `handler`.
    pub(crate) async fn start_with_account(
        handler: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> ScriptedStripe {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked: Arc<Mutex<Vec<ReceivedRequest>>> = Arc::default();
        let (handler, log) = (Arc::new(handler), Arc::clone(&asked));
        let released: Arc<Notify> = Arc::default();
        let release = Arc::clone(&released);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (handler, log) = (Arc::clone(&handler), Arc::clone(&log));
                let release = Arc::clone(&release);
                tokio::spawn(async move {
                    // A client that closes the connection is not an error.
                    let _closed = serve(stream, &*handler, &log, &release).await;
                });
            }
        });
        let url = fresh_database().await;
        let mut config = Config::new(&url, Names::new("stripe", "").expect("names"));
        config.key = Some(ApiKey::parse("sk_test_scripted").expect("a key"));
        config.api_base = ApiBase::parse(&format!("http://{address}")).expect("a base");
        config.rate = Some(RateOptions::Unlimited);
        ScriptedStripe { config, asked, sql: crate::world::connect(&url).await, released }
    }

    /// Lets the handler answer the requests that it has held back.
    pub(crate) fn release(&self) {
        self.released.notify_waiters();
    }

    pub(crate) async fn backfill(&self, object: &str) -> stripe_sync::Report {
        let engine = self.engine().await;
        let request =
            stripe_sync::BackfillRequest { objects: vec![object.into()], ..Default::default() };
        engine.backfill(&request).await.expect("a report")
    }

    pub(crate) async fn engine(&self) -> stripe_sync::StripeSync {
        stripe_sync::StripeSync::connect(self.config.clone()).await.expect("an engine")
    }

    pub(crate) async fn count(&self, what: &str) -> i64 {
        let sql = format!("select count(*) from stripe.{what}");
        self.sql.query_one(&sql, &[]).await.expect("a count").get(0)
    }

    pub(crate) async fn text(&self, sql: &str) -> String {
        let row = self.sql.query_one(sql, &[]).await.expect("a row");
        row.get::<_, Option<String>>(0).unwrap_or_default()
    }

    pub(crate) fn requests_to(&self, path: &str) -> usize {
        let asked = self.asked.lock().expect("a log");
        asked.iter().filter(|request| request.path == path).count()
    }
}

async fn serve(
    stream: TcpStream,
    handler: &(dyn Fn(&ReceivedRequest) -> Answer + Send + Sync),
    log: &Mutex<Vec<ReceivedRequest>>,
    release: &Notify,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut number = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        while line.trim() != "" {
            line.clear();
            stream.read_line(&mut line).await?;
        }
        let asked = parse(&target);
        let (mut status, mut body) = handler(&asked);
        log.lock().expect("a log").push(asked.clone());
        while status == HELD {
            // Registered before the handler is called, so that no release is missed.
            let released = release.notified();
            (status, body) = handler(&asked);
            if status == HELD {
                released.await;
            }
        }
        number += 1;
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nrequest-id: req_{number}\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.flush().await?;
    }
}

fn parse(target: &str) -> ReceivedRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let decode = |text: &str| text.replace("%5B", "[").replace("%5D", "]").replace('+', " ");
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let pairs: Vec<(String, String)> =
        pairs.map(|(name, value)| (decode(name), decode(value))).collect();
    let expanded = pairs.iter().filter(|(name, _)| name == "expand[]");
    let expanded = expanded.map(|(_, value)| value.clone()).collect();
    ReceivedRequest { path: path.to_owned(), query: pairs.into_iter().collect(), expanded }
}
