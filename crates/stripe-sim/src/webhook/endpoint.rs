//! The webhook endpoints of an account. They are objects like others, except that each has a
//! signing secret, which Stripe shows only in the response to the creation.

use serde_json::{Value, json};

use crate::account::{Account, MutationError};
use crate::catalog::catalog;
use crate::seed::mix2;

const OBJECT: &str = "webhook_endpoint";

/// A webhook endpoint that was created with a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEndpoint {
    /// `we_...`
    pub id: String,
    /// Where events are delivered.
    pub url: String,
    /// The signing secret, `whsec_...`.
    pub secret: String,
}

/// An endpoint to which an event is delivered.
pub(super) struct Recipient {
    pub(super) url: String,
    pub(super) secret: String,
    /// The event, in the API version of the endpoint.
    pub(super) event: String,
}

impl Account {
    /// Creates a webhook endpoint that receives all types of events.
    ///
    /// # Errors
    /// Those of [`Account::insert`].
    pub fn add_webhook_endpoint(&self, url: &str) -> Result<WebhookEndpoint, MutationError> {
        let secret = self.new_secret();
        self.add_webhook_endpoint_with_secret(url, &secret)
    }

    /// Creates a webhook endpoint that receives all types of events, with a given secret.
    ///
    /// # Errors
    /// Those of [`Account::insert`].
    pub fn add_webhook_endpoint_with_secret(
        &self,
        url: &str,
        secret: &str,
    ) -> Result<WebhookEndpoint, MutationError> {
        let version = &catalog().version;
        let id = self.insert_endpoint(json!({
            "url": url, "enabled_events": ["*"], "api_version": version,
        }))?;
        self.inner.webhook_secrets.set(&id, secret);
        Ok(WebhookEndpoint { id, url: url.to_owned(), secret: secret.to_owned() })
    }

    /// Inserts the object of an endpoint.
    pub(super) fn insert_endpoint(&self, mut value: Value) -> Result<String, MutationError> {
        value["status"] = "enabled".into();
        value["livemode"] = self.livemode().into();
        self.insert(OBJECT, value)
    }

    /// A secret that no other endpoint of the account has.
    pub(super) fn new_secret(&self) -> String {
        let number = self.inner.webhook_secrets.count() as u64;
        let half = |salt| mix2(self.inner.seed ^ salt, number);
        format!("whsec_{:016x}{:016x}", half(0x5ec1), half(0x5ec2))
    }

    /// The endpoints that receive an event, by its number. The objects in events have the same
    /// properties in all versions; only the name of the version is that of the endpoint.
    pub(super) fn recipients(&self, number: u64) -> Vec<Recipient> {
        let Some(event) = self.read(|view| view.event(number)) else { return Vec::new() };
        let event_type = crate::json::member(&event, "type").unwrap_or_default();
        let version = format!("\"api_version\":\"{}\"", catalog().version);
        let mut recipients = Vec::new();
        for id in self.ids(OBJECT) {
            let Some(secret) = self.inner.webhook_secrets.get(&id) else { continue };
            let Some(endpoint) = self.endpoint_json(&id) else { continue };
            let is_wanted = |name: &Value| {
                name.as_str() == Some("*") || name.as_str() == Some(event_type.trim_matches('"'))
            };
            let events = endpoint["enabled_events"].as_array();
            if endpoint["status"] != "enabled" || !events.is_some_and(|e| e.iter().any(is_wanted)) {
                continue;
            }
            let event = match endpoint["api_version"].as_str() {
                Some(own) => event.replacen(&version, &format!("\"api_version\":\"{own}\""), 1),
                None => event.clone(),
            };
            let url = endpoint["url"].as_str().unwrap_or_default().to_owned();
            recipients.push(Recipient { url, secret, event });
        }
        recipients
    }

    /// The number of events that changes have appended.
    pub(crate) fn event_count(&self) -> u64 {
        *self.inner.event_count.borrow()
    }

    /// The object of an endpoint. Responses to later requests do not contain the secret.
    pub(super) fn endpoint_json(&self, id: &str) -> Option<Value> {
        let text = self.object_json(OBJECT, id)?;
        serde_json::from_str(&text).ok()
    }
}
