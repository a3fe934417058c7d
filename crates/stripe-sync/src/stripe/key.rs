//! The secret key: validated before use, never printed.
//!
//! Most failed first runs are caused by a wrongly copied key, so each mistake has its own message,
//! which says what to do and never repeats the key.

use std::fmt;

use reqwest::header::{HeaderValue, InvalidHeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::account::Mode;

/// Stripe's own tools accept keys as short as `sk_test_123`; anything shorter is incomplete.
const SHORTEST_SECRET: usize = 3;

/// A secret or restricted Stripe key (<https://docs.stripe.com/keys>).
///
/// `Debug` and `Display` show only its prefix.
#[derive(Clone)]
pub struct ApiKey {
    secret: SecretString,
    prefix: &'static str,
    mode: Mode,
}

const PREFIXES: [(&str, Mode); 4] = [
    ("sk_live_", Mode::Live),
    ("sk_test_", Mode::Test),
    ("rk_live_", Mode::Live),
    ("rk_test_", Mode::Test),
];

impl ApiKey {
    /// Parses a key, ignoring whitespace around it.
    ///
    /// # Errors
    /// [`KeyError`] says why the text cannot be a key that reads an account.
    pub fn parse(text: &str) -> Result<ApiKey, KeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.chars().any(char::is_whitespace) {
            return Err(KeyError::WhiteSpace);
        }
        if text.contains(['"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}']) {
            return Err(KeyError::Quoted);
        }
        let Some((prefix, mode)) =
            PREFIXES.into_iter().find(|(prefix, _)| text.starts_with(prefix))
        else {
            return Err(KeyError::from_unknown_prefix(text));
        };
        let secret = &text[prefix.len()..];
        if !secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err(KeyError::IllegalCharacter);
        }
        if secret.len() < SHORTEST_SECRET {
            return Err(KeyError::TooShort);
        }
        Ok(ApiKey { secret: SecretString::from(text), prefix, mode })
    }

    /// The mode whose data this key reads.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether this is a restricted key (`rk_`), which reads only what its permissions allow.
    pub fn is_restricted(&self) -> bool {
        self.prefix.starts_with("rk_")
    }

    /// The kind of key, such as `sk_test_...`; safe to print.
    pub fn hint(&self) -> String {
        format!("{}...", self.prefix)
    }

    /// The `Authorization` header, marked sensitive so that no log of headers shows it.
    pub(super) fn authorization(&self) -> Result<HeaderValue, InvalidHeaderValue> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", self.secret.expose_secret()))?;
        header.set_sensitive(true);
        Ok(header)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}...)", self.prefix)
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}...", self.prefix)
    }
}

/// Why a text cannot be used as a key. No message contains the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing but whitespace.
    #[error(
        "the Stripe key is empty; set STRIPE_SECRET_KEY to a secret key (sk_...) or a restricted key (rk_...) from the Dashboard, Developers, API keys"
    )]
    Empty,
    /// `pk_...`
    #[error(
        "this is a publishable key (pk_), which cannot read data; copy the secret key (sk_...) or a restricted key (rk_...) from the Dashboard"
    )]
    Publishable,
    /// `whsec_...`
    #[error(
        "this is a webhook signing secret (whsec_), not an API key; copy the secret key (sk_...) or a restricted key (rk_...) from the Dashboard"
    )]
    WebhookSecret,
    /// `sk_org_...`
    #[error(
        "organization keys (sk_org_) are not supported yet; use a secret key (sk_...) or a restricted key (rk_...) of one account"
    )]
    Organization,
    /// A space, tab or line break inside.
    #[error("the Stripe key contains whitespace; copy it again without spaces or line breaks")]
    WhiteSpace,
    /// A quotation mark, usually left over from a shell or an .env file.
    #[error("the Stripe key contains a quotation mark; pass it without quotes")]
    Quoted,
    /// Anything else.
    #[error(
        "this is not a Stripe key; keys begin with sk_live_, sk_test_, rk_live_ or rk_test_; copy yours from the Dashboard, Developers, API keys"
    )]
    Prefix,
    /// Incomplete.
    #[error("the Stripe key ends right after its prefix; copy the whole key")]
    TooShort,
    /// Such as the dots or stars of a key that the Dashboard abbreviates.
    #[error(
        "the Stripe key contains a character that keys never contain; reveal it in the Dashboard and copy the whole key"
    )]
    IllegalCharacter,
}

impl KeyError {
    fn from_unknown_prefix(text: &str) -> KeyError {
        let known = [
            ("pk_", KeyError::Publishable),
            ("whsec_", KeyError::WebhookSecret),
            ("sk_org_", KeyError::Organization),
        ];
        let found = known.into_iter().find(|(prefix, _)| text.starts_with(prefix));
        found.map_or(KeyError::Prefix, |(_, error)| error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parsed_with_mode_and_kind() {
        for (text, mode, restricted, hint) in [
            ("sk_live_4eC39HqLyjW", Mode::Live, false, "sk_live_..."),
            (" sk_test_123\n", Mode::Test, false, "sk_test_..."),
            ("rk_live_51_ab", Mode::Live, true, "rk_live_..."),
            ("\trk_test_abc", Mode::Test, true, "rk_test_..."),
        ] {
            let key = ApiKey::parse(text).unwrap();
            assert_eq!((key.mode(), key.is_restricted()), (mode, restricted), "{text}");
            assert_eq!(key.hint(), hint);
        }
    }

    #[test]
    fn each_mistake_has_its_own_message_and_none_repeats_the_key() {
        use KeyError::*;
        for (text, error) in [
            ("", Empty),
            (" \n", Empty),
            ("pk_live_SeCrEtSeCrEt", Publishable),
            ("whsec_SeCrEtSeCrEt", WebhookSecret),
            ("sk_org_live_SeCrEtSeCrEt", Organization),
            ("sk_test_SeCrEt SeCrEt", WhiteSpace),
            ("sk_test_SeCrEt\nSeCrEt", WhiteSpace),
            ("\"sk_test_SeCrEtSeCrEt\"", Quoted),
            ("sk_SeCrEtSeCrEt", Prefix),
            ("SK_TEST_SeCrEtSeCrEt", Prefix),
            ("acct_SeCrEtSeCrEt", Prefix),
            ("sk_test_", TooShort),
            ("sk_test_SeCrEt...", IllegalCharacter),
            ("sk_test_****SeCrEt", IllegalCharacter),
            ("sk_test_SeCrEt\u{0}", IllegalCharacter),
            ("sk_test_SeCrEté", IllegalCharacter),
        ] {
            let found = ApiKey::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("SeCrEt"), "{found}");
        }
    }

    #[test]
    fn a_printed_key_shows_only_its_prefix() {
        let key = ApiKey::parse("sk_live_SeCrEtSeCrEt").unwrap();
        let header = key.authorization().unwrap();
        for shown in [format!("{key:?}"), format!("{key}"), key.hint(), format!("{header:?}")] {
            assert!(!shown.contains("SeCrEt"), "{shown}");
        }
    }
}
