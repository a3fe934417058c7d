//! Expands properties that Stripe sends only on request, if the list allows it.
//!
//! Stripe can reject an expansion: an API version does not have the property, or the key lacks a
//! permission. Then the stream is read without it, and its report says so.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use crate::catalog::{List, Table};
use crate::stripe::{Page, Request, StripeClient, StripeError};

/// How often a page of one object is requested to find out whether an expansion is rejected.
const ATTEMPTS: u32 = 2;

/// The expansions that Stripe rejected in this run, per stream.
#[derive(Debug, Default)]
pub(super) struct RefusedExpansions(Mutex<HashMap<String, BTreeSet<&'static str>>>);

impl RefusedExpansions {
    /// The optional expansions that have not been rejected.
    fn accepted(&self, table: &'static Table) -> Vec<&'static str> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = refused.get(&table.name);
        let is_accepted = |name: &&str| refused.is_none_or(|refused| !refused.contains(name));
        table.optional_expand.iter().map(String::as_str).filter(is_accepted).collect()
    }

    fn refuse(&self, table: &'static Table, names: &[&'static str]) {
        tracing::info!(table = table.name, ?names, "Stripe refuses to expand properties");
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(table.name.clone()).or_default().extend(names);
    }

    /// What the report of the stream says about rejected expansions.
    pub(super) fn note(&self, stream: &str) -> Option<String> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<&str> = refused.get(stream)?.iter().copied().collect();
        Some(format!("read without {}, which Stripe refused to expand", names.join(", ")))
    }
}

/// A request of a list, with what is optional in it.
pub(super) struct ListRequest<'r> {
    pub(super) client: &'r StripeClient,
    pub(super) table: &'static Table,
    pub(super) list: &'static List,
    pub(super) refused: &'r RefusedExpansions,
}

impl ListRequest<'_> {
    /// A page of at most `limit` objects, with the optional properties that Stripe expands, and the limit
    /// with which it was delivered.
    pub(super) async fn deliver(
        &self,
        request: &Request,
        limit: usize,
    ) -> Result<(Page, usize), StripeError> {
        let mut requests = 0;
        loop {
            let expanded = self.refused.accepted(self.table);
            let error = match self.send(&expand(request, &expanded), limit).await {
                Ok((mut page, delivered)) => {
                    page.requests += requests;
                    return Ok((page, delivered));
                }
                Err(error) => error,
            };
            let refused = match may_be_refused_expansion(&error) {
                true => self.find_refused(request, &expanded).await,
                false => Vec::new(),
            };
            if refused.is_empty() {
                return Err(error);
            }
            requests += error.requests;
            self.refused.refuse(self.table, &refused);
        }
    }

    /// Which of these expansions Stripe rejects; none if the request also fails without them.
    async fn find_refused(
        &self,
        request: &Request,
        expanded: &[&'static str],
    ) -> Vec<&'static str> {
        if expanded.is_empty() || self.try_one(request).await.is_err() {
            return Vec::new();
        }
        let mut refused = Vec::new();
        for name in expanded {
            if expanded.len() == 1 || self.try_one(&expand(request, &[name])).await.is_err() {
                refused.push(*name);
            }
        }
        match refused.is_empty() {
            true => expanded.to_vec(),
            false => refused,
        }
    }

    async fn try_one(&self, request: &Request) -> Result<(Page, usize), StripeError> {
        self.send(&request.clone().with_max_attempts(ATTEMPTS), 1).await
    }

    async fn send(&self, request: &Request, limit: usize) -> Result<(Page, usize), StripeError> {
        match self.list.paged {
            true => self.client.list_up_to(request, limit).await,
            false => Ok((self.client.list(request).await?, limit)),
        }
    }
}

fn expand(request: &Request, names: &[&str]) -> Request {
    names
        .iter()
        .fold(request.clone(), |request, name| request.with("expand[]", format!("data.{name}")))
}

/// Stripe does not say which refusals concern an expansion. An expansion can also make a page too large.
fn may_be_refused_expansion(error: &StripeError) -> bool {
    let is_refused = error.is_denied() || error.is_invalid_request();
    (is_refused && !error.is_cursor_missing()) || error.may_depend_on_size()
}
