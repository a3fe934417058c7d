//! Creates, updates and deletes webhook endpoints over HTTP
//! (<https://docs.stripe.com/api/webhook_endpoints>).

use serde_json::{Value, json};

use crate::account::Account;
use crate::api_error::ApiError;
use crate::catalog::catalog;
use crate::params::{self, Pairs};
use crate::route::{Operation, Route};

const OBJECT: &str = "webhook_endpoint";
/// The maximum number of endpoints of an account in one mode.
const MOST_ENDPOINTS: usize = 16;

/// Answers a request that writes an endpoint: the body of the response, or an error.
pub(crate) fn write_endpoint(
    account: &Account,
    method: &str,
    route: &Route,
    body: &str,
) -> Result<String, ApiError> {
    let pairs = params::pairs(body)?;
    let id = route.params.last().map(String::as_str).unwrap_or_default();
    match (method, &route.operation) {
        ("POST", Operation::List(_)) => create(account, &pairs),
        ("POST", Operation::Retrieve(_)) => update(account, id, &pairs),
        ("DELETE", Operation::Retrieve(_)) => {
            account.delete(OBJECT, id).map_err(|_| missing(id))?;
            Ok(json!({"id": id, "object": OBJECT, "deleted": true}).to_string())
        }
        _ => Err(ApiError::new(405, &format!("{method} is not supported for this path."))),
    }
}

fn create(account: &Account, pairs: &Pairs) -> Result<String, ApiError> {
    for (name, required) in [("url", "url"), ("enabled_events", "enabled_events[]")] {
        if !params::is_given(pairs, name) {
            let message = format!("Missing required param: {required}.");
            return Err(ApiError::new(400, &message).code("parameter_missing").param(name));
        }
    }
    let value = properties(account, pairs, true)?;
    if account.ids(OBJECT).count() >= MOST_ENDPOINTS {
        let mode = if account.livemode() { "live" } else { "test" };
        let message =
            format!("You have reached the maximum of {MOST_ENDPOINTS} {mode} webhook endpoints.");
        return Err(ApiError::new(400, &message));
    }
    let failed = |error| ApiError::new(400, &format!("{error}"));
    let id = account.insert_endpoint(value).map_err(failed)?;
    let secret = account.new_secret();
    account.inner.webhook_secrets.set(&id, &secret);
    let mut endpoint = account.endpoint_json(&id).unwrap_or_default();
    endpoint["secret"] = secret.into();
    Ok(endpoint.to_string())
}

fn update(account: &Account, id: &str, pairs: &Pairs) -> Result<String, ApiError> {
    let mut patch = properties(account, pairs, false)?;
    if let Some(disabled) = params::value(pairs, "disabled") {
        patch["status"] = if disabled == "true" { "disabled" } else { "enabled" }.into();
    }
    account.update(OBJECT, id, patch).map_err(|_| missing(id))?;
    Ok(account.endpoint_json(id).unwrap_or_default().to_string())
}

/// The properties of an endpoint that a form sets.
fn properties(account: &Account, pairs: &Pairs, is_new: bool) -> Result<Value, ApiError> {
    let mut value = json!({});
    let mut events: Vec<&str> = Vec::new();
    for (name, text) in pairs {
        match name.split('[').next().unwrap_or(name) {
            "url" => value["url"] = check_url(account, text)?.into(),
            "enabled_events" => events.push(check_event(text)?),
            "description" => value["description"] = text.as_str().into(),
            "metadata" => {
                let key = name.trim_start_matches("metadata[").trim_end_matches(']');
                value["metadata"][key] = text.as_str().into();
            }
            // It cannot be changed later.
            "api_version" if is_new => value["api_version"] = text.as_str().into(),
            "disabled" if !is_new => {}
            other => {
                let message = format!("Received unknown parameter: {other}");
                return Err(ApiError::new(400, &message).code("parameter_unknown").param(other));
            }
        }
    }
    if !events.is_empty() {
        value["enabled_events"] = events.into();
    }
    if is_new && value.get("api_version").is_none() {
        value["api_version"] = Value::Null;
    }
    Ok(value)
}

fn check_url<'a>(account: &Account, url: &'a str) -> Result<&'a str, ApiError> {
    let error = |message: &str| Err(ApiError::new(400, message).code("url_invalid").param("url"));
    match url.split_once("://") {
        Some(("https", host)) if !host.is_empty() => Ok(url),
        Some(("http", host)) if !host.is_empty() => {
            // Tests listen on an address of this machine.
            let is_local = ["127.", "localhost", "[::1]"].iter().any(|l| host.starts_with(l));
            match account.livemode() && !is_local {
                true => error("Invalid URL: In live mode, the URL must be HTTPS."),
                false => Ok(url),
            }
        }
        _ => error("Invalid URL: The URL must start with a scheme such as http or https."),
    }
}

fn check_event(name: &str) -> Result<&str, ApiError> {
    let catalog = catalog();
    let mut events = (0..catalog.len()).flat_map(|kind| catalog.object(kind).events.iter());
    match name == "*" || events.any(|event| event == name) {
        true => Ok(name),
        false => {
            let message =
                format!("Invalid enabled_events: must be one of the event types, not {name}");
            Err(ApiError::new(400, &message).param("enabled_events"))
        }
    }
}

fn missing(id: &str) -> ApiError {
    ApiError::resource_missing("webhook endpoint", id, "webhook_endpoint", 404)
}
