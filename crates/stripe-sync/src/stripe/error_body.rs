//! Stripe's error object, `{"error": {...}}`, with secrets masked
//! (<https://docs.stripe.com/api/errors>).

use serde::Deserialize;

use super::masking::{mask, quoted_before, word_with_prefix};

/// The codes that change how an error is handled (<https://docs.stripe.com/error-codes>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// Another request holds a lock on the object: contention, not a rate limit.
    LockTimeout,
    /// A rate limit; older API versions also use it with status 400.
    RateLimit,
    ResourceMissing,
    /// The key was valid in the past.
    KeyExpired,
    Other,
}

/// The error object. Every text in it is masked.
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
    /// `None` if the body is not a Stripe error.
    pub(super) fn parse(body: &[u8]) -> Option<ErrorBody> {
        let Envelope { error } = serde_json::from_slice(body).ok()?;
        let word = |prefix| {
            error.message.as_deref().and_then(|text| word_with_prefix(text, prefix)).map(mask)
        };
        Some(ErrorBody {
            permission: word("rak_").or_else(|| {
                let text = error.message.as_deref()?;
                quoted_before(text, " permission").map(mask)
            }),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_every_field() {
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
    fn other_bodies_are_not_stripe_errors() {
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
