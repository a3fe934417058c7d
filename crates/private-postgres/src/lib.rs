//! A PostgreSQL server of one's own, started from the binaries that are installed.
//!
//! [`Server::start`] gives a durable server that lives in a data directory and is shared by all
//! processes that name this directory: the first one starts it, the others join, the last one out
//! stops it. [`Server::temporary`] gives one that vanishes with its owner, for tests.
//!
//! The server listens on a Unix socket in a private directory only, so no password exists.
//! Whatever is killed at whatever moment, the next start joins or cleans up what it left behind.

mod account;
mod binaries;
mod cluster;
mod error;
mod files;
mod home;
mod launch;
mod lock;
mod log;
mod options;
mod origin;
mod postmaster;
mod runtime_dir;
mod server;
mod settings;
mod temporary;

pub use binaries::{Binaries, OLDEST_MAJOR, find_binaries};
pub use error::Error;
pub use options::Options;
pub use server::Server;
