//! The kinds of Stripe errors, derived from status and code alone, and their stable names.

use crate::account::AccountId;
use crate::stripe::error_body::Code;
use crate::stripe::failure::{Refusal, Status};

/// What kind of failure ended a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StripeErrorKind {
    /// 401: Stripe does not accept the key.
    Unauthorized {
        /// The key was valid in the past.
        expired: bool,
    },
    /// 403: the key lacks a permission.
    Denied {
        /// The `rak_...` permission that the message names.
        missing_permission: Option<String>,
        /// The account that the message names.
        account: Option<AccountId>,
    },
    /// The requested object, or one that the request names, does not exist.
    ResourceMissing,
    /// Any other 4xx.
    InvalidRequest,
    /// Another request held a lock on the object at each attempt.
    Conflict,
    /// Only 429 responses for ten minutes.
    RateLimited,
    /// No connection for the maximum duration of an outage.
    Unreachable,
    /// The server's identity could not be verified.
    Tls,
    /// No complete response in time.
    Timeout,
    /// The connection ended before the response was complete.
    ConnectionLost,
    /// A response that is not from Stripe, or not what was requested.
    Malformed,
    /// A response of more than 256 MiB, or a page of several objects of more than 32 MiB.
    TooLarge,
    /// 5xx.
    Server,
    /// 3xx, which is never followed.
    Redirected,
    /// The client cannot be created with these options.
    Setup,
}

impl StripeErrorKind {
    /// A name for programs. Names never change their meaning and are never removed.
    pub(super) fn code_name(&self) -> &'static str {
        match self {
            StripeErrorKind::Unauthorized { expired: false } => "stripe_unauthorized",
            StripeErrorKind::Unauthorized { expired: true } => "stripe_key_expired",
            StripeErrorKind::Denied { .. } => "stripe_permission_denied",
            StripeErrorKind::ResourceMissing => "stripe_not_found",
            StripeErrorKind::InvalidRequest => "stripe_invalid_request",
            StripeErrorKind::Conflict => "stripe_conflict",
            StripeErrorKind::RateLimited => "stripe_rate_limited",
            StripeErrorKind::Unreachable => "stripe_unreachable",
            StripeErrorKind::Tls => "stripe_tls_error",
            StripeErrorKind::Timeout => "stripe_timeout",
            StripeErrorKind::ConnectionLost => "stripe_connection_lost",
            StripeErrorKind::Malformed => "stripe_unexpected_response",
            StripeErrorKind::TooLarge => "stripe_response_too_large",
            StripeErrorKind::Server => "stripe_api_error",
            StripeErrorKind::Redirected => "stripe_redirected",
            StripeErrorKind::Setup => "stripe_client_setup",
        }
    }

    /// The kind of a response whose status is not a success.
    pub(super) fn of_refusal(refusal: &Refusal) -> StripeErrorKind {
        let Some(error) = &refusal.error else {
            return match Status::of(refusal.status) {
                Status::Redirect => StripeErrorKind::Redirected,
                Status::TooManyRequests => StripeErrorKind::RateLimited,
                Status::ServerError => StripeErrorKind::Server,
                Status::RequestTimeout => StripeErrorKind::Timeout,
                Status::BadRequest
                | Status::Unauthorized
                | Status::PaymentRequired
                | Status::Forbidden
                | Status::NotFound
                | Status::Conflict
                | Status::OtherClientError
                | Status::Unexpected => StripeErrorKind::Malformed,
            };
        };
        match Status::of(refusal.status) {
            Status::Redirect => StripeErrorKind::Redirected,
            Status::Unauthorized => {
                StripeErrorKind::Unauthorized { expired: error.code() == Code::KeyExpired }
            }
            Status::Forbidden => StripeErrorKind::Denied {
                missing_permission: error.permission.clone(),
                account: error.account.as_deref().and_then(AccountId::parse),
            },
            Status::RequestTimeout => StripeErrorKind::Timeout,
            Status::Conflict => StripeErrorKind::Conflict,
            Status::ServerError => StripeErrorKind::Server,
            Status::Unexpected => StripeErrorKind::Malformed,
            Status::TooManyRequests => match error.code() {
                Code::LockTimeout => StripeErrorKind::Conflict,
                Code::RateLimit | Code::ResourceMissing | Code::KeyExpired | Code::Other => {
                    StripeErrorKind::RateLimited
                }
            },
            Status::BadRequest
            | Status::NotFound
            | Status::PaymentRequired
            | Status::OtherClientError => match error.code() {
                Code::ResourceMissing => StripeErrorKind::ResourceMissing,
                Code::RateLimit => StripeErrorKind::RateLimited,
                Code::LockTimeout | Code::KeyExpired | Code::Other => {
                    StripeErrorKind::InvalidRequest
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StripeErrorKind::*;
    use super::*;
    use crate::stripe::error_body::ErrorBody;
    use crate::stripe::failure::Reason;

    #[test]
    fn the_kind_follows_from_status_and_code() {
        let plain = r#"{"error":{"type":"invalid_request_error","message":"Not set up."}}"#;
        let missing = r#"{"error":{"code":"resource_missing","message":"No such x: 'a'"}}"#;
        let lock = r#"{"error":{"code":"lock_timeout"}}"#;
        let expired = r#"{"error":{"code":"api_key_expired"}}"#;
        for (status, body, kind) in [
            (401, plain, Unauthorized { expired: false }),
            (401, expired, Unauthorized { expired: true }),
            (401, "<html>", Malformed),
            (403, plain, Denied { missing_permission: None, account: None }),
            (403, "<html>", Malformed),
            (402, plain, InvalidRequest),
            (404, missing, ResourceMissing),
            (408, "", Timeout),
            (409, plain, Conflict),
            (429, lock, Conflict),
            (429, plain, RateLimited),
            (429, "busy", RateLimited),
            (500, plain, Server),
            (502, "<html>", Server),
            (301, "", Redirected),
            (604, "", Malformed),
        ] {
            let error = ErrorBody::parse(body.as_bytes());
            let refusal = Refusal {
                status,
                request_id: None,
                should_retry: None,
                retry_after: None,
                reason: Reason::Unnamed,
                error,
            };
            assert_eq!(StripeErrorKind::of_refusal(&refusal), kind, "{status} {body}");
        }
    }

    /// Programs match on these names: a change here breaks them.
    #[test]
    fn code_names_are_stable() {
        for (kind, name) in [
            (Unauthorized { expired: false }, "stripe_unauthorized"),
            (Unauthorized { expired: true }, "stripe_key_expired"),
            (Denied { missing_permission: None, account: None }, "stripe_permission_denied"),
            (ResourceMissing, "stripe_not_found"),
            (InvalidRequest, "stripe_invalid_request"),
            (Conflict, "stripe_conflict"),
            (RateLimited, "stripe_rate_limited"),
            (Unreachable, "stripe_unreachable"),
            (Tls, "stripe_tls_error"),
            (Timeout, "stripe_timeout"),
            (ConnectionLost, "stripe_connection_lost"),
            (Malformed, "stripe_unexpected_response"),
            (TooLarge, "stripe_response_too_large"),
            (Server, "stripe_api_error"),
            (Redirected, "stripe_redirected"),
            (Setup, "stripe_client_setup"),
        ] {
            assert_eq!(kind.code_name(), name);
        }
    }
}
