//! Stripe's side of a check: the key, its account, and the first object of each stream.

use futures_util::{StreamExt, stream};

use super::report::{DatabaseCheck, KeyCheck, StreamAccess, StreamCheck, StripeCheck};
use crate::availability::{RefusalClass, classify_refusal, describe_refusal, requires_parent};
use crate::backfill::{self, FirstPage};
use crate::catalog::{Catalog, Table};
use crate::config::Config;
use crate::identity;
use crate::object::nested::{self, RefusedList};
use crate::postgres::{Database, SchemaState};
use crate::row::id_of;
use crate::stripe::{AccountError, StripeClient, StripeError, StripeErrorKind, resolve_account};

/// Streams requested concurrently. The limiter decides when each request is sent.
const CONCURRENT_STREAMS: usize = 16;

/// The findings, and what the database has to confirm.
pub(super) struct StripeProbe {
    pub(super) check: StripeCheck,
    /// Refusals of streams that seem to be unavailable, with their index in `check.streams`.
    unavailable: Vec<(usize, StripeError)>,
}

impl StripeProbe {
    pub(super) async fn run(config: &Config, streams: &[&'static Table]) -> StripeProbe {
        let key = config.key.as_ref().map(|key| KeyCheck {
            hint: key.hint(),
            restricted: key.is_restricted(),
            mode: key.mode(),
        });
        let version = config.api_version.clone();
        let mut check = StripeCheck {
            key,
            accepted: false,
            account: None,
            api_base: config.api_base.to_string(),
            api_version: version.unwrap_or_else(|| Catalog::get().api_version.clone()),
            streams: Vec::new(),
            requests: 0,
            problems: Vec::new(),
        };
        let mut unavailable = Vec::new();
        match identity::client(config) {
            Err(error) => check.problems.push(error),
            Ok((client, _)) => {
                match resolve_account(&client, config.account.as_ref()).await {
                    Ok(account) => (check.account, check.accepted) = (Some(account), true),
                    Err(error) => {
                        check.accepted = is_key_accepted(&error);
                        check.problems.push(identity::account_error(error));
                    }
                }
                if check.accepted {
                    unavailable = probe_streams(&client, streams, &mut check).await;
                }
                check.requests = client.stats().requests;
            }
        }
        StripeProbe { check, unavailable }
    }

    /// A stream that has been read before is not skipped: its refusal is a failure.
    pub(super) async fn fail_streams_with_rows(
        &mut self,
        config: &Config,
        checked: &DatabaseCheck,
        database: Option<&Database>,
    ) {
        let (Some(SchemaState::Migrated { current: true, .. }), Some(database)) =
            (&checked.schema, database)
        else {
            return;
        };
        let Some((account, _)) = &self.check.account else { return };
        for (i, error) in &self.unavailable {
            let stream = &mut self.check.streams[*i];
            let was_available =
                database.stream_was_available(&config.names, account.as_str(), &stream.table).await;
            let message = match was_available {
                Ok(false) => continue,
                Ok(true) => describe_refusal(RefusalClass::Failed, error),
                Err(problem) => problem.to_string(),
            };
            stream.access = StreamAccess::Failed;
            stream.message = Some(message);
        }
    }
}

/// The first object of a stream, and the lists inside it that cannot be read.
struct FirstObject {
    page: FirstPage,
    refused_lists: Vec<RefusedList>,
}

impl FirstObject {
    async fn request(
        client: &StripeClient,
        table: &'static Table,
    ) -> Result<FirstObject, StripeError> {
        let page = backfill::request_first_object(client, table).await?;
        let mut refused_lists = Vec::new();
        if let Some((id, object)) =
            page.page.objects().next().and_then(|object| Some((id_of(object)?, object)))
        {
            refused_lists = nested::refused_lists(client, table, &id, object).await;
        }
        Ok(FirstObject { page, refused_lists })
    }
}

/// Requests one object of each stream. Returns the refusals of streams that seem to be unavailable.
async fn probe_streams(
    client: &StripeClient,
    streams: &[&'static Table],
    check: &mut StripeCheck,
) -> Vec<(usize, StripeError)> {
    let mut responses: Vec<_> = stream::iter(streams.iter().enumerate())
        .map(|(i, table)| async move { (i, FirstObject::request(client, table).await) })
        .buffer_unordered(CONCURRENT_STREAMS)
        .collect()
        .await;
    responses.sort_by_key(|(i, _)| *i);
    let mut unavailable = Vec::new();
    for (i, response) in responses {
        let table = streams[i];
        check.streams.push(match &response {
            Ok(FirstObject { page: FirstPage { broken: Some(reason), page }, .. }) => StreamCheck {
                access: StreamAccess::Failed,
                message: Some((*reason).to_owned()),
                request_id: page.request_id.clone(),
                ..StreamCheck::readable(table)
            },
            Ok(FirstObject { refused_lists, .. }) => {
                StreamCheck::with_refused_lists(table, refused_lists)
            }
            Err(error) if requires_parent(table, client.version(), error) => {
                StreamCheck::readable(table)
            }
            Err(error) => StreamCheck::refused(table, classify_refusal(table, error), error),
        });
        match response {
            Err(error) if check.streams[i].access == StreamAccess::Skipped => {
                unavailable.push((i, error));
            }
            Err(error) if matches!(error.kind, StripeErrorKind::Unauthorized { .. }) => {
                check.accepted = false;
            }
            _ => {}
        }
    }
    unavailable
}

/// Whether Stripe accepted the key although its account is not known.
fn is_key_accepted(error: &AccountError) -> bool {
    match error {
        AccountError::OwnAccountDenied(_)
        | AccountError::MissingId
        | AccountError::Mismatch { .. } => true,
        AccountError::KeyRejected(_) | AccountError::KeyExpired(_) | AccountError::Failed(_) => {
            false
        }
    }
}
