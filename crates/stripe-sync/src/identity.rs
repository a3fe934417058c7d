//! The account and mode of a key, and the handle through which an account is read.

use crate::account::{AccountId, Mode};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::stripe::{
    AccountError, ClientOptions, RateOptions, StripeClient, Transport, TransportOptions,
    resolve_account,
};

/// The account and mode that a key belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// Live or test data.
    pub mode: Mode,
}

/// One Stripe account, as a key can read it: its identity, rate limits, clock and outages. Clones
/// share them.
#[derive(Clone)]
pub struct AccountHandle {
    client: StripeClient,
    identity: Identity,
    transport: Transport,
    options: ClientOptions,
}

impl AccountHandle {
    /// Asks Stripe which account the configuration's key belongs to. Does not use the database.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    /// There is no key, Stripe rejects it, or it does not say which account it belongs to.
    pub async fn open(config: &Config) -> Result<AccountHandle, Error> {
        let (transport, options, mode) = connection(config)?;
        let client = StripeClient::with_transport(transport.clone(), options.clone())?;
        let resolved = resolve_account(&client, config.account.as_ref()).await;
        let (account, _) = resolved.map_err(account_error)?;
        Ok(AccountHandle { client, identity: Identity { account, mode }, transport, options })
    }

    /// A handle for an account that is connected to this one. It sends `Stripe-Account` with the
    /// same key (<https://docs.stripe.com/connect/authentication>), shares connections with this
    /// handle, and has rate limits, a clock and outages of its own. Sends no request.
    ///
    /// # Errors
    /// The account cannot be sent as a header.
    pub fn connected(&self, account: AccountId) -> Result<AccountHandle, Error> {
        let options =
            ClientOptions { connected_account: Some(account.clone()), ..self.options.clone() };
        let client = StripeClient::with_transport(self.transport.clone(), options.clone())?;
        let identity = Identity { account, mode: self.identity.mode };
        Ok(AccountHandle { client, identity, transport: self.transport.clone(), options })
    }

    /// The account and its mode.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn client(&self) -> &StripeClient {
        &self.client
    }
}

/// A client with the configuration's key.
pub(crate) fn client(config: &Config) -> Result<(StripeClient, Mode), Error> {
    let (transport, options, mode) = connection(config)?;
    Ok((StripeClient::with_transport(transport, options)?, mode))
}

fn connection(config: &Config) -> Result<(Transport, ClientOptions, Mode), Error> {
    let Some(key) = config.key.clone() else {
        return Err(Error::new(ErrorKind::Usage, "no Stripe key is configured").with_hint(
            "set STRIPE_SECRET_KEY to a secret key (sk_...) or a restricted key (rk_...) \
             from https://dashboard.stripe.com/apikeys",
        ));
    };
    let mode = key.mode();
    let version = config.api_version.clone();
    let version = version.unwrap_or_else(|| Catalog::get().api_version.clone());
    let mut options = ClientOptions::new(key, version);
    options.rate = config.rate.unwrap_or(RateOptions::Documented { mode });
    options.max_outage = config.max_outage;
    let transport = Transport::new(TransportOptions {
        base: config.api_base.clone(),
        request_timeout: config.request_timeout,
        ..TransportOptions::default()
    })?;
    Ok((transport, options, mode))
}

pub(crate) fn account_error(error: AccountError) -> Error {
    let message = error.to_string();
    match error {
        // The only variant with a cause of its own: the request failed.
        AccountError::Failed(ref cause) => {
            let hint = cause.hint().unwrap_or(
                "correct --api-version and --api-base (or their variables) if they are set",
            );
            let code = cause.code_name();
            let hint = hint.to_owned();
            Error::new(ErrorKind::Stripe, message).caused_by(error).with_hint(hint).with_code(code)
        }
        // A closed account and a missing permission give the same response, except for Stripe's
        // text.
        AccountError::OwnAccountDenied(ref cause) => {
            let code = cause.code_name();
            let (what, hint) = message.split_once("; ").unwrap_or((&message, ""));
            let (what, hint) = (what.to_owned(), hint.to_owned());
            Error::new(ErrorKind::Access, what).caused_by(error).with_hint(hint).with_code(code)
        }
        // A valid key can be rejected for another reason, such as an allowlist of IP addresses.
        AccountError::KeyRejected(ref cause) | AccountError::KeyExpired(ref cause) => {
            let code = cause.code_name();
            let said = cause.message.as_deref().filter(|said| !said.starts_with("Invalid API Key"));
            let message = match said {
                Some(said) => format!("{message}; Stripe says: {said}"),
                None => message,
            };
            Error::new(ErrorKind::Access, message).with_code(code)
        }
        AccountError::Mismatch { .. } => {
            Error::new(ErrorKind::Access, message).with_code("account_mismatch")
        }
        AccountError::MissingId => {
            Error::new(ErrorKind::Access, message).with_code("account_unknown")
        }
    }
}
