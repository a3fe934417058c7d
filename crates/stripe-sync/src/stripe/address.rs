//! The address of the API: https to any host, plain http only to this machine.
//!
//! The key is sent there, so an address that could expose it is rejected before use.

use std::fmt;

use reqwest::Url;

use super::path::ApiPath;

const STRIPE: &str = "https://api.stripe.com";

/// The origin that all requests go to: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiBase {
    origin: Url,
}

impl ApiBase {
    /// Parses an address such as `https://api.stripe.com` or `http://127.0.0.1:12111`.
    ///
    /// # Errors
    /// [`ApiBaseError`] unless the text is a bare https origin, or a bare http origin on loopback
    /// (`127.0.0.0/8`, `::1`, `localhost`). No message repeats the text, which may contain a
    /// password.
    pub fn parse(text: &str) -> Result<ApiBase, ApiBaseError> {
        let url = Url::parse(text.trim()).map_err(|_| ApiBaseError::NotAUrl)?;
        if !url.has_host() {
            return Err(ApiBaseError::NotAUrl);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(ApiBaseError::PlainHttp),
            _ => return Err(ApiBaseError::NotAUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ApiBaseError::UserInfo);
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(ApiBaseError::MoreThanOrigin);
        }
        Ok(ApiBase { origin: url })
    }

    /// Whether requests stay on this machine and are not encrypted.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.origin.scheme() == "http"
    }

    /// The full URL of a request.
    pub(super) fn join(&self, path: &ApiPath, query: &[(String, String)]) -> Url {
        let mut url = self.origin.clone();
        url.set_path(path.as_str());
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

impl Default for ApiBase {
    fn default() -> ApiBase {
        ApiBase::parse(STRIPE).expect("Stripe's own address is a bare https origin")
    }
}

impl fmt::Display for ApiBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin.as_str().trim_end_matches('/'))
    }
}

/// Whether the host of a url is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return v6.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    host == "localhost"
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Why a text cannot be the address of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ApiBaseError {
    /// No scheme, no host, or another scheme.
    #[error("the API base is not an http(s) URL; write it like https://api.stripe.com")]
    NotAUrl,
    /// The key would cross the network in clear text.
    #[error(
        "the API base uses http to another machine, which would expose the key on the network; use https"
    )]
    PlainHttp,
    /// `user:password@host`
    #[error("the API base contains a user name or password; remove it")]
    UserInfo,
    /// A path, a query or a fragment.
    #[error(
        "the API base contains more than scheme, host and port; remove the rest (/v1 is added automatically)"
    )]
    MoreThanOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_anywhere_and_http_on_loopback() {
        for (text, shown) in [
            ("https://api.stripe.com", "https://api.stripe.com"),
            (" https://proxy.example:8443/ ", "https://proxy.example:8443"),
            ("http://127.0.0.1:12111", "http://127.0.0.1:12111"),
            ("http://127.9.9.9", "http://127.9.9.9"),
            ("http://[::1]:80", "http://[::1]"),
            ("http://LOCALHOST:1", "http://localhost:1"),
        ] {
            assert_eq!(ApiBase::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(ApiBase::default().to_string(), "https://api.stripe.com");
    }

    #[test]
    fn addresses_that_could_expose_the_key_are_rejected() {
        use ApiBaseError::*;
        for (text, error) in [
            ("", NotAUrl),
            ("api.stripe.com", NotAUrl),
            ("localhost:12111", NotAUrl),
            ("ftp://127.0.0.1", NotAUrl),
            ("http://api.stripe.com", PlainHttp),
            ("http://10.0.0.1", PlainHttp),
            ("http://localhost.example", PlainHttp),
            ("http://127.0.0.1.example", PlainHttp),
            ("http://[::ffff:127.0.0.1]", PlainHttp),
            ("http://127.0.0.1@evil.example", PlainHttp),
            ("https://user:hunter2@api.stripe.com", UserInfo),
            ("https://user@api.stripe.com", UserInfo),
            ("https://api.stripe.com/v1", MoreThanOrigin),
            ("https://api.stripe.com/?x=hunter2", MoreThanOrigin),
            ("https://api.stripe.com/#x", MoreThanOrigin),
        ] {
            let found = ApiBase::parse(text).unwrap_err();
            assert_eq!(found, error, "{text}");
            assert!(!found.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn paths_and_queries_are_encoded_once() {
        let base = ApiBase::default();
        let path = ApiPath::with_segment("/v1/coupons/{coupon}", "a/b?c#d% é").unwrap();
        let query = [("created[gte]".to_owned(), "1 &2".to_owned())];
        assert_eq!(
            base.join(&path, &query).as_str(),
            "https://api.stripe.com/v1/coupons/a%2Fb%3Fc%23d%25%20%C3%A9?created%5Bgte%5D=1+%262"
        );
        assert_eq!(
            base.join(&ApiPath::list("/v1/charges"), &[]).as_str(),
            "https://api.stripe.com/v1/charges"
        );
    }
}
