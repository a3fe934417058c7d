//! A webhook endpoint as Stripe describes it (<https://docs.stripe.com/api/webhook_endpoints>).

use serde::Deserialize;

use crate::catalog;

/// A webhook endpoint of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WebhookEndpoint {
    /// `we_...`
    pub id: String,
    /// Where Stripe sends webhooks.
    pub url: String,
    /// `enabled` or `disabled`.
    pub status: String,
    /// The API version of the events' objects. Without one, the account's default version is used.
    pub api_version: Option<String>,
    /// The types of the events that are sent; `*` is all types.
    pub enabled_events: Vec<String>,
}

impl WebhookEndpoint {
    /// Whether Stripe sends webhooks to it.
    pub fn is_enabled(&self) -> bool {
        self.status == "enabled"
    }

    /// The types of events that change a copy and are not sent to this endpoint.
    pub fn missing_events(&self) -> Vec<&'static str> {
        let is_enabled = |name: &str| self.enabled_events.iter().any(|e| e == "*" || e == name);
        catalog::stored_event_types().filter(|name| !is_enabled(name)).collect()
    }
}

#[derive(Deserialize)]
pub(super) struct EndpointObject {
    id: String,
    url: String,
    status: String,
    api_version: Option<String>,
    enabled_events: Vec<String>,
}

/// The response to a creation.
#[derive(Deserialize)]
pub(super) struct CreatedObject {
    #[serde(flatten)]
    pub(super) endpoint: EndpointObject,
    pub(super) secret: Option<String>,
}

impl From<EndpointObject> for WebhookEndpoint {
    fn from(object: EndpointObject) -> WebhookEndpoint {
        let EndpointObject { id, url, status, api_version, enabled_events } = object;
        WebhookEndpoint { id, url, status, api_version, enabled_events }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_that_an_endpoint_lacks() {
        let with = |events: &[&str]| WebhookEndpoint {
            id: "we_1".into(),
            url: "https://example.com".into(),
            status: "enabled".into(),
            api_version: None,
            enabled_events: events.iter().map(ToString::to_string).collect(),
        };
        assert!(with(&["*"]).missing_events().is_empty());
        let all: Vec<&str> = catalog::stored_event_types().collect();
        assert!(with(&all).missing_events().is_empty());
        assert_eq!(with(&all[1..]).missing_events(), all[..1]);
        assert_eq!(with(&[]).missing_events().len(), all.len());
    }
}
