//! A user's own statement, in a transaction that cannot write.

use tokio_postgres::SimpleQueryMessage;

use super::{Database, PostgresError};

/// What a statement answered, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryResult {
    /// Column names.
    pub columns: Vec<String>,
    /// One entry per column; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Database {
    /// Runs one statement in a read-only transaction and rolls it back.
    ///
    /// # Errors
    /// The statement is wrong, writes, or is more than one statement.
    pub(crate) async fn query(&self, sql: &str) -> Result<QueryResult, PostgresError> {
        // The user wrote the statement, so the server's own words help and give nothing away.
        let fail = |e: tokio_postgres::Error| match e.as_db_error() {
            Some(db) => PostgresError::own("cannot query", db.message(), super::Trouble::Other),
            None => PostgresError::new("cannot query", &e),
        };
        let mut client = self.get().await?;
        let transaction = client.build_transaction().read_only(true).start().await.map_err(fail)?;
        // Preparing refuses several statements in one text; a `commit` could lead out of here.
        let statement = transaction.prepare(sql).await.map_err(fail)?;
        let columns = statement.columns().iter().map(|c| c.name().to_owned()).collect();
        let messages = transaction.simple_query(sql).await.map_err(fail)?;
        let rows = messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => {
                    Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
                }
                _ => None,
            })
            .collect();
        transaction.rollback().await.map_err(fail)?;
        Ok(QueryResult { columns, rows })
    }
}
