//! Foreign keys of the users' tables come back not validated, so that nobody waits long. What is
//! still to be validated stands in `_meta`, from the transaction that made the key again on, so
//! that a takeover that is cut in between forgets none, and a key that its owner never validated
//! stays so.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::change::outside;
use super::judge::Plan;
use super::statements;
use super::survey::{Incoming, Survey};
use super::takeover::{begin_looking, fail};
use crate::postgres::Database;
use crate::postgres::connection::pool::begin;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// The beginning of the notes' keys in `_meta`.
const TO_VALIDATE: &str = "to_validate/";

fn note(key: &Incoming) -> String {
    format!("{TO_VALIDATE}{} {}", key.from_sql, key.name)
}

/// Notes what has to be validated of the keys that a table's takeover made again.
pub(super) async fn remember(
    transaction: &Transaction<'_>,
    names: &Names,
    survey: &Survey,
    plan: &Plan<'_>,
) -> Result<(), PostgresError> {
    let insert = format!(
        "insert into {} (key, value) values ($1, '') on conflict (key) do nothing",
        names.table("_meta")
    );
    for key in outside(survey, plan).filter(|key| statements::comes_back_unchecked(key)) {
        transaction.execute_typed(&insert, &[(&note(key), Type::TEXT)]).await.map_err(fail)?;
    }
    Ok(())
}

impl Database {
    /// Validates the foreign keys that a takeover made again, outside of the tables' own locks.
    ///
    /// # Errors
    /// Rows of the other table refer to nothing, as they did before, or the database ends it. A
    /// key is tried once; the next call goes on with the others.
    pub(crate) async fn validate_kept_keys(&self, names: &Names) -> Result<(), PostgresError> {
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let meta = names.table("_meta");
        let row = transaction
            .query_typed_one(
                // A table of that name without the column is another program's.
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
        let notes: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        if notes.is_empty() {
            return Ok(());
        }
        begin_looking(&transaction).await?;
        let survey = Survey::read(&transaction, names).await?;
        transaction.commit().await.map_err(fail)?;
        let delete = format!("delete from {meta} where key = $1");
        for noted in &notes {
            let transaction = begin(&mut client).await.map_err(fail)?;
            let mut outcome = Ok(());
            if let Some(key) = survey.incoming.iter().find(|key| note(key) == *noted) {
                outcome = validate(&transaction, key).await;
            }
            // The attempt is a savepoint, so the note goes whatever became of it.
            transaction.execute_typed(&delete, &[(noted, Type::TEXT)]).await.map_err(fail)?;
            transaction.commit().await.map_err(fail)?;
            outcome?;
        }
        Ok(())
    }
}

async fn validate(transaction: &Transaction<'_>, key: &Incoming) -> Result<(), PostgresError> {
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
        "it is back and binds new rows, but stays `not valid`: repair the rows that refer to \
         nothing and run `alter table .. validate constraint ..`; every table is taken over, so go \
         on with `stripe-sync migrate`",
    ))
}
