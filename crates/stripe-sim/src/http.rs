//! HTTP/1.1 on the wire, by hand: the faults that matter happen below any server library, in the middle of a body, with
//! a wrong length or with a reset.

mod date;
mod request;
mod response;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::answer::{Failure, answer, unavailable, unrecognized};
use crate::catalog::catalog;
use crate::fault::{Fault, by_chance};
use crate::keys::authenticate;
use crate::record::Logged;
use crate::route::{Operation, kind_of, route};
use crate::seed::{fraction, mix2};
use crate::sim::{Shared, Switches};

use request::{Read, Request};
use response::Response;

/// Accepts connections until the task is aborted; the connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // Out of file descriptors: clients that close will free some.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// Counts a request out however its task ends.
struct InFlight(Arc<Shared>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.record.end();
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let mut buffer = Vec::with_capacity(4_096);
    loop {
        let request = match Request::read(&mut stream, &mut buffer).await {
            Read::Request(request) => request,
            Read::Closed => return,
            Read::Malformed => {
                let refused = Response::failure(&Failure::new(400, "Bad request"));
                let _ = stream.write_all(&refused.bytes(&shared, 0, true, false)).await;
                return;
            }
        };
        let keep = request.keep_alive;
        if !exchange(&mut stream, &shared, request).await || !keep {
            return;
        }
    }
}

/// Answers one request; false ends the connection.
async fn exchange(stream: &mut TcpStream, shared: &Arc<Shared>, request: Request) -> bool {
    let (number, in_flight) = shared.record.begin(&request.path);
    let _counted = InFlight(Arc::clone(shared));
    let header = |name: &str| request.header(name);
    shared.record.see(header("stripe-version"), header("user-agent"), header("stripe-account"));
    let scripted = shared.script.on_request(&request.path, &shared.account);
    let options = &shared.options;
    let fault =
        scripted.or_else(|| by_chance(options.seed, number, options.fault_rate, &options.faults));
    let wait = options.latency + options.jitter.mul_f64(fraction(mix2(options.seed, number)));
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    if let Some(Fault::Delay(late)) = fault {
        tokio::time::sleep(late).await;
    }
    let response = respond(shared, &request, number, in_flight, fault.as_ref());
    let status = match fault {
        Some(Fault::Reset | Fault::Hang) => 0,
        _ => response.status,
    };
    shared.record.log(|| Logged {
        method: request.method.clone(),
        target: request.target.clone(),
        status,
        fault: fault.as_ref().map(|fault| format!("{fault:?}")),
    });
    let gzip = options.gzip && request.accepts_gzip();
    let bytes = response.bytes(shared, number, !request.keep_alive, gzip);
    send(stream, &bytes, fault.as_ref()).await
}

/// Puts the answer on the wire, or what the fault makes of it.
async fn send(stream: &mut TcpStream, bytes: &[u8], fault: Option<&Fault>) -> bool {
    match fault {
        Some(Fault::Hang) => {
            // Until the client gives up; then the read ends.
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
            // A reset overtakes what the peer has not read yet; the pause lets the first half arrive.
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

/// Closing a socket that lingers for zero seconds sends a reset.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// The status and the body that the API and the fault agree on.
fn respond(
    shared: &Shared,
    request: &Request,
    number: u64,
    in_flight: u64,
    fault: Option<&Fault>,
) -> Response {
    let options = &shared.options;
    let key = match authenticate(&options.keys, request.header("authorization")) {
        Ok(key) => key,
        Err(failure) => return Response::failure(&failure),
    };
    if let Some(early) = fault.and_then(Response::of_fault) {
        return early;
    }
    let Some(route) = route(&request.path) else {
        return Response::failure(&unrecognized(&request.method, &request.path));
    };
    if let Err(reason) = shared.limiter.admit(route.endpoint, in_flight, Instant::now()) {
        shared.record.limited();
        return Response::rate_limited(reason, shared.limiter.retry_after());
    }
    if request.method != "GET" {
        let message = format!(
            "{} is not supported: the simulated account is changed from the test, not over HTTP ({} {}).",
            request.method, request.method, request.path
        );
        return Response::failure(&Failure::new(405, &message));
    }
    let object = catalog().name(kind_of(&route.operation));
    let own = route.operation == Operation::OwnAccount;
    if let Err(failure) = key.permit(object, own, shared.account.id()) {
        return Response::failure(&failure);
    }
    if options.unavailable.iter().any(|start| request.path.starts_with(start.trim_end_matches('*')))
    {
        return Response::failure(&unavailable(&request.path));
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
            _ => Response::failure(&Failure::new(500, "An unknown error occurred")),
        };
    }
    let switches = Switches { deleted_cursor_accepted: options.deleted_cursor_accepted };
    let stir = options.unstable_order.then(|| mix2(options.seed ^ 0x5711, number));
    match answer(&shared.account, &switches, &route, &request.path, &request.query, stir) {
        Ok(body) => Response::json(200, body).spoiled(fault),
        Err(failure) => Response::failure(&failure),
    }
}
