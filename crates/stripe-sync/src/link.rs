//! Both ends of a copy: Stripe on one side, the database on the other.

use crate::account::AccountId;
use crate::catalog::Table;
use crate::order::Stamp;
use crate::postgres::{Database, Statements};
use crate::row::Observation;
use crate::stripe::{Answer, ApiPath, BadId, Request, StripeClient, StripeError};

/// What every reader and writer of one copy shares.
#[derive(Clone)]
pub(crate) struct Link {
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
    #[error("Stripe has no path to retrieve one of {0}")]
    NoPath(String),
}

impl Link {
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
        Ok(self.client.get(&request).await?)
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
