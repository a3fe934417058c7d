//! Expands properties that Stripe sends only on request, if the list allows it.
//!
//! Stripe can reject an expansion: an API version does not have the property, or the key lacks a
//! permission. Then the stream is read without it, and its report says so. A failure that may depend
//! on the size of the page is not a rejection. If an object cannot be delivered with its expansions
//! but can be without them, it is stored without them and quarantined; after a few such objects in a
//! row, the stream is read without the expansions.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::catalog::{List, Table};
use crate::stripe::{Page, Request, StripeClient, StripeError};

/// After this many pages in a row that Stripe delivered only without expansions, they are dropped.
const MAX_UNEXPANDED: u32 = 3;
/// How often a request is attempted after one like it has failed with expansions.
const ATTEMPTS: u32 = 3;

/// The expansions that are not requested any more in this run, per stream.
#[derive(Debug, Default)]
pub(super) struct DroppedExpansions(Mutex<HashMap<String, Dropped>>);

#[derive(Debug, Default)]
struct Dropped {
    /// Stripe rejected them.
    refused: BTreeSet<&'static str>,
    /// Stripe failed to deliver pages with them.
    failed: BTreeSet<&'static str>,
    /// The pages in a row that were delivered only without expansions.
    unexpanded: u32,
}

impl DroppedExpansions {
    fn of(&self, table: &Table) -> OfStream<'_> {
        let streams = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        OfStream { streams, stream: table.name.clone() }
    }

    /// The optional expansions that have not been dropped.
    fn accepted(&self, table: &'static Table) -> Vec<&'static str> {
        let mut of_stream = self.of(table);
        let dropped = of_stream.entry();
        let is_dropped =
            |name: &str| dropped.refused.contains(name) || dropped.failed.contains(name);
        let names = table.optional_expand.iter().map(String::as_str);
        names.filter(|name| !is_dropped(name)).collect()
    }

    fn refuse(&self, table: &'static Table, names: &[&'static str]) {
        tracing::info!(table = table.name, ?names, "Stripe refuses to expand properties");
        self.of(table).entry().refused.extend(names);
    }

    /// Whether the last page of the stream was delivered only without expansions.
    fn has_failed(&self, table: &Table) -> bool {
        self.of(table).entry().unexpanded > 0
    }

    /// A page was delivered with these expansions.
    fn record_success(&self, table: &Table) {
        self.of(table).entry().unexpanded = 0;
    }

    /// A page was delivered only without these expansions. True if they are dropped now.
    fn record_failure(&self, table: &'static Table, names: &[&'static str]) -> bool {
        let mut of_stream = self.of(table);
        let dropped = of_stream.entry();
        dropped.unexpanded += 1;
        let are_dropped = dropped.unexpanded >= MAX_UNEXPANDED;
        if are_dropped {
            tracing::info!(table = table.name, ?names, "Stripe fails to expand properties");
            dropped.failed.extend(names);
        }
        are_dropped
    }

    /// What the report of the stream says about dropped expansions.
    pub(super) fn note(&self, table: &Table) -> Option<String> {
        let mut of_stream = self.of(table);
        let Dropped { refused, failed, .. } = of_stream.entry();
        let of = |names: &BTreeSet<&str>, why: &str| {
            let list = names.iter().copied().collect::<Vec<_>>().join(", ");
            (!names.is_empty())
                .then(|| format!("read without {list}, which Stripe {why} to expand"))
        };
        let notes = [of(refused, "refused"), of(failed, "failed")];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}

/// The entry of one stream.
struct OfStream<'d> {
    streams: MutexGuard<'d, HashMap<String, Dropped>>,
    stream: String,
}

impl OfStream<'_> {
    fn entry(&mut self) -> &mut Dropped {
        self.streams.entry(self.stream.clone()).or_default()
    }
}

/// A page of a list.
pub(super) struct DeliveredPage {
    pub(super) page: Page,
    /// The limit with which it was delivered.
    pub(super) limit: usize,
    /// Its objects lack properties that Stripe failed to expand.
    pub(super) unexpanded: Option<FailedExpansion>,
}

/// Properties that Stripe failed to expand.
pub(super) struct FailedExpansion {
    pub(super) names: Vec<&'static str>,
    pub(super) error: StripeError,
    /// They are not requested any more, so that pages can be larger.
    pub(super) are_dropped: bool,
}

/// A request of a list, with what is optional in it.
pub(super) struct ListRequest<'r> {
    pub(super) client: &'r StripeClient,
    pub(super) table: &'static Table,
    pub(super) list: &'static List,
    pub(super) dropped: &'r DroppedExpansions,
}

impl ListRequest<'_> {
    /// A page of at most `limit` objects, with the optional properties that Stripe expands.
    pub(super) async fn deliver(
        &self,
        request: &Request,
        limit: usize,
    ) -> Result<DeliveredPage, StripeError> {
        let (mut requests, mut was_refused) = (0, false);
        loop {
            let expanded = self.dropped.accepted(self.table);
            let mut whole = expand(request, &expanded);
            if self.dropped.has_failed(self.table) && !expanded.is_empty() {
                whole = whole.with_max_attempts(ATTEMPTS);
            }
            let error = match self.send(&whole, limit).await {
                Ok((mut page, limit)) => {
                    if !expanded.is_empty() {
                        self.dropped.record_success(self.table);
                    }
                    page.requests += requests;
                    return Ok(DeliveredPage { page, limit, unexpanded: None });
                }
                Err(error) if expanded.is_empty() => return Err(error),
                Err(error) => error,
            };
            requests += error.requests;
            if error.may_depend_on_size() {
                return self.deliver_one(request, expanded, requests, error).await;
            }
            if !is_refusal(&error) || error.is_cursor_missing() {
                return Err(error);
            }
            let refused = match self.find_refused(request, &expanded, &mut requests).await? {
                None => return Err(error),
                // Stripe rejects them only together, or rejected only that request.
                Some(names) if names.is_empty() && was_refused => expanded,
                Some(names) => names,
            };
            was_refused = true;
            if !refused.is_empty() {
                self.dropped.refuse(self.table, &refused);
            }
        }
    }

    /// Which of these expansions Stripe rejects on their own; `None` if it also rejects the request
    /// without them.
    async fn find_refused(
        &self,
        request: &Request,
        expanded: &[&'static str],
        requests: &mut u32,
    ) -> Result<Option<Vec<&'static str>>, StripeError> {
        match self.send(request, 1).await {
            Ok((page, _)) => *requests += page.requests,
            Err(error) if is_refusal(&error) => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut refused = Vec::new();
        for name in expanded {
            match self.send(&expand(request, &[name]), 1).await {
                Ok((page, _)) => *requests += page.requests,
                Err(error) if is_refusal(&error) => {
                    *requests += error.requests;
                    refused.push(*name);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(refused))
    }

    /// A page of one object whose request with expansions has just failed: with them if the failure
    /// was transient, otherwise without them.
    async fn deliver_one(
        &self,
        request: &Request,
        expanded: Vec<&'static str>,
        mut requests: u32,
        error: StripeError,
    ) -> Result<DeliveredPage, StripeError> {
        let Ok((mut without, _)) = self.send(&request.clone().with_max_attempts(ATTEMPTS), 1).await
        else {
            return Err(error);
        };
        requests += without.requests;
        if !self.dropped.has_failed(self.table) {
            // Stripe can deliver the object, so the failure may be over.
            let again = expand(request, &expanded).with_max_attempts(ATTEMPTS);
            match self.send(&again, 1).await {
                Ok((mut page, limit)) => {
                    page.requests += requests;
                    return Ok(DeliveredPage { page, limit, unexpanded: None });
                }
                Err(again) if again.may_depend_on_size() => requests += again.requests,
                Err(again) => return Err(again),
            }
        }
        let are_dropped = self.dropped.record_failure(self.table, &expanded);
        without.requests = requests;
        let unexpanded = Some(FailedExpansion { names: expanded, error, are_dropped });
        Ok(DeliveredPage { page: without, limit: 1, unexpanded })
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

/// Stripe does not say which refusals concern an expansion.
fn is_refusal(error: &StripeError) -> bool {
    error.is_denied() || error.is_invalid_request()
}
