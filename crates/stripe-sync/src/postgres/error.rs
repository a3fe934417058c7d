//! What PostgreSQL refused and whether trying again can help.
//!
//! The server's texts can quote row values (class 22 and 23, `DETAIL`, a user's own trigger), so
//! those are dropped and only the SQLSTATE stays.

use std::borrow::Cow;
use std::error::Error;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::SqlState;

use super::error_class::ErrorClass;
use super::{advice, error_class};

/// An error of the database, without row values.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{doing}: {message}")]
pub(crate) struct PostgresError {
    doing: String,
    message: String,
    pub(crate) class: ErrorClass,
    pub(crate) sqlstate: Option<String>,
    hint: Option<Cow<'static, str>>,
}

impl PostgresError {
    /// `doing` tells what was tried, as in `cannot read the ledger`.
    pub(super) fn new(doing: impl Into<String>, error: &tokio_postgres::Error) -> PostgresError {
        let state = error.code();
        let class = match state {
            Some(state) => error_class::classify(state.code()),
            None if error.is_closed() || is_io(error) => ErrorClass::Unreachable,
            None => ErrorClass::Other,
        };
        let message = match error.as_db_error() {
            // Of Stripe's values only the id has to be there.
            Some(db) if db.code() == &SqlState::NOT_NULL_VIOLATION => {
                "a value that must be there is missing, such as the id (SQLSTATE 23502)".to_owned()
            }
            Some(db) if may_quote_rows(db.code().code()) => {
                format!("the server refused a value (SQLSTATE {})", db.code().code())
            }
            Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
            None => chain(error),
        };
        let sqlstate = state.map(|s| s.code().to_owned());
        let hint = match &sqlstate {
            Some(code) => advice::by_sqlstate(code, class),
            None => advice::without_answer(error, class),
        };
        PostgresError { doing: doing.into(), message, class, sqlstate, hint: hint.map(Cow::from) }
    }

    /// An error without an answer of the server behind it.
    pub(super) fn own(
        doing: impl Into<String>,
        message: impl Into<String>,
        class: ErrorClass,
    ) -> PostgresError {
        let (doing, message) = (doing.into(), message.into());
        PostgresError { doing, message, class, sqlstate: None, hint: None }
    }

    /// Adds what to do.
    pub(super) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> PostgresError {
        self.hint = Some(hint.into());
        self
    }

    /// What to do.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// A table, column or schema of the copy does not exist.
    pub(crate) fn is_schema_missing(&self) -> bool {
        matches!(self.sqlstate.as_deref(), Some("42P01" | "42703" | "3F000"))
    }

    pub(super) fn pool(doing: impl Into<String>, error: PoolError) -> PostgresError {
        match error {
            PoolError::Backend(error) => {
                let error = PostgresError::new(doing, &error);
                match error.class {
                    ErrorClass::PermissionDenied => error.with_hint(advice::NO_ENTRY),
                    _ => error,
                }
            }
            PoolError::Timeout(TimeoutType::Create) => {
                PostgresError::own(doing, "no PostgreSQL answers there", ErrorClass::Unreachable)
                    .with_hint("check the host and the port in DATABASE_URL, and firewalls between")
            }
            PoolError::Timeout(_) => {
                PostgresError::own(doing, "no connection came free", ErrorClass::Unreachable)
                    .with_hint("give --max-connections a larger number")
            }
            other => PostgresError::own(doing, other.to_string(), ErrorClass::Unreachable),
        }
    }
}

/// The classes whose texts speak of the server, of names or of the statement. Others can quote a
/// value: data exceptions (22), constraints (23), views (44), and whatever a trigger of the user's
/// raises (P0, 38, 39 or a class of its own).
fn may_quote_rows(code: &str) -> bool {
    const SILENT: [&str; 15] =
        ["08", "0A", "25", "26", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58", "XX"];
    !SILENT.contains(&&code[..code.len().min(2)])
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    // A timeout while connecting carries no cause.
    causes(error).any(|cause| cause.is::<std::io::Error>())
        || error.to_string().contains("connecting to server")
}

/// What lies below an error, the nearest first.
pub(super) fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| (*cause).source())
}

fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        let cause = cause.to_string();
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_trigger_of_the_users_says_is_not_repeated() {
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
            let told = PostgresError::new("cannot write", &error).to_string();
            assert!(!told.contains("a@example.com") && told.contains("SQLSTATE"), "{told}");
        }
        let error = client.batch_execute("select missing").await.expect_err("refused");
        let told = PostgresError::new("cannot read", &error).to_string();
        assert!(told.contains("\"missing\" does not exist"), "{told}");
    }
}
