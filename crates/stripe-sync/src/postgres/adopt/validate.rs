//! Validates the foreign keys of other tables after an adoption.
//!
//! The keys are recreated without checking existing rows, so that other sessions do not wait long.
//! Each key that is to be validated is stored in `_meta` by the transaction that recreates it, so
//! that an interrupted adoption loses none, and keys that their owner never validated are not
//! validated here.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::change::external_keys;
use super::dependents::IncomingKey;
use super::failure::fail;
use super::plan::TablePlan;
use super::statements;
use super::survey::Survey;
use super::transaction::limit_waiting;
use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::meta_keys::TO_VALIDATE;
use crate::postgres::names::Names;

/// The key in `_meta` of a foreign key that is to be validated.
fn meta_key(key: &IncomingKey) -> String {
    format!("{TO_VALIDATE}{} {}", key.from_sql, key.name)
}

/// Stores which of the recreated foreign keys are to be validated.
pub(super) async fn remember(
    transaction: &Transaction<'_>,
    names: &Names,
    survey: &Survey,
    plan: &TablePlan<'_>,
) -> Result<(), PostgresError> {
    let insert = format!(
        "insert into {} (key, value) values ($1, '') on conflict (key) do nothing",
        names.table("_meta")
    );
    for key in external_keys(survey, plan).filter(|key| statements::is_recreated_unchecked(key)) {
        transaction.execute_typed(&insert, &[(&meta_key(key), Type::TEXT)]).await.map_err(fail)?;
    }
    Ok(())
}

impl Database {
    /// Validates the foreign keys that an adoption recreated, without the locks of the adoption.
    ///
    /// # Errors
    /// Rows of the other table refer to missing rows, as they did before, or the database failed.
    /// Each key is tried once; the next call continues with the others.
    pub(crate) async fn validate_kept_keys(&self, names: &Names) -> Result<(), PostgresError> {
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let meta = names.table("_meta");
        let row = transaction
            .query_typed_one(
                // A table of that name without the column belongs to another program.
                "select exists (select 1 from pg_catalog.pg_attribute
                   where attrelid = to_regclass($1) and attname = 'key')",
                &[(&meta, Type::TEXT)],
            )
            .await
            .map_err(fail)?;
        if !row.get::<_, bool>(0) {
            return Ok(());
        }
        let select = format!("select key from {meta} where starts_with(key, $1)");
        let rows =
            transaction.query_typed(&select, &[(&TO_VALIDATE, Type::TEXT)]).await.map_err(fail)?;
        let keys: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        limit_waiting(&transaction).await?;
        let survey = Survey::read(&transaction, names).await?;
        transaction.commit().await.map_err(fail)?;
        let delete = format!("delete from {meta} where key = $1");
        for stored in &keys {
            let transaction = begin(&mut client).await.map_err(fail)?;
            let mut outcome = Ok(());
            if let Some(key) = survey.incoming.iter().find(|key| meta_key(key) == *stored) {
                outcome = validate(&transaction, key).await;
            }
            // The attempt has a savepoint of its own, so the entry is deleted in any case.
            transaction.execute_typed(&delete, &[(stored, Type::TEXT)]).await.map_err(fail)?;
            transaction.commit().await.map_err(fail)?;
            outcome?;
        }
        Ok(())
    }
}

async fn validate(transaction: &Transaction<'_>, key: &IncomingKey) -> Result<(), PostgresError> {
    transaction
        .batch_execute("set local statement_timeout = 0; savepoint before_validation")
        .await
        .map_err(fail)?;
    let Err(error) = transaction.batch_execute(&statements::validate_incoming(key)).await else {
        return Ok(());
    };
    let what = format!("cannot validate foreign key {} of {}", key.name, key.from_name);
    let error = PostgresError::new(what, &error);
    transaction.batch_execute("rollback to savepoint before_validation").await.map_err(fail)?;
    Err(error.with_hint(
        "the foreign key checks new rows but stays `not valid`; repair the rows that refer to \
         missing rows and run `alter table ... validate constraint ...`; every table is adopted, \
         so continue with `stripe-sync migrate`",
    ))
}
