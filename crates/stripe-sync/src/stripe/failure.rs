//! What one attempt came to when it did not bring what was asked.
//!
//! Only sorted here, by status, headers and the error's code, never by its message's text; what to
//! do about it says [`super::advice`].

use std::time::Duration;

use serde::Deserialize;

use super::masking::{mask, word_with_prefix};
use super::page::Unreadable;

pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// One attempt without result.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection: refused, no route, no such name, no answer to the connection itself.
    Unreachable(Cause),
    /// A connection whose other end cannot be trusted.
    Untrusted(Cause),
    /// The time for one request ran out.
    TimedOut(Cause),
    /// The connection ended inside the exchange.
    Broken(Cause),
    /// A success whose content is not what was asked.
    Unreadable { status: u16, request_id: Option<String>, why: Unreadable },
    /// An answer too large to be one.
    TooLarge { status: u16, request_id: Option<String> },
    /// Any status but success.
    Refused(Box<Refusal>),
}

/// An answer with another status than success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) request_id: Option<String>,
    /// `Stripe-Should-Retry`.
    pub(super) should_retry: Option<bool>,
    /// `Retry-After`, counted from the moment of the answer.
    pub(super) retry_after: Option<Duration>,
    /// `Stripe-Rate-Limited-Reason`.
    pub(super) reason: Reason,
    /// The error in the body. `None` if the body is none of Stripe's, such as a proxy's HTML.
    pub(super) error: Option<ErrorBody>,
}

/// Which limit a 429 names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    GlobalRate,
    GlobalConcurrency,
    EndpointRate,
    EndpointConcurrency,
    ResourceSpecific,
    /// No header, or a value that we do not know.
    Unnamed,
}

impl Reason {
    pub(super) fn from_header(value: Option<&str>) -> Reason {
        match value {
            Some("global-rate") => Reason::GlobalRate,
            Some("global-concurrency") => Reason::GlobalConcurrency,
            Some("endpoint-rate") => Reason::EndpointRate,
            Some("endpoint-concurrency") => Reason::EndpointConcurrency,
            Some("resource-specific") => Reason::ResourceSpecific,
            Some(_) | None => Reason::Unnamed,
        }
    }
}

/// The groups of statuses that ask for different handling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Redirect,
    BadRequest,
    Unauthorized,
    PaymentRequired,
    Forbidden,
    NotFound,
    RequestTimeout,
    Conflict,
    TooManyRequests,
    OtherClientError,
    ServerError,
    /// Outside of 300 to 599.
    Odd,
}

impl Status {
    pub(super) fn of(status: u16) -> Status {
        match status {
            300..=399 => Status::Redirect,
            400 => Status::BadRequest,
            401 => Status::Unauthorized,
            402 => Status::PaymentRequired,
            403 => Status::Forbidden,
            404 => Status::NotFound,
            408 => Status::RequestTimeout,
            409 => Status::Conflict,
            429 => Status::TooManyRequests,
            405..=499 => Status::OtherClientError,
            500..=599 => Status::ServerError,
            0..=299 | 600..=u16::MAX => Status::Odd,
        }
    }
}

/// The codes that change what is to be done (<https://docs.stripe.com/error-codes>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Another request holds the object: contention, not a rate.
    LockTimeout,
    /// A rate limit, also with status 400 in older versions.
    RateLimit,
    ResourceMissing,
    /// The key was valid once.
    KeyExpired,
    Other,
}

/// Stripe's `{"error": {...}}`, cleaned of secrets.
#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    pub(super) error_type: Option<String>,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
    pub(super) message: Option<String>,
    /// A `rak_...` that the message names.
    pub(super) permission: Option<String>,
    /// An `acct_...` that the message names.
    pub(super) account: Option<String>,
}

#[derive(Deserialize)]
struct Envelope {
    error: RawError,
}

#[derive(Deserialize)]
struct RawError {
    #[serde(rename = "type")]
    error_type: Option<String>,
    code: Option<String>,
    param: Option<String>,
    message: Option<String>,
}

impl ErrorBody {
    /// `None` for a body that is not an error of Stripe's.
    pub(super) fn parse(body: &[u8]) -> Option<ErrorBody> {
        let Envelope { error } = serde_json::from_slice(body).ok()?;
        let word = |prefix| {
            error.message.as_deref().and_then(|text| word_with_prefix(text, prefix)).map(mask)
        };
        Some(ErrorBody {
            permission: word("rak_"),
            account: word("acct_"),
            error_type: error.error_type.as_deref().map(mask),
            code: error.code.as_deref().map(mask),
            param: error.param.as_deref().map(mask),
            message: error.message.as_deref().map(mask),
        })
    }

    pub(super) fn code(&self) -> Code {
        match self.code.as_deref() {
            Some("lock_timeout") => Code::LockTimeout,
            Some("rate_limit") => Code::RateLimit,
            Some("resource_missing") => Code::ResourceMissing,
            Some("api_key_expired" | "platform_api_key_expired") => Code::KeyExpired,
            Some(_) | None => Code::Other,
        }
    }
}

impl Refusal {
    pub(super) fn code(&self) -> Code {
        self.error.as_ref().map_or(Code::Other, ErrorBody::code)
    }
}

impl Failure {
    /// The words at the bottom of the chain, such as "connection refused".
    pub(super) fn root_cause(&self) -> Option<String> {
        let (Failure::Unreachable(cause)
        | Failure::Untrusted(cause)
        | Failure::TimedOut(cause)
        | Failure::Broken(cause)) = self
        else {
            return None;
        };
        let mut root: &dyn std::error::Error = cause.as_ref();
        while let Some(below) = root.source() {
            root = below;
        }
        Some(root.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_without_its_secrets() {
        let body = br#"{"error":{"type":"invalid_request_error","doc_url":1,"message":
            "The provided key 'rk_test_***SeCr' does not have the required permissions for this endpoint on account 'acct_1Ab'. Having the 'rak_subscription_read' permission would allow this request to continue."}}"#;
        let error = ErrorBody::parse(body).unwrap();
        assert_eq!(error.permission.as_deref(), Some("rak_subscription_read"));
        assert_eq!(error.account.as_deref(), Some("acct_1Ab"));
        assert_eq!(error.error_type.as_deref(), Some("invalid_request_error"));
        assert_eq!((error.code(), error.param.as_deref()), (Code::Other, None));
        assert!(!format!("{error:?}").contains("SeCr"));
    }

    #[test]
    fn other_bodies_are_none_of_stripes() {
        for body in [
            "",
            "<html>",
            "{}",
            "[]",
            r#"{"error":"invalid_grant"}"#,
            "\"error\"",
            "{\"error\":{\"code\":",
        ] {
            assert!(ErrorBody::parse(body.as_bytes()).is_none(), "{body}");
        }
        assert!(ErrorBody::parse(b"{\"error\":{\"message\":\"\xff\"}}").is_none());
        assert!(ErrorBody::parse(br#"{"error":{}}"#).is_some());
    }
}
