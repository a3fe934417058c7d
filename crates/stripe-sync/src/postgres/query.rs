//! Runs a user's statement in a read-only transaction.

use std::ops::ControlFlow;
use std::pin::pin;

use deadpool_postgres::Object;
use futures_util::TryStreamExt as _;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

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

/// A part of the result of a statement, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryPart<'a> {
    /// The names of the columns. Comes once, before all rows.
    Columns(&'a [String]),
    /// The values of one row, in the order of the columns; `None` is null.
    Row(&'a [Option<&'a str>]),
}

/// Receives the parts of a result in order. [`ControlFlow::Break`] ends the statement.
pub(crate) type OnQueryPart<'f> = &'f mut (dyn FnMut(QueryPart<'_>) -> ControlFlow<()> + Send);

/// How often a statement is prepared under another name. Behind a pooler, the server connection can
/// still have a statement of the same name that another client prepared.
pub(super) const MAX_ATTEMPTS: u32 = 20;

impl Database {
    /// Runs one statement in a read-only transaction and rolls it back. The schema comes first on
    /// the search path. Holds one row at a time in memory.
    ///
    /// # Errors
    /// The statement is invalid, writes, or is more than one statement.
    pub(crate) async fn query_parts(
        &self,
        names: &Names,
        sql: &str,
        on_part: OnQueryPart<'_>,
    ) -> Result<(), PostgresError> {
        let mut attempts = 1;
        loop {
            let session = Session::open(self).await?;
            let result = execute(&session, names, sql, on_part).await;
            match session.end(result).await {
                Ok(()) => return Ok(()),
                Err(error) if is_name_taken(&error) && attempts < MAX_ATTEMPTS => attempts += 1,
                Err(error) => return Err(failure(&error, names)),
            }
        }
    }

    /// Waits until the server has ended statements that were abandoned, for a limited time.
    pub(crate) async fn queries_ended(&self) {
        self.cancellations.wait().await;
    }

    /// Like [`Database::query_parts`], and collects the rows.
    ///
    /// # Errors
    /// As for [`Database::query_parts`].
    pub(crate) async fn query(
        &self,
        names: &Names,
        sql: &str,
    ) -> Result<QueryResult, PostgresError> {
        let mut result = QueryResult::default();
        let mut collect = |part: QueryPart<'_>| {
            match part {
                QueryPart::Columns(columns) => result.columns = columns.to_vec(),
                QueryPart::Row(row) => {
                    result.rows.push(row.iter().map(|value| value.map(str::to_owned)).collect());
                }
            }
            ControlFlow::Continue(())
        };
        self.query_parts(names, sql, &mut collect).await?;
        Ok(result)
    }
}

/// Whether another client of a pooler has prepared a statement of the same name, so that ours was not
/// executed.
pub(super) fn is_name_taken(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::DUPLICATE_PSTATEMENT)
}

async fn execute(
    session: &Session<'_>,
    names: &Names,
    sql: &str,
    on_part: OnQueryPart<'_>,
) -> Result<ControlFlow<()>, tokio_postgres::Error> {
    session.begin(names).await?;
    let columns = session.columns(sql).await?;
    session.execute(sql, &columns, on_part).await
}

/// The user wrote the statement, so the server's message can be shown in full.
pub(super) fn failure(error: &tokio_postgres::Error, names: &Names) -> PostgresError {
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

/// A connection with an open transaction for one statement. If it is dropped before the statement has ended, the
/// server is asked to end the statement, and the connection is closed.
pub(super) struct Session<'d> {
    connection: Option<Object>,
    database: &'d Database,
}

impl<'d> Session<'d> {
    pub(super) async fn open(database: &'d Database) -> Result<Session<'d>, PostgresError> {
        Ok(Session { connection: Some(database.get().await?), database })
    }

    fn client(&self) -> &Client {
        self.connection.as_ref().expect("a session has its connection until it ends")
    }

    /// Begins a read-only transaction.
    pub(super) async fn begin(&self, names: &Names) -> Result<(), tokio_postgres::Error> {
        self.client().batch_execute("begin transaction read only").await?;
        self.client().batch_execute(&search_path(names)).await
    }

    pub(super) async fn rollback(&self) -> Result<(), tokio_postgres::Error> {
        self.client().batch_execute("rollback").await
    }

    /// The names of the columns of a statement, which is not executed. Rejects a text with several statements:
    /// a `commit` among them would end the read-only transaction.
    pub(super) async fn columns(&self, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
        // Closed inside the transaction, which keeps its server connection: behind a pooler the
        // statement would otherwise stay prepared there and conflict with the next client's.
        let statement = self.client().prepare(sql).await?;
        Ok(statement.columns().iter().map(|column| column.name().to_owned()).collect())
    }

    /// Executes the statement with these columns.
    pub(super) async fn execute(
        &self,
        sql: &str,
        columns: &[String],
        on_part: OnQueryPart<'_>,
    ) -> Result<ControlFlow<()>, tokio_postgres::Error> {
        let mut messages = pin!(self.client().simple_query_raw(sql).await?);
        // The first message shows that the statement has started.
        let mut next = messages.try_next().await?;
        let mut flow = on_part(QueryPart::Columns(columns));
        while let (ControlFlow::Continue(()), Some(message)) = (flow, &next) {
            if let SimpleQueryMessage::Row(row) = message {
                let values: Vec<Option<&str>> = (0..row.len()).map(|i| row.get(i)).collect();
                flow = on_part(QueryPart::Row(&values));
            }
            if flow.is_continue() {
                next = messages.try_next().await?;
            }
        }
        Ok(flow)
    }

    /// Ends the session with the result of its statement.
    pub(super) async fn end(
        mut self,
        result: Result<ControlFlow<()>, tokio_postgres::Error>,
    ) -> Result<(), tokio_postgres::Error> {
        match result {
            Ok(ControlFlow::Continue(())) => {
                self.rollback().await?;
                // Returned to the pool.
                drop(self.connection.take());
            }
            // The remaining rows are not wanted.
            Ok(ControlFlow::Break(())) => {}
            Err(error) => {
                drop(self.connection.take().map(Object::take));
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.database.cancellations.end_statement(connection, self.database.tls().clone());
        }
    }
}
