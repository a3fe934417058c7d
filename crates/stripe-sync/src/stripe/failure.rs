//! Why one attempt failed.
//!
//! Failures are classified by status, headers and error code, never by message text.
//! [`super::advice`] decides what to do about them.

use std::time::Duration;

use super::error_body::{Code, ErrorBody};
use super::page::Unreadable;

pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why one attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection: refused, no route, unknown host name, or no answer to the handshake.
    Unreachable(Cause),
    /// The server could not prove its identity.
    Untrusted(Cause),
    /// The request timed out.
    TimedOut(Cause),
    /// The connection ended before the response was complete.
    ConnectionLost(Cause),
    /// A successful response whose body is not what was requested.
    Unreadable { status: u16, request_id: Option<String>, why: Unreadable },
    /// A response over the size limit.
    TooLarge { status: u16, request_id: Option<String> },
    /// A status other than success.
    Refused(Box<Refusal>),
}

/// A response with a status other than success.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) request_id: Option<String>,
    /// `Stripe-Should-Retry`.
    pub(super) should_retry: Option<bool>,
    /// `Retry-After`, counted from the moment of the response.
    pub(super) retry_after: Option<Duration>,
    /// `Stripe-Rate-Limited-Reason`.
    pub(super) reason: Reason,
    /// The error in the body. `None` if the body is not from Stripe, such as a proxy's HTML.
    pub(super) error: Option<ErrorBody>,
}

impl Refusal {
    /// Not from a proxy between Stripe and this program.
    pub(super) fn is_from_stripe(&self) -> bool {
        self.request_id.is_some() && self.error.is_some()
    }
}

/// The limit that a 429 names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    GlobalRate,
    GlobalConcurrency,
    EndpointRate,
    EndpointConcurrency,
    ResourceSpecific,
    /// No header, or an unknown value.
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

/// The groups of statuses that are handled differently.
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
    /// Outside 300 to 599.
    Unexpected,
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
            0..=299 | 600..=u16::MAX => Status::Unexpected,
        }
    }
}

impl Refusal {
    pub(super) fn code(&self) -> Code {
        self.error.as_ref().map_or(Code::Other, ErrorBody::code)
    }
}

impl Failure {
    /// The status of the response, if there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Failure::Unreadable { status, .. } | Failure::TooLarge { status, .. } => Some(*status),
            Failure::Refused(refusal) => Some(refusal.status),
            Failure::Unreachable(_)
            | Failure::Untrusted(_)
            | Failure::TimedOut(_)
            | Failure::ConnectionLost(_) => None,
        }
    }

    /// Stripe's id of the request, if there was a response.
    pub(super) fn request_id(&self) -> Option<&str> {
        match self {
            Failure::Unreadable { request_id, .. } | Failure::TooLarge { request_id, .. } => {
                request_id.as_deref()
            }
            Failure::Refused(refusal) => refusal.request_id.as_deref(),
            Failure::Unreachable(_)
            | Failure::Untrusted(_)
            | Failure::TimedOut(_)
            | Failure::ConnectionLost(_) => None,
        }
    }

    /// The message of the innermost cause, such as "connection refused".
    pub(super) fn root_cause(&self) -> Option<String> {
        let (Failure::Unreachable(cause)
        | Failure::Untrusted(cause)
        | Failure::TimedOut(cause)
        | Failure::ConnectionLost(cause)) = self
        else {
            return None;
        };
        let mut root: &dyn std::error::Error = cause.as_ref();
        while let Some(source) = root.source() {
            root = source;
        }
        Some(root.to_string())
    }
}
