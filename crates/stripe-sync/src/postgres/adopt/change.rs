//! Carries out the change of one table inside a transaction that its caller ends. The rehearsal
//! and the takeover run through the same lines.

use deadpool_postgres::Transaction;

use super::DOING;
use super::judge::Plan;
use super::statements;
use super::survey::{Incoming, SPELLED, Survey, THEIR_PATH, constraints};
use super::views::View;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// What every table needs to know.
pub(super) struct Terms<'a> {
    pub(super) names: &'a Names,
    pub(super) account: &'a str,
    pub(super) lz4: bool,
}

/// Takes what depends on a table out of its way.
pub(super) async fn clear_the_way(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plan: &Plan<'_>,
) -> Result<(), PostgresError> {
    let mut sql = String::new();
    for view in over(survey, plan).rev() {
        sql.push_str(&view.drop_sql());
    }
    for key in survey.incoming.iter().filter(|key| key.to == plan.found.oid) {
        sql.push_str(&statements::drop_incoming(key));
    }
    run(transaction, &plan.found.table.name, &sql).await
}

/// Gives the table, or the copy that stands in its place, the shape of ours.
pub(super) async fn reshape(
    transaction: &Transaction<'_>,
    terms: &Terms<'_>,
    plan: &Plan<'_>,
    oid: u32,
) -> Result<(), PostgresError> {
    let keys = constraints(transaction, oid).await?;
    let sql = statements::reshape(plan, &keys, terms);
    run(transaction, &plan.found.table.name, &sql).await
}

/// Puts back what [`clear_the_way`] took: the users' foreign keys, not yet validated, and the
/// views. On an empty copy a key that has to look at the rows would find none, so it is left out.
pub(super) async fn put_back(
    transaction: &Transaction<'_>,
    survey: &Survey,
    plan: &Plan<'_>,
    became_text: &[String],
    on_a_copy: bool,
) -> Result<(), PostgresError> {
    let fail = |what: &str, error: tokio_postgres::Error| {
        PostgresError::new(format!("{DOING}: {what} would not survive"), &error)
    };
    // The texts are what PostgreSQL spells under this path.
    transaction.batch_execute(SPELLED).await.map_err(|e| fail("what depends on it", e))?;
    for key in outside(survey, plan).filter(|key| !(on_a_copy && key.partitioned)) {
        transaction
            .batch_execute(&statements::add_incoming(key))
            .await
            .map_err(|e| fail(&format!("foreign key {} of {}", key.name, key.from_name), e))?;
    }
    for view in over(survey, plan) {
        transaction
            .batch_execute(&view.create_sql(became_text))
            .await
            .map_err(|e| fail(&format!("view {}", view.name), e))?;
    }
    transaction.batch_execute(THEIR_PATH).await.map_err(|e| fail("what depends on it", e))
}

/// The foreign keys of the users' tables to a plan's table.
pub(super) fn outside<'a>(
    survey: &'a Survey,
    plan: &'a Plan<'_>,
) -> impl Iterator<Item = &'a Incoming> {
    let inside = |key: &&Incoming| survey.tables.iter().any(|t| t.oid == key.from);
    survey.incoming.iter().filter(|key| key.to == plan.found.oid).filter(move |key| !inside(key))
}

/// The views that show a plan's table.
fn over<'a>(survey: &'a Survey, plan: &'a Plan<'_>) -> impl DoubleEndedIterator<Item = &'a View> {
    survey.views.iter().filter(|view| view.tables.contains(&plan.found.oid))
}

async fn run(transaction: &Transaction<'_>, table: &str, sql: &str) -> Result<(), PostgresError> {
    transaction
        .batch_execute(sql)
        .await
        .map_err(|e| PostgresError::new(format!("{DOING}: table {table}"), &e))
}
