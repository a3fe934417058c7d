//! Errors in the form the API returns them: a status and Stripe's JSON error body.

use crate::json;

/// An error with Stripe's wording.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) code: Option<String>,
    pub(crate) param: Option<String>,
}

impl ApiError {
    pub(crate) fn new(status: u16, message: &str) -> Self {
        let kind = if status >= 500 { "api_error" } else { "invalid_request_error" };
        Self { status, kind, message: message.to_owned(), code: None, param: None }
    }

    /// The error for a path that has no route.
    pub(crate) fn unrecognized(method: &str, path: &str) -> Self {
        Self::new(
            404,
            &format!(
                "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
            ),
        )
    }

    /// The error for an id that names no object.
    pub(crate) fn resource_missing(object: &str, id: &str, param: &str, status: u16) -> Self {
        Self::new(status, &format!("No such {object}: '{id}'"))
            .code("resource_missing")
            .param(param)
    }

    /// The error for a product that is not enabled. It has a message, but no `code` or `param`.
    pub(crate) fn unavailable(path: &str) -> Self {
        let product = path.split('/').nth(2).unwrap_or("this product");
        Self::new(
            400,
            &format!(
                "Your account is not set up to use {product}. Please visit https://dashboard.stripe.com to get started."
            ),
        )
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> String {
        let mut out = String::from("{\"error\":{");
        let mut member = |name: &str, text: &str| {
            if !out.ends_with('{') {
                out.push(',');
            }
            json::string(&mut out, name);
            out.push(':');
            json::string(&mut out, text);
        };
        if let Some(code) = &self.code {
            member("code", code);
            member(
                "doc_url",
                &format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-")),
            );
        }
        member("message", &self.message);
        if let Some(param) = &self.param {
            member("param", param);
        }
        member("type", self.kind);
        out.push_str("}}");
        out
    }
}
