//! Runs a user's statement in a read-only transaction.

use deadpool_postgres::Object;
use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::{Names, literal};

/// The rows that a statement returned, as text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct QueryResult {
    /// Column names.
    pub columns: Vec<String>,
    /// One value per column; `None` is null.
    pub rows: Vec<Vec<Option<String>>>,
}

/// How often a statement is prepared under another name. Behind a pooler, the server connection can
/// still have a statement of the same name that another client prepared.
const MAX_ATTEMPTS: u32 = 20;

impl Database {
    /// Runs one statement in a read-only transaction and rolls it back. The schema comes first on
    /// the search path.
    ///
    /// # Errors
    /// The statement is invalid, writes, or is more than one statement.
    pub(crate) async fn query(
        &self,
        names: &Names,
        sql: &str,
    ) -> Result<QueryResult, PostgresError> {
        let search_path = search_path(names);
        let mut client = self.get().await?;
        for _ in 1..MAX_ATTEMPTS {
            match run(&mut client, &search_path, sql).await {
                Err(error) if error.code() == Some(&SqlState::DUPLICATE_PSTATEMENT) => {}
                other => return other.map_err(|error| failure(&error, names)),
            }
        }
        run(&mut client, &search_path, sql).await.map_err(|error| failure(&error, names))
    }
}

/// The user wrote the statement, so the server's message can be shown in full.
fn failure(error: &tokio_postgres::Error, names: &Names) -> PostgresError {
    let Some(db) = error.as_db_error() else {
        let error = PostgresError::new("cannot query", error);
        return match error.class {
            // COPY is the only statement that returns neither rows nor a count.
            ErrorClass::Other => {
                error.with_hint("use a statement that returns rows; run COPY in psql")
            }
            _ => error,
        };
    };
    let error = PostgresError::own("cannot query", db.message(), ErrorClass::Other);
    match db.code().code() {
        "25006" => error.with_hint("`query` only reads; write with psql or another client"),
        "42P01" => error.with_hint(format!(
            "check the name; a table outside the schema {} needs its schema before the name",
            names.schema()
        )),
        "42601" if db.message().contains("multiple commands") => {
            error.with_hint("run one statement at a time, or give several on stdin: query -")
        }
        _ => error,
    }
}

/// A statement that puts the schema first on the search path until the transaction ends. An empty
/// element would be a syntax error.
fn search_path(names: &Names) -> String {
    format!(
        "select pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', {}, \
         nullif(pg_catalog.current_setting('search_path'), '')), true)",
        literal(&names.quoted_schema())
    )
}

async fn run(
    client: &mut Object,
    search_path: &str,
    sql: &str,
) -> Result<QueryResult, tokio_postgres::Error> {
    let transaction = client.build_transaction().read_only(true).start().await?;
    transaction.batch_execute(search_path).await?;
    // Preparing rejects a text with several statements. A `commit` among them would end the
    // read-only transaction.
    let statement = transaction.prepare(sql).await?;
    let columns = statement.columns().iter().map(|c| c.name().to_owned()).collect();
    // Closed inside the transaction, which keeps its server connection: behind a pooler the
    // statement would otherwise stay prepared there and conflict with the next client's.
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
