//! Paths of requests, built so that no id and no response can send a request elsewhere.
//!
//! An id becomes one percent-encoded segment, whatever characters it contains. A URL from a
//! response is accepted only if it is a plain path below `/v1/` or `/v2/`.

use std::fmt;
use std::fmt::Write as _;

use reqwest::Url;

/// A path that begins with `/v1/` or `/v2/`, percent-encoded, without query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ApiPath(String);

impl ApiPath {
    /// A path from the catalog. The catalog is part of the program, so only debug builds check it.
    pub(crate) fn list(path: &str) -> ApiPath {
        debug_assert!(is_api_path(path) && !path.contains(['{', '?', '#']), "{path}");
        ApiPath(path.to_owned())
    }

    /// Replaces the single `{...}` of a template such as `/v1/coupons/{coupon}` with an id.
    ///
    /// # Errors
    /// [`BadId`] if the id is empty, `.` or `..`: these change the path however they are encoded.
    pub(crate) fn with_segment(template: &str, id: &str) -> Result<ApiPath, BadId> {
        match id {
            "" => return Err(BadId::Empty),
            "." | ".." => return Err(BadId::Dots),
            _ => {}
        }
        let (before, rest) = template.split_once('{').ok_or(BadId::Template)?;
        let (_, after) = rest.split_once('}').ok_or(BadId::Template)?;
        if after.contains('{') || !is_api_path(before) {
            return Err(BadId::Template);
        }
        let mut path = String::with_capacity(template.len() + id.len());
        path.push_str(before);
        encode_segment(id, &mut path);
        path.push_str(after);
        Ok(ApiPath(path))
    }

    /// A URL from a response (`url`, `next_page_url`), with its query decoded.
    ///
    /// `None` unless it is a path below `/v1/` or `/v2/` that no parser can change: no scheme, no
    /// host, no empty segment, no dot segment even if it is percent-encoded.
    pub(crate) fn from_response(url: &str) -> Option<(ApiPath, Vec<(String, String)>)> {
        let path = url.split(['?', '#']).next()?;
        if !is_api_path(path) || path.contains("//") || url.contains('#') {
            return None;
        }
        let has_dot_segment = path.split('/').any(|segment| {
            let lower = segment.to_ascii_lowercase();
            let plain = lower.replace("%2e", ".");
            plain == "." || plain == ".." || lower.contains("%2f") && plain.contains("..")
        });
        if has_dot_segment {
            return None;
        }
        // The parser resolves dot segments and drops tabs and line breaks, as the request would:
        // only a path that it leaves unchanged is accepted.
        let parsed = Url::parse("https://api.stripe.com").ok()?.join(url).ok()?;
        if parsed.path() != path || parsed.host_str() != Some("api.stripe.com") {
            return None;
        }
        let query = parsed.query_pairs().map(|(k, v)| (k.into_owned(), v.into_owned())).collect();
        Some((ApiPath(path.to_owned()), query))
    }

    /// Whether `id` is one of the path's segments.
    pub(crate) fn has_segment(&self, id: &str) -> bool {
        let mut encoded = String::new();
        encode_segment(id, &mut encoded);
        self.0.split('/').any(|segment| segment == id || segment == encoded)
    }

    /// The path as it is sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ApiPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why an id cannot be part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadId {
    /// The id is empty.
    #[error("the ID is empty")]
    Empty,
    /// `.` or `..`
    #[error("an ID of only dots cannot be requested, because it would change the path")]
    Dots,
    /// The template is not an API path with exactly one placeholder.
    #[error("the path does not have exactly one placeholder for an ID")]
    Template,
}

fn is_api_path(path: &str) -> bool {
    path.starts_with("/v1/") || path.starts_with("/v2/")
}

/// Everything but RFC 3986's unreserved characters is encoded.
fn encode_segment(id: &str, path: &mut String) {
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("writing to a string does not fail");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_id_becomes_one_segment() {
        for (id, path) in [
            ("cus_123", "/v1/customers/cus_123/sources"),
            ("a/b", "/v1/customers/a%2Fb/sources"),
            ("../charges", "/v1/customers/..%2Fcharges/sources"),
            ("...", "/v1/customers/.../sources"),
            ("50% \"off\"?#", "/v1/customers/50%25%20%22off%22%3F%23/sources"),
            ("%2e%2e", "/v1/customers/%252e%252e/sources"),
            ("\u{e9}\n", "/v1/customers/%C3%A9%0A/sources"),
            ("{id}", "/v1/customers/%7Bid%7D/sources"),
        ] {
            let path_of_id = ApiPath::with_segment("/v1/customers/{customer}/sources", id).unwrap();
            assert_eq!(path_of_id.as_str(), path);
        }
        for (id, error) in [("", BadId::Empty), (".", BadId::Dots), ("..", BadId::Dots)] {
            assert_eq!(ApiPath::with_segment("/v1/coupons/{id}", id), Err(error));
        }
        for template in ["/v1/coupons", "/v1/a/{b}/c/{d}", "/coupons/{id}", "/v1/coupons/{id"] {
            assert_eq!(ApiPath::with_segment(template, "x"), Err(BadId::Template));
        }
    }

    #[test]
    fn a_url_from_a_response_stays_below_the_api() {
        let (path, query) =
            ApiPath::from_response("/v1/invoices/in_1/lines?limit=100&created%5Bgte%5D=a%20b+c")
                .unwrap();
        assert_eq!(path.as_str(), "/v1/invoices/in_1/lines");
        let expected = [("limit", "100"), ("created[gte]", "a b c")];
        assert_eq!(query, expected.map(|(k, v)| (k.to_owned(), v.to_owned())));
        let (path, query) = ApiPath::from_response("/v2/core/events").unwrap();
        assert_eq!((path.as_str(), query.len()), ("/v2/core/events", 0));
        assert!(path.as_str() == "/v2/core/events" && !path.has_segment("vents"));
        let (path, _) = ApiPath::from_response("/v1/coupons/a%2Fb%25/x").unwrap();
        assert!(path.has_segment("a/b%") && path.has_segment("coupons") && !path.has_segment("a"));

        for url in [
            "",
            "/",
            "/v1",
            "/v3/charges",
            "v1/charges",
            "https://api.stripe.com/v1/charges",
            "https://evil.example/v1/charges",
            "//evil.example/v1/charges",
            "/\\evil.example/v1/charges",
            "/v1//charges",
            "/v1/../charges",
            "/v1/./charges",
            "/v1/charges/..",
            "/v1/%2e%2e/charges",
            "/v1/.%2E/charges",
            "/v1/%2E/charges",
            "/v1/..%2fcharges",
            "/v1/..\\charges",
            "/v1/\tcharges",
            "/v1/a\nb",
            "/v1/charges#x",
            "\u{0}/v1/charges",
            " /v1/charges",
        ] {
            assert_eq!(ApiPath::from_response(url), None, "{url:?}");
        }
    }

    proptest! {
        #[test]
        fn the_url_parser_keeps_any_id_as_one_segment(id in "\\PC{1,20}|[./%\\\\?#]{1,6}") {
            prop_assume!(id != "." && id != "..");
            let path = ApiPath::with_segment("/v1/coupons/{coupon}", &id).unwrap();
            let mut url = Url::parse("https://api.stripe.com").unwrap();
            url.set_path(path.as_str());
            prop_assert_eq!(url.path(), path.as_str());
            prop_assert_eq!(url.path_segments().unwrap().count(), 3);
        }
    }
}
