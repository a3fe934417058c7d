//! Temporary servers, and how they vanish.
//!
//! A watchdog, two small shells, reads from a pipe that only the owner can write to. When the
//! owner lets go or dies in any way, the kernel closes the pipe: the first shell kills the server,
//! the second removes its files. If the watchdog was killed as well, the next temporary server
//! sweeps: a folder whose owner's lock is free belongs to nobody.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::account::Account;
use crate::error::{At, Error};
use crate::home::Home;
use crate::lock::Lock;
use crate::postmaster::{self, State};
use crate::runtime_dir;

const SHELL: &str = "/bin/sh";
const PREFIX: &str = "t-";
const SWEEP_LIMIT: Duration = Duration::from_secs(60);

/// Runs as the server's user, who can signal nobody else's processes. SIGINT is PostgreSQL's fast
/// shutdown, which frees its shared memory; SIGQUIT, the immediate one, takes two seconds even when
/// idle. The waits are bounded, as the process may be a stranger.
const KILLER: &str = r#"
gone() {
    n=0
    while kill -0 "$pid"; do
        n=$((n + 1)); [ $n -lt 500 ] || return 1
        sleep 0.01
    done
}
read -r _
read -r pid < "$1/cluster/postmaster.pid" && kill -INT "$pid" || exit
gone || { kill -QUIT "$pid"; gone; }
"#;

/// Runs as we do, because the folder is ours; reads until the killer is gone.
const REMOVER: &str = r#"cat; rm -rf "$1""#;

/// Removes the server when it is dropped or when this process dies.
#[derive(Debug)]
pub(crate) struct Watchdog {
    killer: Child,
    remover: Child,
    _owner: Lock,
}

/// A folder for a new server, watched over.
pub(crate) fn prepare() -> Result<(Home, Watchdog), Error> {
    let account = Account::for_new_cluster()?;
    let parent = runtime_dir::ours()?;
    // A folder without its owner's lock, as between the next two steps, would be swept.
    let _sweep = Lock::exclusive(&parent.join("sweep.lock"), SWEEP_LIMIT)?;
    sweep(&parent);
    let dir = parent.join(unique_name());
    DirBuilder::new().mode(0o755).create(&dir).at("create", &dir)?;
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).at("open", &dir)?;
    let owner = Lock::exclusive(&dir.join("owner.lock"), SWEEP_LIMIT)?;
    let watchdog = Watchdog::over(&dir, account, owner)?;
    let (cluster, socket_dir) = (dir.join("cluster"), dir.join("socket"));
    let home = Home { dir, cluster, socket_dir, account };
    Ok((home, watchdog))
}

impl Watchdog {
    fn over(dir: &Path, account: Account, owner: Lock) -> Result<Watchdog, Error> {
        let mut killer = shell(account, KILLER, dir, Stdio::piped(), Stdio::piped())?;
        let killed = killer.stdout.take().expect("stdout is piped");
        let remover = shell(Account::current(), REMOVER, dir, killed.into(), Stdio::null())?;
        Ok(Watchdog { killer, remover, _owner: owner })
    }

    /// Lets it do its work and waits for the end.
    pub(crate) fn clean_up(mut self) -> Result<(), Error> {
        self.finish().at("wait for", Path::new(SHELL))
    }

    fn finish(&mut self) -> io::Result<()> {
        drop(self.killer.stdin.take());
        self.killer.wait()?;
        self.remover.wait()?;
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::debug!(%error, "the watchdog cannot be awaited");
        }
    }
}

/// In a process group of its own, so that Ctrl-C does not kill it together with its owner.
fn shell(
    account: Account,
    script: &str,
    dir: &Path,
    stdin: Stdio,
    stdout: Stdio,
) -> Result<Child, Error> {
    let mut command = account.command(Path::new(SHELL));
    command.args(["-c", script, "watchdog"]).arg(dir).process_group(0);
    command.stdin(stdin).stdout(stdout).stderr(Stdio::null());
    command.spawn().at("run", Path::new(SHELL))
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
    if let State::Ready(running) | State::Busy(Some(running)) = state {
        running.signal(Signal::QUIT)?;
    }
    fs::remove_dir_all(dir).at("remove", dir)
}

fn unique_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{PREFIX}{}-{:x}", std::process::id(), now.as_nanos())
}
