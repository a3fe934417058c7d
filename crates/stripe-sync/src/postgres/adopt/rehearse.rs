//! Rehearses the whole adoption on empty copies, so that errors occur before any table has been
//! changed. Tables are locked briefly.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use super::change::{drop_dependents, recreate_dependents, reshape};
use super::failure::DOING;
use super::plan::TablePlan;
use super::survey::Survey;
use super::terms::AdoptionTarget;
use crate::postgres::error::PostgresError;
use crate::postgres::names::quote;

/// Runs every plan in a transaction that the caller must roll back.
///
/// # Errors
/// Names the first object that cannot be recreated.
pub(super) async fn rehearse(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plans: &[TablePlan<'_>],
    terms: &AdoptionTarget<'_>,
) -> Result<(), PostgresError> {
    let mut became_text = Vec::new();
    for (index, plan) in plans.iter().enumerate() {
        drop_dependents(transaction, survey, plan).await?;
        let copy = replace_by_copy(transaction, plan, terms, index).await?;
        reshape(transaction, terms, plan, copy).await?;
        became_text.extend_from_slice(&plan.became_text);
        recreate_dependents(transaction, survey, plan, &became_text, true).await?;
    }
    Ok(())
}

/// Renames a table and creates an empty one with the same columns, indexes and checks in its place.
async fn replace_by_copy(
    transaction: &Transaction<'_>,
    plan: &TablePlan<'_>,
    terms: &AdoptionTarget<'_>,
    index: usize,
) -> Result<u32, PostgresError> {
    let fail = |e: tokio_postgres::Error| {
        PostgresError::new(format!("{DOING}: table {}", plan.found.table.name), &e)
    };
    let table = terms.names.table(&plan.found.table.name);
    let renamed = format!("_stripe_sync_rehearsal_{index}");
    transaction
        .batch_execute(&format!(
            "alter table {table} rename to {renamed};
             create table {table} (like {}.{renamed} including all);",
            terms.names.quoted_schema(),
            renamed = quote(&renamed),
        ))
        .await
        .map_err(fail)?;
    let row = transaction
        .query_typed_one("select $1::text::regclass::oid", &[(&table, Type::TEXT)])
        .await
        .map_err(fail)?;
    Ok(row.get(0))
}
