//! What a caller can choose about a private server.

use std::path::PathBuf;
use std::time::Duration;

/// How to start a server. Whoever joins a running server takes it as it is.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) data_dir: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) start_timeout: Duration,
    pub(crate) durable: bool,
}

impl Options {
    /// A durable server in `data_dir`, which is created if it does not exist. Waits up to
    /// 60 seconds for the server, which is enough for a recovery after a crash.
    pub fn new(data_dir: impl Into<PathBuf>) -> Options {
        Options {
            data_dir: data_dir.into(),
            settings: Vec::new(),
            start_timeout: Duration::from_secs(60),
            durable: true,
        }
    }

    /// Adds a setting of `postgresql.conf`, over the defaults of this crate.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Options {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// How long each of these may take: other processes that start or stop the server, and the
    /// start itself.
    pub fn start_timeout(mut self, limit: Duration) -> Options {
        self.start_timeout = limit;
        self
    }
}
