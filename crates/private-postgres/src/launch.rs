//! Joins, starts and stops the server of a data directory.
//!
//! The server is started by `pg_ctl`, which puts it into its own session (`setsid`); stable Rust
//! cannot do that for a child process without unsafe code. In its own session, the server is not
//! affected by Ctrl-C or a closed terminal, and it never becomes a zombie of this process. All
//! functions require that the caller holds the start lock.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::binaries::Binaries;
use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::lock::Lock;
use crate::options::Options;
use crate::postmaster::{self, PORT, Running, State};
use crate::settings::{self, Machine};
use crate::{files, log, origin, runtime_dir};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// How long a server whose state is "ready" may reject connections. It may be about to stop.
const UNRESPONSIVE_LIMIT: Duration = Duration::from_secs(3);
/// The final checkpoint after a bulk load can take minutes.
const STOP_LIMIT: Duration = Duration::from_secs(180);

/// Returns the server of `data_dir`, and whether it was already running. `users` is this process's
/// shared lock.
pub(crate) fn join_or_start(
    data_dir: &DataDir,
    binaries: &Binaries,
    options: &Options,
    users: &Lock,
) -> Result<(Running, bool), Error> {
    let begin = Instant::now();
    let mut started = false;
    let mut unresponsive_since = None;
    loop {
        match postmaster::observe(&data_dir.cluster)? {
            State::Ready(running) if running.accepts_connections() => {
                return Ok((running, !started));
            }
            State::Ready(running) => {
                let since = *unresponsive_since.get_or_insert_with(Instant::now);
                if since.elapsed() > UNRESPONSIVE_LIMIT {
                    stop_unresponsive(data_dir, &running, users)?;
                }
            }
            State::Busy(_) => {}
            state @ (State::Absent | State::Stale) => {
                origin::check_not_used_elsewhere(data_dir, users)?;
                if matches!(state, State::Stale) {
                    postmaster::remove_file(&data_dir.cluster)?;
                }
                started = true;
                try_start(data_dir, binaries, options)?;
            }
        }
        if begin.elapsed() > options.start_timeout {
            return Err(Error::Timeout {
                step: "the start of PostgreSQL",
                seconds: options.start_timeout.as_secs(),
                tail: format!("; the last lines of its log:\n{}", log::tail(&data_dir.log())),
            });
        }
        sleep(POLL_INTERVAL);
    }
}

/// Tries to start the server. Returns `Ok` if the server was started or if another attempt may
/// succeed.
fn try_start(data_dir: &DataDir, binaries: &Binaries, options: &Options) -> Result<(), Error> {
    runtime_dir::ensure_private(&data_dir.socket_dir, data_dir.os_user)?;
    remove_socket(&data_dir.socket_dir);
    write_settings(data_dir, binaries, options)?;
    let log_path = data_dir.log();
    let stdout = log::rotate(&log_path)?;
    let stderr = stdout.try_clone().at("open", &log_path)?;
    let fixed_settings = format!(
        "-c listen_addresses='' -c port={PORT} -c unix_socket_permissions=0700 \
         -c unix_socket_directories={}",
        data_dir.socket_dir.display()
    );
    let program = binaries.program("pg_ctl");
    let mut pg_ctl = data_dir.os_user.command(&program);
    let seconds = options.start_timeout.as_secs().max(1).to_string();
    pg_ctl.current_dir(&data_dir.cluster).args(["start", "-s", "-w", "-t", &seconds, "-D", "."]);
    pg_ctl.args(["-o", &fixed_settings]).stdout(Stdio::from(stdout)).stderr(Stdio::from(stderr));
    let status = pg_ctl.status().at("run", &program)?;
    if status.success() {
        origin::record(data_dir)?;
        tracing::info!(cluster = %data_dir.cluster.display(), "started PostgreSQL");
        return Ok(());
    }
    let tail = log::tail(&log_path);
    // The first message appears while backends of a killed server finish their work. The second
    // appears if the `pg_ctl` of a killed process has started the server first.
    let transient =
        ["pre-existing shared memory block", "lock file \"postmaster.pid\" already exists"];
    let running = !matches!(postmaster::observe(&data_dir.cluster)?, State::Absent | State::Stale);
    if running || transient.iter().any(|text| tail.contains(text)) {
        return Ok(());
    }
    remove_socket_dir(data_dir);
    Err(Error::Start { log: log_path, tail })
}

fn write_settings(data_dir: &DataDir, binaries: &Binaries, options: &Options) -> Result<(), Error> {
    // Only the server can tell whether it was built with lz4.
    let mut probe = data_dir.os_user.command(&binaries.program("postgres"));
    probe.current_dir(&data_dir.cluster).args(["-D", ".", "-C", "wal_compression"]);
    probe.args(["-c", "wal_compression=lz4"]).stdout(Stdio::null()).stderr(Stdio::null());
    let path = data_dir.cluster.join(settings::FILE);
    let lz4 = probe.status().at("run", &binaries.dir)?.success();
    let machine = Machine::of(&data_dir.cluster, lz4);
    files::write(&path, &settings::render(machine, options.durable, &options.settings))
}

/// Removes the socket of a crashed server, and its lock file, which also contains a process id.
fn remove_socket(directory: &Path) {
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        if let Err(error) = fs::remove_file(directory.join(&name)) {
            tracing::trace!(name, %error, "no old socket to remove");
        }
    }
}

/// Stops a running server whose socket is missing, unless other processes use it. Programs that
/// clean up `/tmp` can remove a socket.
fn stop_unresponsive(data_dir: &DataDir, running: &Running, users: &Lock) -> Result<(), Error> {
    let path = data_dir.users_lock();
    let only_user = users.try_upgrade().at("lock", &path)?;
    let result = if only_user {
        tracing::warn!("the running server has lost its socket; restarting it");
        stop(data_dir)
    } else {
        Err(Error::Unreachable {
            data_dir: data_dir.path.clone(),
            socket_dir: running.socket_dir.clone(),
            pid: running.pid.as_raw_nonzero().get(),
        })
    };
    users.downgrade().at("lock", &path)?;
    result
}

/// Stops the server of `data_dir` and waits until its process has ended.
pub(crate) fn stop(data_dir: &DataDir) -> Result<(), Error> {
    stop_if_running(data_dir).map(drop)
}

/// Like [`stop`], and returns whether a server was running.
pub(crate) fn stop_if_running(data_dir: &DataDir) -> Result<bool, Error> {
    let running = signal_stop(data_dir)?;
    if let Some(running) = &running
        && !wait_until(STOP_LIMIT, || Ok(!running.is_alive()))?
    {
        return Err(Error::Timeout {
            step: "the shutdown of PostgreSQL",
            seconds: STOP_LIMIT.as_secs(),
            tail: format!("; the last lines of its log:\n{}", log::tail(&data_dir.log())),
        });
    }
    tracing::info!(cluster = %data_dir.cluster.display(), "stopped PostgreSQL");
    remove_socket_dir(data_dir);
    Ok(running.is_some())
}

/// Removes the directory of the socket if it is empty. The next start creates it again.
fn remove_socket_dir(data_dir: &DataDir) {
    if let Err(error) = fs::remove_dir(&data_dir.socket_dir) {
        tracing::trace!(%error, "cannot remove the directory of the socket");
    }
}

/// Starts the shutdown of the server. Does not wait for the end of its process, only until its
/// state is no longer "ready", so that no other process joins it.
pub(crate) fn request_stop(data_dir: &DataDir) -> Result<(), Error> {
    if signal_stop(data_dir)?.is_some() {
        let ready = || Ok(matches!(postmaster::observe(&data_dir.cluster)?, State::Ready(_)));
        wait_until(UNRESPONSIVE_LIMIT, || ready().map(|ready| !ready))?;
    }
    Ok(())
}

/// Sends the shutdown signal to the server and returns it, or `None` if no server is running.
fn signal_stop(data_dir: &DataDir) -> Result<Option<Running>, Error> {
    match postmaster::observe(&data_dir.cluster)? {
        State::Ready(running) | State::Busy(Some(running)) => {
            // SIGINT requests a fast shutdown: PostgreSQL disconnects all clients and writes a
            // checkpoint.
            running.signal(Signal::INT)?;
            Ok(Some(running))
        }
        State::Busy(None) | State::Absent | State::Stale => Ok(None),
    }
}

fn wait_until(limit: Duration, done: impl Fn() -> Result<bool, Error>) -> Result<bool, Error> {
    let begin = Instant::now();
    while !done()? {
        if begin.elapsed() > limit {
            return Ok(false);
        }
        sleep(Duration::from_millis(10));
    }
    Ok(true)
}
