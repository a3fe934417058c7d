//! One attempt on the wire: sends one GET, reads the whole answer, sorts what went wrong.
//!
//! Knows nothing of repetition.

use std::io;
use std::time::Duration;

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};

use super::clock::{Local, StripeClock};
use super::failure::{Cause, ErrorBody, Failure, Reason, Refusal};
use super::masking::mask;
use super::page::Unreadable;

/// The largest answer read. Pages of 100 objects have single megabytes.
const LARGEST_ANSWER: usize = 256 << 20;
/// The part of a refusal's body that is read.
const LARGEST_REFUSAL: usize = 1 << 20;

/// A successful answer, complete but not yet understood.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) status: u16,
    pub(super) body: String,
    pub(super) sent: Local,
    pub(super) received: Local,
    /// The answer's `Date`, in Unix seconds.
    pub(super) date: Option<i64>,
    pub(super) request_id: Option<String>,
}

/// Sends one request and reads its answer.
pub(super) async fn exchange(
    request: RequestBuilder,
    clock: &StripeClock,
) -> Result<Delivery, Failure> {
    let sent = clock.local();
    let response = request.send().await.map_err(sort)?;
    let received = clock.local();
    let status = response.status();
    let request_id = header(response.headers(), "request-id").map(mask);
    if !status.is_success() {
        let refusal = read_refusal(response, request_id).await;
        return Err(Failure::Refused(Box::new(refusal)));
    }
    let date = header(response.headers(), DATE.as_str()).and_then(unix_seconds);
    let status = status.as_u16();
    let Some(body) = read_body(response, LARGEST_ANSWER).await.map_err(sort)? else {
        return Err(Failure::TooLarge { status, request_id });
    };
    match String::from_utf8(body) {
        Ok(body) => Ok(Delivery { status, body, sent, received, date, request_id }),
        Err(_) => Err(Failure::Unreadable { status, request_id, why: Unreadable::NotUtf8 }),
    }
}

/// The body, or `None` if it is longer than `most`.
async fn read_body(mut response: Response, most: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(1 << 20));
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

async fn read_refusal(response: Response, request_id: Option<String>) -> Refusal {
    let status = response.status().as_u16();
    let headers = response.headers();
    let date = header(headers, DATE.as_str()).and_then(unix_seconds);
    let retry_after = header(headers, RETRY_AFTER.as_str()).and_then(|text| delay(text, date));
    let should_retry = match header(headers, "stripe-should-retry") {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) | None => None,
    };
    let reason = Reason::from_header(header(headers, "stripe-rate-limited-reason"));
    // A refusal whose body breaks off is still one: its status counts, its body is nobody's.
    let body = read_body(response, LARGEST_REFUSAL).await.ok().flatten();
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

/// `Retry-After`: seconds, or a date, which is counted from the answer's own `Date`.
fn delay(text: &str, answered: Option<i64>) -> Option<Duration> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = unix_seconds(text)?.saturating_sub(answered?);
    Some(Duration::from_secs(u64::try_from(wait).unwrap_or(0)))
}

/// An error of the HTTP library, without the address in it.
fn sort(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    if error.is_connect() || error.is_dns() {
        let untrusted = is_about_trust(&error);
        let cause: Cause = Box::new(error);
        return if untrusted { Failure::Untrusted(cause) } else { Failure::Unreachable(cause) };
    }
    if error.is_timeout() {
        return Failure::TimedOut(Box::new(error));
    }
    Failure::Broken(Box::new(error))
}

/// Whether TLS failed for good, as with a certificate of another host; a handshake that merely
/// broke off is a connection problem.
fn is_about_trust(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<rustls::Error>() {
            return true;
        }
        // An `io::Error` shows not itself but the source of what it wraps.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|e| e as &(dyn std::error::Error + 'static)).or_else(|| error.source());
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_certificate_is_found_however_deep_it_is_wrapped() {
        use rustls::{CertificateError, Error};
        let bad = || Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let once = io::Error::new(io::ErrorKind::InvalidData, bad());
        assert!(is_about_trust(&bad()) && is_about_trust(&once));
        assert!(is_about_trust(&io::Error::other(io::Error::other(once))));
        assert!(!is_about_trust(&io::Error::other(io::Error::other("connection reset"))));
    }

    #[test]
    fn dates_are_read() {
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
        for (text, answered, wait) in [
            ("7", None, Some(7)),
            ("0", at, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", at, Some(77)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", at, Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, None),
            ("-1", at, None),
            ("soon", at, None),
        ] {
            assert_eq!(delay(text, answered), wait.map(Duration::from_secs), "{text}");
        }
    }
}
