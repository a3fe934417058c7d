//! The takeover from the first look to the last table.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::change::{Terms, clear_the_way, put_back, reshape};
use super::describe::Adoption;
use super::judge::{Plan, judge};
use super::rehearse::rehearse;
use super::survey::Survey;
use super::validate::remember;
use super::{DOING, statements};
use crate::account::{AccountId, Mode};
use crate::postgres::Database;
use crate::postgres::connection::pool::begin;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::Names;
use crate::postgres::schema::{ddl, migrate};

const LOCK_NOT_AVAILABLE: &str = "55P03";
/// How long a lock on a table is waited for. While we wait, everyone else waits behind us.
const LOCK_TIMEOUT: &str = "15s";
/// The account whose rows a schema took over, in `_meta`.
const TAKEN_FOR: &str = "taken_over_for";
/// The one account of a schema whose ids are unique by themselves, in `_meta`.
const ONLY_ACCOUNT: &str = "only_account";

/// Tables of another engine, looked at and fit to be taken over.
pub(crate) struct Takeover<'a> {
    database: &'a Database,
    names: &'a Names,
    /// What will be done.
    pub(crate) adoption: Adoption,
}

const CLEAR_IT: &str = "nothing was changed: drop or change what is named, then run `stripe-sync \
                        migrate` again, or give another --schema or --table-prefix";

/// Said when a look finds nothing in time and nobody has been named yet.
const SOME_TABLE: &str = "a table of the other engine";

/// Said once the first table may be done.
const GO_ON: &str = "each table is taken over by itself: those that are done stay so, this one is \
                     as it was; clear the cause, then run `stripe-sync migrate` again to go on";

pub(super) fn fail(error: tokio_postgres::Error) -> PostgresError {
    in_use(PostgresError::new(DOING, &error), SOME_TABLE)
}

impl Database {
    /// Looks whether the schema holds tables of a TypeScript engine; nothing is changed.
    ///
    /// # Errors
    /// The database cannot be read, or something stands in the way, each by name.
    pub(crate) async fn takeover<'a>(
        &'a self,
        names: &'a Names,
    ) -> Result<Option<Takeover<'a>>, PostgresError> {
        if self.is_migrated(names).await? {
            return Ok(None);
        }
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        begin_looking(&transaction).await?;
        let survey = Survey::read(&transaction, names).await?;
        if survey.tables.is_empty() {
            return Ok(None);
        }
        let plans = judge(&survey).map_err(|obstacles| stop(&obstacles))?;
        let adoption = Adoption::of(&survey, &plans);
        Ok(Some(Takeover { database: self, names, adoption }))
    }

    /// Refuses a second account in a schema that can only hold one.
    ///
    /// # Errors
    /// The schema is bound to another account.
    pub(crate) async fn check_only_account(
        &self,
        names: &Names,
        account: &AccountId,
    ) -> Result<(), PostgresError> {
        let sql = format!("select value from {} where key = $1", names.table("_meta"));
        let client = self.get().await?;
        let row = client
            .query_typed_opt(&sql, &[(&ONLY_ACCOUNT, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new("cannot read the schema's account", &e))?;
        match row.map(|row| row.get::<_, String>(0)) {
            Some(only) if only != account.as_str() => Err(PostgresError::own(
                format!("the schema takes no second account beside {only}"),
                "foreign keys of other tables refer to the ids of its rows; \
                 give another --schema or --table-prefix",
                ErrorClass::Rejected,
            )),
            _ => Ok(()),
        }
    }
}

impl Takeover<'_> {
    /// The mode of the rows, where they tell it.
    ///
    /// # Errors
    /// There are rows of both modes, or the tables cannot be read.
    pub(crate) async fn mode(&self) -> Result<Option<Mode>, PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        begin_looking(&transaction).await?;
        let survey = Survey::read(&transaction, self.names).await?;
        let (mut live, mut test) = (None, None);
        for found in &survey.tables {
            if !found.columns.iter().any(|c| c.name == "livemode" && c.type_name == "bool") {
                continue;
            }
            let table = self.names.table(&found.table.name);
            let row = transaction
                .query_typed_one(
                    &format!("select bool_or(livemode), bool_or(not livemode) from {table}"),
                    &[],
                )
                .await
                .map_err(fail)?;
            if row.get::<_, Option<bool>>(0) == Some(true) {
                live = live.or(Some(&found.table.name));
            }
            if row.get::<_, Option<bool>>(1) == Some(true) {
                test = test.or(Some(&found.table.name));
            }
        }
        match (live, test) {
            (Some(live), Some(test)) => Err(PostgresError::own(
                DOING,
                format!(
                    "it holds live rows (in {live}) and test rows (in {test}), and both modes \
                     share one account id; nothing was changed: delete the rows of one mode first"
                ),
                ErrorClass::Rejected,
            )),
            (Some(_), None) => Ok(Some(Mode::Live)),
            (None, Some(_)) => Ok(Some(Mode::Test)),
            (None, None) => Ok(None),
        }
    }

    /// Rehearses all of it, then changes one table after the other. Dropping the future is safe
    /// like `kill -9`: the next call goes on.
    ///
    /// # Errors
    /// Something would not survive (then nothing was changed), a table is in use, or the server
    /// ended it; tables that were done stay done.
    pub(crate) async fn take_over(
        &self,
        account: &AccountId,
        mode: Option<Mode>,
    ) -> Result<(), PostgresError> {
        let (names, database) = (self.names, self.database);
        self.rehearsed(account).await?;
        self.begin(account, mode).await?;
        loop {
            let mut client = database.get().await?;
            let transaction = begin(&mut client).await.map_err(fail)?;
            prepare(&transaction, names).await?;
            let terms = terms(&transaction, names, account).await?;
            let survey = Survey::read(&transaction, names).await?;
            let plans = judge(&survey).map_err(|found| stop(&found).with_hint(GO_ON))?;
            let Some(plan) = plans.first() else { break };
            let done = self.one(&transaction, &terms, &survey, plan).await;
            done.map_err(|e| {
                let e = in_use(e, &format!("table {}", plan.found.table.name));
                if e.hint().is_none() { e.with_hint(GO_ON) } else { e }
            })?;
            transaction.commit().await.map_err(fail)?;
        }
        database.validate_kept_keys(names).await
    }

    async fn one(
        &self,
        transaction: &Transaction<'_>,
        terms: &Terms<'_>,
        survey: &Survey,
        plan: &Plan<'_>,
    ) -> Result<(), PostgresError> {
        clear_the_way(transaction, survey, plan).await?;
        reshape(transaction, terms, plan, plan.found.oid).await?;
        let renamed = statements::rename_indexes(plan, terms);
        transaction.batch_execute(&renamed).await.map_err(fail)?;
        put_back(transaction, survey, plan, &plan.became_text, false).await?;
        remember(transaction, self.names, survey, plan).await
    }

    async fn rehearsed(&self, account: &AccountId) -> Result<(), PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        prepare(&transaction, self.names).await?;
        let terms = terms(&transaction, self.names, account).await?;
        let survey = Survey::read(&transaction, self.names).await?;
        let plans = judge(&survey).map_err(|obstacles| stop(&obstacles))?;
        let result = rehearse(&transaction, &survey, &plans, &terms).await;
        transaction.rollback().await.map_err(fail)?;
        result.map_err(|e| match e.sqlstate.as_deref() {
            Some(LOCK_NOT_AVAILABLE) => in_use(e, SOME_TABLE),
            _ => e.with_hint(CLEAR_IT),
        })
    }

    /// Writes down whose rows these are before the first table says so.
    async fn begin(&self, account: &AccountId, mode: Option<Mode>) -> Result<(), PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        transaction.batch_execute(&ddl::meta(self.names)).await.map_err(fail)?;
        let insert = format!(
            "insert into {} (key, value) values ($1, $2) on conflict (key) do nothing",
            self.names.table("_meta")
        );
        let account = account.as_str();
        let mut entries = vec![(TAKEN_FOR, account)];
        entries.extend(mode.map(|mode| ("mode", mode.as_str())));
        if !self.adoption.foreign_keys.is_empty() {
            entries.push((ONLY_ACCOUNT, account));
        }
        for (key, value) in entries {
            transaction
                .execute_typed(&insert, &[(&key, Type::TEXT), (&value, Type::TEXT)])
                .await
                .map_err(fail)?;
        }
        let select = format!("select value from {} where key = $1", self.names.table("_meta"));
        let row = transaction
            .query_typed_one(&select, &[(&TAKEN_FOR, Type::TEXT)])
            .await
            .map_err(fail)?;
        let begun: String = row.get(0);
        if begun != account {
            return Err(PostgresError::own(
                DOING,
                format!("it was begun for account {begun}; go on with that account's key"),
                ErrorClass::Rejected,
            ));
        }
        transaction.commit().await.map_err(fail)
    }
}

/// For a transaction that only looks: even that waits behind a table that is locked whole.
pub(super) async fn begin_looking(transaction: &Transaction<'_>) -> Result<(), PostgresError> {
    let settings =
        format!("set local lock_timeout = '{LOCK_TIMEOUT}'; set local statement_timeout = 0;");
    transaction.batch_execute(&settings).await.map_err(fail)
}

/// Settings of this transaction only, and the lock under which one process migrates at a time.
async fn prepare(transaction: &Transaction<'_>, names: &Names) -> Result<(), PostgresError> {
    let lock = names.lock_key("migrate");
    transaction
        .batch_execute(&format!(
            "select pg_advisory_xact_lock({lock});
             set local lock_timeout = '{LOCK_TIMEOUT}';
             set local statement_timeout = 0;
             set local client_min_messages = warning;"
        ))
        .await
        .map_err(fail)
}

async fn terms<'a>(
    transaction: &Transaction<'_>,
    names: &'a Names,
    account: &'a AccountId,
) -> Result<Terms<'a>, PostgresError> {
    let lz4 = migrate::offers_lz4(transaction).await.map_err(fail)?;
    Ok(Terms { names, account: account.as_str(), lz4 })
}

fn stop(obstacles: &[String]) -> PostgresError {
    PostgresError::own(DOING, format!("in the way: {}", obstacles.join(", ")), ErrorClass::Rejected)
        .with_hint(CLEAR_IT)
}

fn in_use(error: PostgresError, table: &str) -> PostgresError {
    if error.sqlstate.as_deref() != Some(LOCK_NOT_AVAILABLE) {
        return error;
    }
    PostgresError::own(
        DOING,
        format!(
            "{table} is in use by another session for longer than {LOCK_TIMEOUT}; stop the \
             other engine and long queries, then run `stripe-sync migrate` again"
        ),
        ErrorClass::Other,
    )
}
