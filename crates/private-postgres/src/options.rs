//! The options of a private server.

use std::path::PathBuf;
use std::time::Duration;

/// How to start a server. The options have no effect on a server that is already running.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) data_dir: PathBuf,
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) start_timeout: Duration,
    pub(crate) durable: bool,
    pub(crate) stop_if_killed: bool,
}

impl Options {
    /// Options for a durable server in `data_dir`, which is created if it does not exist. The
    /// default start timeout is 60 seconds, which is enough for crash recovery.
    pub fn new(data_dir: impl Into<PathBuf>) -> Options {
        Options {
            data_dir: data_dir.into(),
            settings: Vec::new(),
            start_timeout: Duration::from_secs(60),
            durable: true,
            stop_if_killed: false,
        }
    }

    /// Adds a setting of `postgresql.conf`, which overrides the default of this crate.
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Options {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Sets the time limit for the start of the server, and separately for waiting until other
    /// processes have started or stopped it.
    pub fn start_timeout(mut self, limit: Duration) -> Options {
        self.start_timeout = limit;
        self
    }

    /// Also stops the server when its last user is killed. A second process of this executable
    /// waits for that; the executable must call [`run_lease_watch`](crate::run_lease_watch).
    pub fn stop_if_killed(mut self) -> Options {
        self.stop_if_killed = true;
        self
    }
}
