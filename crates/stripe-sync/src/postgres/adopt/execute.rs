//! Runs an adoption, from the survey to the last table.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::adoption::Adoption;
use super::change::{drop_dependents, recreate_dependents, reshape};
use super::failure::{
    CONTINUE, DOING, REMOVE_OBSTACLES, SOME_TABLE, explain_lock_timeout, fail, is_in_use, obstacles,
};
use super::plan::{TablePlan, plan_tables};
use super::rehearse::rehearse;
use super::statements;
use super::survey::Survey;
use super::terms::AdoptionTarget;
use super::transaction::{limit_waiting, prepare};
use super::validate::remember;
use crate::account::{AccountId, Mode};
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::meta_keys::{ADOPTED_FOR, MODE, ONLY_ACCOUNT};
use crate::postgres::names::Names;
use crate::postgres::schema::{engine_tables, revision};

/// Tables of another engine that can be adopted.
pub(crate) struct PlannedAdoption<'a> {
    database: &'a Database,
    names: &'a Names,
    /// What will be done.
    pub(crate) adoption: Adoption,
}

impl Database {
    /// Plans the adoption of the tables of a TypeScript engine, if the schema has any. Changes
    /// nothing.
    ///
    /// # Errors
    /// The database cannot be read, or there are obstacles; each is named.
    pub(crate) async fn plan_adoption<'a>(
        &'a self,
        names: &'a Names,
    ) -> Result<Option<PlannedAdoption<'a>>, PostgresError> {
        if self.is_migrated(names).await? {
            return Ok(None);
        }
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        limit_waiting(&transaction).await?;
        let survey = Survey::read(&transaction, names).await?;
        if survey.tables.is_empty() {
            return Ok(None);
        }
        let plans = plan_tables(&survey).map_err(|found| obstacles(&found))?;
        let adoption = Adoption::new(&survey, &plans);
        Ok(Some(PlannedAdoption { database: self, names, adoption }))
    }

    /// Checks that the schema can hold rows of this account.
    ///
    /// # Errors
    /// The schema can only hold another account.
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
                format!("the schema can only hold account {only}"),
                "foreign keys of other tables refer to the ids of its rows; \
                 use another --schema or --table-prefix",
                ErrorClass::Rejected,
            )),
            _ => Ok(()),
        }
    }
}

impl PlannedAdoption<'_> {
    /// The mode of the rows, if any row has one.
    ///
    /// # Errors
    /// There are rows of both modes, or the tables cannot be read.
    pub(crate) async fn rows_mode(&self) -> Result<Option<Mode>, PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        limit_waiting(&transaction).await?;
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
                    "they hold live rows (in {live}) and test rows (in {test}), and both modes \
                     share one account id; nothing was changed; delete the rows of one mode first"
                ),
                ErrorClass::Rejected,
            )),
            (Some(_), None) => Ok(Some(Mode::Live)),
            (None, Some(_)) => Ok(Some(Mode::Test)),
            (None, None) => Ok(None),
        }
    }

    /// Rehearses the adoption, then changes one table after the other. The future can be dropped at
    /// any time; the next call resumes the adoption.
    ///
    /// # Errors
    /// Something cannot be kept (then nothing was changed), a table is in use, or the database
    /// failed. Tables that were adopted before the error stay adopted.
    pub(crate) async fn execute(
        &self,
        account: &AccountId,
        mode: Option<Mode>,
    ) -> Result<(), PostgresError> {
        let (names, database) = (self.names, self.database);
        self.rehearse(account).await?;
        self.record_start(account, mode).await?;
        loop {
            let mut client = database.get().await?;
            let transaction = begin(&mut client).await.map_err(fail)?;
            prepare(&transaction, names).await?;
            let terms = AdoptionTarget::read(&transaction, names, account).await?;
            let survey = Survey::read(&transaction, names).await?;
            let plans =
                plan_tables(&survey).map_err(|found| obstacles(&found).with_hint(CONTINUE))?;
            let Some(plan) = plans.first() else { break };
            let adopted = self.adopt_table(&transaction, &terms, &survey, plan).await;
            adopted.map_err(|e| {
                let e = explain_lock_timeout(e, &format!("table {}", plan.found.table.name));
                if e.hint().is_none() { e.with_hint(CONTINUE) } else { e }
            })?;
            transaction.commit().await.map_err(fail)?;
        }
        database.validate_kept_keys(names).await
    }

    async fn adopt_table(
        &self,
        transaction: &Transaction<'_>,
        terms: &AdoptionTarget<'_>,
        survey: &Survey,
        plan: &TablePlan<'_>,
    ) -> Result<(), PostgresError> {
        drop_dependents(transaction, survey, plan).await?;
        reshape(transaction, terms, plan, plan.found.oid).await?;
        let renamed = statements::rename_indexes(plan, terms);
        transaction.batch_execute(&renamed).await.map_err(fail)?;
        recreate_dependents(transaction, survey, plan, &plan.became_text, false).await?;
        remember(transaction, self.names, survey, plan).await
    }

    async fn rehearse(&self, account: &AccountId) -> Result<(), PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        prepare(&transaction, self.names).await?;
        let terms = AdoptionTarget::read(&transaction, self.names, account).await?;
        let survey = Survey::read(&transaction, self.names).await?;
        let plans = plan_tables(&survey).map_err(|found| obstacles(&found))?;
        let result = rehearse(&transaction, &survey, &plans, &terms).await;
        transaction.rollback().await.map_err(fail)?;
        result.map_err(|e| match is_in_use(&e) {
            true => explain_lock_timeout(e, SOME_TABLE),
            false => e.with_hint(REMOVE_OBSTACLES),
        })
    }

    /// Stores the account of the rows before the first table is changed, so that a later attempt
    /// cannot resume with another account.
    async fn record_start(
        &self,
        account: &AccountId,
        mode: Option<Mode>,
    ) -> Result<(), PostgresError> {
        let mut client = self.database.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let create = engine_tables::create_meta(self.names);
        let rename = revision::rename_meta_keys(self.names);
        transaction.batch_execute(&format!("{create}{rename}")).await.map_err(fail)?;
        let insert = format!(
            "insert into {} (key, value) values ($1, $2) on conflict (key) do nothing",
            self.names.table("_meta")
        );
        let account = account.as_str();
        let mut entries = vec![(ADOPTED_FOR, account)];
        entries.extend(mode.map(|mode| (MODE, mode.as_str())));
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
            .query_typed_one(&select, &[(&ADOPTED_FOR, Type::TEXT)])
            .await
            .map_err(fail)?;
        let started: String = row.get(0);
        if started != account {
            return Err(PostgresError::own(
                DOING,
                format!(
                    "the adoption was started for account {started}; continue with a key of that account"
                ),
                ErrorClass::Rejected,
            ));
        }
        transaction.commit().await.map_err(fail)
    }
}
