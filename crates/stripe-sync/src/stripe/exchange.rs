//! One attempt: sends one request, reads the whole response and classifies a failure.
//!
//! Does not retry.

use std::io;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

use super::clock::{LocalInstant, StripeClock};
use super::error_body::ErrorBody;
use super::failure::{Cause, Failure, Reason, Refusal};
use super::masking::mask;
use super::page::Unreadable;

/// Maximum size of a response. Pages of 100 objects have a size of a few megabytes.
pub(super) const MAX_RESPONSE: usize = 256 << 20;
/// Maximum size of a refusal's body that is read.
const MAX_REFUSAL: usize = 1 << 20;

/// A complete response with a success status, whose body is not parsed yet.
#[derive(Debug)]
pub(super) struct RawResponse {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) sent: LocalInstant,
    pub(super) received: LocalInstant,
    /// The `Date` header, in Unix seconds.
    pub(super) date: Option<i64>,
    pub(super) request_id: Option<String>,
}

/// Sends one request and reads the response, of at most `max` bytes.
pub(super) async fn exchange(
    request: RequestBuilder,
    max: usize,
    clock: &StripeClock,
) -> Result<RawResponse, Failure> {
    let sent = clock.local();
    let response = request.send().await.map_err(classify_http_error)?;
    let received = clock.local();
    let status = response.status();
    let request_id = header(response.headers(), "request-id").map(mask);
    if !status.is_success() {
        let date = header(response.headers(), DATE.as_str()).and_then(unix_seconds);
        let refusal = read_refusal(response, request_id, date).await;
        // A proxy can refuse a request too; only Stripe's own responses show its clock.
        if let Some(date) = date.filter(|_| refusal.is_from_stripe()) {
            clock.learn(received, date);
        }
        return Err(Failure::Refused(Box::new(refusal)));
    }
    let date = header(response.headers(), DATE.as_str()).and_then(unix_seconds);
    let status = status.as_u16();
    let Some(body) = read_body(response, max).await.map_err(classify_http_error)? else {
        return Err(Failure::TooLarge { status, request_id });
    };
    match String::from_utf8(body) {
        Ok(body) => Ok(RawResponse { status, body, sent, received, date, request_id }),
        Err(_) => Err(Failure::Unreadable { status, request_id, why: Unreadable::NotUtf8 }),
    }
}

/// The body, or `None` if it is longer than `max` bytes.
async fn read_body(mut response: Response, max: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(1 << 20));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

async fn read_refusal(
    response: Response,
    request_id: Option<String>,
    date: Option<i64>,
) -> Refusal {
    let status = response.status().as_u16();
    let headers = response.headers();
    let retry_after =
        header(headers, RETRY_AFTER.as_str()).and_then(|text| retry_delay(text, date));
    let should_retry = match header(headers, "stripe-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) | None => None,
    };
    let reason = Reason::from_header(header(headers, "stripe-rate-limited-reason"));
    // A refusal with an incomplete body is still a refusal: its status counts, its body is ignored.
    let body = read_body(response, MAX_REFUSAL).await.ok().flatten();
    let error = body.as_deref().and_then(ErrorBody::parse);
    Refusal { status, request_id, should_retry, retry_after, reason, error }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// An HTTP date (RFC 9110, 5.6.7) in Unix seconds.
fn unix_seconds(text: &str) -> Option<i64> {
    let date = DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(date.as_second())
}

/// `Retry-After`: seconds, or a date, which is compared with the response's own `Date`.
fn retry_delay(text: &str, response_date: Option<i64>) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = unix_seconds(text)?.saturating_sub(response_date?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// Classifies an error of the HTTP library and removes the URL from it.
fn classify_http_error(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_connect() || error.is_dns() {
        let untrusted = is_tls_error(&error);
        let cause: Cause = Box::new(error);
        return if untrusted { Failure::Untrusted(cause) } else { Failure::Unreachable(cause) };
    }
    if error.is_timeout() {
        return Failure::TimedOut(Box::new(error));
    }
    Failure::ConnectionLost(Box::new(error))
}

/// Whether TLS failed permanently, as with a certificate for another host. A handshake that was
/// only interrupted is a connection problem.
fn is_tls_error(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // The `source()` of an `io::Error` skips the error that it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|e| e as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_is_found_at_any_depth() {
        use rustls::{CertificateError, Error};
        let bad = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let once = io::Error::new(io::ErrorKind::InvalidData, bad());
        assert!(is_tls_error(&bad()) && is_tls_error(&once));
        assert!(is_tls_error(&io::Error::other(io::Error::other(once))));
        assert!(!is_tls_error(&io::Error::other(io::Error::other("connection reset"))));
    }

    #[test]
    fn http_dates_are_parsed() {
        for (text, seconds) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(unix_seconds(text), seconds, "{text}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let at = Some(784_111_700);
        for (text, response_date, wait) in [
            ("7", None, Some(7)),
            ("0", at, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", at, Some(77)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", at, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, None),
            ("-1", at, None),
            ("soon", at, None),
        ] {
            assert_eq!(retry_delay(text, response_date), wait.map(Duration::from_secs), "{text}");
        }
    }
}
