//! The URL of a webhook endpoint, checked before anything is sent to Stripe. Pure.

use reqwest::Url;

use crate::account::Mode;
use crate::config::Config;
use crate::stripe::is_loopback;

/// Where Stripe sends webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointUrl(Url);

/// Why Stripe cannot deliver to a URL. No message repeats the URL, which may contain a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointUrlError {
    /// No scheme, no host, or another scheme.
    #[error(
        "the URL of the endpoint is not an http(s) URL; write it like \
         https://example.com/webhooks"
    )]
    NotAUrl,
    /// `user:password@host`
    #[error("the URL of the endpoint contains a user name or password; remove it")]
    UserInfo,
    /// Stripe requires https in live mode (<https://docs.stripe.com/webhooks>).
    #[error(
        "the URL of the endpoint uses http, but in live mode Stripe delivers only to https; give \
         an https URL"
    )]
    PlainHttp,
    /// An address of this machine or on a private network.
    #[error(
        "the URL of the endpoint is on a private network, which Stripe cannot reach; give a public \
         URL, or use `stripe-sync follow`, which needs none"
    )]
    Private,
}

impl EndpointUrl {
    /// Checks a URL for the account that `config` has the key of. Private addresses are accepted
    /// if the API itself is on this machine, as a simulator is.
    ///
    /// # Errors
    /// See [`EndpointUrlError`].
    pub fn parse(text: &str, config: &Config) -> Result<EndpointUrl, EndpointUrlError> {
        let mode = config.key.as_ref().map_or(Mode::Live, crate::ApiKey::mode);
        check(text, mode, config.api_base.is_plain_http()).map(EndpointUrl)
    }

    /// The URL in its normal form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether another text is the same URL.
    pub(super) fn is(&self, other: &str) -> bool {
        Url::parse(other).is_ok_and(|other| other == self.0)
    }
}

fn check(text: &str, mode: Mode, is_local_api: bool) -> Result<Url, EndpointUrlError> {
    let url = Url::parse(text.trim()).map_err(|_| EndpointUrlError::NotAUrl)?;
    if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
        return Err(EndpointUrlError::NotAUrl);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointUrlError::UserInfo);
    }
    if is_local_api {
        return Ok(url);
    }
    if is_private(&url) {
        return Err(EndpointUrlError::Private);
    }
    if url.scheme() == "http" && mode == Mode::Live {
        return Err(EndpointUrlError::PlainHttp);
    }
    Ok(url)
}

/// Whether the host can only be reached from this machine or its network.
fn is_private(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    if let Ok(address) = host.parse::<std::net::Ipv4Addr>() {
        return address.is_private()
            || address.is_loopback()
            || address.is_link_local()
            || address.is_unspecified();
    }
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    if let Some(address) = v6.and_then(|text| text.parse::<std::net::Ipv6Addr>().ok()) {
        return address.is_loopback()
            || address.is_unspecified()
            || address.is_unique_local()
            || address.is_unicast_link_local();
    }
    // A name without a dot exists only on a local network.
    is_loopback(url)
        || !host.contains('.')
        || [".localhost", ".local", ".internal"].iter().any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_stripe_can_reach_are_accepted() {
        use EndpointUrlError::{NotAUrl, PlainHttp, Private, UserInfo};
        for (text, mode, expected) in [
            ("https://example.com/webhooks?token=a", Mode::Live, None),
            (" https://93.184.216.34/ ", Mode::Live, None),
            ("http://example.com/webhooks", Mode::Test, None),
            ("http://example.com/webhooks", Mode::Live, Some(PlainHttp)),
            ("", Mode::Live, Some(NotAUrl)),
            ("example.com/webhooks", Mode::Live, Some(NotAUrl)),
            ("ftp://example.com", Mode::Live, Some(NotAUrl)),
            ("https://user:hunter2@example.com", Mode::Live, Some(UserInfo)),
            ("http://localhost:8080/webhooks", Mode::Test, Some(Private)),
            ("https://127.0.0.1/", Mode::Test, Some(Private)),
            ("https://10.1.2.3/", Mode::Test, Some(Private)),
            ("https://192.168.0.1/", Mode::Test, Some(Private)),
            ("https://169.254.169.254/", Mode::Test, Some(Private)),
            ("https://[::1]/", Mode::Test, Some(Private)),
            ("https://[fd00::1]/", Mode::Test, Some(Private)),
            ("https://billing/webhooks", Mode::Test, Some(Private)),
            ("https://mac.local./webhooks", Mode::Test, Some(Private)),
        ] {
            assert_eq!(check(text, mode, false).err(), expected, "{text}");
        }
        assert!(check("http://127.0.0.1:9/webhooks", Mode::Live, true).is_ok());
    }

    #[test]
    fn urls_are_compared_in_their_normal_form() {
        let url = check("https://Example.com:443/a", Mode::Live, false).map(EndpointUrl);
        let url = url.expect("a url");
        assert!(url.is("https://example.com/a"));
        assert!(!url.is("https://example.com/a/") && !url.is("not a url"));
    }
}
