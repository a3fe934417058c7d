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
    let optional: Vec<&str> = table.optional_expand.iter().map(String::as_str).collect();
    let answer = match client.get(&expand(&request, &optional)).await {
        // The expansions may be the reason.
        Err(error) if !optional.is_empty() && is_refusal(&error) => {
            get_with_accepted(client, &request, &optional).await?
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

/// Requests an object with those of the properties that Stripe expands.
async fn get_with_accepted(
    client: &StripeClient,
    request: &Request,
    optional: &[&str],
) -> Result<Answer, StripeError> {
    let without = client.get(request).await?;
    let mut accepted = Vec::new();
    for name in optional {
        match client.get(&expand(request, &[name])).await {
            Ok(_) => accepted.push(*name),
            Err(error) if is_refusal(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if accepted.is_empty() {
        return Ok(without);
    }
    match client.get(&expand(request, &accepted)).await {
        // Stripe rejects only the combination.
        Err(error) if is_refusal(&error) => client.get(request).await,
        answer => answer,
    }
}

fn expand(request: &Request, names: &[&str]) -> Request {
    names.iter().fold(request.clone(), |request, name| request.with("expand[]", (*name).to_owned()))
}

fn is_refusal(error: &StripeError) -> bool {
    error.is_denied() || error.is_invalid_request()
}
