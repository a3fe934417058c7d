//! Pages that Stripe cannot deliver at their full size.
//!
//! A large response can fail each time it is requested: a proxy truncates it, it takes too long, or
//! Stripe fails to build it. With a smaller `limit` it can succeed. The engine itself refuses a page that
//! would take too much memory.

use super::client::StripeClient;
use super::error::StripeError;
use super::page::Page;
use super::request::Request;

/// Attempts before a smaller limit is used.
const ATTEMPTS_PER_SIZE: u32 = 3;
/// A larger page of several objects is refused, so that a few of them cannot fill the memory.
const MAX_PAGE: usize = 32 << 20;
/// The limit is divided by this.
const REDUCTION: usize = 3;

impl StripeClient {
    /// Requests a page of at most `limit` objects. If that fails for a reason that may depend on
    /// its size, requests smaller ones, down to a single object. Also returns the limit that
    /// succeeded. Cancel-safe.
    ///
    /// # Errors
    /// As [`StripeClient::list`], for a page of one object.
    pub(crate) async fn list_up_to(
        &self,
        request: &Request,
        limit: usize,
    ) -> Result<(Page, usize), StripeError> {
        let (mut limit, mut requests) = (limit.max(1), 0);
        loop {
            let mut sized = request.clone().with("limit", limit.to_string());
            if limit > 1 {
                sized = sized.with_max_attempts(ATTEMPTS_PER_SIZE).with_max_response(MAX_PAGE);
            }
            match self.list(&sized).await {
                Ok(mut page) => {
                    page.requests += requests;
                    return Ok((page, limit));
                }
                Err(error) if limit > 1 && error.may_depend_on_size() => {
                    requests += error.requests;
                    let smaller = (limit / REDUCTION).max(1);
                    tracing::info!(path = %request.path, limit, smaller, %error, "requesting a smaller page");
                    limit = smaller;
                }
                Err(error) => return Err(error.after_requests(requests)),
            }
        }
    }
}
