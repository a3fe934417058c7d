//! The version and settings of the server, and whether it can hold a copy.

use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// The oldest release with everything that the statements use, as in `server_version_num`.
const OLDEST: i32 = 140_000;

/// A server, and the database and user of a connection to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// As in `server_version_num`: 150013.
    pub(crate) number: i32,
    /// As in `server_version`: `15.13 (Debian 15.13-0+deb12u1)`.
    pub(crate) version: String,
    pub(crate) encoding: String,
    pub(crate) database: String,
    pub(crate) user: String,
    /// Whether it replays the log of another server.
    pub(crate) standby: bool,
    /// Whether new transactions are read-only.
    pub(crate) read_only: bool,
    /// Whether the database is a template, of which new databases are copies.
    pub(crate) template: bool,
}

impl Server {
    /// One statement, so that a pooler cannot spread it over several connections.
    pub(in crate::postgres) const SQL: &str = "select current_setting('server_version_num')::int4,
            current_setting('server_version'), current_setting('server_encoding'),
            current_database()::text, current_user::text, pg_is_in_recovery(),
            current_setting('transaction_read_only') = 'on',
            (select datistemplate from pg_catalog.pg_database where datname = current_database())";

    pub(in crate::postgres) fn read(row: &tokio_postgres::Row) -> Server {
        Server {
            number: row.get(0),
            version: row.get(1),
            encoding: row.get(2),
            database: row.get(3),
            user: row.get(4),
            standby: row.get(5),
            read_only: row.get(6),
            template: row.get(7),
        }
    }

    /// Every reason why the database cannot hold a copy, each with what to do.
    pub(crate) fn objections(&self) -> Vec<PostgresError> {
        let refuse = |message, class| PostgresError::own("cannot use the database", message, class);
        let mut objections = Vec::new();
        if self.number < OLDEST {
            let message = format!(
                "the server is PostgreSQL {}, but stripe-sync needs version 14 or newer; upgrade \
                 the server, or set DATABASE_URL to a newer one",
                self.version
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.encoding != "UTF8" {
            let message = format!(
                "its encoding is {}, but only UTF8 can store everything that Stripe sends; create \
                 another one with: create database stripe encoding 'UTF8' template template0",
                self.encoding
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.template {
            let message = format!(
                "{} is a template, and new databases would start with a copy of the tables; set \
                 DATABASE_URL to another database",
                self.database
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.standby {
            let message =
                "the server is a standby, which is read-only; set DATABASE_URL to the primary";
            objections.push(refuse(message.to_owned(), ErrorClass::ReadOnly));
        } else if self.read_only {
            let message = "the database is read-only (default_transaction_read_only is on); turn \
                           that off for this user, or set DATABASE_URL to a server with write \
                           access";
            objections.push(refuse(message.to_owned(), ErrorClass::ReadOnly));
        }
        objections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_objection_says_what_to_do() {
        let fine = Server {
            number: 140_000,
            version: "14.0".into(),
            encoding: "UTF8".into(),
            database: "d".into(),
            user: "u".into(),
            standby: false,
            read_only: false,
            template: false,
        };
        assert!(fine.objections().is_empty());
        let messages = |server: Server| {
            server.objections().iter().map(|o| format!("{o} {:?}", o.class)).collect::<Vec<_>>()
        };
        let all = messages(Server {
            number: 139_999,
            version: "13.22".into(),
            encoding: "LATIN1".into(),
            standby: true,
            read_only: true,
            template: true,
            ..fine.clone()
        });
        insta::assert_snapshot!(all.join("\n"));
        let read_only = messages(Server { read_only: true, ..fine });
        assert_eq!(read_only.len(), 1);
        assert!(read_only[0].contains("default_transaction_read_only is on"), "{read_only:?}");
    }
}
