//! Pages that Stripe cannot deliver at their full size.
//!
//! An answer can be cut off by something on the way, take too long, or fail at Stripe, each time that
//! it is requested, because of its size. Requested with a smaller `limit`, it arrives.

use super::client::StripeClient;
use super::error::StripeError;
use super::page::Page;
use super::request::Request;

/// Attempts before the page is requested with a smaller limit.
const ATTEMPTS_PER_SIZE: u32 = 3;
/// How much smaller.
const REDUCTION: usize = 3;

impl StripeClient {
    /// One page of at most `limit` objects. If it cannot be delivered, a smaller one, down to a single
    /// object. Also returns the limit of the delivered page. Cancel-safe.
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
                sized = sized.with_max_attempts(ATTEMPTS_PER_SIZE);
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
