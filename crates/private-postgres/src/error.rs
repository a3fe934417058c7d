//! The errors of a private server.
//!
//! A message says what failed and, where the user can do something about it, continues after `; `
//! with what to do. The command line splits the text there into an error and a hint.

use std::io;
use std::path::{Path, PathBuf};

use crate::version::OLDEST_MAJOR;

/// Why a private server could not be started, joined or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No installation with `initdb`, `pg_ctl` and `postgres` was found.
    #[error(
        "no PostgreSQL server programs found on this machine; install PostgreSQL ({install}), \
         set DATABASE_URL to an existing database, or run PostgreSQL in Docker \
         (`docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres`, then \
         DATABASE_URL=postgresql://postgres:secret@localhost/postgres)",
        install = install_hint()
    )]
    NoBinaries,

    /// Only installations older than [`OLDEST_MAJOR`] were found.
    #[error(
        "the newest PostgreSQL on this machine is version {found}, and the oldest supported version \
         is {OLDEST_MAJOR}; install a newer version, or set DATABASE_URL to an existing database"
    )]
    TooOld {
        /// Major version of the newest installation.
        found: u32,
    },

    /// The cluster was created by a major version that is not installed.
    #[error(
        "{} was created by PostgreSQL {needed}, whose server programs are not installed (found: \
         {found}); install PostgreSQL {needed}, or move the data to another version with pg_upgrade \
         or with pg_dump on a machine that has version {needed}",
        data_dir.display()
    )]
    MissingMajor {
        /// The cluster that cannot be opened.
        data_dir: PathBuf,
        /// The version it needs.
        needed: u32,
        /// The versions that are installed.
        found: String,
    },

    /// The data directory contains something that this crate did not create.
    #[error("{} {problem}; choose another data directory", path.display())]
    UnusableDirectory {
        /// The directory that cannot be used.
        path: PathBuf,
        /// What was found there.
        problem: &'static str,
    },

    /// The owner or the mode of a file or directory does not allow its use.
    #[error("{} {problem}", path.display())]
    Access {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        problem: String,
    },

    /// This process runs as root, and there is no other user that could run PostgreSQL.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has no user `postgres` or `nobody`; \
         create one with `useradd --system postgres`, or run as another user"
    )]
    NoOsUser,

    /// A process in another container or on another machine uses the data directory.
    #[error(
        "{} is in use by a process in another container or on another machine; stop that process, \
         or set DATABASE_URL to a server that both can reach",
        data_dir.display()
    )]
    UsedElsewhere {
        /// The directory in use.
        data_dir: PathBuf,
    },

    /// The server is running and other processes use it, but it accepts no connections on its
    /// socket.
    #[error(
        "the server of {} (process {pid}) does not accept connections in {}, and other processes \
         are using it; stop those processes and try again",
        data_dir.display(),
        socket_dir.display()
    )]
    Unreachable {
        /// The data directory of the server.
        data_dir: PathBuf,
        /// The directory in which the socket should be.
        socket_dir: PathBuf,
        /// The process id of the postmaster.
        pid: i32,
    },

    /// One of PostgreSQL's programs failed.
    #[error("{program} failed; check its output:\n{output}")]
    Program {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The end of its output.
        output: String,
    },

    /// The file system has no room for a new cluster.
    #[error(
        "{program} failed: no space left on the device of {}; free about 100 MB there, or choose \
         another data directory",
        path.display()
    )]
    NoSpace {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The directory in which the cluster was to be created.
        path: PathBuf,
    },

    /// The server exited during its start.
    #[error("PostgreSQL did not start; see {}, which ends with:\n{tail}", log.display())]
    Start {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },

    /// A step took longer than its time limit, such as [`crate::Options::start_timeout`].
    #[error("{step} took longer than {seconds} s; it may still be in progress, try again{tail}")]
    Timeout {
        /// The step.
        step: &'static str,
        /// The time limit.
        seconds: u64,
        /// The last lines of the log, or nothing.
        tail: String,
    },

    /// An operation on a file or a process failed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// The operation.
        action: &'static str,
        /// The file, directory or process.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
}

/// Adds the operation and the path to an [`io::Error`].
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source: source.into() })
    }
}

/// The command that installs a server on this system, guessed from its package manager.
fn install_hint() -> &'static str {
    let known = [
        ("/usr/bin/apt-get", "`apt-get install postgresql`"),
        ("/usr/bin/dnf", "`dnf install postgresql-server`"),
        ("/usr/bin/yum", "`yum install postgresql-server`"),
        ("/sbin/apk", "`apk add postgresql`"),
        ("/usr/bin/pacman", "`pacman -S postgresql`"),
        ("/usr/bin/zypper", "`zypper install postgresql-server`"),
        ("/opt/homebrew/bin/brew", "`brew install postgresql@17`"),
        ("/usr/local/bin/brew", "`brew install postgresql@17`"),
    ];
    known
        .iter()
        .find(|(program, _)| Path::new(program).exists())
        .map_or("for example with `apt-get install postgresql`", |(_, hint)| hint)
}
