//! What a process shares for one schema: connections, statements, memory, and whether the schema
//! has been prepared.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::account::AccountId;
use crate::catalog::Catalog;
use crate::config::Config;
use crate::context::AccountContext;
use crate::error::Error;
use crate::exclusions::{self, ExclusionReport};
use crate::identity::{AccountHandle, Identity};
use crate::memory::MemoryBudget;
use crate::postgres::{Database, Migrated, Names, RetryBudget, Statements};

/// Memory for pages in flight, in KiB.
const MEMORY_BUDGET: usize = 40 << 10;

/// What a migration did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Migration {
    /// False if the schema was already up to date.
    pub changed: bool,
    /// How many data tables the schema has.
    pub tables: usize,
    /// What [`Config::exclude_columns`] changed.
    pub excluded: ExclusionReport,
}

/// One schema of one database. Clones share everything.
#[derive(Clone)]
pub(crate) struct Copy {
    shared: Arc<Shared>,
}

struct Shared {
    config: Config,
    database: Database,
    statements: Statements,
    memory: MemoryBudget,
    /// The account that the schema has been prepared for, and the result of the migration.
    prepared: Mutex<Option<(AccountId, Migration)>>,
}

impl Copy {
    pub(crate) async fn connect(config: Config) -> Result<Copy, Error> {
        let url = config.database_url.expose();
        let database = Database::connect(url, config.database_options()).await?;
        let statements = Statements::new(config.names.clone());
        let memory = MemoryBudget::new(MEMORY_BUDGET);
        let prepared = Mutex::default();
        let shared = Shared { config, database, statements, memory, prepared };
        Ok(Copy { shared: Arc::new(shared) })
    }

    pub(crate) fn config(&self) -> &Config {
        &self.shared.config
    }

    pub(crate) fn database(&self) -> &Database {
        &self.shared.database
    }

    pub(crate) fn names(&self) -> &Names {
        self.shared.statements.names()
    }

    /// Creates what is missing in the schema.
    pub(crate) async fn migrate(&self) -> Result<Migration, Error> {
        let (database, names) = (self.database(), self.names());
        let mut budget = RetryBudget::new(database);
        let migrated = loop {
            match database.migrate(names).await {
                Err(error) if error.is_lock_timeout() && budget.wait_before_retry(&error).await => {
                }
                other => break other?,
            }
        };
        let wanted = &self.config().exclude_columns;
        let excluded = exclusions::exclude(database, names, wanted).await?;
        Ok(Migration {
            changed: migrated == Migrated::Changed,
            tables: Catalog::get().tables.len(),
            excluded,
        })
    }

    /// Migrates the schema and binds it to the mode of the account's key. Done once per account;
    /// later calls return what the first one did.
    pub(crate) async fn prepare(&self, identity: &Identity) -> Result<Migration, Error> {
        let mut prepared = self.shared.prepared.lock().await;
        if let Some((account, migration)) = prepared.as_ref()
            && *account == identity.account
        {
            return Ok(migration.clone());
        }
        let (database, names) = (self.database(), self.names());
        // A key of the other mode is rejected before anything in the schema is changed.
        if database.is_migrated(names).await? {
            database.bind_mode(names, identity.mode).await?;
        }
        let migration = self.migrate().await?;
        database.bind_mode(names, identity.mode).await?;
        database.check_only_account(names, &identity.account).await?;
        *prepared = Some((identity.account.clone(), migration.clone()));
        Ok(migration)
    }

    /// Makes the next [`Copy::prepare`] check the schema again, because the server reported that
    /// one of its tables or columns is missing.
    pub(crate) async fn forget_preparation(&self) {
        *self.shared.prepared.lock().await = None;
    }

    /// The context of the account with this copy.
    pub(crate) fn context(&self, account: &AccountHandle) -> AccountContext {
        AccountContext {
            client: account.client().clone(),
            database: self.shared.database.clone(),
            statements: self.shared.statements.clone(),
            memory: self.shared.memory.clone(),
            account: account.identity().account.clone(),
            mode: account.identity().mode,
            waits_for_locks: true,
        }
    }
}
