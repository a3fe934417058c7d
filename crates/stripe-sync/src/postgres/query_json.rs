//! Runs a user's statement in a read-only transaction and returns its rows as JSON objects.
//!
//! The server builds the objects, because it knows the types. Statements that cannot be a part of another
//! one (`show`, `explain`) are found while they are prepared, so that no statement is executed twice.

use std::ops::ControlFlow;

use tokio_postgres::error::SqlState;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;
use crate::postgres::query::{MAX_ATTEMPTS, QueryPart, Session, failure, is_name_taken};

/// Receives the rows in order, each as a JSON object. [`ControlFlow::Break`] ends the statement.
pub(crate) type OnJsonRow<'f> = &'f mut (dyn FnMut(&str) -> ControlFlow<()> + Send);

impl Database {
    /// Like [`Database::query_parts`], with each row as a JSON object. Its values have the JSON types that
    /// correspond to their SQL types, or are strings if the statement cannot be a subquery.
    ///
    /// # Errors
    /// As for [`Database::query_parts`].
    pub(crate) async fn query_json(
        &self,
        names: &Names,
        sql: &str,
        on_row: OnJsonRow<'_>,
    ) -> Result<(), PostgresError> {
        let mut attempts = 1;
        loop {
            let session = Session::open(self).await?;
            let result = execute(&session, names, sql, on_row).await;
            match session.end(result).await {
                Ok(()) => return Ok(()),
                Err(error) if is_name_taken(&error) && attempts < MAX_ATTEMPTS => attempts += 1,
                Err(error) => return Err(failure(&error, names)),
            }
        }
    }
}

async fn execute(
    session: &Session<'_>,
    names: &Names,
    sql: &str,
    on_row: OnJsonRow<'_>,
) -> Result<ControlFlow<()>, tokio_postgres::Error> {
    session.begin(names).await?;
    // What is wrong with the statement itself is reported about its own text.
    let columns = session.columns(sql).await?;
    // The line break ends a trailing comment.
    let nested = format!("select row_to_json(answer) from ({sql}\n) answer");
    match session.columns(&nested).await {
        Ok(answer) => {
            let mut on_part = |part: QueryPart<'_>| match part {
                QueryPart::Row(row) => on_row(row.first().copied().flatten().unwrap_or("null")),
                QueryPart::Columns(_) => ControlFlow::Continue(()),
            };
            session.execute(&nested, &answer, &mut on_part).await
        }
        Err(error) if cannot_be_nested(&error) => {
            session.rollback().await?;
            session.begin(names).await?;
            let mut on_part = |part: QueryPart<'_>| match part {
                QueryPart::Row(row) => on_row(&object(&columns, row)),
                QueryPart::Columns(_) => ControlFlow::Continue(()),
            };
            session.execute(sql, &columns, &mut on_part).await
        }
        Err(error) => Err(error),
    }
}

/// Whether a statement that can be prepared cannot be a subquery: because of its syntax, or because it
/// contains a modifying `with`, which is rejected when it is executed.
fn cannot_be_nested(error: &tokio_postgres::Error) -> bool {
    [SqlState::SYNTAX_ERROR, SqlState::FEATURE_NOT_SUPPORTED]
        .iter()
        .any(|c| error.code() == Some(c))
}

fn object(columns: &[String], row: &[Option<&str>]) -> String {
    let pairs: serde_json::Map<String, serde_json::Value> =
        columns.iter().cloned().zip(row.iter().map(|value| (*value).into())).collect();
    serde_json::Value::Object(pairs).to_string()
}
