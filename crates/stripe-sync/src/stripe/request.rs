//! One request to Stripe. Every request can be repeated safely: a GET changes nothing, a POST carries
//! an idempotency key, and a repeated DELETE finds nothing to delete.

use ring::rand::{SecureRandom as _, SystemRandom};

use super::path::ApiPath;

/// What a request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    /// The parameters are sent as a form. Stripe executes requests with the same key once
    /// (<https://docs.stripe.com/api/idempotent_requests>).
    Post {
        idempotency_key: String,
    },
    Delete,
}

impl Method {
    /// The name in HTTP.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post { .. } => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(super) method: Method,
    /// The path it is sent to.
    pub(crate) path: ApiPath,
    /// The path as Stripe documents it, such as `/v1/customers/{id}`. Requests with the same
    /// template share a rate limit (<https://docs.stripe.com/rate-limits>).
    pub(crate) endpoint: String,
    /// Parameters in the order in which they are sent, not yet encoded.
    pub(crate) query: Vec<(String, String)>,
    /// Maximum number of attempts, if lower than that of the client. Rate limits and outages do
    /// not count.
    pub(crate) max_attempts: Option<u32>,
    /// Maximum size of the response in bytes, if lower than that of all responses.
    pub(super) max_response: Option<usize>,
}

impl Request {
    /// A request to a path of the catalog that contains no id.
    pub(crate) fn to_list(path: &str) -> Request {
        Request::new(ApiPath::list(path), path, Vec::new())
    }

    /// A request to `path`, which is an instance of the template `endpoint`.
    pub(crate) fn new(
        path: ApiPath,
        endpoint: impl Into<String>,
        query: Vec<(String, String)>,
    ) -> Request {
        Request {
            method: Method::Get,
            path,
            endpoint: endpoint.into(),
            query,
            max_attempts: None,
            max_response: None,
        }
    }

    /// A POST to `path`, which is an instance of the template `endpoint`.
    pub(crate) fn post(path: ApiPath, endpoint: &str) -> Request {
        let mut random = [0_u8; 16];
        SystemRandom::new().fill(&mut random).expect("the operating system has random numbers");
        let idempotency_key = random.iter().map(|byte| format!("{byte:02x}")).collect();
        Request {
            method: Method::Post { idempotency_key },
            ..Request::new(path, endpoint, Vec::new())
        }
    }

    /// A DELETE of `path`, which is an instance of the template `endpoint`.
    pub(crate) fn delete(path: ApiPath, endpoint: &str) -> Request {
        Request { method: Method::Delete, ..Request::new(path, endpoint, Vec::new()) }
    }

    /// Limits the number of attempts.
    pub(crate) fn with_max_attempts(self, attempts: u32) -> Request {
        Request { max_attempts: Some(attempts), ..self }
    }

    /// Refuses a larger response.
    pub(super) fn with_max_response(self, bytes: usize) -> Request {
        Request { max_response: Some(bytes), ..self }
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Request {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    fn sends(&self, name: &str) -> bool {
        self.query.iter().any(|(sent, _)| sent == name)
    }

    /// Whether the request continues from an object of an earlier page.
    pub(super) fn has_cursor(&self) -> bool {
        self.sends("starting_after") || self.sends("ending_before")
    }

    /// Whether a parameter that an error names was sent and is not a cursor.
    pub(super) fn sends_filter(&self, param: &str) -> bool {
        !is_cursor(param) && self.sends(param)
    }
}

/// The two parameters whose value is the id of an object of an earlier page.
pub(super) fn is_cursor(param: &str) -> bool {
    matches!(param, "starting_after" | "ending_before")
}
