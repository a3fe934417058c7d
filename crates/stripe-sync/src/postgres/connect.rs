//! A small pool of connections to a database that has been looked at first.
//!
//! No session state: nothing here depends on which server connection a transaction gets, so a
//! pooler in transaction mode may stand between.

use std::time::Duration;

use tokio::time::Instant;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::error::{PostgresError, Trouble};
use super::tls;

/// The oldest release that is still maintained and has everything the statements use.
const OLDEST: i32 = 140_000;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a task waits for a free connection before that counts as an outage.
const POOL_WAIT: Duration = Duration::from_secs(60);

/// Connections to one database.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
    outage_patience: Duration,
}

/// How long outages and deadlocks have been borne in one operation.
pub(crate) struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    pub(crate) fn new(patience: Duration) -> Patience {
        Patience { until: Instant::now() + patience, pause: Duration::from_millis(200) }
    }

    /// Waits if there is a point in trying again; false if not.
    pub(crate) async fn bears(&mut self, error: &PostgresError) -> bool {
        match error.trouble {
            Trouble::Repeat => Instant::now() < self.until,
            Trouble::Unreachable if Instant::now() < self.until => {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(Duration::from_secs(5));
                true
            }
            _ => false,
        }
    }
}

impl Database {
    /// Opens the pool and looks at the server.
    ///
    /// # Errors
    /// The url cannot be read, the server cannot be reached or refuses, is older than
    /// PostgreSQL 14, read-only, or not UTF8. Nothing has been written then.
    pub(crate) async fn connect(
        url: &str,
        connections: usize,
        outage_patience: Duration,
    ) -> Result<Database, PostgresError> {
        const DOING: &str = "cannot use the database";
        let (config, mode) = parse(url)?;
        let connector = tls::connector(mode)
            .map_err(|message| PostgresError::own(DOING, message, Trouble::Refused))?;
        let manager = Manager::from_config(
            config,
            connector,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(connections.max(1))
            .wait_timeout(Some(POOL_WAIT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(|e| PostgresError::own(DOING, e.to_string(), Trouble::Other))?;
        let database = Database { pool, outage_patience };
        database.look().await?;
        Ok(database)
    }

    /// How long an outage of the server is waited for.
    pub(crate) fn outage_patience(&self) -> Duration {
        self.outage_patience
    }

    /// A connection out of the pool.
    pub(super) async fn get(&self) -> Result<Object, PostgresError> {
        self.pool.get().await.map_err(|e| PostgresError::pool("cannot reach the database", e))
    }

    async fn look(&self) -> Result<(), PostgresError> {
        const DOING: &str = "cannot use the database";
        let client = self.get().await?;
        let row = client
            .query_typed_one(
                "select current_setting('server_version_num')::int4,
                        current_setting('server_version'),
                        current_setting('server_encoding'),
                        pg_is_in_recovery() or current_setting('transaction_read_only') = 'on'",
                &[],
            )
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        let (number, version, encoding, read_only): (i32, String, String, bool) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        let refuse = |message, trouble| Err(PostgresError::own(DOING, message, trouble));
        if number < OLDEST {
            let message = format!("it is PostgreSQL {version}; version 14 or newer is needed");
            return refuse(message, Trouble::Refused);
        }
        if encoding != "UTF8" {
            let message = format!(
                "its encoding is {encoding}, and only UTF8 holds everything Stripe sends; \
                 make one with: create database stripe encoding 'UTF8' template template0"
            );
            return refuse(message, Trouble::Refused);
        }
        if read_only {
            let message = "it is read-only (a standby, or default_transaction_read_only is on); \
                           use the primary's address";
            return refuse(message.to_owned(), Trouble::ReadOnly);
        }
        Ok(())
    }
}

/// Reads a url or keyword string and its `sslmode`, of which the driver knows only a part.
fn parse(url: &str) -> Result<(Config, tls::Verify), PostgresError> {
    let refuse = |message: &str| {
        PostgresError::own("cannot read the database url", message, Trouble::Refused)
    };
    let (stripped, stated) = tls::take_sslmode(url);
    let mut config: Config = stripped.parse().map_err(|_| {
        // The parser's own text can quote the url, and with it the password.
        refuse("it is not of the form postgres://user:password@host:5432/database")
    })?;
    if config.get_hosts().is_empty() {
        return Err(refuse("it names no host"));
    }
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        Host::Unix(_) => true,
    });
    let (mode, verify) = match stated.as_deref() {
        Some("disable") => (SslMode::Disable, tls::Verify::Full),
        Some("no-verify") => (SslMode::Require, tls::Verify::None),
        Some("require" | "verify-ca" | "verify-full") => (SslMode::Require, tls::Verify::Full),
        // What does not leave the machine needs no TLS unless it is asked for.
        None | Some("prefer" | "allow") if local => (SslMode::Disable, tls::Verify::Full),
        None | Some("prefer" | "allow") => (SslMode::Prefer, tls::Verify::Full),
        Some(_) => {
            return Err(refuse(
                "sslmode is one of disable, prefer, require, verify-ca, verify-full, no-verify",
            ));
        }
    };
    config.ssl_mode(mode);
    config.connect_timeout(CONNECT_TIMEOUT);
    // A line that was cut without a word must not hold a commit for hours.
    config.keepalives_idle(Duration::from_secs(30));
    config.keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(60));
    if config.get_application_name().is_none() {
        config.application_name("stripe-sync");
    }
    Ok((config, verify))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sslmode_is_honoured() {
        let mode = |url: &str| parse(url).map(|(c, v)| (c.get_ssl_mode(), v));
        let far = "postgres://u:p@db.example.com/x";
        assert!(matches!(mode(far), Ok((SslMode::Prefer, tls::Verify::Full))));
        assert!(matches!(
            mode(&format!("{far}?sslmode=verify-full")),
            Ok((SslMode::Require, tls::Verify::Full))
        ));
        assert!(matches!(
            mode(&format!("{far}?sslmode=no-verify")),
            Ok((SslMode::Require, tls::Verify::None))
        ));
        assert!(matches!(mode("postgres://localhost/x"), Ok((SslMode::Disable, _))));
        assert!(matches!(
            mode("host=db.example.com sslmode=require user=u"),
            Ok((SslMode::Require, tls::Verify::Full))
        ));
        assert!(mode(&format!("{far}?sslmode=maybe")).is_err());
    }

    #[test]
    fn an_unreadable_url_is_not_repeated() {
        let error = parse("postgres://u:s3cret@host:notaport/x").map(|_| ()).expect_err("an error");
        assert!(!error.to_string().contains("s3cret"));
    }
}
