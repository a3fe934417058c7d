//! API keys and their permissions.

use std::collections::BTreeSet;

use crate::api_error::ApiError;

/// A key that the simulator knows: one that it accepts, or a revoked one.
#[derive(Clone, Debug)]
pub struct ApiKey {
    secret: String,
    denied: BTreeSet<String>,
    write_denied: BTreeSet<String>,
    account_denied: bool,
    revoked: bool,
}

impl ApiKey {
    /// Creates a key with all permissions: `sk_test_...`, `sk_live_...` or `rk_...`.
    pub fn new(secret: &str) -> Self {
        Self {
            secret: secret.to_owned(),
            denied: BTreeSet::new(),
            write_denied: BTreeSet::new(),
            account_denied: false,
            revoked: false,
        }
    }

    /// Removes the permission to read some object types. Requests for them are answered with 403.
    #[must_use]
    pub fn deny<'a>(mut self, objects: impl IntoIterator<Item = &'a str>) -> Self {
        self.denied.extend(objects.into_iter().map(ToOwned::to_owned));
        self
    }

    /// Removes the permission to write some object types.
    #[must_use]
    pub fn deny_write<'a>(mut self, objects: impl IntoIterator<Item = &'a str>) -> Self {
        self.write_denied.extend(objects.into_iter().map(ToOwned::to_owned));
        self
    }

    /// Removes the permission to read `/v1/account`. The message of the 403 response still names
    /// the account.
    #[must_use]
    pub fn deny_account(mut self) -> Self {
        self.account_denied = true;
        self
    }

    /// Revokes the key. Every request is answered with 401 and the code `api_key_expired`.
    #[must_use]
    pub fn revoke(mut self) -> Self {
        self.revoked = true;
        self
    }

    /// The secret of the key.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The first and last characters of the key, in the form that Stripe's messages use.
    fn masked(&self) -> String {
        let start: String = self.secret.chars().take(8).collect();
        let count = self.secret.chars().count();
        let end: String = self.secret.chars().skip(count.saturating_sub(4).max(8)).collect();
        format!("{start}***{end}")
    }

    /// Returns an error if the key has no permission to read the object type. The message is that
    /// of Stripe: <https://github.com/stripe/stripe-node/issues/2246>
    pub(crate) fn check_permission(
        &self,
        object: &str,
        is_own_account: bool,
        own_account: &str,
    ) -> Result<(), ApiError> {
        let denied =
            if is_own_account { self.account_denied } else { self.denied.contains(object) };
        if !denied {
            return Ok(());
        }
        let permission = match object {
            "account" => "rak_accounts_kyc_basic_read".to_owned(),
            other => format!("rak_{}_read", other.replace('.', "_")),
        };
        Err(self.missing_permission(&permission, own_account))
    }

    /// Returns an error if the key has no permission to write the object type.
    pub(crate) fn check_write_permission(
        &self,
        object: &str,
        own_account: &str,
    ) -> Result<(), ApiError> {
        if !self.denied.contains(object) && !self.write_denied.contains(object) {
            return Ok(());
        }
        let permission = format!("rak_{}_write", object.replace('.', "_"));
        Err(self.missing_permission(&permission, own_account))
    }

    fn missing_permission(&self, permission: &str, own_account: &str) -> ApiError {
        ApiError::new(
            403,
            &format!(
                "The provided key '{}' does not have the required permissions for this endpoint on account '{own_account}'. \
                 Having the '{permission}' permission would allow this request to continue.",
                self.masked()
            ),
        )
    }
}

/// Finds the key of an `Authorization` header, which contains it as the bearer token or as the user
/// name of basic authentication.
pub(crate) fn authenticate<'a>(
    keys: &'a [ApiKey],
    header: Option<&str>,
) -> Result<&'a ApiKey, ApiError> {
    let Some(header) = header else {
        return Err(ApiError::new(
            401,
            "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer \
             auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details.",
        ));
    };
    let (scheme, value) = header.split_once(' ').unwrap_or(("", header));
    let secret = if scheme.eq_ignore_ascii_case("basic") {
        let user = base64(value.trim()).unwrap_or_default();
        user.split(':').next().unwrap_or_default().to_owned()
    } else {
        value.trim().to_owned()
    };
    match keys.iter().find(|key| key.secret == secret) {
        Some(key) if key.revoked => {
            Err(ApiError::new(401, &format!("Expired API Key provided: {}", key.masked()))
                .code("api_key_expired"))
        }
        Some(key) => Ok(key),
        None => Err(ApiError::new(
            401,
            &format!("Invalid API Key provided: {}", ApiKey::new(&secret).masked()),
        )),
    }
}

fn base64(text: &str) -> Option<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0u32, 0u32);
    for byte in text.bytes().take_while(|b| *b != b'=') {
        bits = (bits << 6) | ALPHABET.iter().position(|a| *a == byte)? as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_authentication_schemes_find_the_key() {
        let keys = [ApiKey::new("sk_test_simulated"), ApiKey::new("rk_test_old").revoke()];
        for header in [
            "Bearer sk_test_simulated",
            "Basic c2tfdGVzdF9zaW11bGF0ZWQ6",
            "basic c2tfdGVzdF9zaW11bGF0ZWQ6eA==",
        ] {
            assert_eq!(authenticate(&keys, Some(header)).unwrap().secret(), "sk_test_simulated");
        }
        assert_eq!(authenticate(&keys, None).unwrap_err().status, 401);
        let unknown = authenticate(&keys, Some("Bearer sk_test_someone_elses_key")).unwrap_err();
        assert!(!unknown.message.contains("someone"), "{}", unknown.message);
        let revoked = authenticate(&keys, Some("Bearer rk_test_old")).unwrap_err();
        assert_eq!(revoked.code.as_deref(), Some("api_key_expired"));
    }
}
