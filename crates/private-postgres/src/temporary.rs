//! Temporary servers and their removal.
//!
//! A watchdog consists of two shell processes and a pipe that only the owner can write to. When the
//! owner drops the server or its process ends, the pipe is closed. The first shell then stops the
//! server, and the second one removes its files. If the watchdog was killed as well, the next
//! start of a temporary server removes the directory, because nobody holds its owner's lock.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::process::Signal;

use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::lock::Lock;
use crate::os_user::OsUser;
use crate::postmaster::{self, State};
use crate::runtime_dir;

const SHELL: &str = "/bin/sh";
const PREFIX: &str = "t-";
const SWEEP_LIMIT: Duration = Duration::from_secs(60);

/// Stops the server. Runs as the server's user, which cannot signal processes of other users.
/// SIGINT requests PostgreSQL's fast shutdown, which frees its shared memory; SIGQUIT, the
/// immediate shutdown, takes two seconds even if the server is idle. The waits are bounded because
/// the process id may belong to an unrelated process.
const STOP_SCRIPT: &str = r#"
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

/// Removes the files. Runs as the user of this process, which owns the directory. `cat` waits until
/// the stop script has ended.
const REMOVE_SCRIPT: &str = r#"cat; rm -rf "$1""#;

/// Removes the server when it is dropped or when this process ends.
#[derive(Debug)]
pub(crate) struct Watchdog {
    stopper: Child,
    remover: Child,
    _owner: Lock,
}

/// Creates the directory of a new server, and its watchdog.
pub(crate) fn prepare() -> Result<(DataDir, Watchdog), Error> {
    let os_user = OsUser::for_new_cluster()?;
    let parent = runtime_dir::of_current_user()?;
    // Other processes must not sweep the new directory before its owner's lock is held.
    let _sweep = Lock::exclusive(&parent.join("sweep.lock"), SWEEP_LIMIT)?;
    sweep(&parent);
    let path = parent.join(unique_name());
    DirBuilder::new().mode(0o755).create(&path).at("create", &path)?;
    fs::set_permissions(&path, Permissions::from_mode(0o755)).at("change the mode of", &path)?;
    let owner = Lock::exclusive(&path.join("owner.lock"), SWEEP_LIMIT)?;
    let watchdog = Watchdog::start(&path, os_user, owner)?;
    let (cluster, socket_dir) = (path.join("cluster"), path.join("socket"));
    let data_dir = DataDir { path, cluster, socket_dir, os_user };
    Ok((data_dir, watchdog))
}

impl Watchdog {
    fn start(dir: &Path, os_user: OsUser, owner: Lock) -> Result<Watchdog, Error> {
        let mut stopper = shell(os_user, STOP_SCRIPT, dir, Stdio::piped(), Stdio::piped())?;
        let stopped = stopper.stdout.take().expect("stdout is piped");
        let remover = shell(OsUser::current(), REMOVE_SCRIPT, dir, stopped.into(), Stdio::null())?;
        Ok(Watchdog { stopper, remover, _owner: owner })
    }

    /// Removes the server and waits until that is done.
    pub(crate) fn clean_up(mut self) -> Result<(), Error> {
        self.finish().at("wait for", Path::new(SHELL))
    }

    fn finish(&mut self) -> io::Result<()> {
        drop(self.stopper.stdin.take());
        self.stopper.wait()?;
        self.remover.wait()?;
        Ok(())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::debug!(%error, "cannot wait for the watchdog");
        }
    }
}

/// Runs a script in its own process group, so that Ctrl-C does not kill it together with its owner.
fn shell(
    os_user: OsUser,
    script: &str,
    dir: &Path,
    stdin: Stdio,
    stdout: Stdio,
) -> Result<Child, Error> {
    let mut command = os_user.command(Path::new(SHELL));
    command.args(["-c", script, "watchdog"]).arg(dir).process_group(0);
    command.stdin(stdin).stdout(stdout).stderr(Stdio::null());
    command.spawn().at("run", Path::new(SHELL))
}

/// Removes the servers whose owners have ended without a cleanup. What cannot be removed is left to
/// the next sweep.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let dir = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        if let Ok(Some(_owner)) = Lock::try_exclusive(&dir.join("owner.lock"))
            && let Err(error) = remove(&dir)
        {
            tracing::debug!(
                dir = %dir.display(), %error,
                "cannot remove an abandoned temporary server; the next start tries again"
            );
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
