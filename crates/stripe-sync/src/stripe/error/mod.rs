//! What Stripe or the way to it refused, as its callers need to know it.
//!
//! Callers ask questions (`is_denied`, `is_not_available`, ...); all are answered from status, type,
//! code and parameter. Stripe's message is only ever shown, cleaned of keys and cut.

use std::fmt;
use std::ops::Deref;

use super::failure::{Cause, Code, ErrorBody, Failure, Refusal, Status};
use super::request::{Request, is_cursor};
use crate::account::AccountId;

/// A request that brought nothing, after all repetitions that made sense.
///
/// What is known of it are the fields of [`Refused`], which it dereferences to.
#[derive(Debug)]
pub(crate) struct StripeError(Box<Refused>);

/// What is known of a [`StripeError`].
#[derive(Debug)]
pub(crate) struct Refused {
    /// The kind of refusal.
    pub(crate) kind: StripeErrorKind,
    /// HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// Stripe's `error.type`.
    pub(crate) error_type: Option<String>,
    /// Stripe's `error.code`.
    pub(crate) code: Option<String>,
    /// The parameter that Stripe blames.
    pub(crate) param: Option<String>,
    /// Stripe's message, at most 403 bytes, keys masked.
    pub(crate) message: Option<String>,
    /// Stripe's name for the request, for its support.
    pub(crate) request_id: Option<String>,
    /// HTTP requests it took.
    pub(crate) requests: u32,
    asked: Asked,
    source: Option<Cause>,
}

impl Deref for StripeError {
    type Target = Refused;

    fn deref(&self) -> &Refused {
        &self.0
    }
}

/// What an error keeps of its request.
#[derive(Debug)]
struct Asked {
    path: String,
    has_cursor: bool,
    blames_filter: bool,
}

/// Kinds of [`StripeError`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StripeErrorKind {
    /// 401: Stripe does not accept the key.
    Unauthorized {
        /// The key was valid once.
        expired: bool,
    },
    /// 403: the key may not read this.
    Denied {
        /// The `rak_...` permission that the message names.
        missing_permission: Option<String>,
        /// The account that the message names.
        account: Option<AccountId>,
    },
    /// The object that was asked for, or named in the request, does not exist.
    ResourceMissing,
    /// Any other 4xx.
    InvalidRequest,
    /// Another request held the object, each time.
    Conflict,
    /// Nothing but 429 for ten minutes.
    RateLimited,
    /// No connection for as long as outages are waited for.
    Unreachable,
    /// The other end could not prove that it is Stripe.
    Tls,
    /// No complete answer in time.
    Timeout,
    /// The connection ended inside the answer.
    Broken,
    /// An answer that is not Stripe's, or not what was asked.
    Malformed,
    /// An answer of more than 256 MiB.
    TooLarge,
    /// 5xx.
    Server,
    /// 3xx, which is never followed.
    Redirected,
    /// The client cannot be made with these options.
    Setup,
}

impl StripeError {
    pub(super) fn new(request: &Request, failure: Failure, requests: u32) -> StripeError {
        let bare = |kind| Refused::bare(request, kind, requests);
        let caused = |kind, cause| Refused { source: Some(cause), ..bare(kind) };
        let refused = match failure {
            Failure::Unreachable(cause) => caused(StripeErrorKind::Unreachable, cause),
            Failure::Untrusted(cause) => caused(StripeErrorKind::Tls, cause),
            Failure::TimedOut(cause) => caused(StripeErrorKind::Timeout, cause),
            Failure::Broken(cause) => caused(StripeErrorKind::Broken, cause),
            Failure::Unreadable { status, request_id, why } => Refused {
                status: Some(status),
                request_id,
                message: Some(why.to_string()),
                ..bare(StripeErrorKind::Malformed)
            },
            Failure::TooLarge { status, request_id } => {
                Refused { status: Some(status), request_id, ..bare(StripeErrorKind::TooLarge) }
            }
            Failure::Refused(refusal) => {
                let mut refused = bare(kind_of(&refusal));
                let Refusal { status, request_id, error, .. } = *refusal;
                let ErrorBody { error_type, code, param, message, .. } = error.unwrap_or_default();
                refused.asked.blames_filter =
                    param.as_deref().is_some_and(|param| request.sends_filter(param));
                Refused {
                    status: Some(status),
                    request_id,
                    error_type,
                    code,
                    param,
                    message,
                    ..refused
                }
            }
        };
        StripeError(Box::new(refused))
    }

    /// A request that met an outage already too long.
    pub(super) fn unreachable(request: &Request, requests: u32) -> StripeError {
        StripeError(Box::new(Refused::bare(request, StripeErrorKind::Unreachable, requests)))
    }

    /// The client could not be made.
    pub(super) fn setup(cause: Cause) -> StripeError {
        let request = Request::to_list("/v1/");
        let refused = Refused::bare(&request, StripeErrorKind::Setup, 0);
        StripeError(Box::new(Refused { source: Some(cause), ..refused }))
    }

    /// The key may not read this.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self.kind, StripeErrorKind::Denied { .. })
    }

    /// The `rak_...` permission that the refusal names.
    pub(crate) fn missing_permission(&self) -> Option<&str> {
        match &self.kind {
            StripeErrorKind::Denied { missing_permission, .. } => missing_permission.as_deref(),
            _ => None,
        }
    }

    /// What a person can do about it; none if the message says so itself, or nothing helps.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self.kind {
            StripeErrorKind::Unauthorized { .. } => {
                Some("copy the key again from the Dashboard, Developers, API keys")
            }
            StripeErrorKind::Unreachable | StripeErrorKind::Timeout | StripeErrorKind::Broken => {
                Some(
                    "check the network, proxies and, if it is set, STRIPE_API_BASE; then try again",
                )
            }
            StripeErrorKind::Tls => Some(
                "if a proxy opens TLS here, its certificate has to be among the system's roots; \
                 check STRIPE_API_BASE if it is set",
            ),
            StripeErrorKind::Malformed | StripeErrorKind::Redirected => Some(
                "something other than Stripe answers: check STRIPE_API_BASE if it is set, and \
                 proxies between",
            ),
            StripeErrorKind::RateLimited => {
                Some("other programs use up the account's limit; try again later")
            }
            StripeErrorKind::Server => {
                Some("Stripe has trouble, see https://status.stripe.com; try again later")
            }
            StripeErrorKind::Setup => Some(
                "the certificates of the system are needed: install ca-certificates, or correct \
                 SSL_CERT_FILE and SSL_CERT_DIR if they are set",
            ),
            StripeErrorKind::Denied { .. }
            | StripeErrorKind::ResourceMissing
            | StripeErrorKind::InvalidRequest
            | StripeErrorKind::Conflict
            | StripeErrorKind::TooLarge => None,
        }
    }

    /// The object that the request continued from is gone or has left the filter
    /// (<https://github.com/stripe/stripe-python/issues/671>). Never true of a request without
    /// cursor, nor if Stripe blames another parameter that was sent.
    pub(crate) fn is_cursor_missing(&self) -> bool {
        let blames_cursor = self.param.as_deref().is_some_and(is_cursor);
        let missing = self.kind == StripeErrorKind::ResourceMissing;
        let invalid = missing || self.kind == StripeErrorKind::InvalidRequest;
        let refused = matches!(self.status, Some(400 | 404));
        self.asked.has_cursor
            && !self.asked.blames_filter
            && (missing || refused && invalid && blames_cursor)
    }

    /// 404 with the code `resource_missing`: for a request of one object, it does not exist.
    pub(crate) fn is_resource_missing(&self) -> bool {
        self.kind == StripeErrorKind::ResourceMissing && self.status == Some(404)
    }

    /// Stripe's way to say that a product is not enabled: a refusal that blames no parameter.
    /// Whether that means "skip this stream" depends on when it came (DESIGN.md, Not available).
    pub(crate) fn is_not_available(&self) -> bool {
        let refused =
            matches!(self.kind, StripeErrorKind::InvalidRequest | StripeErrorKind::ResourceMissing);
        let by_status = matches!(self.status, Some(400..=499))
            && !matches!(self.status, Some(401 | 403 | 408 | 409 | 429));
        refused && by_status && self.param.is_none()
    }
}

impl Refused {
    fn bare(request: &Request, kind: StripeErrorKind, requests: u32) -> Refused {
        let asked = Asked {
            path: request.path.to_string(),
            has_cursor: request.has_cursor(),
            blames_filter: false,
        };
        Refused {
            kind,
            status: None,
            error_type: None,
            code: None,
            param: None,
            message: None,
            request_id: None,
            requests,
            asked,
            source: None,
        }
    }
}

fn kind_of(refusal: &Refusal) -> StripeErrorKind {
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
            | Status::Odd => StripeErrorKind::Malformed,
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
        Status::Odd => StripeErrorKind::Malformed,
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
            Code::LockTimeout | Code::KeyExpired | Code::Other => StripeErrorKind::InvalidRequest,
        },
    }
}

impl fmt::Display for StripeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.asked.path;
        if let StripeErrorKind::Setup = self.kind {
            return f.write_str("cannot set up the connection to stripe");
        }
        match self.status {
            Some(status) => write!(f, "stripe answered {status} to GET {path}: ")?,
            None => write!(f, "GET {path} failed: ")?,
        }
        match &self.kind {
            StripeErrorKind::Denied { missing_permission: Some(permission), .. } => {
                write!(f, "the key lacks {permission}")?;
            }
            kind => match &self.message {
                Some(message) => f.write_str(message.trim_end().trim_end_matches('.'))?,
                None => f.write_str(describe(kind))?,
            },
        }
        match (&self.request_id, self.requests) {
            (Some(id), 0 | 1) => write!(f, " ({id})"),
            (Some(id), requests) => write!(f, " ({id}, after {requests} requests)"),
            (None, 0 | 1) => Ok(()),
            (None, requests) => write!(f, " (after {requests} requests)"),
        }
    }
}

fn describe(kind: &StripeErrorKind) -> &'static str {
    match kind {
        StripeErrorKind::Unauthorized { expired: true } => "the key has expired",
        StripeErrorKind::Unauthorized { expired: false } => "the key is not accepted",
        StripeErrorKind::Denied { .. } => "the key may not read this",
        StripeErrorKind::ResourceMissing => "no such object",
        StripeErrorKind::InvalidRequest => "the request was refused without a reason",
        StripeErrorKind::Conflict => "another request holds the object",
        StripeErrorKind::RateLimited => "too many requests",
        StripeErrorKind::Unreachable => "stripe cannot be reached",
        StripeErrorKind::Tls => "the other end could not prove that it is stripe",
        StripeErrorKind::Timeout => "no complete answer in time",
        StripeErrorKind::Broken => "the connection ended inside the answer",
        StripeErrorKind::Malformed => "the answer is not one of stripe's",
        StripeErrorKind::TooLarge => "the answer is larger than 256 MiB",
        StripeErrorKind::Server => "stripe failed",
        StripeErrorKind::Redirected => "a redirect, which is not followed with a key",
        StripeErrorKind::Setup => "the connection could not be set up",
    }
}

impl std::error::Error for StripeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::failure::Reason;

    fn error(request: &Request, status: u16, body: &str) -> StripeError {
        let refusal = Refusal {
            status,
            request_id: Some("req_abc".to_owned()),
            should_retry: None,
            retry_after: None,
            reason: Reason::Unnamed,
            error: ErrorBody::parse(body.as_bytes()),
        };
        StripeError::new(request, Failure::Refused(Box::new(refusal)), 1)
    }

    const PLAIN: &str = r#"{"error":{"type":"invalid_request_error","message":"Not set up."}}"#;
    const MISSING: &str = r#"{"error":{"code":"resource_missing","message":"No such x: 'a'"}}"#;

    fn blaming(param: &str, code: &str) -> String {
        format!(r#"{{"error":{{"param":"{param}","code":"{code}","message":"m"}}}}"#)
    }

    #[test]
    fn a_denial_names_permission_and_account() {
        let request = Request::to_list("/v1/charges").with("starting_after", "ch_1");
        let body = r#"{"error":{"type":"invalid_request_error","message":"The provided key 'rk_test_***SeCr' does not have the required permissions for this endpoint on account 'acct_1Ab'. Having the 'rak_charge_read' permission would allow this request to continue."}}"#;
        let error = error(&request, 403, body);
        assert!(error.is_denied() && !error.is_not_available());
        let StripeErrorKind::Denied { missing_permission, account } = &error.kind else { panic!() };
        assert_eq!(missing_permission.as_deref(), Some("rak_charge_read"));
        assert_eq!(account.as_ref().map(AccountId::as_str), Some("acct_1Ab"));
        assert_eq!(
            error.to_string(),
            "stripe answered 403 to GET /v1/charges: the key lacks rak_charge_read (req_abc)"
        );
        assert!(!format!("{error:?}").contains("SeCr"));
    }

    #[test]
    fn not_available_is_a_refusal_of_stripes_that_blames_no_parameter() {
        let request = Request::to_list("/v1/issuing/cards");
        for (status, body, expected) in [
            (400, PLAIN, true),
            (404, PLAIN, true),
            (402, PLAIN, true),
            (400, &blaming("customer", "parameter_missing"), false),
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
                error(&request, status, body).is_not_available(),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_missing_cursor_is_told_from_a_missing_object() {
        let first = Request::to_list("/v1/charges").with("customer", "cus_1");
        let next = first.clone().with("starting_after", "ch_1");
        let back = first.clone().with("ending_before", "ch_1");
        let on_cursor = blaming("starting_after", "resource_missing");
        let by_param = blaming("ending_before", "");
        let on_filter = blaming("customer", "resource_missing");
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
            let error = error(request, status, body);
            assert_eq!(error.is_cursor_missing(), cursor, "{status} {body}");
            assert_eq!(error.is_resource_missing(), resource, "{status} {body}");
        }
    }

    #[test]
    fn kinds_follow_status_and_code() {
        use StripeErrorKind::*;
        let request = Request::to_list("/v1/charges");
        let lock = r#"{"error":{"code":"lock_timeout"}}"#;
        let expired = r#"{"error":{"code":"api_key_expired"}}"#;
        for (status, body, kind) in [
            (401, PLAIN, Unauthorized { expired: false }),
            (401, expired, Unauthorized { expired: true }),
            (401, "<html>", Malformed),
            (403, PLAIN, Denied { missing_permission: None, account: None }),
            (403, "<html>", Malformed),
            (402, PLAIN, InvalidRequest),
            (404, MISSING, ResourceMissing),
            (408, "", Timeout),
            (409, PLAIN, Conflict),
            (429, lock, Conflict),
            (429, PLAIN, RateLimited),
            (429, "busy", RateLimited),
            (500, PLAIN, Server),
            (502, "<html>", Server),
            (301, "", Redirected),
            (604, "", Malformed),
        ] {
            assert_eq!(error(&request, status, body).kind, kind, "{status} {body}");
        }
    }

    #[test]
    fn each_layer_tells_its_own_part() {
        let request = Request::to_list("/v1/charges");
        assert_eq!(
            error(&request, 400, PLAIN).to_string(),
            "stripe answered 400 to GET /v1/charges: Not set up (req_abc)"
        );
        let broken = StripeError::new(&request, Failure::Broken("reset".into()), 8);
        assert_eq!(
            broken.to_string(),
            "GET /v1/charges failed: the connection ended inside the answer (after 8 requests)"
        );
        assert_eq!(std::error::Error::source(&broken).unwrap().to_string(), "reset");
    }
}
