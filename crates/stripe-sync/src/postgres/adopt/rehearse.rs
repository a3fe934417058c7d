//! The whole change on empty copies, rolled back: what would fail, fails here and touches
//! nothing. Tables are locked for the moment that takes.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::DOING;
use super::change::{Terms, clear_the_way, put_back, reshape};
use super::judge::Plan;
use super::survey::Survey;
use crate::postgres::error::PostgresError;
use crate::postgres::names::quote;

/// Runs every plan in a transaction that the caller must roll back.
///
/// # Errors
/// The first thing that would not survive, by name.
pub(super) async fn rehearse(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plans: &[Plan<'_>],
    terms: &Terms<'_>,
) -> Result<(), PostgresError> {
    let mut became_text = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        clear_the_way(transaction, survey, plan).await?;
        let copy = stand_in(transaction, plan, terms, index).await?;
        reshape(transaction, terms, plan, copy).await?;
        became_text.extend_from_slice(&plan.became_text);
        put_back(transaction, survey, plan, &became_text, true).await?;
    }
    Ok(())
}

/// Puts an empty table with the same columns, indexes and checks in a table's place.
async fn stand_in(
    transaction: &Transaction<'_>,
    plan: &Plan<'_>,
    terms: &Terms<'_>,
    index: usize,
) -> Result<u32, PostgresError> {
    let fail = |e: tokio_postgres::Error| {
        PostgresError::new(format!("{DOING}: table {}", plan.found.table.name), &e)
    };
    let table = terms.names.table(&plan.found.table.name);
    let aside = format!("_stripe_sync_rehearsal_{index}");
    transaction
        .batch_execute(&format!(
            "alter table {table} rename to {aside};
             create table {table} (like {}.{aside} including all);",
            terms.names.quoted_schema(),
            aside = quote(&aside),
        ))
        .await
        .map_err(fail)?;
    let row = transaction
        .query_typed_one("select $1::text::regclass::oid", &[(&table, Type::TEXT)])
        .await
        .map_err(fail)?;
    Ok(row.get(0))
}
