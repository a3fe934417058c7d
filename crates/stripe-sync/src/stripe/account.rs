//! Which account a key belongs to, and whether Stripe accepts the key at all.

use std::time::Duration;

use super::client::StripeClient;
use super::error::{StripeError, StripeErrorKind};
use super::request::Request;
use super::stats::Limit;
use crate::account::AccountId;

/// Wait before the first warning that Stripe has not responded, and between later ones.
const FIRST_WARNING: Duration = Duration::from_secs(10);
const NEXT_WARNING: Duration = Duration::from_secs(60);

/// Why the account of a key is unknown. Nothing may be written in that case. Each message says what
/// failed and, after a semicolon, what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// 401.
    #[error(
        "Stripe rejected this API key; it may be mistyped, deleted or from another account: copy it again from the Dashboard, Developers, API keys"
    )]
    KeyRejected(#[source] StripeError),
    /// 401, with a code for an expired key.
    #[error("this API key has expired; create a new one in the Dashboard, Developers, API keys")]
    KeyExpired(#[source] StripeError),
    /// A restricted key without the permission to read its own account.
    #[error(
        "this key is not allowed to read its own account; pass --account acct_... (shown in the Dashboard under Settings, Account details)"
    )]
    OwnAccountDenied(#[source] StripeError),
    /// The response has no id.
    #[error(
        "Stripe's response to GET /v1/account has no account ID; pass --account acct_..., or correct --api-base if it does not point to Stripe"
    )]
    MissingId,
    /// Storing one account's data under another's id would mix them permanently.
    #[error(
        "this key belongs to account {actual}, not {expected}; omit --account, or use a key of {expected}"
    )]
    Mismatch {
        /// The configured account.
        expected: AccountId,
        /// The account that Stripe names.
        actual: AccountId,
    },
    /// Anything else.
    #[error("cannot ask Stripe which account this key belongs to")]
    Failed(#[source] StripeError),
}

/// How the account of a key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSource {
    /// The response to `GET /v1/account` names it.
    Stripe,
    /// The refusal of `GET /v1/account` names it.
    Refusal,
    /// The configuration names it, and Stripe neither confirms nor denies it.
    Configuration,
}

/// Checks that Stripe accepts the key and finds its account: the one that Stripe names, possibly in
/// the refusal of a restricted key (<https://github.com/stripe/stripe-node/issues/2246>), else
/// the configured one.
///
/// # Errors
/// [`AccountError`] says what to do. With a configured account a 403 is not an error: the key may
/// be allowed to read other objects.
pub(crate) async fn resolve_account(
    client: &StripeClient,
    configured: Option<&AccountId>,
) -> Result<(AccountId, AccountSource), AccountError> {
    let request = Request::to_list("/v1/account");
    let answer = match warn_while_waiting(client, client.get(&request)).await {
        Ok(answer) => answer,
        Err(error) => return account_of_refusal(error, configured),
    };
    #[derive(serde::Deserialize)]
    struct Account {
        id: Option<String>,
    }
    let id = serde_json::from_str::<Account>(&answer.body).ok().and_then(|account| account.id);
    let named = id.as_deref().and_then(AccountId::parse);
    match (configured.cloned(), named) {
        (Some(expected), Some(actual)) if expected != actual => {
            Err(AccountError::Mismatch { expected, actual })
        }
        (_, Some(account)) => Ok((account, AccountSource::Stripe)),
        (Some(account), None) => Ok((account, AccountSource::Configuration)),
        (None, None) => Err(AccountError::MissingId),
    }
}

/// The first request runs before any progress display, and can wait for minutes.
async fn warn_while_waiting<T>(client: &StripeClient, response: impl Future<Output = T>) -> T {
    let mut response = std::pin::pin!(response);
    let mut pause = FIRST_WARNING;
    loop {
        match tokio::time::timeout(pause, &mut response).await {
            Ok(response) => return response,
            Err(_) => {
                let why = match client.stats().limit {
                    Limit::Outage { .. } => "Stripe cannot be reached",
                    Limit::Retrying => "retrying after a failed request",
                    _ => "no response yet",
                };
                tracing::warn!(why, "still waiting for Stripe to identify the account of this key");
                pause = NEXT_WARNING;
            }
        }
    }
}

/// A refusal may name the account. If a 403 does not, the configured account may still be correct.
fn account_of_refusal(
    error: StripeError,
    configured: Option<&AccountId>,
) -> Result<(AccountId, AccountSource), AccountError> {
    match &error.kind {
        StripeErrorKind::Unauthorized { expired: true } => Err(AccountError::KeyExpired(error)),
        StripeErrorKind::Unauthorized { expired: false } => Err(AccountError::KeyRejected(error)),
        StripeErrorKind::Denied { account, .. } => match (configured, account) {
            (Some(expected), Some(actual)) if expected != actual => {
                Err(AccountError::Mismatch { expected: expected.clone(), actual: actual.clone() })
            }
            (_, Some(account)) => Ok((account.clone(), AccountSource::Refusal)),
            (Some(account), None) => Ok((account.clone(), AccountSource::Configuration)),
            (None, None) => Err(AccountError::OwnAccountDenied(error)),
        },
        StripeErrorKind::ResourceMissing
        | StripeErrorKind::InvalidRequest
        | StripeErrorKind::Conflict
        | StripeErrorKind::RateLimited
        | StripeErrorKind::Unreachable
        | StripeErrorKind::Tls
        | StripeErrorKind::Timeout
        | StripeErrorKind::ConnectionLost
        | StripeErrorKind::Malformed
        | StripeErrorKind::TooLarge
        | StripeErrorKind::Server
        | StripeErrorKind::Redirected
        | StripeErrorKind::Setup => Err(AccountError::Failed(error)),
    }
}
