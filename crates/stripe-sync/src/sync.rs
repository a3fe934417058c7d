//! The whole engine at a glance: what can be done with a copy of a Stripe account.

use tokio::sync::OnceCell;

use crate::account::{AccountId, Mode};
use crate::adopt;
use crate::backfill::{self, BackfillRequest, Progress, Report, RunProcess, Stop};
use crate::catalog::{Catalog, ColumnName};
use crate::config::Config;
use crate::error::{Error, ErrorKind};
use crate::exclusions::{self, ExclusionReport};
use crate::object::retrieve::AccountContext;
use crate::postgres::{Adoption, Database, QuarantinedRow, QueryResult, Statements, StatusRow};
use crate::refresh::{self, RefreshResult};
use crate::stripe::{
    AccountError, ClientOptions, RateOptions, StripeClient, Transport, TransportOptions,
    resolve_account,
};

/// A copy of one Stripe account in one schema.
pub struct StripeSync {
    config: Config,
    database: Database,
    statements: Statements,
    stripe: OnceCell<(StripeClient, Identity)>,
}

/// Whose data a key shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// Live or test data.
    pub mode: Mode,
}

impl StripeSync {
    /// Connects to the database and looks at it; asks Stripe nothing yet.
    ///
    /// # Errors
    /// The database cannot be reached, refuses, or is not one we can write to.
    pub async fn connect(config: Config) -> Result<StripeSync, Error> {
        let url = config.database_url.expose();
        let database = Database::connect(url, config.max_connections, config.max_outage).await?;
        let statements = Statements::new(config.names.clone());
        Ok(StripeSync { config, database, statements, stripe: OnceCell::new() })
    }

    /// What [`StripeSync::migrate`] would take over: tables of a TypeScript stripe-sync-engine.
    /// `None` if the schema has none, or is ours already.
    ///
    /// # Errors
    /// The database cannot be read, or something there could not survive, each by name.
    pub async fn adoption(&self) -> Result<Option<Adoption>, Error> {
        let takeover = self.database.takeover(&self.config.names).await?;
        Ok(takeover.map(|t| t.adoption).filter(|adoption| !adoption.tables.is_empty()))
    }

    /// Makes the schema and its tables, or adds what a newer version has. Repeatable. Tables of a
    /// TypeScript stripe-sync-engine are taken over in place, with every row; that needs the key
    /// or the account in the configuration.
    ///
    /// # Errors
    /// The user may not create what is missing, or the schema holds tables of someone else.
    /// Nothing has been changed then. A takeover that was cut goes on with the next call.
    pub async fn migrate(&self) -> Result<Migration, Error> {
        adopt::take_over(&self.database, &self.config, || self.identity()).await?;
        self.shape().await
    }

    async fn shape(&self) -> Result<Migration, Error> {
        let migrated = self.database.migrate(&self.config.names).await?;
        Ok(Migration {
            changed: migrated == crate::postgres::Migrated::Changed,
            tables: Catalog::get().tables.len(),
            left_out: self.leave_out().await?,
        })
    }

    /// What [`StripeSync::backfill`] and [`StripeSync::refresh`] begin with: refuses a schema of
    /// the other mode, then does as [`StripeSync::migrate`].
    ///
    /// # Errors
    /// A wrong key, a schema of the other mode, or a failing migration.
    pub async fn prepare(&self) -> Result<Migration, Error> {
        let (_, identity) =
            self.stripe.get_or_try_init(|| identify_with_client(&self.config)).await?;
        let names = &self.config.names;
        // A key of the other mode is refused before even the schema is touched.
        if self.database.is_migrated(names).await? {
            self.database.bind_mode(names, identity.mode).await?;
        }
        let migration = self.shape().await?;
        self.database.bind_mode(names, identity.mode).await?;
        self.database.check_only_account(names, &identity.account).await?;
        Ok(migration)
    }

    /// Stores columns again that were left out, and tells which. Rows get them back as they are
    /// read again: `fresh` in the next [`BackfillRequest`] sees to it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn include_columns(&self, columns: &[ColumnName]) -> Result<Vec<ColumnName>, Error> {
        match self.database.is_migrated(&self.config.names).await? {
            true => exclusions::take_in(&self.database, &self.config.names, columns).await,
            false => Ok(Vec::new()),
        }
    }

    /// The columns that the schema leaves out.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn excluded_columns(&self) -> Result<Vec<ColumnName>, Error> {
        match self.database.is_migrated(&self.config.names).await? {
            true => Ok(self.database.left_out(&self.config.names).await?.left_out),
            false => Ok(Vec::new()),
        }
    }

    async fn leave_out(&self) -> Result<ExclusionReport, Error> {
        let (names, wanted) = (&self.config.names, &self.config.exclude_columns);
        exclusions::leave_out(&self.database, names, wanted).await
    }

    /// Copies history. Migrates first, so that one command is enough.
    ///
    /// The report names how every stream ended. Dropping the future is safe like `kill -9`: the
    /// same request continues.
    ///
    /// # Errors
    /// What ends the whole run: a wrong request or key, or an end that outlasts the
    /// configuration's patience of Stripe or of the database.
    pub async fn backfill(
        &self,
        request: &BackfillRequest,
        progress: &Progress,
        stop: &Stop,
    ) -> Result<Report, Error> {
        request.check().map_err(Error::usage)?;
        let link = self.link().await?;
        backfill::backfill(link, request, progress, stop).await
    }

    /// Fetches single objects and writes them, each by an id such as `cus_123` or, for ids
    /// without a telling prefix, `products/gold`.
    ///
    /// # Errors
    /// An id that belongs to no table (before anything is fetched), a wrong key, or an end of
    /// Stripe or the database. What became of each object is in the answer.
    pub async fn refresh(&self, ids: &[String]) -> Result<Vec<RefreshResult>, Error> {
        let targets = refresh::targets(ids)?;
        let link = self.link().await?;
        refresh::refresh(&link, targets).await
    }

    /// The streams of the latest `runs` runs.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn status(&self, runs: u32) -> Result<Vec<StatusRow>, Error> {
        match self.database.is_migrated(&self.config.names).await? {
            true => Ok(self.database.status(&self.config.names, i64::from(runs)).await?),
            false => Ok(Vec::new()),
        }
    }

    /// The processes that work on the latest `runs` runs, and what they wait for.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn processes(&self, runs: u32) -> Result<Vec<RunProcess>, Error> {
        if !self.database.is_migrated(&self.config.names).await? {
            return Ok(Vec::new());
        }
        let working = self.database.working(&self.config.names, i64::from(runs)).await?;
        Ok(working.into_iter().map(RunProcess::from).collect())
    }

    /// Rows that the server refused, at most `most`, and how many there are in all.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn quarantined(&self, most: u32) -> Result<(Vec<QuarantinedRow>, i64), Error> {
        match self.database.is_migrated(&self.config.names).await? {
            true => Ok(self.database.quarantined(&self.config.names, i64::from(most)).await?),
            false => Ok((Vec::new(), 0)),
        }
    }

    /// Runs one statement that cannot write.
    ///
    /// # Errors
    /// The statement is wrong, tries to write, or is more than one.
    pub async fn query(&self, sql: &str) -> Result<QueryResult, Error> {
        Ok(self.database.query(sql).await?)
    }

    async fn identity(&self) -> Result<Identity, Error> {
        let known = self.stripe.get_or_try_init(|| identify_with_client(&self.config)).await?;
        Ok(known.1.clone())
    }

    /// Both ends, with the schema migrated and bound to the key's mode.
    async fn link(&self) -> Result<AccountContext, Error> {
        self.prepare().await?;
        let (client, identity) =
            self.stripe.get_or_try_init(|| identify_with_client(&self.config)).await?;
        Ok(AccountContext {
            client: client.clone(),
            database: self.database.clone(),
            statements: self.statements.clone(),
            account: identity.account.clone(),
        })
    }
}

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migration {
    /// False if everything was there already.
    pub changed: bool,
    /// How many tables of rows the schema has.
    pub tables: usize,
    /// What [`Config::exclude_columns`] has changed.
    pub left_out: ExclusionReport,
}

/// Asks Stripe whose key this is, without touching any database.
///
/// # Errors
/// There is no key, Stripe does not know it, or the account cannot be told.
pub async fn identify(config: &Config) -> Result<Identity, Error> {
    identify_with_client(config).await.map(|(_, identity)| identity)
}

async fn identify_with_client(config: &Config) -> Result<(StripeClient, Identity), Error> {
    let (client, mode) = client(config)?;
    let found = resolve_account(&client, config.account.as_ref()).await;
    let (account, _) = found.map_err(account_error)?;
    Ok((client, Identity { account, mode }))
}

/// A connection to Stripe with the configuration's key.
pub(crate) fn client(config: &Config) -> Result<(StripeClient, Mode), Error> {
    let Some(key) = config.key.clone() else {
        return Err(Error::new(ErrorKind::Usage, "there is no Stripe key").with_hint(
            "set STRIPE_SECRET_KEY to a secret key (sk_...) or a restricted key (rk_...) \
             from https://dashboard.stripe.com/apikeys",
        ));
    };
    let mode = key.mode();
    let version = config.api_version.clone();
    let version = version.unwrap_or_else(|| Catalog::get().api_version.clone());
    let mut options = ClientOptions::new(key, version);
    options.rate = config.rate.unwrap_or(RateOptions::Documented { mode });
    options.max_outage = config.max_outage;
    let transport = Transport::new(TransportOptions {
        base: config.api_base.clone(),
        request_timeout: config.request_timeout,
        ..TransportOptions::default()
    })?;
    Ok((StripeClient::with_transport(transport, options)?, mode))
}

pub(crate) fn account_error(error: AccountError) -> Error {
    let message = error.to_string();
    match error {
        // Why Stripe could not be asked; the other messages explain themselves.
        AccountError::Failed(ref cause) => {
            let hint = cause.hint().unwrap_or(
                "correct --api-version and --api-base (or their variables) if they are set",
            );
            Error::new(ErrorKind::Stripe, message).caused_by(error).with_hint(hint)
        }
        // A closed account answers like a missing permission; only Stripe's words tell them apart.
        AccountError::NotNamed(_) => {
            let (what, hint) = message.split_once("; ").unwrap_or((&message, ""));
            let (what, hint) = (what.to_owned(), hint.to_owned());
            Error::new(ErrorKind::Access, what).caused_by(error).with_hint(hint)
        }
        _ => Error::new(ErrorKind::Access, message),
    }
}

/// Checks ids for [`StripeSync::refresh`] without asking anybody.
///
/// # Errors
/// An id that belongs to no table, or to one whose rows cannot be retrieved one by one.
pub fn check_ids(ids: &[String]) -> Result<(), Error> {
    refresh::targets(ids).map(|_| ())
}

/// The objects that can be copied, each with its table.
pub fn objects() -> Vec<(&'static str, &'static str)> {
    Catalog::get().streams().map(|t| (t.object.as_str(), t.name.as_str())).collect()
}

/// The API version whose shapes the tables have.
pub fn api_version() -> &'static str {
    &Catalog::get().api_version
}
