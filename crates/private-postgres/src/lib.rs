//! Runs a private PostgreSQL server from the server programs installed on this machine.
//!
//! [`Server::start`] returns a durable server with a data directory. All processes that name the
//! same directory share it: the first process starts the server, the others join it, and the last
//! one to leave stops it. [`Server::temporary`] returns a server for tests that is removed together
//! with the process that owns it.
//!
//! The server listens only on a Unix socket in a private directory and has no password. If a
//! process or the server is killed at any moment, the next start joins the running server or
//! cleans up what was left behind. With [`Options::stop_if_killed`], the server stops when its last
//! user is killed.

mod binaries;
mod cluster;
mod data_dir;
mod error;
mod files;
mod launch;
mod lease_watch;
mod lock;
mod log;
mod options;
mod origin;
mod os_user;
mod postmaster;
mod runtime_dir;
mod server;
mod settings;
mod temporary;
mod version;

pub use binaries::{Binaries, find_binaries};
pub use error::Error;
pub use lease_watch::run_lease_watch;
pub use options::Options;
pub use server::Server;
pub use version::OLDEST_MAJOR;
