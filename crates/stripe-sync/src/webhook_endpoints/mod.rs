//! Creates, lists and deletes the webhook endpoints of an account. A new endpoint sends the events
//! that change a copy, in the API version of the copy's requests. Needs no database.
//!
//! Stripe shows the signing secret of an endpoint only once, in the response to its creation. It is
//! returned to the caller and stored nowhere.

mod endpoint;
mod url;

pub use endpoint::WebhookEndpoint;
use endpoint::{CreatedObject, EndpointObject};
pub use url::{EndpointUrl, EndpointUrlError};

use crate::catalog;
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::identity::{AccountHandle, Identity};
use crate::live::WebhookSecret;
use crate::row::id_of;
use crate::stripe::{ApiPath, Request, StripeError};

const LIST: &str = "/v1/webhook_endpoints";
const ONE: &str = "/v1/webhook_endpoints/{webhook_endpoint}";
/// The maximum number of endpoints of an account in one mode
/// (<https://docs.stripe.com/webhooks#register-webhook>).
const MOST_ENDPOINTS: usize = 16;

/// The webhook endpoints of one account.
pub struct WebhookEndpoints {
    account: AccountHandle,
}

/// The result of [`WebhookEndpoints::create`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CreatedEndpoint {
    /// The endpoint as it is now.
    pub endpoint: WebhookEndpoint,
    /// What was done.
    pub change: EndpointChange,
    /// The signing secret of a new endpoint. Stripe shows it only now.
    pub secret: Option<WebhookSecret>,
}

/// What the creation of an endpoint changed in Stripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointChange {
    /// There is a new endpoint.
    Created,
    /// The endpoint with this URL was enabled, or now receives more types of events.
    Updated,
    /// The endpoint with this URL needed no change.
    Unchanged,
}

impl EndpointChange {
    /// `created`, `updated` or `unchanged`.
    pub fn as_str(self) -> &'static str {
        match self {
            EndpointChange::Created => "created",
            EndpointChange::Updated => "updated",
            EndpointChange::Unchanged => "unchanged",
        }
    }
}

impl WebhookEndpoints {
    /// Asks Stripe which account the configuration's key belongs to.
    ///
    /// # Errors
    /// As for [`AccountHandle::open`].
    pub async fn open(config: &Config) -> Result<WebhookEndpoints, Error> {
        Ok(WebhookEndpoints { account: AccountHandle::open(config).await? })
    }

    /// The account and its mode.
    pub fn identity(&self) -> &Identity {
        self.account.identity()
    }

    /// The API version that endpoints should have: that of the copy's requests.
    pub fn api_version(&self) -> &str {
        self.account.client().version()
    }

    /// All endpoints of the account in the mode of the key, newest first.
    ///
    /// # Errors
    /// The key is not allowed to read endpoints, or Stripe cannot be reached.
    pub async fn list(&self) -> Result<Vec<WebhookEndpoint>, Error> {
        let mut endpoints = Vec::new();
        let mut last: Option<String> = None;
        loop {
            let mut request = Request::to_list(LIST).with("limit", "100");
            if let Some(last) = &last {
                request = request.with("starting_after", last.clone());
            }
            let page = self.account.client().list(&request).await.map_err(refused)?;
            for text in page.items() {
                endpoints.push(self.read::<EndpointObject>(text)?.into());
            }
            let next = page.items().last().and_then(id_of).map(|id| id.into_owned());
            match next.filter(|id| page.has_more && last.as_ref() != Some(id)) {
                Some(id) => last = Some(id),
                None => return Ok(endpoints),
            }
        }
    }

    /// Creates an endpoint for `url` that receives the events that change a copy. If the account
    /// already has an endpoint for this URL, that endpoint is enabled, and missing events are
    /// added.
    ///
    /// # Errors
    /// The key is not allowed to write endpoints, the account has as many as Stripe allows, or
    /// Stripe rejects the URL.
    pub async fn create(&self, url: &EndpointUrl) -> Result<CreatedEndpoint, Error> {
        let endpoints = self.list().await?;
        let count = endpoints.len();
        let same = endpoints.into_iter().filter(|endpoint| url.is(&endpoint.url));
        // Of several, the one that needs the fewest changes.
        let existing = same.min_by_key(|endpoint| {
            let is_other_version = endpoint.api_version.as_deref() != Some(self.api_version());
            (is_other_version, !endpoint.is_enabled(), endpoint.missing_events().len())
        });
        match existing {
            Some(endpoint) => self.complete(endpoint).await,
            None => self.add(url, count).await,
        }
    }

    async fn add(&self, url: &EndpointUrl, count: usize) -> Result<CreatedEndpoint, Error> {
        let request = Request::post(ApiPath::list(LIST), LIST)
            .with("url", url.as_str())
            .with("api_version", self.api_version())
            .with("description", "Created by stripe-sync");
        let request = catalog::stored_event_types()
            .fold(request, |request, event| request.with("enabled_events[]", event));
        let answer = match self.account.client().get(&request).await {
            Ok(answer) => answer,
            Err(error) if error.is_invalid_request() && count >= MOST_ENDPOINTS => {
                return Err(Error::from(error).with_hint(format!(
                    "the account has {count} webhook endpoints, and Stripe allows \
                     {MOST_ENDPOINTS}; delete one that is not needed: `stripe-sync webhook list` \
                     shows them, `stripe-sync webhook delete <id>` deletes one"
                )));
            }
            Err(error) => return Err(refused(error)),
        };
        let CreatedObject { endpoint, secret } = self.read(&answer.body)?;
        let secret = secret.as_deref().map(WebhookSecret::parse).transpose();
        let secret = secret.map_err(|_| unreadable())?;
        Ok(CreatedEndpoint { endpoint: endpoint.into(), change: EndpointChange::Created, secret })
    }

    /// Enables an endpoint and adds the missing events.
    async fn complete(&self, endpoint: WebhookEndpoint) -> Result<CreatedEndpoint, Error> {
        let missing = endpoint.missing_events();
        let (is_enabled, change) = (endpoint.is_enabled(), EndpointChange::Unchanged);
        if is_enabled && missing.is_empty() {
            return Ok(CreatedEndpoint { endpoint, change, secret: None });
        }
        let mut request = Request::post(path(&endpoint.id)?, ONE);
        if !is_enabled {
            request = request.with("disabled", "false");
        }
        if !missing.is_empty() {
            let events = endpoint.enabled_events.iter().map(String::as_str).chain(missing);
            request =
                events.fold(request, |request, event| request.with("enabled_events[]", event));
        }
        let answer = self.account.client().get(&request).await.map_err(refused)?;
        let endpoint = self.read::<EndpointObject>(&answer.body)?.into();
        Ok(CreatedEndpoint { endpoint, change: EndpointChange::Updated, secret: None })
    }

    /// Deletes an endpoint: Stripe no longer sends webhooks to it.
    ///
    /// # Errors
    /// There is no such endpoint, or the key is not allowed to write endpoints.
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        let request = Request::delete(path(id)?, ONE);
        match self.account.client().get(&request).await {
            Ok(_) => Ok(()),
            // The first request deleted it, and its response was lost.
            Err(error) if error.is_resource_missing() && error.requests > 1 => Ok(()),
            Err(error) if error.is_resource_missing() => Err(Error::from(error)
                .with_hint("`stripe-sync webhook list` shows the endpoints and their IDs")),
            Err(error) => Err(refused(error)),
        }
    }

    fn read<'a, T: serde::Deserialize<'a>>(&self, text: &'a str) -> Result<T, Error> {
        // The text may contain the secret, so the cause is not kept.
        serde_json::from_str(text).map_err(|_| unreadable())
    }
}

fn path(id: &str) -> Result<ApiPath, Error> {
    let is_id = id.starts_with("we_") && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let path = is_id.then(|| ApiPath::with_segment(ONE, id).ok()).flatten();
    path.ok_or_else(|| {
        Error::new(ErrorKind::Usage, "this is not the ID of a webhook endpoint").with_hint(
            "an ID looks like we_1Nxyz; `stripe-sync webhook list` shows those of the account",
        )
    })
}

/// Adds what to do about a missing permission.
fn refused(error: StripeError) -> Error {
    match error.is_denied() {
        true => Error::from(error).with_hint(
            "in the Dashboard, give the key the permission `Webhook Endpoints: Write` (Developers, API \
             keys), or create the endpoint there (Developers, Webhooks)",
        ),
        false => Error::from(error),
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Stripe, "Stripe's response is not a webhook endpoint")
        .with_code("stripe_unexpected_response")
        .with_hint(
            "check --api-base if it is set; `stripe-sync webhook list` shows the existing endpoints",
        )
}
