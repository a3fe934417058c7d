//! Which account a key reads, and whether it reads anything at all.

use std::time::Duration;

use super::client::StripeClient;
use super::error::{StripeError, StripeErrorKind};
use super::request::Request;
use super::stats::Limit;
use crate::account::AccountId;

/// When it is said first, and how often then, that Stripe has not answered.
const FIRST_SIGN: Duration = Duration::from_secs(10);
const NEXT_SIGN: Duration = Duration::from_secs(60);

/// Why no account could be settled. Nothing may be written then.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// 401.
    #[error(
        "stripe does not know this key; it may be mistyped, deleted or of another account: copy it again from the Dashboard, Developers, API keys"
    )]
    KeyUnknown(#[source] StripeError),
    /// 401, with a code that says so.
    #[error("this key has expired; make a new one in the Dashboard, Developers, API keys")]
    KeyExpired(#[source] StripeError),
    /// A restricted key that may not read its own account.
    #[error(
        "the key may not say which account it belongs to; pass --account acct_... (the Dashboard shows it under Settings, Account details)"
    )]
    NotNamed(#[source] StripeError),
    /// The answer has no id.
    #[error(
        "stripe's answer to GET /v1/account has no account id; pass --account acct_..., or correct --api-base if that is not stripe"
    )]
    NoId,
    /// Storing one account's data under another's id would mix them for good.
    #[error(
        "the key reads account {actual}, not {asked}; leave --account out, or give a key of {asked}"
    )]
    Other {
        /// What was asked for.
        asked: AccountId,
        /// What Stripe says.
        actual: AccountId,
    },
    /// Anything else.
    #[error("cannot ask stripe for the account of this key")]
    Failed(#[source] StripeError),
}

/// How the account of a key is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountSource {
    /// `GET /v1/account` says so.
    Stripe,
    /// The refusal of `GET /v1/account` names it.
    Refusal,
    /// The configuration says so, and Stripe neither confirms nor denies it.
    Configuration,
}

/// Proves that the key works and settles whose data it reads: the account that was asked for, else
/// the one that Stripe names, be it in the refusal of a restricted key
/// (<https://github.com/stripe/stripe-node/issues/2246>).
///
/// # Errors
/// [`AccountError`] says what to do. With an explicit account a 403 is none: the key may read other
/// things.
pub(crate) async fn resolve_account(
    client: &StripeClient,
    explicit: Option<&AccountId>,
) -> Result<(AccountId, AccountSource), AccountError> {
    let request = Request::to_list("/v1/account");
    let answer = match with_signs_of_life(client, client.get(&request)).await {
        Ok(answer) => answer,
        Err(error) => return account_despite(error, explicit),
    };
    #[derive(serde::Deserialize)]
    struct Account {
        id: Option<String>,
    }
    let id = serde_json::from_str::<Account>(&answer.body).ok().and_then(|account| account.id);
    let named = id.as_deref().and_then(AccountId::parse);
    match (explicit.cloned(), named) {
        (Some(asked), Some(actual)) if asked != actual => {
            Err(AccountError::Other { asked, actual })
        }
        (_, Some(account)) => Ok((account, AccountSource::Stripe)),
        (Some(account), None) => Ok((account, AccountSource::Configuration)),
        (None, None) => Err(AccountError::NoId),
    }
}

/// The first request has nobody to show its progress, and can wait for minutes.
async fn with_signs_of_life<T>(client: &StripeClient, answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let mut pause = FIRST_SIGN;
    loop {
        match tokio::time::timeout(pause, &mut answer).await {
            Ok(answer) => return answer,
            Err(_) => {
                let why = match client.stats().limit {
                    Limit::Outage { .. } => "it cannot be reached",
                    Limit::Retrying => "it asks to wait, or answers nothing of use",
                    _ => "no answer yet",
                };
                tracing::warn!(why, "stripe has not said whose key this is; still asking");
                pause = NEXT_SIGN;
            }
        }
    }
}

fn account_despite(
    error: StripeError,
    explicit: Option<&AccountId>,
) -> Result<(AccountId, AccountSource), AccountError> {
    match &error.kind {
        StripeErrorKind::Unauthorized { expired: true } => Err(AccountError::KeyExpired(error)),
        StripeErrorKind::Unauthorized { expired: false } => Err(AccountError::KeyUnknown(error)),
        StripeErrorKind::Denied { account, .. } => match (explicit, account) {
            (Some(asked), Some(actual)) if asked != actual => {
                Err(AccountError::Other { asked: asked.clone(), actual: actual.clone() })
            }
            (_, Some(account)) => Ok((account.clone(), AccountSource::Refusal)),
            (Some(account), None) => Ok((account.clone(), AccountSource::Configuration)),
            (None, None) => Err(AccountError::NotNamed(error)),
        },
        StripeErrorKind::ResourceMissing
        | StripeErrorKind::InvalidRequest
        | StripeErrorKind::Conflict
        | StripeErrorKind::RateLimited
        | StripeErrorKind::Unreachable
        | StripeErrorKind::Tls
        | StripeErrorKind::Timeout
        | StripeErrorKind::Broken
        | StripeErrorKind::Malformed
        | StripeErrorKind::TooLarge
        | StripeErrorKind::Server
        | StripeErrorKind::Redirected
        | StripeErrorKind::Setup => Err(AccountError::Failed(error)),
    }
}
