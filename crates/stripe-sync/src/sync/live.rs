//! The part of the facade that keeps a copy current: webhooks, single events and the event feed.

use std::time::SystemTime;

use super::StripeSync;
use crate::backfill::Stop;
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::live::{self, EventOutcome, FollowProgress, InboxOutcome};
use crate::postgres::{InboxCounts, LiveStatus, UnstoredEvents};

impl StripeSync {
    /// Verifies the signature of a webhook and applies its event. `payload` is the raw body of the
    /// request, `signature` its header `Stripe-Signature`.
    ///
    /// Returns after the commit. If the event contains only part of the object, or cannot be
    /// ordered against the stored row, the object has been fetched by then. Deliveries that arrive
    /// together are committed together.
    ///
    /// Cancel-safe: an accepted event is applied even if the future is dropped.
    ///
    /// # Errors
    /// With code `webhook_signature`, the request is not from Stripe or the secret is wrong:
    /// respond with 400. After any other error, respond with 500, so that Stripe delivers the event
    /// again.
    pub async fn process_webhook(
        &self,
        payload: &[u8],
        signature: Option<&str>,
    ) -> Result<EventOutcome, Error> {
        let config = self.copy.config();
        let secrets = &config.webhook_secrets;
        if secrets.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "no webhook secret is configured").with_hint(
                "add the signing secret of the endpoint (whsec_...) to Config::webhook_secrets",
            ));
        }
        let now = SystemTime::now();
        live::verify(payload, signature, secrets, config.webhook_tolerance, now).map_err(|e| {
            let hint = e.hint();
            Error::new(ErrorKind::Access, e.to_string())
                .with_hint(hint)
                .with_code("webhook_signature")
        })?;
        self.process_event(payload).await
    }

    /// Applies an event without a signature, such as one that a queue has delivered. Do not pass
    /// events from untrusted senders.
    ///
    /// # Errors
    /// As for [`StripeSync::process_webhook`].
    pub async fn process_event(&self, event: &[u8]) -> Result<EventOutcome, Error> {
        let text = std::str::from_utf8(event)
            .map_err(|_| Error::new(ErrorKind::Usage, "the event is not UTF-8"))?;
        let context = self.live_context().await?;
        match self.deliveries.process(&context, text.to_owned()).await {
            Err(error) if error.is_schema_missing() => {
                let context = self.prepared_again().await?;
                let context = context.without_waiting_for_locks().with_live_priority();
                self.deliveries.process(&context, text.to_owned()).await
            }
            other => other,
        }
    }

    /// Applies the account's events as they appear in its feed, until `stop` is requested. `report`
    /// is called after each read of the feed. No public URL is needed. Several processes can follow
    /// one account; one of them reads the feed.
    ///
    /// # Errors
    /// The key is not allowed to read events, or Stripe or the database cannot be reached for
    /// longer than [`crate::Config::max_outage`].
    pub async fn follow(
        &self,
        stop: &Stop,
        report: impl FnMut(&FollowProgress) + Send,
    ) -> Result<FollowProgress, Error> {
        let context = self.live_context().await?;
        live::follow(&context, &self.copy.config().revalidate, stop, false, report).await
    }

    /// Applies all events up to the present, then returns.
    ///
    /// # Errors
    /// As for [`StripeSync::follow`].
    pub async fn catch_up(&self, stop: &Stop) -> Result<FollowProgress, Error> {
        let context = self.live_context().await?;
        live::follow(&context, &self.copy.config().revalidate, stop, true, |_| {}).await
    }

    /// The account with its prepared schema. Its requests are sent before those of a backfill.
    async fn live_context(&self) -> Result<AccountContext, Error> {
        Ok(self.context().await?.without_waiting_for_locks().with_live_priority())
    }

    /// Fetches the objects in the inbox that are due: those that events name, but do not show, or
    /// that could not be fetched at that time. With `retry_dead`, also those that have failed too
    /// often, once. A backfill and [`StripeSync::follow`] do so as well.
    ///
    /// # Errors
    /// The database cannot be reached, or the key is invalid.
    pub async fn fetch_inbox(&self, retry_dead: bool, stop: &Stop) -> Result<InboxOutcome, Error> {
        let context = self.live_context().await?;
        Ok(live::fetch_inbox(&context, retry_dead, usize::MAX, stop).await?)
    }

    /// Like [`StripeSync::fetch_inbox`], but fetches at most `limit` objects, those that have waited
    /// longest.
    ///
    /// # Errors
    /// The database cannot be reached, or the key is invalid.
    pub async fn fetch_from_inbox(&self, limit: usize, stop: &Stop) -> Result<InboxOutcome, Error> {
        let context = self.live_context().await?;
        Ok(live::fetch_inbox(&context, false, limit, stop).await?)
    }

    /// How current the copy is: the event cursors, the inbox, and events that stored nothing.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn live_status(&self) -> Result<LiveStatus, Error> {
        match self.is_migrated().await? {
            true => Ok(self.copy.database().live_status(self.copy.names()).await?),
            false => Ok(LiveStatus::default()),
        }
    }

    /// The number of objects in the inbox that wait to be fetched.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn inbox(&self) -> Result<InboxCounts, Error> {
        match self.is_migrated().await? {
            true => Ok(self.copy.database().inbox_counts(self.copy.names(), None).await?),
            false => Ok(InboxCounts::default()),
        }
    }

    /// Events that stored nothing, by type and reason.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unstored_events(&self) -> Result<Vec<UnstoredEvents>, Error> {
        match self.is_migrated().await? {
            true => Ok(self.copy.database().unstored_events(self.copy.names()).await?),
            false => Ok(Vec::new()),
        }
    }
}
