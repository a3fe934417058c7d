//! What kind of server this is, and what speaks against working with it.

use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

/// The oldest release that is still maintained and has everything the statements use.
const OLDEST: i32 = 140_000;

/// What a look at the server shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// As in `server_version_num`: 150013.
    pub(crate) number: i32,
    /// As people write it: `15.13 (Debian 15.13-0+deb12u1)`.
    pub(crate) version: String,
    pub(crate) encoding: String,
    pub(crate) database: String,
    pub(crate) user: String,
    /// It replays another server's log.
    pub(crate) standby: bool,
    /// Transactions begin read-only.
    pub(crate) read_only: bool,
    /// New databases are copies of it.
    pub(crate) template: bool,
}

impl Server {
    /// One row of one statement, so that it is the same behind a pooler.
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

    /// Everything that speaks against it, each with what to do.
    pub(crate) fn objections(&self) -> Vec<PostgresError> {
        let refuse = |message, class| PostgresError::own("cannot use the database", message, class);
        let mut objections = Vec::new();
        if self.number < OLDEST {
            let message = format!(
                "it is PostgreSQL {}, and version 14 or newer is needed; upgrade the server, or \
                 set DATABASE_URL to a newer one",
                self.version
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.encoding != "UTF8" {
            let message = format!(
                "its encoding is {}, and only UTF8 holds everything Stripe sends; \
                 make one with: create database stripe encoding 'UTF8' template template0",
                self.encoding
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.template {
            let message = format!(
                "{} is a template, and every new database would begin with a copy of the tables; \
                 name another database in DATABASE_URL",
                self.database
            );
            objections.push(refuse(message, ErrorClass::Rejected));
        }
        if self.standby {
            let message = "it is a standby, which is read-only; use the primary's address";
            objections.push(refuse(message.to_owned(), ErrorClass::ReadOnly));
        } else if self.read_only {
            let message = "it is read-only (default_transaction_read_only is on); turn that off \
                           for this user, or set DATABASE_URL to a server that may be written to";
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
        let told = |server: Server| {
            server.objections().iter().map(|o| format!("{o} {:?}", o.class)).collect::<Vec<_>>()
        };
        let all = told(Server {
            number: 139_999,
            version: "13.22".into(),
            encoding: "LATIN1".into(),
            standby: true,
            read_only: true,
            template: true,
            ..fine.clone()
        });
        insta::assert_snapshot!(all.join("\n"));
        let read_only = told(Server { read_only: true, ..fine });
        assert_eq!(read_only.len(), 1);
        assert!(read_only[0].contains("default_transaction_read_only is on"), "{read_only:?}");
    }
}
