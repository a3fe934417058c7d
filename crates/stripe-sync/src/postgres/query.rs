//! A user's own statement, in a transaction that cannot write.

use deadpool_postgres::Object;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use super::{Database, ErrorClass, PostgresError};

/// What a statement answered, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryResult {
    /// Column names.
    pub columns: Vec<String>,
    /// One entry per column; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// How often a statement is prepared under another name when a pooler's connection has one of
/// that name left over from another client.
const NAMES: u32 = 20;

impl Database {
    /// Runs one statement in a read-only transaction and rolls it back.
    ///
    /// # Errors
    /// The statement is wrong, writes, or is more than one statement.
    pub(crate) async fn query(&self, sql: &str) -> Result<QueryResult, PostgresError> {
        let mut client = self.get().await?;
        for _ in 1..NAMES {
            match run(&mut client, sql).await {
                Err(error) if error.code() == Some(&SqlState::DUPLICATE_PSTATEMENT) => {}
                other => return other.map_err(|error| failure(&error)),
            }
        }
        run(&mut client, sql).await.map_err(|error| failure(&error))
    }
}

/// The user wrote the statement, so the server's own words help and give nothing away.
fn failure(error: &tokio_postgres::Error) -> PostgresError {
    let Some(db) = error.as_db_error() else {
        let error = PostgresError::new("cannot query", error);
        return match error.class {
            // COPY is the one statement whose answer is neither rows nor a count.
            ErrorClass::Other => {
                error.with_hint("give a statement that has rows; COPY is for psql")
            }
            _ => error,
        };
    };
    let told = PostgresError::own("cannot query", db.message(), ErrorClass::Other);
    match db.code().code() {
        "25006" => told.with_hint("query only reads; write with psql or another client"),
        "42P01" => told.with_hint("tables stand behind their schema, as in stripe.customers"),
        "42601" if db.message().contains("multiple commands") => {
            told.with_hint("give one statement at a time")
        }
        _ => told,
    }
}

async fn run(client: &mut Object, sql: &str) -> Result<QueryResult, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    // Preparing refuses several statements in one text; a `commit` could lead out of here.
    let statement = transaction.prepare(sql).await?;
    let columns = statement.columns().iter().map(|c| c.name().to_owned()).collect();
    // Closed while the transaction keeps its server connection: behind a pooler the name would
    // stay with that connection and stand in the next client's way.
    drop(statement);
    let messages = transaction.simple_query(sql).await?;
    let rows = messages
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect())
            }
            _ => None,
        })
        .collect();
    transaction.rollback().await?;
    Ok(QueryResult { columns, rows })
}
