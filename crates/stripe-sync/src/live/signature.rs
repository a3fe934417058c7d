//! Verifies the signature of a webhook: an HMAC-SHA256 of the time and the raw body, with the
//! endpoint's secret as the key (<https://docs.stripe.com/webhooks#verify-manually>). Pure.
//!
//! Each `v1` signature is compared with each secret in constant time, and none is skipped after a
//! match.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::hmac;
use secrecy::{ExposeSecret, SecretString};

/// How old a signature may be, as in Stripe's libraries.
pub(crate) const DEFAULT_TOLERANCE: Duration = Duration::from_secs(300);
/// Stripe sends one signature per valid secret; more than this many are not compared.
const MOST_SIGNATURES: usize = 32;

/// The signing secret of a webhook endpoint, `whsec_...`.
///
/// `Debug` shows no part of it.
#[derive(Clone)]
pub struct WebhookSecret(SecretString);

/// Why a text cannot be a webhook secret. No message repeats the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookSecretError {
    /// Nothing, or only whitespace.
    #[error("the webhook secret is empty")]
    Empty,
    /// Whitespace or quotes around it, or inside it.
    #[error("the webhook secret contains whitespace or quotes; remove them")]
    WhiteSpace,
    /// An API key in place of the secret.
    #[error(
        "the webhook secret is an API key; use the signing secret of the endpoint, which begins with whsec_"
    )]
    ApiKey,
    /// Another text.
    #[error(
        "the webhook secret does not begin with whsec_; copy the signing secret of the endpoint from \
         https://dashboard.stripe.com/webhooks"
    )]
    Prefix,
}

impl WebhookSecret {
    /// Checks the form of a secret.
    ///
    /// # Errors
    /// See [`WebhookSecretError`].
    pub fn parse(text: &str) -> Result<WebhookSecret, WebhookSecretError> {
        if text.trim().is_empty() {
            return Err(WebhookSecretError::Empty);
        }
        let is_bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'');
        if text.contains(is_bad) {
            return Err(WebhookSecretError::WhiteSpace);
        }
        if ["sk_", "rk_", "pk_"].iter().any(|prefix| text.starts_with(prefix)) {
            return Err(WebhookSecretError::ApiKey);
        }
        if text.strip_prefix("whsec_").is_none_or(str::is_empty) {
            return Err(WebhookSecretError::Prefix);
        }
        Ok(WebhookSecret(text.to_owned().into()))
    }
}

impl WebhookSecret {
    /// The secret, for the caller to show or store.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// Why a webhook is rejected. No message repeats the header or the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("Webhook signature verification failed: the request has no Stripe-Signature header")]
    MissingHeader,
    #[error(
        "Webhook signature verification failed: unable to extract timestamp and signatures from header"
    )]
    Malformed,
    #[error("Webhook signature verification failed: timestamp outside the tolerance zone")]
    TooOld,
    #[error(
        "Webhook signature verification failed: No signatures found matching the expected signature \
         for payload"
    )]
    NoMatch {
        /// The body has no line break. Stripe indents the JSON that it signs.
        reserialized: bool,
    },
}

impl SignatureError {
    pub(crate) fn hint(self) -> &'static str {
        match self {
            SignatureError::MissingHeader => {
                "pass the value of the header Stripe-Signature; requests without it are not from Stripe"
            }
            SignatureError::Malformed => {
                "pass the header Stripe-Signature unchanged; it looks like t=1700000000,v1=..."
            }
            SignatureError::TooOld => {
                "set the clock of this machine, or raise the tolerance if deliveries are queued on their way"
            }
            SignatureError::NoMatch { reserialized: true } => {
                "pass the raw body of the request, byte for byte: this one was parsed and serialized again"
            }
            SignatureError::NoMatch { reserialized: false } => {
                "use the signing secret of this endpoint (each endpoint has its own, and `stripe listen` \
                 prints another one), and pass the raw body of the request"
            }
        }
    }
}

/// The parts of a header that are needed. Schemes other than `v1` are ignored: `v0` is not a
/// signature.
struct Header<'a> {
    timestamp: i64,
    signatures: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn read(text: &'a str) -> Option<Header<'a>> {
        let (mut timestamp, mut signatures) = (None, Vec::new());
        for part in text.split(',') {
            match part.trim().split_once('=')? {
                ("t", value) => timestamp = Some(value.parse().ok()?),
                ("v1", value) => signatures.push(value),
                _ => {}
            }
        }
        signatures.truncate(MOST_SIGNATURES);
        Some(Header { timestamp: timestamp?, signatures })
    }
}

/// Verifies that a body was signed with one of the secrets, not longer than `tolerance` before
/// `now`. A time in the future is accepted, as in Stripe's libraries: only replays are old.
///
/// # Errors
/// See [`SignatureError`].
pub(crate) fn verify(
    body: &[u8],
    header: Option<&str>,
    secrets: &[WebhookSecret],
    tolerance: Duration,
    now: SystemTime,
) -> Result<(), SignatureError> {
    let header = header.filter(|header| !header.trim().is_empty());
    let header = header.ok_or(SignatureError::MissingHeader)?;
    let Header { timestamp, signatures } = Header::read(header).ok_or(SignatureError::Malformed)?;
    if signatures.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let mut signed = timestamp.to_string().into_bytes();
    signed.push(b'.');
    signed.extend_from_slice(body);
    let mut matches = 0_u32;
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.0.expose_secret().as_bytes());
        for signature in &signatures {
            let tag = hex(signature).unwrap_or_default();
            matches += u32::from(hmac::verify(&key, &signed, &tag).is_ok());
        }
    }
    if matches == 0 {
        let reserialized = !body.contains(&b'\n');
        return Err(SignatureError::NoMatch { reserialized });
    }
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    };
    let tolerance = i64::try_from(tolerance.as_secs()).unwrap_or(i64::MAX);
    match seconds(now).saturating_sub(timestamp) > tolerance {
        true => Err(SignatureError::TooOld),
        false => Ok(()),
    }
}

/// Decodes lower-case hexadecimal digits, the only form in which Stripe writes signatures.
fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const BODY: &[u8] = b"{\n  \"id\": \"evt_1\"\n}";
    const T: i64 = 1_700_000_000;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::parse(text).expect("a secret")
    }

    fn sign(secret: &str, t: i64, body: &[u8]) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut signed = format!("{t}.").into_bytes();
        signed.extend_from_slice(body);
        hmac::sign(&key, &signed).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn at(second: i64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(second.unsigned_abs())
    }

    fn check(header: &str, secrets: &[&str], now: i64) -> Result<(), SignatureError> {
        let secrets: Vec<WebhookSecret> = secrets.iter().map(|text| secret(text)).collect();
        verify(BODY, Some(header), &secrets, DEFAULT_TOLERANCE, at(now))
    }

    #[test]
    fn any_signature_of_any_secret_is_enough() {
        let (good, bad) = (sign("whsec_a", T, BODY), sign("whsec_x", T, BODY));
        for header in [
            format!("t={T},v1={good}"),
            format!("t={T},v1={bad},v1={good},v0={bad}"),
            format!("v1={good}, t={T}"),
            format!("t={T},v1=zz,v1=,v1={good}"),
        ] {
            assert_eq!(check(&header, &["whsec_b", "whsec_a"], T), Ok(()), "{header}");
        }
        let none = Err(SignatureError::NoMatch { reserialized: false });
        for header in [
            format!("t={T},v1={bad}"),
            format!("t={T},v1={}", good.to_uppercase()),
            format!("t={T},v1={good}0"),
            format!("t={},v1={good}", T + 1),
        ] {
            assert_eq!(check(&header, &["whsec_a"], T), none, "{header}");
        }
        assert_eq!(check(&format!("t={T},v1={good}"), &[], T), none);
    }

    #[test]
    fn only_an_old_time_is_refused() {
        let header = format!("t={T},v1={}", sign("whsec_a", T, BODY));
        for (now, expected) in
            [(T - 100_000, Ok(())), (T + 300, Ok(())), (T + 301, Err(SignatureError::TooOld))]
        {
            assert_eq!(check(&header, &["whsec_a"], now), expected, "{now}");
        }
    }

    #[test]
    fn a_malformed_signature_header_is_rejected() {
        for header in ["t=1", "v1=00", "t=x,v1=00", "whatever", "t=1,v0=00", "t=1,,v1=00"] {
            assert_eq!(check(header, &["whsec_a"], T), Err(SignatureError::Malformed), "{header}");
        }
        for header in [None, Some(""), Some(" ")] {
            let error = verify(BODY, header, &[], DEFAULT_TOLERANCE, at(T));
            assert_eq!(error, Err(SignatureError::MissingHeader));
        }
    }

    #[test]
    fn the_hint_explains_a_reserialized_body() {
        let header = format!("t={T},v1={}", sign("whsec_a", T, BODY));
        let secrets = [secret("whsec_a")];
        let body = br#"{"id":"evt_1"}"#;
        let error = verify(body, Some(&header), &secrets, DEFAULT_TOLERANCE, at(T)).unwrap_err();
        assert!(error.hint().contains("raw body"), "{error}");
        assert!(error.to_string().contains("No signatures found matching the expected signature"));
    }

    #[test]
    fn a_secret_is_checked_and_never_shown() {
        for (text, error) in [
            ("", WebhookSecretError::Empty),
            (" ", WebhookSecretError::Empty),
            ("whsec_a\n", WebhookSecretError::WhiteSpace),
            ("\"whsec_a\"", WebhookSecretError::WhiteSpace),
            ("sk_test_a", WebhookSecretError::ApiKey),
            ("we_1", WebhookSecretError::Prefix),
            ("whsec_", WebhookSecretError::Prefix),
        ] {
            assert_eq!(WebhookSecret::parse(text).err(), Some(error), "{text:?}");
        }
        assert_eq!(format!("{:?}", secret("whsec_a")), "WebhookSecret(..)");
    }

    /// Reads the file that `cargo xtask signatures` writes.
    #[test]
    #[ignore = "needs Stripe's libraries; `cargo xtask signatures` runs it"]
    fn signatures_of_stripes_libraries_verify() {
        let path = std::env::var("STRIPE_SIGNATURES").expect("set by `cargo xtask signatures`");
        let text = std::fs::read_to_string(path).expect("the file");
        let libraries: Vec<Vec<BTreeMap<String, String>>> =
            serde_json::from_str(&text).expect("signatures");
        assert_eq!(libraries.len(), 2, "Python and Node");
        for signed in libraries.iter().flatten() {
            let secrets = [secret("whsec_other"), secret(&signed["secret"])];
            let (body, header) = (signed["body"].as_bytes(), Some(&*signed["header"]));
            let now = SystemTime::now();
            assert_eq!(verify(body, header, &secrets, DEFAULT_TOLERANCE, now), Ok(()));
            let others = verify(body, header, &secrets[..1], DEFAULT_TOLERANCE, now);
            assert_eq!(others, Err(SignatureError::NoMatch { reserialized: false }));
        }
        println!("verified {} signatures", libraries.iter().flatten().count());
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in ".{0,80}", body in ".{0,40}") {
            let secrets = [secret("whsec_a")];
            let result = verify(body.as_bytes(), Some(&header), &secrets, DEFAULT_TOLERANCE, at(T));
            proptest::prop_assert!(result.is_err());
        }
    }
}
