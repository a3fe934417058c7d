//! The texts of a Stripe error: the message and the hint.

use std::fmt;

use super::StripeError;
use super::kind::StripeErrorKind;

impl StripeError {
    /// What the user can do about it. `None` if the message already says so, or if nothing helps.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self.kind {
            StripeErrorKind::Unauthorized { .. } => {
                Some("copy the key again from the Dashboard, Developers, API keys")
            }
            StripeErrorKind::Unreachable
            | StripeErrorKind::Timeout
            | StripeErrorKind::ConnectionLost => Some(
                "check the network, any proxies and, if it is set, STRIPE_API_BASE; then try again",
            ),
            StripeErrorKind::Tls => Some(
                "if a proxy intercepts TLS, add its certificate to the system's root certificates; \
                 if STRIPE_API_BASE is set, check it",
            ),
            StripeErrorKind::Malformed | StripeErrorKind::Redirected => Some(
                "a server other than Stripe responded: check any proxies and, if it is set, \
                 STRIPE_API_BASE",
            ),
            StripeErrorKind::RateLimited => {
                Some("other programs are using up the account's rate limit; try again later")
            }
            StripeErrorKind::Server => Some("check https://status.stripe.com, and try again later"),
            StripeErrorKind::Setup => Some(
                "install the system's root certificates (package ca-certificates), or correct \
                 SSL_CERT_FILE and SSL_CERT_DIR if they are set",
            ),
            StripeErrorKind::Denied { .. }
            | StripeErrorKind::ResourceMissing
            | StripeErrorKind::InvalidRequest
            | StripeErrorKind::Conflict
            | StripeErrorKind::TooLarge => None,
        }
    }
}

impl fmt::Display for StripeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = self.target();
        if let StripeErrorKind::Setup = self.kind {
            return f.write_str("cannot set up the connection to Stripe");
        }
        match self.status {
            Some(status) => write!(f, "Stripe returned status {status} for {target}: ")?,
            None => write!(f, "{target} failed: ")?,
        }
        match &self.kind {
            StripeErrorKind::Denied { missing_permission: Some(permission), .. } => {
                write!(f, "the key lacks the permission {permission}")?;
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
        StripeErrorKind::Unauthorized { expired: true } => "the API key has expired",
        StripeErrorKind::Unauthorized { expired: false } => "the API key was rejected",
        StripeErrorKind::Denied { .. } => "the key is not allowed to do this",
        StripeErrorKind::ResourceMissing => "no such object",
        StripeErrorKind::InvalidRequest => "the request was rejected without a reason",
        StripeErrorKind::Conflict => "another request holds a lock on this object",
        StripeErrorKind::RateLimited => "too many requests",
        StripeErrorKind::Unreachable => "Stripe cannot be reached",
        StripeErrorKind::Tls => "the server's identity could not be verified",
        StripeErrorKind::Timeout => "no complete response in time",
        StripeErrorKind::ConnectionLost => "the connection ended before the response was complete",
        StripeErrorKind::Malformed => "the response is not from Stripe",
        StripeErrorKind::TooLarge => "the response is too large",
        StripeErrorKind::Server => "Stripe had an internal error",
        StripeErrorKind::Redirected => "redirects are not followed, because requests carry the key",
        StripeErrorKind::Setup => "the connection could not be set up",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stripe::error::error_of;
    use crate::stripe::failure::Failure;
    use crate::stripe::request::Request;

    #[test]
    fn the_message_names_status_path_reason_and_request() {
        let request = Request::to_list("/v1/charges");
        let plain = r#"{"error":{"type":"invalid_request_error","message":"Not set up."}}"#;
        for (status, body, message) in [
            (400, plain, "Stripe returned status 400 for GET /v1/charges: Not set up (req_abc)"),
            (
                302,
                "",
                "Stripe returned status 302 for GET /v1/charges: redirects are not followed, because requests carry the key (req_abc)",
            ),
            (
                403,
                r#"{"error":{"message":"Needs 'rak_charge_read'."}}"#,
                "Stripe returned status 403 for GET /v1/charges: the key lacks the permission rak_charge_read (req_abc)",
            ),
        ] {
            assert_eq!(error_of(&request, status, body).to_string(), message);
        }
    }

    #[test]
    fn the_cause_is_not_repeated_in_the_message() {
        let request = Request::to_list("/v1/charges");
        let lost = StripeError::new(&request, Failure::ConnectionLost("reset".into()), 8);
        assert_eq!(
            lost.to_string(),
            "GET /v1/charges failed: the connection ended before the response was complete (after 8 requests)"
        );
        assert_eq!(std::error::Error::source(&lost).unwrap().to_string(), "reset");
    }
}
