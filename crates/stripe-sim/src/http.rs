//! An HTTP/1.1 server without a server library. Such a library cannot produce faults such as a
//! reset in the middle of a body or a wrong length.

mod date;
mod request;
mod response;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::{ListOptions, answer};
use crate::api_error::ApiError;
use crate::catalog::catalog;
use crate::fault::{Fault, random_fault};
use crate::keys::authenticate;
use crate::record::LoggedRequest;
use crate::route::{Operation, kind_of, route};
use crate::seed::{fraction, mix2};
use crate::state::SimState;
use crate::webhook::write_endpoint;

use request::{ReadResult, Request};
use response::Response;

/// Accepts connections until the task is aborted, which also ends the connections.
pub(crate) async fn serve(listener: TcpListener, state: Arc<SimState>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&state)));
                }
                // The process may be out of file descriptors until clients close connections.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Counts the end of a request when it is dropped, even if the task is aborted.
struct InFlight(Arc<SimState>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.record.end_request();
    }
}

async fn connection(mut stream: TcpStream, state: Arc<SimState>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let request = match Request::read(&mut stream, &mut buffer).await {
            ReadResult::Request(request) => request,
            ReadResult::Closed => return,
            ReadResult::Malformed => {
                let response = Response::error(&ApiError::new(400, "Bad request"));
                let _ = stream.write_all(&response.bytes(&state, 0, true, false)).await;
                return;
            }
        };
        let keep_alive = request.keep_alive;
        if !exchange(&mut stream, &state, request).await || !keep_alive {
            return;
        }
    }
}

/// Answers one request. Returns whether the connection can be used for another request.
async fn exchange(stream: &mut TcpStream, state: &Arc<SimState>, request: Request) -> bool {
    let (number, in_flight) = state.record.begin_request(&request.path);
    let _in_flight = InFlight(Arc::clone(state));
    state.record.record_client_headers(
        request.header("stripe-version"),
        request.header("user-agent"),
        request.header("stripe-account"),
    );
    let scripted = state.script.on_request(&request.path, &state.account);
    let options = &state.options;
    let fault = scripted
        .or_else(|| random_fault(options.seed, number, options.fault_rate, &options.faults));
    let delay = options.latency + options.jitter.mul_f64(fraction(mix2(options.seed, number)));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(Fault::Delay(additional)) = fault {
        tokio::time::sleep(additional).await;
    }
    let response = respond(state, &request, number, in_flight, fault.as_ref());
    // Its date is that of its content, even if it is sent later.
    let gzip = options.gzip && request.accepts_gzip();
    let bytes = response.bytes(state, number, !request.keep_alive, gzip);
    if let Some(Fault::SentLate(pause)) = fault {
        tokio::time::sleep(pause).await;
    }
    let status = match fault {
        Some(Fault::Reset | Fault::Hang) => 0,
        _ => response.status,
    };
    state.record.log_request(|| LoggedRequest {
        method: request.method.clone(),
        target: request.target.clone(),
        status,
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
    });
    send(stream, &bytes, fault.as_ref()).await
}

/// Sends the response, or the part of it that the fault allows. Returns whether the connection can
/// be used for another request.
async fn send(stream: &mut TcpStream, bytes: &[u8], fault: Option<&Fault>) -> bool {
    match fault {
        Some(Fault::Hang) => {
            // The read ends when the client closes the connection.
            let mut byte = [0];
            let _ = tokio::io::AsyncReadExt::read(stream, &mut byte).await;
            false
        }
        Some(Fault::Reset) => {
            reset(stream);
            false
        }
        Some(Fault::ResetMidBody) => {
            let _ = stream.write_all(&bytes[..middle_of_body(bytes)]).await;
            let _ = stream.flush().await;
            // A reset discards data that the client has not read yet. The pause lets the client
            // read the first half.
            tokio::time::sleep(Duration::from_millis(5)).await;
            reset(stream);
            false
        }
        Some(Fault::TruncatedWrongLength) => {
            let _ = stream.write_all(&bytes[..middle_of_body(bytes)]).await;
            let _ = stream.shutdown().await;
            false
        }
        _ => stream.write_all(bytes).await.is_ok(),
    }
}

fn middle_of_body(bytes: &[u8]) -> usize {
    let body = bytes.windows(4).position(|w| w == b"\r\n\r\n").map_or(0, |at| at + 4);
    body + (bytes.len() - body) / 2
}

/// Makes the socket send a reset when it is closed, by setting its linger time to zero.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// Computes the response, taking the fault into account.
fn respond(
    state: &SimState,
    request: &Request,
    number: u64,
    in_flight: u64,
    fault: Option<&Fault>,
) -> Response {
    let options = &state.options;
    let key = match authenticate(&options.keys, request.header("authorization")) {
        Ok(key) => key,
        Err(error) => return Response::error(&error),
    };
    if let Some(response) = fault.and_then(Response::of_fault) {
        return response;
    }
    let Some(route) = route(&request.path) else {
        return Response::error(&ApiError::unrecognized(&request.method, &request.path));
    };
    if let Err(reason) = state.limiter.admit(route.endpoint, in_flight, Instant::now()) {
        state.record.count_rate_limited();
        return Response::rate_limited(reason, state.limiter.retry_after());
    }
    let object = catalog().name(kind_of(&route.operation));
    let write = match (request.method.as_str(), object) {
        ("GET", _) => None,
        (method, "webhook_endpoint") => Some(method),
        (method, _) => {
            let message = format!(
                "{method} is not supported ({method} {}): over HTTP, only webhook endpoints can be written, and tests change the account with its Rust API.",
                request.path
            );
            return Response::error(&ApiError::new(405, &message));
        }
    };
    let is_own_account = route.operation == Operation::OwnAccount;
    let account = state.account.id();
    let permitted = match write {
        None => key.check_permission(object, is_own_account, account),
        Some(_) => key.check_write_permission(object, account),
    };
    if let Err(error) = permitted {
        return Response::error(&error);
    }
    if let Some(method) = write {
        let result =
            state.idempotency.once(request.header("idempotency-key"), &request.body, || {
                write_endpoint(&state.account, method, &route, &request.body)
            });
        return match result {
            Ok(body) => Response::json(200, body).corrupted(fault),
            Err(error) => Response::error(&error),
        };
    }
    let is_unavailable = |prefix: &String| request.path.starts_with(prefix.trim_end_matches('*'));
    if options.unavailable.iter().any(is_unavailable) {
        return Response::error(&ApiError::unavailable(&request.path));
    }
    if matches!(fault, Some(Fault::EmptyWithMore)) {
        return match route.operation {
            Operation::List(_) | Operation::RefundsOfCharge => Response::json(
                200,
                format!(
                    "{{\"object\":\"list\",\"data\":[],\"has_more\":true,\"url\":\"{}\"}}",
                    request.path
                ),
            ),
            _ => Response::error(&ApiError::new(500, "An unknown error occurred")),
        };
    }
    let list_options = ListOptions {
        deleted_cursor_accepted: options.deleted_cursor_accepted,
        shuffle: options.unstable_order.then(|| mix2(options.seed ^ 0x5711, number)),
        cursor_skips_second: options.cursor_skips_second,
        event_lag: (options.event_lag, options.seed),
    };
    match answer(&state.account, &list_options, &route, &request.path, &request.query) {
        Ok(body) => Response::json(200, body).corrupted(fault),
        Err(error) => Response::error(&error),
    }
}
