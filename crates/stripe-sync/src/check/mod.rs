//! What would stop a backfill, told before it runs: the key, the account, the database, and the
//! permission of each stream. Writes nothing, and goes on after every finding.
//!
//! A stream is asked for one object, with the very request that a backfill begins with. That tells
//! permissions and availability; whether a later page can be read it does not tell.

use futures_util::{StreamExt, stream};

use crate::account::{AccountId, Mode};
use crate::availability::{self, Refusal};
use crate::backfill::{self, FirstPage};
use crate::catalog::{Catalog, Table};
use crate::config::Config;
use crate::error::Error;
use crate::identity;
use crate::postgres::{Database, Inspection, PostgresError, SchemaState};
use crate::stripe::{
    AccountError, AccountSource, StripeClient, StripeError, StripeErrorKind, resolve_account,
};

/// What to look at.
#[derive(Debug, Clone)]
pub struct CheckRequest {
    /// Objects by any of their names; empty or `all` for every stream.
    pub objects: Vec<String>,
    /// The key, the account and the streams.
    pub stripe: bool,
    /// The database that the configuration names.
    pub database: bool,
}

impl Default for CheckRequest {
    fn default() -> CheckRequest {
        CheckRequest { objects: Vec::new(), stripe: true, database: true }
    }
}

/// Everything that was found.
#[derive(Debug)]
pub struct CheckReport {
    /// `None` if it was not asked for.
    pub stripe: Option<StripeCheck>,
    /// `None` if it was not asked for.
    pub database: Option<DatabaseCheck>,
}

/// Stripe's side.
#[derive(Debug)]
pub struct StripeCheck {
    /// `None` if the configuration has no key.
    pub key: Option<KeyCheck>,
    /// Stripe answered, and did not refuse the key.
    pub accepted: bool,
    /// Whose data the key reads, and how that is known.
    pub account: Option<(AccountId, AccountSource)>,
    /// Where the requests went.
    pub api_base: String,
    /// The shapes that were asked for.
    pub api_version: String,
    /// One for each stream; none if the key cannot be used.
    pub streams: Vec<StreamCheck>,
    /// HTTP requests it took.
    pub requests: u64,
    /// What makes a backfill impossible.
    pub problems: Vec<Error>,
}

/// What a key shows without being used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck {
    /// Its kind, such as `rk_test_...`; safe to print.
    pub hint: String,
    /// `rk_`: it reads only what its permissions name.
    pub restricted: bool,
    /// Live or test data.
    pub mode: Mode,
}

/// The database's side.
#[derive(Debug)]
pub struct DatabaseCheck {
    /// `None` if it could not be reached.
    pub server: Option<ServerCheck>,
    /// What is in the schema; `None` if that could not be read.
    pub schema: Option<SchemaState>,
    /// What makes a backfill impossible.
    pub problems: Vec<Error>,
}

/// The server and who we are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerCheck {
    /// As the server says it: `15.13 (Debian 15.13-0+deb12u1)`.
    pub version: String,
    /// `UTF8` is what is needed.
    pub encoding: String,
    /// The database.
    pub database: String,
    /// The user.
    pub user: String,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamCheck {
    /// As Stripe calls it.
    pub object: String,
    /// Its table.
    pub table: String,
    /// Whether it can be read.
    pub access: StreamAccess,
    /// The `rak_...` permission that the key lacks, if Stripe named it.
    pub missing_permission: Option<String>,
    /// Why it cannot be read.
    pub message: Option<String>,
    /// Stripe's name for the request.
    pub request_id: Option<String>,
}

/// Whether a stream can be read; the words are those of a backfill's report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamAccess {
    /// It answered.
    Readable,
    /// The key lacks a permission.
    Denied,
    /// Not available on this account; a backfill would skip it.
    Skipped,
    /// Anything else.
    Failed,
}

impl StreamAccess {
    /// `ok`, `denied`, `skipped` or `failed`.
    pub fn as_str(self) -> &'static str {
        match self {
            StreamAccess::Readable => "ok",
            StreamAccess::Denied => "denied",
            StreamAccess::Skipped => "skipped",
            StreamAccess::Failed => "failed",
        }
    }
}

/// Streams asked at once; the limiter decides when each request leaves.
const AT_ONCE: usize = 16;

/// Looks at everything that a backfill with this configuration needs, and changes nothing.
///
/// # Errors
/// Only a name that is no object. What is found wrong is in the report.
pub async fn check(config: &Config, request: &CheckRequest) -> Result<CheckReport, Error> {
    let streams = backfill::streams(&request.objects).map_err(Error::usage)?;
    let (probed, mut inspected) = tokio::join!(
        async {
            match request.stripe {
                true => Some(probe(config, &streams).await),
                false => None,
            }
        },
        async {
            match request.database {
                true => Some(inspect(config).await),
                false => None,
            }
        },
    );
    let stripe = match probed {
        None => None,
        Some(mut probed) => {
            if let Some((check, database)) = &mut inspected {
                check.refuse_other_mode(config, &probed.check);
                probed.look_for_rows(config, check, database.as_ref()).await;
            }
            Some(probed.check)
        }
    };
    Ok(CheckReport { stripe, database: inspected.map(|(check, _)| check) })
}

/// Stripe's side while it is being judged.
struct Probed {
    check: StripeCheck,
    /// Refusals of streams that look as if they were not available, with their places.
    unavailable: Vec<(usize, StripeError)>,
}

async fn probe(config: &Config, streams: &[&'static Table]) -> Probed {
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
                Ok(found) => (check.account, check.accepted) = (Some(found), true),
                Err(error) => {
                    check.accepted = error.is_of_an_accepted_key();
                    check.problems.push(identity::account_error(error));
                }
            }
            if check.accepted {
                unavailable = probe_streams(&client, streams, &mut check).await;
            }
            check.requests = client.stats().requests;
        }
    }
    Probed { check, unavailable }
}

async fn probe_streams(
    client: &StripeClient,
    streams: &[&'static Table],
    check: &mut StripeCheck,
) -> Vec<(usize, StripeError)> {
    let mut answers: Vec<_> = stream::iter(streams.iter().enumerate())
        .map(|(i, table)| async move { (i, backfill::request_first_object(client, table).await) })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    answers.sort_by_key(|(i, _)| *i);
    let mut unavailable = Vec::new();
    for (i, answer) in answers {
        let table = streams[i];
        check.streams.push(match &answer {
            Ok(FirstPage { broken: Some(what), request_id }) => StreamCheck {
                access: StreamAccess::Failed,
                message: Some((*what).to_owned()),
                request_id: request_id.clone(),
                ..StreamCheck::readable(table)
            },
            Ok(_) => StreamCheck::readable(table),
            Err(error) => {
                StreamCheck::refused(table, availability::judge_first_page(table, error), error)
            }
        });
        match answer {
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

async fn inspect(config: &Config) -> (DatabaseCheck, Option<Database>) {
    let mut check = DatabaseCheck { server: None, schema: None, problems: Vec::new() };
    let url = config.database_url.expose();
    let opened = Database::open(url, 2, config.max_outage);
    let database = match opened {
        Ok(database) => database,
        Err(error) => {
            check.problems.push(error.into());
            return (check, None);
        }
    };
    match database.inspect(&config.names).await {
        Ok(Inspection { server, schema, objections }) => {
            check.server = Some(ServerCheck {
                version: server.version,
                encoding: server.encoding,
                database: server.database,
                user: server.user,
            });
            check.schema = schema;
            check.problems.extend(objections.into_iter().map(Error::from));
        }
        Err(error) => check.problems.push(error.into()),
    }
    (check, Some(database))
}

impl DatabaseCheck {
    fn refuse_other_mode(&mut self, config: &Config, stripe: &StripeCheck) {
        let Some(SchemaState::Migrated { mode: Some(bound), .. }) = &self.schema else { return };
        if let Some(key) = stripe.key.as_ref().filter(|key| key.mode != *bound) {
            let error = PostgresError::other_mode(&config.names, key.mode, bound.as_str());
            self.problems.push(error.into());
        }
    }
}

impl Probed {
    /// A stream that has been read before is not skipped: its refusal is a failure.
    async fn look_for_rows(
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
            match was_available {
                Ok(false) => {}
                Ok(true) => {
                    stream.access = StreamAccess::Failed;
                    stream.message = Some(availability::explain(Refusal::Failed, error));
                }
                Err(problem) => {
                    stream.access = StreamAccess::Failed;
                    stream.message = Some(problem.to_string());
                }
            }
        }
    }
}

impl StreamCheck {
    fn readable(table: &Table) -> StreamCheck {
        StreamCheck {
            object: table.object.clone(),
            table: table.name.clone(),
            access: StreamAccess::Readable,
            missing_permission: None,
            message: None,
            request_id: None,
        }
    }

    fn refused(table: &Table, refusal: Refusal, error: &StripeError) -> StreamCheck {
        StreamCheck {
            access: match refusal {
                Refusal::Denied => StreamAccess::Denied,
                Refusal::NotAvailable => StreamAccess::Skipped,
                Refusal::Failed => StreamAccess::Failed,
            },
            missing_permission: error.missing_permission().map(str::to_owned),
            message: Some(availability::explain(refusal, error)),
            request_id: error.request_id.clone(),
            ..StreamCheck::readable(table)
        }
    }
}

impl AccountError {
    /// Whether Stripe took the key, although no account could be settled.
    fn is_of_an_accepted_key(&self) -> bool {
        match self {
            AccountError::OwnAccountDenied(_)
            | AccountError::MissingId
            | AccountError::Mismatch { .. } => true,
            AccountError::KeyRejected(_)
            | AccountError::KeyExpired(_)
            | AccountError::Failed(_) => false,
        }
    }
}
