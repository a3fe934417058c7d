//! A process's use of a private server.
//!
//! Users are counted by a file lock that each holds shared. Taking it, and looking whether one
//! was the last, both happen under the start lock, so a process that joins meets either a server
//! that stays or the place where it starts the next one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::binaries;
use crate::cluster::{self, DATABASE, USER};
use crate::error::{At, Error};
use crate::home::Home;
use crate::launch;
use crate::lock::Lock;
use crate::options::Options;
use crate::temporary::{self, Watchdog};

/// How long the last user waits for one that starts or stops at the same moment.
const LEAVE_LIMIT: Duration = Duration::from_secs(60);

/// A running PostgreSQL server, used by this process until [`Server::stop`] or drop. It has the
/// database `stripe` and the superuser `postgres`, and needs no password.
#[derive(Debug)]
pub struct Server {
    /// `None` after leaving.
    seat: Option<Seat>,
    home: Home,
    socket_dir: PathBuf,
    pid: i32,
    major: u32,
    joined: bool,
}

/// What ends with the use.
#[derive(Debug)]
enum Seat {
    Shared { users: Lock },
    Temporary { watchdog: Watchdog },
}

impl Server {
    /// Joins the server of the data directory, or starts it, or first makes the cluster.
    ///
    /// # Errors
    /// Every variant of [`Error`]; its text says what to do next.
    ///
    /// # Cancel safety
    /// A dropped future leaves a thread that finishes the start and then gives the server up again.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(options: Options) -> Result<Server, Error> {
        blocking(move || {
            let home = Home::open(&options.data_dir)?;
            Server::open(home, &options, None)
        })
        .await
    }

    /// A new server for tests, without durability, that vanishes with this value: after a panic
    /// and after `kill -9` of this process, too. It may live in a `static`.
    ///
    /// # Errors
    /// As [`Server::start`]. The same holds for cancel safety and panics.
    pub async fn temporary() -> Result<Server, Error> {
        Server::temporary_with(&[]).await
    }

    /// As [`Server::temporary`], with settings of `postgresql.conf`.
    ///
    /// # Errors
    /// As [`Server::start`]. The same holds for cancel safety and panics.
    pub async fn temporary_with(settings: &[(&str, &str)]) -> Result<Server, Error> {
        let mut options = Options::new("").setting("max_connections", "100");
        for (name, value) in settings {
            options = options.setting(*name, *value);
        }
        options.durable = false;
        blocking(move || {
            let (home, watchdog) = temporary::prepare()?;
            Server::open(home, &options, Some(watchdog))
        })
        .await
    }

    fn open(home: Home, options: &Options, watchdog: Option<Watchdog>) -> Result<Server, Error> {
        let _start = Lock::exclusive(&home.start_lock(), options.start_timeout)?;
        // Under the start lock, because only its holder takes the users' lock exclusively.
        let users = Lock::shared(&home.users_lock(), options.start_timeout)?;
        let made_by = cluster::made_by(&home.cluster)?;
        let binaries = binaries::choose(home.account, &home.cluster, made_by)?;
        cluster::ensure(&home, &binaries, options.durable)?;
        let (running, joined) = launch::join_or_start(&home, &binaries, options, &users)?;
        let seat = match watchdog {
            None => Seat::Shared { users },
            Some(watchdog) => Seat::Temporary { watchdog },
        };
        Ok(Server {
            seat: Some(seat),
            home,
            socket_dir: running.socket_dir,
            pid: running.pid.as_raw_nonzero().get(),
            major: binaries.major,
            joined,
        })
    }

    /// A URL for libpq and tokio-postgres.
    pub fn connection_url(&self) -> String {
        self.connection_url_to(DATABASE)
    }

    /// A URL for another database, whose name must need no escaping.
    pub fn connection_url_to(&self, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={USER}", self.socket_dir.display())
    }

    /// The same as keywords: `host=.. user=.. dbname=..`.
    pub fn connection_string(&self) -> String {
        format!("host={} user={USER} dbname={DATABASE}", self.socket_dir.display())
    }

    /// The directory of the Unix socket, the `host` of a connection.
    pub fn socket_dir(&self) -> &Path {
        &self.socket_dir
    }

    /// The superuser.
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The database.
    pub fn database(&self) -> &'static str {
        DATABASE
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// The process id of the server as of the start or join.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Whether the server was running before.
    pub fn joined(&self) -> bool {
        self.joined
    }

    /// PostgreSQL's own directory, with `postgresql.conf`. Not below the data directory if root's
    /// is closed to the server's user.
    pub fn cluster_dir(&self) -> &Path {
        &self.home.cluster
    }

    /// The server's log.
    pub fn log_file(&self) -> PathBuf {
        self.home.log()
    }

    /// Gives up the use; the last user stops the server and waits for its end.
    ///
    /// # Errors
    /// [`Error::Timeout`] if the server is still writing; it goes on and ends by itself.
    ///
    /// # Cancel safety
    /// A dropped future leaves a thread that goes on.
    pub async fn stop(mut self) -> Result<(), Error> {
        blocking(move || self.leave(launch::stop)).await
    }

    fn leave(&mut self, end: fn(&Home) -> Result<(), Error>) -> Result<(), Error> {
        let users = match self.seat.take() {
            None => return Ok(()),
            Some(Seat::Temporary { watchdog }) => return watchdog.clean_up(),
            Some(Seat::Shared { users }) => users,
        };
        if !self.home.dir.exists() {
            return end(&self.home);
        }
        let _start = Lock::exclusive(&self.home.start_lock(), LEAVE_LIMIT)?;
        // Two that leave together come one after the other, so one of them is the last.
        if users.try_upgrade().at("lock", &self.home.users_lock())? {
            end(&self.home)?;
        }
        Ok(())
    }
}

impl Drop for Server {
    /// As [`Server::stop`], but does not wait for the end of a shared server, only until nobody
    /// can join it any more.
    fn drop(&mut self) {
        if let Err(error) = self.leave(launch::ask_to_stop) {
            tracing::warn!(%error, "the private PostgreSQL could not be given up properly");
        }
    }
}

/// Runs on a thread that waits: files, locks and processes have no asynchronous interface here,
/// and a start that is half done must not be dropped.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
