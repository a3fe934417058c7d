//! How connections are opened, and how long operations may take.

use std::path::PathBuf;
use std::time::Duration;

/// What [`Database::open`](super::Database::open) needs besides the URL.
#[derive(Debug, Clone)]
pub(crate) struct DatabaseOptions {
    /// Maximum number of connections.
    pub(crate) connections: usize,
    /// How long operations wait for an unreachable server.
    pub(crate) max_outage: Duration,
    /// How long one operation may take before its connection is discarded.
    pub(crate) operation_timeout: Duration,
    /// How long the first connection waits for a server that is starting.
    pub(crate) startup_wait: Duration,
    /// The CA certificates that the server's certificate is verified against, unless the URL names
    /// a file.
    pub(crate) root_certificates: Option<PathBuf>,
}

impl DatabaseOptions {
    /// Options without retries, for tests.
    #[cfg(test)]
    pub(crate) fn impatient(connections: usize) -> DatabaseOptions {
        DatabaseOptions {
            connections,
            max_outage: Duration::ZERO,
            operation_timeout: Duration::from_secs(120),
            startup_wait: Duration::ZERO,
            root_certificates: None,
        }
    }
}
