//! The facade of the crate: all operations on a copy of a Stripe account.

mod live;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::adopt;
use crate::backfill::{self, BackfillRequest, BackfillRun, Report, RunProcess};
use crate::catalog::{self, Catalog, ColumnName};
use crate::config::Config;
use crate::context::AccountContext;
use crate::copy::{Copy, Migration};
use crate::error::Error;
use crate::exclusions;
use crate::identity::{AccountHandle, Identity};
use crate::live::{self as live_events, Deliveries, catch_up_with_run};
use crate::postgres::{Adoption, QuarantinedRow, QueryPart, QueryResult, StatusRow};
use crate::refresh::{self, RefreshResult};

/// A copy of one Stripe account in one schema. Clones share connections, memory and rate limits.
#[derive(Clone)]
pub struct StripeSync {
    copy: Copy,
    account: Arc<OnceCell<AccountHandle>>,
    deliveries: Deliveries,
}

impl StripeSync {
    /// Connects to the database and checks the server. Sends nothing to Stripe.
    ///
    /// # Errors
    /// The database cannot be reached, rejects the connection, or cannot hold a copy.
    pub async fn connect(config: Config) -> Result<StripeSync, Error> {
        live_events::check_revalidate(&config.revalidate)?;
        let copy = Copy::connect(config).await?;
        let deliveries = deliveries(copy.config());
        Ok(StripeSync { copy, account: Arc::default(), deliveries })
    }

    /// The same copy for an account whose identity is already known. Without it, the first call
    /// that needs the identity requests it from Stripe.
    #[must_use]
    pub fn for_account(&self, account: AccountHandle) -> StripeSync {
        let account = Arc::new(OnceCell::new_with(Some(account)));
        let deliveries = deliveries(self.copy.config());
        StripeSync { copy: self.copy.clone(), account, deliveries }
    }

    /// What [`StripeSync::migrate`] would adopt: tables of a TypeScript stripe-sync-engine. `None`
    /// if the schema has none, or has already been adopted.
    ///
    /// # Errors
    /// The database cannot be read, or the schema contains objects that an adoption cannot keep.
    /// The error names them.
    pub async fn adoption(&self) -> Result<Option<Adoption>, Error> {
        adopt::describe(self.copy.database(), self.copy.names()).await
    }

    /// Creates the schema and its tables, or adds what is new in this version. Idempotent. Tables
    /// of a TypeScript stripe-sync-engine are adopted in place, with every row; that needs the key
    /// or the account in the configuration.
    ///
    /// # Errors
    /// The user lacks a privilege, or the schema holds tables of another program. In both cases
    /// nothing was changed. An interrupted adoption resumes with the next call.
    pub async fn migrate(&self) -> Result<Migration, Error> {
        let (database, config) = (self.copy.database(), self.copy.config());
        let identify = || async { Ok(self.account().await?.identity().clone()) };
        adopt::adopt(database, config, identify).await?;
        self.copy.migrate().await
    }

    /// The account that is copied, and its mode. Asks Stripe unless it is known.
    ///
    /// # Errors
    /// The key is rejected, or Stripe cannot be reached.
    pub async fn identity(&self) -> Result<Identity, Error> {
        Ok(self.account().await?.identity().clone())
    }

    /// Migrates the schema and binds it to the mode of the key. [`StripeSync::start_backfill`] and
    /// [`StripeSync::refresh`] do the same. Calls after the first have no effect.
    ///
    /// # Errors
    /// A rejected key, a schema that holds data of the other mode, or a migration that fails.
    pub async fn prepare(&self) -> Result<Migration, Error> {
        self.copy.prepare(self.account().await?.identity()).await
    }

    /// Starts a backfill and returns the handle of its run. The same request resumes an unfinished
    /// run. It ends by applying the events since its first page, so that its streams are current.
    ///
    /// # Errors
    /// The request or the key is invalid, or the preparation fails. Errors of single streams are in
    /// the report of [`BackfillRun::join`].
    pub async fn start_backfill(&self, request: BackfillRequest) -> Result<BackfillRun, Error> {
        request.check().map_err(Error::usage)?;
        let context = self.context().await?;
        let sync = self.clone();
        Ok(BackfillRun::spawn(move |progress, stop| async move {
            let revalidate = &sync.copy.config().revalidate;
            let run = match backfill::read(context, &request, &progress, &stop, None).await {
                Err(error) if error.is_schema_missing() && !stop.is_requested() => {
                    let context = sync.prepared_again().await?;
                    backfill::read(context, &request, &progress, &stop, None).await?
                }
                run => run?,
            };
            let catch_up = catch_up_with_run(&run, revalidate, &stop).await?;
            run.close(catch_up).await
        }))
    }

    /// Runs a backfill to its end.
    ///
    /// Dropping the future stops the run like `kill -9`: the same request resumes it.
    ///
    /// # Errors
    /// Errors that end the whole run: an invalid request or key, or an outage of Stripe or the
    /// database that lasts longer than [`Config::max_outage`].
    pub async fn backfill(&self, request: &BackfillRequest) -> Result<Report, Error> {
        self.start_backfill(request.clone()).await?.join().await
    }

    /// Fetches single objects and writes them, each by an id such as `cus_123`, or `products/gold`
    /// for ids whose prefix does not identify the table.
    ///
    /// # Errors
    /// An id that belongs to no table (before anything is fetched), a rejected key, or an outage of
    /// Stripe or the database. What happened to each object is in the result.
    pub async fn refresh(&self, ids: &[String]) -> Result<Vec<RefreshResult>, Error> {
        let targets = refresh::targets(ids)?;
        match refresh::refresh(&self.context().await?, &targets).await {
            Err(error) if error.is_schema_missing() => {
                refresh::refresh(&self.prepared_again().await?, &targets).await
            }
            other => other,
        }
    }

    /// Includes excluded columns again, and returns them. Rows get the values when they are read
    /// again: set `fresh` in the next [`BackfillRequest`].
    ///
    /// # Errors
    /// The database cannot be written to.
    pub async fn include_columns(&self, columns: &[ColumnName]) -> Result<Vec<ColumnName>, Error> {
        match self.is_migrated().await? {
            true => exclusions::include(self.copy.database(), self.copy.names(), columns).await,
            false => Ok(Vec::new()),
        }
    }

    /// The columns that the schema excludes.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn excluded_columns(&self) -> Result<Vec<ColumnName>, Error> {
        match self.is_migrated().await? {
            true => exclusions::excluded(self.copy.database(), self.copy.names()).await,
            false => Ok(Vec::new()),
        }
    }

    /// The streams of the latest `runs` runs.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status(&self, runs: u32) -> Result<Vec<StatusRow>, Error> {
        match self.is_migrated().await? {
            true => Ok(self.copy.database().status(self.copy.names(), i64::from(runs)).await?),
            false => Ok(Vec::new()),
        }
    }

    /// The processes that work on the latest `runs` runs, and what each is waiting for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn processes(&self, runs: u32) -> Result<Vec<RunProcess>, Error> {
        if !self.is_migrated().await? {
            return Ok(Vec::new());
        }
        let owners = self.copy.database().run_owners(self.copy.names(), i64::from(runs)).await?;
        Ok(owners.into_iter().map(RunProcess::from).collect())
    }

    /// Quarantined rows, at most `limit`, and how many there are in all.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn quarantined(&self, limit: u32) -> Result<(Vec<QuarantinedRow>, i64), Error> {
        match self.is_migrated().await? {
            true => {
                Ok(self.copy.database().quarantined(self.copy.names(), i64::from(limit)).await?)
            }
            false => Ok((Vec::new(), 0)),
        }
    }

    /// Runs one statement in a read-only transaction. The schema is on the search path.
    ///
    /// # Errors
    /// The statement is invalid or tries to write, or the text contains more than one.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        Ok(self.copy.database().query(self.copy.names(), sql).await?)
    }

    /// Like [`StripeSync::query`], but hands over each row when it arrives and keeps none, so that
    /// memory does not grow with the result. [`ControlFlow::Break`] ends the statement.
    ///
    /// # Errors
    /// As for [`StripeSync::query`]. Rows may have been handed over before.
    pub async fn query_parts(
        &self,
        sql: &str,
        mut on_part: impl FnMut(QueryPart<'_>) -> ControlFlow<()> + Send,
    ) -> Result<(), Error> {
        Ok(self.copy.database().query_parts(self.copy.names(), sql, &mut on_part).await?)
    }

    /// Like [`StripeSync::query_parts`], with each row as the text of a JSON object. Its values have the
    /// JSON types that correspond to their SQL types; those of `show` and `explain` are strings.
    ///
    /// # Errors
    /// As for [`StripeSync::query_parts`].
    pub async fn query_json(
        &self,
        sql: &str,
        mut on_row: impl FnMut(&str) -> ControlFlow<()> + Send,
    ) -> Result<(), Error> {
        Ok(self.copy.database().query_json(self.copy.names(), sql, &mut on_row).await?)
    }

    /// Waits until the server has ended the statements of queries whose futures were dropped or whose rows
    /// were not wanted any longer, for at most a few seconds. Without this call it ends them in the
    /// background.
    pub async fn queries_ended(&self) {
        self.copy.database().queries_ended().await;
    }

    async fn is_migrated(&self) -> Result<bool, Error> {
        Ok(self.copy.database().is_migrated(self.copy.names()).await?)
    }

    async fn account(&self) -> Result<&AccountHandle, Error> {
        self.account.get_or_try_init(|| AccountHandle::open(self.copy.config())).await
    }

    /// The account with its prepared schema.
    async fn context(&self) -> Result<AccountContext, Error> {
        let account = self.account().await?;
        self.copy.prepare(account.identity()).await?;
        Ok(self.copy.context(account))
    }

    async fn prepared_again(&self) -> Result<AccountContext, Error> {
        self.copy.forget_preparation().await;
        self.context().await
    }
}

fn deliveries(config: &Config) -> Deliveries {
    Deliveries::new(config.revalidate.clone(), config.webhook_timeout)
}

/// Checks ids for [`StripeSync::refresh`] without sending a request.
///
/// # Errors
/// An id that belongs to no table, or to one whose rows cannot be retrieved one by one.
pub fn check_ids(ids: &[String]) -> Result<(), Error> {
    refresh::targets(ids).map(|_| ())
}

/// Checks names for [`Config::revalidate`].
///
/// # Errors
/// A name that belongs to no object and no table.
pub fn check_revalidate(names: &BTreeSet<String>) -> Result<(), Error> {
    live_events::check_revalidate(names)
}

/// The objects that can be copied, each with its table.
pub fn objects() -> Vec<(&'static str, &'static str)> {
    Catalog::get().streams().map(|t| (t.object.as_str(), t.name.as_str())).collect()
}

/// The types of the events that change a copy: those to enable on a webhook endpoint.
pub fn event_types() -> Vec<&'static str> {
    catalog::stored_event_types().collect()
}

/// The API version that defines the shape of the tables.
pub fn api_version() -> &'static str {
    &Catalog::get().api_version
}
