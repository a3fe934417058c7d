//! Throw-away servers, and how they vanish.
//!
//! A watchdog, a small shell, reads from a pipe that only the owner can write to. When the owner
//! lets go or dies in any way, the kernel closes the pipe, and the watchdog kills the server and
//! removes its files. If the watchdog was killed as well, the next throw-away server sweeps: a
//! folder whose owner's lock is free belongs to nobody.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::account::Account;
use crate::error::{At, Error};
use crate::home::Home;
use crate::lock::Lock;
use crate::postmaster::{self, Running, State};
use crate::runtime_dir;

const PREFIX: &str = "t-";
const SWEEP_LIMIT: Duration = Duration::from_secs(60);

/// SIGQUIT is PostgreSQL's immediate shutdown. The wait is bounded, as the process may be a stranger.
const SCRIPT: &str = r#"
read -r _
if read -r pid < "$1/cluster/postmaster.pid" && kill -QUIT "$pid"; then
    n=0
    while [ $n -lt 500 ] && kill -0 "$pid"; do n=$((n + 1)); sleep 0.02; done
fi
rm -rf "$1"
"#;

/// Removes the server when it is dropped or when this process dies.
#[derive(Debug)]
pub(crate) struct Watchdog {
    shell: Child,
    _owner: Lock,
}

/// A folder for a new server, watched over.
pub(crate) fn prepare() -> Result<(Home, Watchdog), Error> {
    let account = Account::for_new_cluster()?;
    let parent = runtime_dir::of(account)?;
    // A folder without its owner's lock, as between the next two steps, would be swept.
    let _sweep = Lock::exclusive(&parent.join("sweep.lock"), SWEEP_LIMIT)?;
    sweep(&parent);
    let dir = parent.join(unique_name());
    runtime_dir::private(&dir, account)?;
    let owner = Lock::exclusive(&dir.join("owner.lock"), SWEEP_LIMIT)?;
    let watchdog = Watchdog { shell: watch(account, &dir)?, _owner: owner };
    let home = Home { cluster: dir.join("cluster"), socket_dir: dir.clone(), dir, account };
    Ok((home, watchdog))
}

impl Watchdog {
    /// Lets it do its work and waits for the end.
    pub(crate) fn clean_up(mut self) -> Result<(), Error> {
        drop(self.shell.stdin.take());
        self.shell.wait().map(drop).at("wait for", Path::new("/bin/sh"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            tracing::debug!(%error, "the watchdog cannot be awaited");
        }
    }
}

fn watch(account: Account, dir: &Path) -> Result<Child, Error> {
    let shell = Path::new("/bin/sh");
    let mut command = account.command(shell);
    // In a process group of its own, so that Ctrl-C does not kill it together with its owner.
    command.args(["-c", SCRIPT, "watchdog"]).arg(dir).process_group(0);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().at("run", shell)
}

/// Removes the servers of dead owners. What does not go away is left to the next sweep.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let dir = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        if let Ok(Some(_dead_owner)) = Lock::try_exclusive(&dir.join("owner.lock"))
            && let Err(error) = remove(&dir)
        {
            tracing::debug!(dir = %dir.display(), %error, "left for the next sweep");
        }
    }
}

fn remove(dir: &Path) -> Result<(), Error> {
    let state = postmaster::observe(&dir.join("cluster"))?;
    if let State::Ready(Running { pid, .. }) | State::Busy(Some(pid)) = state {
        postmaster::signal(pid, Signal::QUIT)?;
    }
    fs::remove_dir_all(dir).at("remove", dir)
}

fn unique_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{PREFIX}{}-{:x}", std::process::id(), now.as_nanos())
}
