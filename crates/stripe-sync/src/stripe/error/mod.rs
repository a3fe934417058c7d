//! Why a request to Stripe failed, in the form that its callers need.
//!
//! Callers use questions (`is_denied`, `is_not_available`, ...), which are answered from status,
//! type, code and parameter. Stripe's message is only displayed, with keys masked and its length
//! limited.

mod kind;
mod text;

use std::ops::Deref;

pub(crate) use self::kind::StripeErrorKind;
use super::error_body::ErrorBody;
use super::failure::{Cause, Failure, Refusal};
use super::request::{Request, is_cursor};

/// A request that failed, after all retries that made sense.
///
/// Its details are the fields of [`ErrorDetails`], which it dereferences to.
#[derive(Debug)]
pub(crate) struct StripeError(Box<ErrorDetails>);

/// The details of a [`StripeError`].
#[derive(Debug)]
pub(crate) struct ErrorDetails {
    /// The kind of failure.
    pub(crate) kind: StripeErrorKind,
    /// HTTP status, if there was a response.
    pub(crate) status: Option<u16>,
    /// Stripe's `error.type`.
    pub(crate) error_type: Option<String>,
    /// Stripe's `error.code`.
    pub(crate) code: Option<String>,
    /// The parameter that Stripe names as the cause.
    pub(crate) param: Option<String>,
    /// Stripe's message, at most 403 bytes, keys masked.
    pub(crate) message: Option<String>,
    /// Stripe's ID of the request, which its support asks for.
    pub(crate) request_id: Option<String>,
    /// HTTP requests that were sent.
    pub(crate) requests: u32,
    request: RequestSummary,
    source: Option<Cause>,
}

impl Deref for StripeError {
    type Target = ErrorDetails;

    fn deref(&self) -> &ErrorDetails {
        &self.0
    }
}

/// The parts of the request that an error keeps.
#[derive(Debug)]
struct RequestSummary {
    method: &'static str,
    path: String,
    has_cursor: bool,
    /// Stripe names a parameter of the request that is not a cursor.
    names_filter: bool,
}

impl StripeError {
    pub(super) fn new(request: &Request, failure: Failure, requests: u32) -> StripeError {
        let bare = |kind| ErrorDetails::bare(request, kind, requests);
        let caused = |kind, cause| ErrorDetails { source: Some(cause), ..bare(kind) };
        let details = match failure {
            Failure::Unreachable(cause) => caused(StripeErrorKind::Unreachable, cause),
            Failure::Untrusted(cause) => caused(StripeErrorKind::Tls, cause),
            Failure::TimedOut(cause) => caused(StripeErrorKind::Timeout, cause),
            Failure::ConnectionLost(cause) => caused(StripeErrorKind::ConnectionLost, cause),
            Failure::Unreadable { status, request_id, why } => ErrorDetails {
                status: Some(status),
                request_id,
                message: Some(why.to_string()),
                ..bare(StripeErrorKind::Malformed)
            },
            Failure::TooLarge { status, request_id } => {
                ErrorDetails { status: Some(status), request_id, ..bare(StripeErrorKind::TooLarge) }
            }
            Failure::Refused(refusal) => {
                let mut details = bare(StripeErrorKind::of_refusal(&refusal));
                let Refusal { status, request_id, error, .. } = *refusal;
                let ErrorBody { error_type, code, param, message, .. } = error.unwrap_or_default();
                details.request.names_filter =
                    param.as_deref().is_some_and(|param| request.sends_filter(param));
                ErrorDetails {
                    status: Some(status),
                    request_id,
                    error_type,
                    code,
                    param,
                    message,
                    ..details
                }
            }
        };
        StripeError(Box::new(details))
    }

    /// The request was not sent because an outage had already lasted too long.
    pub(super) fn unreachable(request: &Request, requests: u32) -> StripeError {
        StripeError(Box::new(ErrorDetails::bare(request, StripeErrorKind::Unreachable, requests)))
    }

    /// The client could not be created.
    pub(super) fn setup(cause: Cause) -> StripeError {
        let request = Request::to_list("/v1/");
        let details = ErrorDetails::bare(&request, StripeErrorKind::Setup, 0);
        StripeError(Box::new(ErrorDetails { source: Some(cause), ..details }))
    }

    /// A stable name of the kind of failure, for programs, such as `stripe_rate_limited`.
    pub(crate) fn code_name(&self) -> &'static str {
        self.kind.code_name()
    }

    /// Whether every request would fail this way: Stripe cannot be reached, or rejects the key.
    pub(crate) fn would_fail_every_request(&self) -> bool {
        matches!(self.kind, StripeErrorKind::Unreachable | StripeErrorKind::Unauthorized { .. })
    }

    /// Whether a smaller response might have succeeded: this one was too large, truncated or too
    /// late, or a server error.
    pub(crate) fn may_depend_on_size(&self) -> bool {
        matches!(
            self.kind,
            StripeErrorKind::Timeout
                | StripeErrorKind::ConnectionLost
                | StripeErrorKind::Malformed
                | StripeErrorKind::TooLarge
                | StripeErrorKind::Server
        )
    }

    /// The error, with the requests that were sent before it added to its count.
    pub(super) fn after_requests(mut self, requests: u32) -> StripeError {
        self.0.requests += requests;
        self
    }

    /// Whether the key lacks the permission for this request.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.kind, StripeErrorKind::Denied { .. })
    }

    /// Whether Stripe rejected the request as invalid.
    pub(crate) fn is_invalid_request(&self) -> bool {
        self.kind == StripeErrorKind::InvalidRequest
    }

    /// The `rak_...` permission that Stripe names as missing.
    pub(crate) fn missing_permission(&self) -> Option<&str> {
        match &self.kind {
            StripeErrorKind::Denied { missing_permission, .. } => missing_permission.as_deref(),
            _ => None,
        }
    }

    /// Whether the object that the request continued from was deleted or no longer matches the
    /// filter (<https://github.com/stripe/stripe-python/issues/671>). Always false for a request
    /// without a cursor, or if Stripe names another parameter of the request.
    pub(crate) fn is_cursor_missing(&self) -> bool {
        let names_cursor = self.param.as_deref().is_some_and(is_cursor);
        let missing = self.kind == StripeErrorKind::ResourceMissing;
        let invalid = missing || self.kind == StripeErrorKind::InvalidRequest;
        let refused = matches!(self.status, Some(400 | 404));
        self.request.has_cursor
            && !self.request.names_filter
            && (missing || refused && invalid && names_cursor)
    }

    /// 404 with the code `resource_missing`: a single requested object does not exist.
    pub(crate) fn is_resource_missing(&self) -> bool {
        self.kind == StripeErrorKind::ResourceMissing && self.status == Some(404)
    }

    /// Whether Stripe rejects the request as it does if a product is not enabled, without naming a
    /// parameter. Whether the stream is then skipped depends on which page was rejected.
    pub(crate) fn is_not_available(&self) -> bool {
        let refused =
            matches!(self.kind, StripeErrorKind::InvalidRequest | StripeErrorKind::ResourceMissing);
        let by_status = matches!(self.status, Some(400..=499))
            && !matches!(self.status, Some(401 | 403 | 408 | 409 | 429));
        refused && by_status && self.param.is_none()
    }

    /// Such as `GET /v1/customers`.
    fn target(&self) -> String {
        format!("{} {}", self.request.method, self.request.path)
    }
}

impl std::error::Error for StripeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl ErrorDetails {
    fn bare(request: &Request, kind: StripeErrorKind, requests: u32) -> ErrorDetails {
        let request = RequestSummary {
            method: request.method.as_str(),
            path: request.path.to_string(),
            has_cursor: request.has_cursor(),
            names_filter: false,
        };
        ErrorDetails {
            kind,
            status: None,
            error_type: None,
            code: None,
            param: None,
            message: None,
            request_id: None,
            requests,
            request,
            source: None,
        }
    }
}

/// The error of a response with this status and body.
#[cfg(test)]
fn error_of(request: &Request, status: u16, body: &str) -> StripeError {
    let refusal = Refusal {
        status,
        request_id: Some("req_abc".to_owned()),
        should_retry: None,
        retry_after: None,
        reason: super::failure::Reason::Unnamed,
        error: ErrorBody::parse(body.as_bytes()),
    };
    StripeError::new(request, Failure::Refused(Box::new(refusal)), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::AccountId;

    const PLAIN: &str = r#"{"error":{"type":"invalid_request_error","message":"Not set up."}}"#;
    const MISSING: &str = r#"{"error":{"code":"resource_missing","message":"No such x: 'a'"}}"#;

    fn naming(param: &str, code: &str) -> String {
        format!(r#"{{"error":{{"param":"{param}","code":"{code}","message":"m"}}}}"#)
    }

    #[test]
    fn a_denial_names_the_permission_and_the_account() {
        let request = Request::to_list("/v1/charges").with("starting_after", "ch_1");
        let body = r#"{"error":{"type":"invalid_request_error","message":"The provided key 'rk_test_***SeCr' does not have the required permissions for this endpoint on account 'acct_1Ab'. Having the 'rak_charge_read' permission would allow this request to continue."}}"#;
        let error = error_of(&request, 403, body);
        assert!(error.is_denied() && !error.is_not_available());
        let StripeErrorKind::Denied { missing_permission, account } = &error.kind else { panic!() };
        assert_eq!(missing_permission.as_deref(), Some("rak_charge_read"));
        assert_eq!(account.as_ref().map(AccountId::as_str), Some("acct_1Ab"));
        assert_eq!(error.missing_permission(), Some("rak_charge_read"));
        assert!(!format!("{error:?}").contains("SeCr"));
    }

    #[test]
    fn a_refusal_that_names_no_parameter_means_not_available() {
        let request = Request::to_list("/v1/issuing/cards");
        for (status, body, expected) in [
            (400, PLAIN, true),
            (404, PLAIN, true),
            (402, PLAIN, true),
            (400, &naming("customer", "parameter_missing"), false),
            (400, r#"{"error":{"code":"rate_limit"}}"#, false),
            (400, "<html>proxy</html>", false),
            (404, "", false),
            (401, PLAIN, false),
            (403, PLAIN, false),
            (408, PLAIN, false),
            (409, PLAIN, false),
            (429, PLAIN, false),
            (500, PLAIN, false),
            (302, PLAIN, false),
        ] {
            assert_eq!(
                error_of(&request, status, body).is_not_available(),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_missing_cursor_is_distinguished_from_a_missing_object() {
        let first = Request::to_list("/v1/charges").with("customer", "cus_1");
        let next = first.clone().with("starting_after", "ch_1");
        let back = first.clone().with("ending_before", "ch_1");
        let on_cursor = naming("starting_after", "resource_missing");
        let by_param = naming("ending_before", "");
        let on_filter = naming("customer", "resource_missing");
        for (request, status, body, cursor, resource) in [
            (&next, 404, MISSING, true, true),
            (&next, 400, MISSING, true, false),
            (&next, 404, on_cursor.as_str(), true, true),
            (&back, 400, &by_param, true, false),
            (&next, 404, &on_filter, false, true),
            (&next, 400, PLAIN, false, false),
            (&next, 403, &by_param, false, false),
            (&next, 500, MISSING, false, false),
            (&next, 404, "", false, false),
            (&first, 404, MISSING, false, true),
            (&first, 404, &on_cursor, false, true),
        ] {
            let error = error_of(request, status, body);
            assert_eq!(error.is_cursor_missing(), cursor, "{status} {body}");
            assert_eq!(error.is_resource_missing(), resource, "{status} {body}");
        }
    }
}
