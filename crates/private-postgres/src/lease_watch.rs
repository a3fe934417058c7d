//! Stops a shared server when its last user is killed.
//!
//! A killed process cannot release its lease. The program that calls [`Server::start`] therefore
//! starts a second process of its own executable, which waits on a pipe that only the first one can
//! write to. The pipe is closed when the first process ends, however it ends. The second process
//! then releases the lease like [`Server::stop`]: it stops the server if no other process uses it.
//!
//! [`Server::start`]: crate::Server::start
//! [`Server::stop`]: crate::Server::stop

use std::ffi::OsString;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::launch;
use crate::lock::Lock;
use crate::os_user::OsUser;

/// The first argument of the second process. The second one is the data directory.
const ARGUMENT: &str = "--watch-private-postgres";
/// How long a server that the killed process was starting may take to appear, and how long the
/// system may take to release the killed process's lease.
const UNFINISHED_START: Duration = Duration::from_secs(5);
/// How long to wait for a process that starts or stops the server at the same time.
const LOCK_LIMIT: Duration = Duration::from_secs(60);

/// The process that releases the lease if this process is killed.
#[derive(Debug)]
pub(crate) struct LeaseWatch {
    child: Child,
}

impl LeaseWatch {
    /// Starts the process. It must run before the server does.
    pub(crate) fn start(data_dir: &Path) -> Result<LeaseWatch, Error> {
        let program = executable()?;
        let mut command = OsUser::current().command(&program);
        // Signals from a terminal reach process groups.
        command.process_group(0).arg(ARGUMENT).arg(data_dir);
        name(&mut command);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().at("run", &program)?;
        Ok(LeaseWatch { child })
    }

    /// Ends the process after the lease has been released.
    pub(crate) fn finish(mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            tracing::debug!(%error, "cannot end the process that watches the lease");
        }
    }
}

/// The executable of this process, even if its file was replaced by a newer version.
fn executable() -> Result<PathBuf, Error> {
    let own = Path::new("/proc/self/exe");
    match own.exists() {
        true => Ok(own.to_owned()),
        false => std::env::current_exe().at("find the executable", own),
    }
}

/// Shows the name of the program in lists of processes.
fn name(command: &mut Command) {
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
}

/// Does the work of the second process if this is one. True if the caller must end.
///
/// A program that uses [`Options::stop_if_killed`](crate::Options::stop_if_killed) must call this
/// before it reads its arguments.
pub fn run_lease_watch() -> bool {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).take(3).collect();
    match arguments.as_slice() {
        [argument, data_dir] if argument == ARGUMENT => {
            if let Err(error) = watch(Path::new(data_dir)) {
                tracing::warn!(%error, "cannot stop the private PostgreSQL server");
            }
            true
        }
        _ => false,
    }
}

/// Waits for the end of the other process, and releases its lease.
fn watch(path: &Path) -> Result<(), Error> {
    // Opened first: the directory may be removed later, while the server is still running.
    let data_dir = DataDir::open(path)?;
    // An error means the same as the end of the pipe.
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
    let ended = Instant::now();
    loop {
        if !data_dir.path.exists() {
            return launch::stop(&data_dir);
        }
        let start = Lock::exclusive(&data_dir.start_lock(), LOCK_LIMIT)?;
        // A process that is killed closes its files one after the other, the pipe possibly before the
        // lease. Only a lease that is held for longer belongs to another process.
        if let Some(_no_users) = Lock::try_exclusive(&data_dir.users_lock())?
            && launch::stop_if_running(&data_dir)?
        {
            return Ok(());
        }
        // A server that is starting is not always visible.
        if ended.elapsed() > UNFINISHED_START {
            return Ok(());
        }
        drop(start);
        sleep(Duration::from_millis(100));
    }
}
