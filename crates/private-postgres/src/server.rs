//! A process's lease on a private server.
//!
//! Each lease on a shared server holds a shared file lock, the users' lock. Leases are acquired and
//! released under the start lock, and so is the check whether a lease is the last one. A process
//! that joins therefore finds either a server that keeps running or no server, in which case it
//! starts one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::binaries;
use crate::cluster::{self, DATABASE, USER};
use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::launch;
use crate::lease_watch::LeaseWatch;
use crate::lock::Lock;
use crate::options::Options;
use crate::temporary::{self, Watchdog};

/// How long a release waits for a process that starts or stops the server at the same time.
const RELEASE_LIMIT: Duration = Duration::from_secs(60);

/// A lease on a running PostgreSQL server, which ends with [`Server::stop`] or when the value is
/// dropped. The server has a database `stripe` and a superuser `postgres`, and needs no password.
#[derive(Debug)]
pub struct Server {
    /// `None` after the release.
    lease: Option<Lease>,
    data_dir: DataDir,
    socket_dir: PathBuf,
    pid: i32,
    major: u32,
    joined: bool,
}

/// What keeps the server running for this process.
#[derive(Debug)]
enum Lease {
    Shared { users: Lock, watch: Option<LeaseWatch> },
    Temporary { watchdog: Watchdog },
}

impl Server {
    /// Joins the server of the data directory. If it is not running, starts it; if the data
    /// directory is new, creates the cluster first.
    ///
    /// # Errors
    /// Any variant of [`Error`].
    ///
    /// # Cancel safety
    /// If the future is dropped, a thread completes the start and then releases the server.
    ///
    /// # Panics
    /// Panics outside a tokio runtime.
    pub async fn start(options: Options) -> Result<Server, Error> {
        blocking(move || {
            let data_dir = DataDir::open(&options.data_dir)?;
            Server::open(data_dir, &options, None)
        })
        .await
    }

    /// Starts a new server without durability, for tests. The server and its files are removed when
    /// this value is dropped, and also after a panic or a `kill -9` of this process. The value may
    /// be stored in a `static`.
    ///
    /// # Errors
    /// See [`Server::start`], which also describes cancel safety and panics.
    pub async fn temporary() -> Result<Server, Error> {
        Server::temporary_with(&[]).await
    }

    /// Like [`Server::temporary`], with settings of `postgresql.conf`.
    ///
    /// # Errors
    /// See [`Server::start`], which also describes cancel safety and panics.
    pub async fn temporary_with(settings: &[(&str, &str)]) -> Result<Server, Error> {
        let mut options = Options::new("").setting("max_connections", "100");
        for (name, value) in settings {
            options = options.setting(*name, *value);
        }
        options.durable = false;
        blocking(move || {
            let (data_dir, watchdog) = temporary::prepare()?;
            Server::open(data_dir, &options, Some(watchdog))
        })
        .await
    }

    fn open(
        data_dir: DataDir,
        options: &Options,
        watchdog: Option<Watchdog>,
    ) -> Result<Server, Error> {
        let _start = Lock::exclusive(&data_dir.start_lock(), options.start_timeout)?;
        // Acquired under the start lock: other processes acquire the users' lock exclusively only
        // while they hold the start lock.
        let users = Lock::shared(&data_dir.users_lock(), options.start_timeout)?;
        let major = cluster::major_version(&data_dir.cluster)?;
        let binaries = binaries::select(data_dir.os_user, &data_dir.cluster, major)?;
        cluster::ensure_exists(&data_dir, &binaries, options.durable)?;
        let watch = match options.stop_if_killed {
            true => Some(LeaseWatch::start(&data_dir.path)?),
            false => None,
        };
        let (running, joined) = launch::join_or_start(&data_dir, &binaries, options, &users)?;
        let lease = match watchdog {
            None => Lease::Shared { users, watch },
            Some(watchdog) => Lease::Temporary { watchdog },
        };
        Ok(Server {
            lease: Some(lease),
            data_dir,
            socket_dir: running.socket_dir,
            pid: running.pid.as_raw_nonzero().get(),
            major: binaries.major,
            joined,
        })
    }

    /// Returns a connection URL that libpq and tokio-postgres accept.
    pub fn connection_url(&self) -> String {
        self.connection_url_to(DATABASE)
    }

    /// Returns a connection URL for another database. The name is not percent-encoded.
    pub fn connection_url_to(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={USER}", self.socket_dir.display())
    }

    /// Returns the connection parameters as keywords: `host=.. user=.. dbname=..`.
    pub fn connection_string(&self) -> String {
        format!("host={} user={USER} dbname={DATABASE}", self.socket_dir.display())
    }

    /// The directory of the Unix socket, which is the `host` of a connection.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The name of the superuser.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The name of the database.
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// The major version of the server.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The process id of the server when it was started or joined.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the server was already running.
    pub fn joined(&self) -> bool {
        self.joined
    }

    /// PostgreSQL's own directory, which contains `postgresql.conf`. It is outside the data
    /// directory if that belongs to root and the server's user cannot enter it.
    pub fn cluster_dir(&self) -> &Path {
        &self.data_dir.cluster
    }

    /// The log file of the server.
    pub fn log_file(&self) -> PathBuf {
        self.data_dir.log()
    }

    /// Releases the lease. If it is the last one, stops the server and waits until its process has
    /// ended.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the server is still writing. It continues its shutdown.
    ///
    /// # Cancel safety
    /// If the future is dropped, a thread completes the release.
    pub async fn stop(mut self) -> Result<(), Error> {
        blocking(move || self.release(launch::stop)).await
    }

    /// Releases the lease, and calls `stop` if it is the last one.
    fn release(&mut self, stop: fn(&DataDir) -> Result<(), Error>) -> Result<(), Error> {
        let (users, watch) = match self.lease.take() {
            None => return Ok(()),
            Some(Lease::Temporary { watchdog }) => return watchdog.clean_up(),
            Some(Lease::Shared { users, watch }) => (users, watch),
        };
        self.release_shared(&users, stop)?;
        // After an error, the other process tries it again.
        if let Some(watch) = watch {
            watch.finish();
        }
        Ok(())
    }

    fn release_shared(
        &self,
        users: &Lock,
        stop: fn(&DataDir) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if !self.data_dir.path.exists() {
            return stop(&self.data_dir);
        }
        let _start = Lock::exclusive(&self.data_dir.start_lock(), RELEASE_LIMIT)?;
        // The start lock serializes concurrent releases, so exactly one of them is the last.
        if users.try_upgrade().at("lock", &self.data_dir.users_lock())? {
            stop(&self.data_dir)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    /// Like [`Server::stop`], but waits for the end of a shared server only until other processes
    /// can no longer join it.
    fn drop(&mut self) {
        if let Err(error) = self.release(launch::request_stop) {
            tracing::warn!(%error, "cannot release the private PostgreSQL server");
        }
    }
}

/// Runs `work` on a blocking thread: it uses blocking calls for files, locks and processes, and a
/// start must not be canceled halfway.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
