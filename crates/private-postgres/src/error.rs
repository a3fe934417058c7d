//! What can go wrong with a private server. Each message ends with what the user can do.

use std::io;
use std::path::{Path, PathBuf};

use crate::binaries::OLDEST_MAJOR;

/// Why a private server could not be started, joined or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No installation with `initdb`, `pg_ctl` and `postgres` was found.
    #[error(
        "no PostgreSQL server programs found on this machine; one of these helps: \
         set DATABASE_URL to a database you have; \
         install the server ({install}); \
         or run one in Docker (`docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=secret postgres` \
         and DATABASE_URL=postgresql://postgres:secret@localhost/postgres)",
        install = install_hint()
    )]
    NoBinaries,

    /// Only installations older than [`OLDEST_MAJOR`] were found.
    #[error(
        "the newest PostgreSQL on this machine is {found}, and {OLDEST_MAJOR} is the oldest that \
         works; install a newer server or set DATABASE_URL"
    )]
    TooOld {
        /// Major version of the newest installation.
        found: u32,
    },

    /// The data directory was made by a major version that is not installed.
    #[error(
        "{} was made by PostgreSQL {needed}, but its server programs are not installed (found: \
         {found}); install PostgreSQL {needed}, or move the data to another version with pg_upgrade \
         or with pg_dump on a machine that has {needed}",
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

    /// The data directory holds something that this crate did not make.
    #[error("{} {problem}; choose another data directory", path.display())]
    NotOurs {
        /// The directory in question.
        path: PathBuf,
        /// What was found there.
        problem: &'static str,
    },

    /// Another user owns what this process would have to use.
    #[error("{} {problem}", path.display())]
    Access {
        /// The file or directory in question.
        path: PathBuf,
        /// What is wrong with it, and the way out.
        problem: String,
    },

    /// Root cannot run PostgreSQL and there is no other user to run it.
    #[error(
        "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor \
         `nobody`; create one with `useradd --system postgres` or run as another user"
    )]
    NoAccount,

    /// Another process works with the directory from another container.
    #[error(
        "another container or machine uses {}, and its server cannot be reached from here; stop \
         that process first, or set DATABASE_URL to a server that both can reach",
        data_dir.display()
    )]
    Elsewhere {
        /// The directory in use.
        data_dir: PathBuf,
    },

    /// The server runs, but its socket does not answer here, and others are using it.
    #[error(
        "the server of {} (process {pid}) does not answer on {}; it is in use by another process, \
         stop that one and try again",
        data_dir.display(),
        socket_dir.display()
    )]
    Unreachable {
        /// The directory of the server.
        data_dir: PathBuf,
        /// Where the socket should be.
        socket_dir: PathBuf,
        /// The postmaster.
        pid: i32,
    },

    /// One of PostgreSQL's programs failed.
    #[error("{program} failed; its last words:\n{output}")]
    Program {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// The end of its output.
        output: String,
    },

    /// A new cluster needs more room than there is.
    #[error(
        "{program} found no space left for {}; free about 100 MB there, or choose another data \
         directory",
        path.display()
    )]
    NoSpace {
        /// `initdb` or `postgres`.
        program: &'static str,
        /// Where it was to be.
        path: PathBuf,
    },

    /// The server stopped while it was starting.
    #[error("PostgreSQL did not start; the end of {}:\n{tail}", log.display())]
    Start {
        /// The server's log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },

    /// A step took longer than [`crate::Options::start_timeout`] allows.
    #[error("{waiting_for} took longer than {seconds} s; try again, it may still be at work{tail}")]
    Timeout {
        /// The step.
        waiting_for: &'static str,
        /// The limit.
        seconds: u64,
        /// The end of the log, or nothing.
        tail: String,
    },

    /// The operating system refused something.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
}

/// Names the action and the path of an [`io::Error`].
pub(crate) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> At<T> for Result<T, E> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io { action, path: path.to_owned(), source: source.into() })
    }
}

/// The command that installs a server on this system, as far as that can be told.
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
        .map_or("`apt-get install postgresql` or your system's like", |(_, hint)| hint)
}
