//! Writes responses, including the responses of injected faults.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::date::http_date;
use crate::api_error::ApiError;
use crate::catalog::catalog;
use crate::fault::Fault;
use crate::seed::mix2;
use crate::state::SimState;

/// A status with a body and headers.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    body: String,
    html: bool,
    headers: Vec<(&'static str, String)>,
}

impl Response {
    pub(super) fn json(status: u16, body: String) -> Self {
        Self { status, body, html: false, headers: Vec::new() }
    }

    pub(super) fn error(error: &ApiError) -> Self {
        Self::json(error.status, error.body())
    }

    /// The response to a request that a limit rejects.
    pub(super) fn rate_limited(reason: &str, retry_after: Option<u64>) -> Self {
        let message = "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.";
        let mut response = Self::error(&ApiError::new(429, message).code("rate_limit"));
        response.headers.push(("Stripe-Rate-Limited-Reason", reason.to_owned()));
        if let Some(seconds) = retry_after {
            response.headers.push(("Retry-After", seconds.to_string()));
        }
        response
    }

    /// The response for a fault, if it does not depend on the request.
    pub(super) fn of_fault(fault: &Fault) -> Option<Self> {
        Some(match fault {
            Fault::Status(status) => Self::error(&ApiError::new(*status, reason(*status))),
            Fault::ShouldRetry(status, retry) => {
                let mut response = Self::error(&ApiError::new(*status, reason(*status)));
                response.headers.push(("Stripe-Should-Retry", retry.to_string()));
                response
            }
            Fault::LockTimeout => {
                let message = "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.";
                Self::error(&ApiError::new(429, message).code("lock_timeout"))
            }
            Fault::RateLimited => Self::rate_limited("global-rate", None),
            Fault::Html(status) => {
                let body = "<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Something went wrong</h1></body></html>\n";
                Self { html: true, ..Self::json(*status, body.to_owned()) }
            }
            Fault::Reset
            | Fault::ResetMidBody
            | Fault::Truncated
            | Fault::TruncatedWrongLength
            | Fault::Hang
            | Fault::MalformedJson
            | Fault::EmptyWithMore
            | Fault::Delay(_)
            | Fault::SentLate(_) => return None,
        })
    }

    /// Corrupts the body of a correct response if the fault requires it.
    pub(super) fn corrupted(mut self, fault: Option<&Fault>) -> Self {
        let mut half = self.body.len() / 2;
        while !self.body.is_char_boundary(half) {
            half -= 1;
        }
        match fault {
            Some(Fault::Truncated) => self.body.truncate(half),
            Some(Fault::MalformedJson) => self.body.replace_range(half.., "\u{1}}{,,\"x\":nope]"),
            _ => {}
        }
        self
    }

    /// The head and the body as they are sent.
    pub(super) fn bytes(&self, state: &SimState, number: u64, close: bool, gzip: bool) -> Vec<u8> {
        let compressed =
            (gzip && self.body.len() > 256).then(|| compress(self.body.as_bytes())).flatten();
        let body = compressed.as_deref().unwrap_or(self.body.as_bytes());
        let id = mix2(state.options.seed ^ 0x4e9, number);
        let mut head = format!(
            "HTTP/1.1 {} {}\r\nServer: stripe-sim\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n\
             Request-Id: req_{id:016x}\r\nStripe-Version: {}\r\n",
            self.status,
            reason(self.status),
            http_date(state.account.now()),
            if self.html { "text/html" } else { "application/json" },
            body.len(),
            catalog().version,
        );
        if compressed.is_some() {
            head.push_str("Content-Encoding: gzip\r\n");
        }
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str(if close {
            "Connection: close\r\n\r\n"
        } else {
            "Connection: keep-alive\r\n\r\n"
        });
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}

fn compress(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing to memory cannot fail. On an error the response would be sent uncompressed.
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Error",
    }
}
