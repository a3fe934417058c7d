//! Both ends of a copy: Stripe on one side, the database on the other.

use crate::account::AccountId;
use crate::catalog::Table;
use crate::order::Stamp;
use crate::postgres::{Database, Statements};
use crate::row::{Observation, get, string};
use crate::stripe::{Answer, ApiPath, BadId, Request, StripeClient, StripeError};

/// What every reader and writer of one copy shares.
#[derive(Clone)]
pub(crate) struct AccountContext {
    pub(crate) client: StripeClient,
    pub(crate) database: Database,
    pub(crate) statements: Statements,
    pub(crate) account: AccountId,
}

/// Why a single object could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetrieveError {
    #[error(transparent)]
    Id(#[from] BadId),
    #[error(transparent)]
    Stripe(#[from] StripeError),
    #[error(
        "stripe was asked for the {object} {id} and answered with another object (request {})",
        request_id.as_deref().unwrap_or("without id")
    )]
    Another { object: String, id: String, request_id: Option<String> },
    #[error("Stripe has no path to retrieve one of {0}")]
    NoPath(String),
}

impl AccountContext {
    /// Fetches one object with everything that its list would have expanded.
    pub(crate) async fn retrieve(&self, table: &Table, id: &str) -> Result<Answer, RetrieveError> {
        let Some(template) = &table.retrieve_path else {
            return Err(RetrieveError::NoPath(table.name.clone()));
        };
        let mut request = Request {
            path: ApiPath::with_segment(template, id)?,
            endpoint: template.clone(),
            query: Vec::new(),
        };
        for property in &table.expand {
            request = request.with("expand[]", property.clone());
        }
        let answer = self.client.get(&request).await?;
        if get(&answer.body, "id").and_then(string).is_some_and(|found| found != id) {
            return Err(RetrieveError::Another {
                object: table.object.clone(),
                id: id.to_owned(),
                request_id: answer.request_id,
            });
        }
        Ok(answer)
    }

    /// An observation of an object on its own, not of a parent's item.
    pub(crate) fn observe<'a>(
        id: &'a str,
        json: &'a str,
        stamp: Stamp,
        request_id: Option<&'a str>,
    ) -> Observation<'a> {
        Observation { id: id.into(), json, stamp, parent: None, request_id }
    }
}
