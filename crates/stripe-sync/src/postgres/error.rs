//! Database errors: what failed, why, and what the user can do.
//!
//! The server's texts can quote row values (class 22 and 23, `DETAIL`, a user's own trigger). Those
//! texts are dropped and only the SQLSTATE is kept.

use std::borrow::Cow;
use std::io;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError, SqlState};

use super::error_chain::{causes, chain};
use super::error_class::{ErrorClass, Reporter};
use super::{advice, error_class};

/// A database error, without row values.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{doing}: {message}")]
pub(crate) struct PostgresError {
    doing: Box<str>,
    message: Box<str>,
    pub(crate) class: ErrorClass,
    pub(crate) sqlstate: Option<Box<str>>,
    /// The table whose lock was not granted in time.
    pub(crate) locked_table: Option<Box<str>>,
    /// Who holds that lock, if it is known.
    pub(crate) lock_holders: Option<Box<str>>,
    /// The server may be starting, so a later attempt may succeed.
    pub(super) may_be_starting: bool,
    /// The operating system has no route to the host.
    pub(super) has_no_route: bool,
    hint: Option<Cow<'static, str>>,
}

impl PostgresError {
    /// `doing` says what was attempted, as in `cannot read the ledger`.
    pub(super) fn new(doing: impl Into<String>, error: &tokio_postgres::Error) -> PostgresError {
        PostgresError::classified(doing, error, |db| {
            error_class::classify(db.code().code(), Reporter::of(db))
        })
    }

    fn classified(
        doing: impl Into<String>,
        error: &tokio_postgres::Error,
        classify: impl Fn(&DbError) -> ErrorClass,
    ) -> PostgresError {
        let class = match error.as_db_error() {
            Some(db) => classify(db),
            None if error.is_closed() || is_io(error) => ErrorClass::Unreachable,
            None => ErrorClass::Other,
        };
        let message = match error.as_db_error() {
            // Of the columns that Stripe fills, only the id is NOT NULL.
            Some(db) if db.code() == &SqlState::NOT_NULL_VIOLATION => match db.column() {
                None | Some("id") => {
                    "a required value is missing, such as the ID (SQLSTATE 23502)".to_owned()
                }
                Some(column) => format!("column {column} requires a value (SQLSTATE 23502)"),
            },
            // The table is the one that has the foreign key.
            Some(db) if ["23503", "23001"].contains(&db.code().code()) => format!(
                "it violates the foreign key {} of table {} (SQLSTATE {})",
                db.constraint().unwrap_or_default(),
                [db.schema(), db.table()].into_iter().flatten().collect::<Vec<_>>().join("."),
                db.code().code()
            ),
            // Names of constraints are not values.
            Some(db) if may_quote_rows(db.code().code()) => match db.constraint() {
                None => format!("the server rejected a value (SQLSTATE {})", db.code().code()),
                Some(constraint) => format!(
                    "the server rejected a value (SQLSTATE {}, constraint {constraint})",
                    db.code().code()
                ),
            },
            Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
            None => chain(error),
        };
        let sqlstate = error.code().map(|state| Box::from(state.code()));
        let hint = match &sqlstate {
            Some(code) => advice::by_sqlstate(code, class),
            None => advice::without_answer(error, class),
        };
        let hint = hint.map(Cow::from);
        PostgresError { sqlstate, hint, ..PostgresError::own(doing, message, class) }
    }

    /// An error that the server did not report.
    pub(super) fn own(
        doing: impl Into<String>,
        message: impl Into<String>,
        class: ErrorClass,
    ) -> PostgresError {
        let (doing, message) = (doing.into().into(), message.into().into());
        PostgresError {
            doing,
            message,
            class,
            sqlstate: None,
            locked_table: None,
            lock_holders: None,
            may_be_starting: false,
            has_no_route: false,
            hint: None,
        }
    }

    /// The same error of a statement that writes rows. What a trigger of the user raises is about a
    /// row, and not about the statement.
    pub(super) fn of_rows(mut self) -> PostgresError {
        if self.sqlstate.as_deref().is_some_and(error_class::is_raised_by_user) {
            self.class = ErrorClass::RowRefused;
        }
        self
    }

    /// The same error of a statement that only deletes or marks rows. A rule of the user can make it
    /// unsupported (0A000), which then is about the rows.
    pub(super) fn of_removed_rows(self) -> PostgresError {
        let mut error = self.of_rows();
        if error.sqlstate.as_deref() == Some("0A000") {
            error.class = ErrorClass::RowRefused;
        }
        error
    }

    /// The same error, for a statement on this table. If it is a lock timeout, the table is named.
    pub(super) fn of_table(mut self, table: &str) -> PostgresError {
        if self.is_lock_timeout() {
            self.locked_table = Some(table.into());
        }
        self
    }

    /// A lock was not granted in time.
    pub(crate) fn is_lock_timeout(&self) -> bool {
        self.sqlstate.as_deref() == Some("55P03")
    }

    /// No connection of the pool became available in time.
    pub(super) fn no_connection_free(doing: impl Into<String>) -> PostgresError {
        PostgresError::own(doing, "no connection became available", ErrorClass::Unreachable)
            .with_hint("raise --max-connections")
    }

    /// The error for a table that another session locked for too long, with the holders of the lock
    /// if they are known.
    pub(super) fn lock_not_granted(table: &str, holders: Option<&str>) -> PostgresError {
        let message = match holders {
            Some(holders) => format!("it is locked by {holders} (SQLSTATE 55P03)"),
            None => "another session holds a lock on it (SQLSTATE 55P03)".to_owned(),
        };
        let doing = format!("cannot use the table {table}");
        let hint = advice::by_sqlstate("55P03", ErrorClass::Transient).map(Cow::from);
        PostgresError {
            sqlstate: Some("55P03".into()),
            locked_table: Some(table.into()),
            lock_holders: holders.map(Box::from),
            hint,
            ..PostgresError::own(doing, message, ErrorClass::Transient)
        }
    }

    /// Sets the hint.
    pub(super) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> PostgresError {
        self.hint = Some(hint.into());
        self
    }

    /// The hint: what the user can do.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// A table, column or schema of the copy does not exist.
    pub(crate) fn is_schema_missing(&self) -> bool {
        matches!(self.sqlstate.as_deref(), Some("42P01" | "42703" | "3F000"))
    }

    /// The stable name of the error for programs.
    pub(crate) fn code_name(&self) -> &'static str {
        match self.is_schema_missing() {
            true => "database_schema_missing",
            false => self.class.code_name(),
        }
    }

    /// An error of the connection pool.
    pub(super) fn pool(doing: impl Into<String>, error: PoolError) -> PostgresError {
        match error {
            PoolError::Backend(cause) => {
                let mut error = PostgresError::classified(doing, &cause, |db| {
                    let code = db.code().code();
                    error_class::classify_connecting(code, Reporter::of(db), db.message())
                });
                let kinds = || causes(&cause).filter_map(|cause| cause.downcast_ref::<io::Error>());
                error.may_be_starting = error.class == ErrorClass::Transient
                    || matches!(error.sqlstate.as_deref(), Some("57P03" | "53300"))
                    || kinds().any(|io| io.kind() == io::ErrorKind::ConnectionRefused);
                error.has_no_route = kinds().any(has_no_route);
                match error.class {
                    ErrorClass::PermissionDenied => error.with_hint(advice::CONNECT_DENIED),
                    _ => error,
                }
            }
            PoolError::Timeout(TimeoutType::Create) => {
                PostgresError::own(doing, "no PostgreSQL server responded", ErrorClass::Unreachable)
                    .with_hint(
                        "check the host and port in DATABASE_URL, and any firewall in between",
                    )
            }
            PoolError::Timeout(_) => PostgresError::no_connection_free(doing),
            other => PostgresError::own(doing, other.to_string(), ErrorClass::Unreachable),
        }
    }
}

/// Whether the text of an error can quote a row value: data exceptions (22), constraints (23),
/// views (44), and whatever a user's trigger raises (P0, 38, 39 or a class of its own). The texts
/// of the classes listed here are about the server, a name or the statement.
fn may_quote_rows(code: &str) -> bool {
    const SAFE: [&str; 15] =
        ["08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX"];
    !SAFE.contains(&&code[..code.len().min(2)])
}

/// `EAFNOSUPPORT` has no `io::ErrorKind`.
fn has_no_route(error: &io::Error) -> bool {
    use io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable};
    matches!(error.kind(), NetworkUnreachable | HostUnreachable | AddrNotAvailable)
        || error.to_string().contains("Address family not supported")
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    // A timeout while connecting has no cause.
    causes(error).any(|cause| cause.is::<std::io::Error>())
        || error.to_string().contains("connecting to server")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_text_of_a_users_trigger_is_not_repeated() {
        let server = private_postgres::Server::temporary().await.expect("a server");
        let url = server.connection_url();
        let (client, connection) =
            tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("a connection");
        tokio::spawn(connection);
        for raise in [
            "raise exception 'bad: %', 'a@example.com'",
            "raise exception 'bad: %', 'a@example.com' using errcode = 'ZZ123'",
            "raise exception 'x' using errcode = '42000', detail = 'a@example.com'",
            "perform 'a@example.com'::int",
        ] {
            let sql = format!("do $$ begin {raise}; end $$");
            let error = client.batch_execute(&sql).await.expect_err("refused");
            let message = PostgresError::new("cannot write", &error).to_string();
            assert!(
                !message.contains("a@example.com") && message.contains("SQLSTATE"),
                "{message}"
            );
        }
        let error = client.batch_execute("select missing").await.expect_err("refused");
        let message = PostgresError::new("cannot read", &error).to_string();
        assert!(message.contains("\"missing\" does not exist"), "{message}");
    }
}
