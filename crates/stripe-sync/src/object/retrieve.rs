//! Fetches a single object by its id.

use crate::catalog::Table;
use crate::row::{get, string};
use crate::stripe::{Answer, ApiPath, BadId, Request, StripeClient, StripeError};

/// Why a single object could not be fetched.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetrieveError {
    #[error(transparent)]
    Id(#[from] BadId),
    #[error(transparent)]
    Stripe(#[from] StripeError),
    #[error(
        "Stripe answered the request for {object} {id} with another object (request {})",
        request_id.as_deref().unwrap_or("without ID")
    )]
    Another { object: String, id: String, request_id: Option<String> },
    #[error("Stripe's API has no request for a single row of {0}")]
    NoPath(String),
}

impl RetrieveError {
    /// Stripe has no such object.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, RetrieveError::Stripe(error) if error.is_resource_missing())
    }
}

/// Fetches one object with the same properties expanded as in its list.
pub(crate) async fn retrieve(
    client: &StripeClient,
    table: &Table,
    id: &str,
) -> Result<Answer, RetrieveError> {
    let Some(template) = &table.retrieve_path else {
        return Err(RetrieveError::NoPath(table.name.clone()));
    };
    let path = ApiPath::with_segment(template, id)?;
    let mut request = Request::new(path, template.as_str(), Vec::new());
    for property in &table.expand {
        request = request.with("expand[]", property.clone());
    }
    let with_optional = table
        .optional_expand
        .iter()
        .fold(request.clone(), |request, property| request.with("expand[]", property.clone()));
    let answer = match client.get(&with_optional).await {
        // The expansions may be the reason.
        Err(error)
            if with_optional != request && (error.is_denied() || error.is_invalid_request()) =>
        {
            client.get(&request).await?
        }
        other => other?,
    };
    if get(&answer.body, "id").and_then(string).is_some_and(|found| found != id) {
        return Err(RetrieveError::Another {
            object: table.object.clone(),
            id: id.to_owned(),
            request_id: answer.request_id,
        });
    }
    Ok(answer)
}
