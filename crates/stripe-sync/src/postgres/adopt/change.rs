//! Changes one table inside a transaction that the caller ends. The rehearsal and the adoption run
//! the same code.

use deadpool_postgres::Transaction;

use super::dependents::IncomingKey;
use super::failure::DOING;
use super::plan::TablePlan;
use super::statements;
use super::survey::{Survey, constraints};
use super::terms::AdoptionTarget;
use super::transaction::{QUALIFIED_NAMES, USER_PATH};
use super::views::View;
use crate::postgres::error::PostgresError;

/// Drops the views and foreign keys that depend on a table.
pub(super) async fn drop_dependents(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plan: &TablePlan<'_>,
) -> Result<(), PostgresError> {
    let mut sql = String::new();
    for view in views_over(survey, plan).rev() {
        sql.push_str(&view.drop_sql());
    }
    for key in survey.incoming.iter().filter(|key| key.to == plan.found.oid) {
        sql.push_str(&statements::drop_incoming(key));
    }
    run(transaction, &plan.found.table.name, &sql).await
}

/// Changes the table, or the copy in its place, to our definition.
pub(super) async fn reshape(
    transaction: &Transaction<'_>,
    terms: &AdoptionTarget<'_>,
    plan: &TablePlan<'_>,
    oid: u32,
) -> Result<(), PostgresError> {
    let keys = constraints(transaction, oid).await?;
    let sql = statements::reshape(plan, &keys, terms);
    run(transaction, &plan.found.table.name, &sql).await
}

/// Recreates what [`drop_dependents`] dropped: the foreign keys of other tables, not validated, and
/// the views. A key that has to check existing rows is skipped on an empty copy, which has none.
pub(super) async fn recreate_dependents(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plan: &TablePlan<'_>,
    became_text: &[String],
    on_a_copy: bool,
) -> Result<(), PostgresError> {
    let fail = |what: &str, error: tokio_postgres::Error| {
        PostgresError::new(format!("{DOING}: {what} cannot be recreated"), &error)
    };
    // The survey read the definitions with this search path.
    transaction.batch_execute(QUALIFIED_NAMES).await.map_err(|e| fail("a dependent object", e))?;
    for key in external_keys(survey, plan).filter(|key| !(on_a_copy && key.partitioned)) {
        transaction
            .batch_execute(&statements::add_incoming(key))
            .await
            .map_err(|e| fail(&format!("foreign key {} of {}", key.name, key.from_name), e))?;
    }
    for view in views_over(survey, plan) {
        transaction
            .batch_execute(&view.create_sql(became_text))
            .await
            .map_err(|e| fail(&format!("view {}", view.name), e))?;
    }
    transaction.batch_execute(USER_PATH).await.map_err(|e| fail("a dependent object", e))
}

/// The foreign keys of other tables that refer to the table of a plan.
pub(super) fn external_keys<'a>(
    survey: &'a Survey,
    plan: &'a TablePlan<'_>,
) -> impl Iterator<Item = &'a IncomingKey> {
    let inside = |key: &&IncomingKey| survey.tables.iter().any(|t| t.oid == key.from);
    survey.incoming.iter().filter(|key| key.to == plan.found.oid).filter(move |key| !inside(key))
}

/// The views that depend on the table of a plan.
fn views_over<'a>(
    survey: &'a Survey,
    plan: &'a TablePlan<'_>,
) -> impl DoubleEndedIterator<Item = &'a View> {
    survey.views.iter().filter(|view| view.tables.contains(&plan.found.oid))
}

async fn run(transaction: &Transaction<'_>, table: &str, sql: &str) -> Result<(), PostgresError> {
    transaction
        .batch_execute(sql)
        .await
        .map_err(|e| PostgresError::new(format!("{DOING}: table {table}"), &e))
}
