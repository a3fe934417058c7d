//! A small pool of connections to one database.
//!
//! No session state is used, so a transaction can run on any server connection. The pool works
//! behind PgBouncer in transaction mode.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime, Transaction,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::config::SslMode;
use tokio_postgres::{Config, IsolationLevel};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::postgres::connection::cancellations::Cancellations;
use crate::postgres::connection::contended::ContendedTables;
use crate::postgres::connection::options::DatabaseOptions;
use crate::postgres::connection::server::Server;
use crate::postgres::connection::tls::{self, TlsSettings};
use crate::postgres::connection::url;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a task waits for a free connection before that counts as an outage.
pub(super) const POOL_WAIT: Duration = Duration::from_secs(60);

/// Connections to one database.
#[derive(Clone)]
pub(crate) struct Database {
    pool: Pool,
    tls: MakeRustlsConnect,
    options: Arc<DatabaseOptions>,
    /// Statements that the server is asked to end.
    pub(in crate::postgres) cancellations: Arc<Cancellations>,
    /// Tables that another session has locked.
    pub(in crate::postgres) contended: Arc<ContendedTables>,
    /// For a second connection, if the pool has only one.
    second: Option<Pool>,
    /// One permit fewer than there are connections.
    lock_waits: Arc<Semaphore>,
    /// The hosts of the URL, `name:port`.
    hosts: Arc<[String]>,
    /// For errors: `cannot reach the database at` and the address.
    reaching: Arc<str>,
    /// Whether the server accepted writes when the pool was opened.
    was_writable: Arc<AtomicBool>,
    /// Connections that were opened earlier are not used again.
    valid_since: Arc<Mutex<Instant>>,
}

impl Database {
    /// Opens the pool, waits for a server that is starting, and checks that it can hold a copy.
    /// Writes nothing.
    ///
    /// # Errors
    /// The URL is invalid, or the server cannot be reached, refuses the connection, is older than
    /// PostgreSQL 14, is read-only, or does not use UTF8.
    pub(crate) async fn connect(
        url: &str,
        options: DatabaseOptions,
    ) -> Result<Database, PostgresError> {
        let database = Database::open(url, options)?;
        match database.server_when_ready().await?.objections().into_iter().next() {
            Some(objection) => Err(objection),
            None => {
                database.was_writable.store(true, Ordering::Relaxed);
                Ok(database)
            }
        }
    }

    /// Opens the pool without connecting.
    ///
    /// # Errors
    /// The URL is invalid.
    pub(crate) fn open(url: &str, options: DatabaseOptions) -> Result<Database, PostgresError> {
        const DOING: &str = "cannot use the database";
        let (config, tls) = configuration(url, &options)?;
        let create_timeout = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
        let reaching =
            format!("cannot reach the database at {}", url::addresses(&config).join(" or "));
        let hosts = url::addresses(&config).into();
        let connector = tls::connector(&tls)
            .map_err(|message| PostgresError::own(DOING, message, ErrorClass::Rejected))?;
        let manager = || {
            let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
            Manager::from_config(config.clone(), connector.clone(), recycling)
        };
        let valid_since = Arc::new(Mutex::new(Instant::now()));
        let options = DatabaseOptions { connections: options.connections.max(1), ..options };
        let open = |connections| {
            let valid = Arc::clone(&valid_since);
            Pool::builder(manager())
                .pre_recycle(Hook::sync_fn(move |_, metrics| {
                    match metrics.created < *valid.lock().unwrap_or_else(PoisonError::into_inner) {
                        true => Err(HookError::message("the connection was discarded")),
                        false => Ok(()),
                    }
                }))
                .max_size(connections)
                .wait_timeout(Some(POOL_WAIT))
                .create_timeout(Some(create_timeout))
                .runtime(Runtime::Tokio1)
                .build()
                .map_err(|e| PostgresError::own(DOING, e.to_string(), ErrorClass::Other))
        };
        let pool = open(options.connections)?;
        let second = (options.connections == 1).then(|| open(1)).transpose()?;
        // With a single connection, none can be reserved.
        let lock_waits = Arc::new(Semaphore::new((options.connections - 1).max(1)));
        Ok(Database {
            pool,
            second,
            tls: connector,
            cancellations: Arc::default(),
            lock_waits,
            options: Arc::new(options),
            contended: Arc::default(),
            hosts,
            reaching: reaching.into(),
            was_writable: Arc::default(),
            valid_since,
        })
    }

    /// Whether the server accepted writes when the pool was opened.
    pub(super) fn was_writable(&self) -> bool {
        self.was_writable.load(Ordering::Relaxed)
    }

    /// Makes later operations open new connections. Those in use are closed after their operation.
    pub(super) fn discard_connections(&self) {
        *self.valid_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn reaching(&self) -> &str {
        &self.reaching
    }

    /// A permit to use a connection for an operation that can wait for a lock.
    pub(super) async fn lock_waits(&self) -> OwnedSemaphorePermit {
        let permit = Arc::clone(&self.lock_waits).acquire_owned().await;
        permit.expect("the semaphore is never closed")
    }

    /// How long operations wait for an unreachable server.
    pub(crate) fn max_outage(&self) -> Duration {
        self.options.max_outage
    }

    pub(super) fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }

    pub(super) fn options(&self) -> &DatabaseOptions {
        &self.options
    }

    /// The TLS settings of new connections.
    pub(in crate::postgres) fn tls(&self) -> &MakeRustlsConnect {
        &self.tls
    }

    /// A connection from the pool.
    pub(in crate::postgres) async fn get(&self) -> Result<Object, PostgresError> {
        self.pool.get().await.map_err(|e| PostgresError::pool(&*self.reaching, e))
    }

    /// A connection for a caller that already holds one. If the pool has only one, this is an
    /// additional one.
    pub(in crate::postgres) async fn get_second(&self) -> Result<Object, PostgresError> {
        match &self.second {
            None => self.get().await,
            Some(pool) => {
                let client = pool.get().await;
                client.map_err(|e| PostgresError::pool(&*self.reaching, e))
            }
        }
    }

    /// Reads the version and settings of the server.
    pub(in crate::postgres) async fn server(&self) -> Result<Server, PostgresError> {
        let client = self.get().await?;
        let row = client
            .query_typed_one(Server::SQL, &[])
            .await
            .map_err(|e| PostgresError::new("cannot use the database", &e))?;
        Ok(Server::read(&row))
    }
}

/// Begins a transaction that writes, at isolation level read committed regardless of the server's
/// default. A statement that follows a lock must see what the previous holder of the lock
/// committed.
pub(in crate::postgres) async fn begin(
    client: &mut Object,
) -> Result<Transaction<'_>, tokio_postgres::Error> {
    client.build_transaction().isolation_level(IsolationLevel::ReadCommitted).start().await
}

/// The driver's configuration for a URL, with timeouts, and its TLS settings.
fn configuration(
    url: &str,
    options: &DatabaseOptions,
) -> Result<(Config, TlsSettings), PostgresError> {
    let (mut config, mut tls) = url::parse(url).map_err(|error| {
        PostgresError::own("cannot use the database", error.to_string(), ErrorClass::Rejected)
    })?;
    let roots = tls.roots.or_else(|| options.root_certificates.clone());
    // `system` is libpq's name for the roots of the operating system. Without TLS the file is not
    // read.
    let is_file = |path: &PathBuf| path.as_os_str() != "system";
    let has_tls = config.get_ssl_mode() != SslMode::Disable;
    tls.roots = roots.filter(is_file).filter(|_| has_tls);
    if config.get_connect_timeout().is_none_or(Duration::is_zero) {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    // Without these, a connection that breaks silently would block a commit for hours.
    config.keepalives_idle(Duration::from_secs(30));
    config.keepalives_interval(Duration::from_secs(10));
    config.keepalives_retries(3);
    config.tcp_user_timeout(Duration::from_secs(60));
    if config.get_application_name().is_none() {
        config.application_name("stripe-sync");
    }
    Ok((config, tls))
}
