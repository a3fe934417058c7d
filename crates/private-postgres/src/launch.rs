//! Joins a cluster's server, or starts it; stops it.
//!
//! `pg_ctl` starts it because it puts the server into a session of its own (`setsid`), which
//! stable Rust cannot do for a child without unsafe code: Ctrl-C and a closed terminal do not
//! reach it, and it is never our zombie. Everything here runs under the start lock.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::binaries::Binaries;
use crate::error::{At, Error};
use crate::home::Home;
use crate::lock::Lock;
use crate::options::Options;
use crate::postmaster::{self, PORT, Running, State};
use crate::settings::{self, Machine};
use crate::{files, log, origin, runtime_dir};

const PAUSE: Duration = Duration::from_millis(50);
/// How long a server that says it is ready may refuse connections: it may be about to stop.
const PATIENCE: Duration = Duration::from_secs(3);
/// The final checkpoint after a bulk load can take long.
const STOP_LIMIT: Duration = Duration::from_secs(180);

/// Returns the server of `home` and whether it was running. `users` is this process's shared lock.
pub(crate) fn join_or_start(
    home: &Home,
    binaries: &Binaries,
    options: &Options,
    users: &Lock,
) -> Result<(Running, bool), Error> {
    let begun = Instant::now();
    let mut started = false;
    let mut silent_since = None;
    loop {
        match postmaster::observe(&home.cluster)? {
            State::Ready(running) if running.answers() => return Ok((running, !started)),
            State::Ready(running) => {
                let since = *silent_since.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE {
                    replace_silent(home, &running, users)?;
                }
            }
            State::Busy(_) => {}
            state @ (State::Absent | State::Stale) => {
                origin::refuse_if_used_elsewhere(home, users)?;
                if matches!(state, State::Stale) {
                    postmaster::remove_file(&home.cluster)?;
                }
                started = true;
                start_once(home, binaries, options)?;
            }
        }
        if begun.elapsed() > options.start_timeout {
            return Err(Error::Timeout {
                waiting_for: "the start of PostgreSQL",
                seconds: options.start_timeout.as_secs(),
                tail: format!("; the end of its log:\n{}", log::tail(&home.log())),
            });
        }
        sleep(PAUSE);
    }
}

/// Starts the server. Without an error it runs, or trying again can help.
fn start_once(home: &Home, binaries: &Binaries, options: &Options) -> Result<(), Error> {
    runtime_dir::private(&home.socket_dir, home.account)?;
    remove_socket(&home.socket_dir);
    write_settings(home, binaries, options)?;
    let log_path = home.log();
    let output = log::fresh(&log_path)?;
    let output_too = output.try_clone().at("open", &log_path)?;
    let structure = format!(
        "-c listen_addresses='' -c port={PORT} -c unix_socket_permissions=0700 \
         -c unix_socket_directories={}",
        home.socket_dir.display()
    );
    let program = binaries.program("pg_ctl");
    let mut pg_ctl = home.account.command(&program);
    let seconds = options.start_timeout.as_secs().max(1).to_string();
    pg_ctl.current_dir(&home.cluster).args(["start", "-s", "-w", "-t", &seconds, "-D", "."]);
    pg_ctl.args(["-o", &structure]).stdout(Stdio::from(output)).stderr(Stdio::from(output_too));
    let status = pg_ctl.status().at("run", &program)?;
    if status.success() {
        origin::record(home)?;
        tracing::info!(cluster = %home.cluster.display(), "started PostgreSQL");
        return Ok(());
    }
    let tail = log::tail(&log_path);
    // The first: backends that outlived a killed server still end their work. The second: a
    // `pg_ctl` of a killed process was faster.
    let passing =
        ["pre-existing shared memory block", "lock file \"postmaster.pid\" already exists"];
    let running = !matches!(postmaster::observe(&home.cluster)?, State::Absent | State::Stale);
    if running || passing.iter().any(|text| tail.contains(text)) {
        return Ok(());
    }
    remove_socket_dir(home);
    Err(Error::Start { log: log_path, tail })
}

fn write_settings(home: &Home, binaries: &Binaries, options: &Options) -> Result<(), Error> {
    // Only the server itself knows whether it was built with lz4.
    let mut probe = home.account.command(&binaries.program("postgres"));
    probe.current_dir(&home.cluster).args(["-D", ".", "-C", "wal_compression"]);
    probe.args(["-c", "wal_compression=lz4"]).stdout(Stdio::null()).stderr(Stdio::null());
    let path = home.cluster.join(settings::FILE);
    let lz4 = probe.status().at("run", &binaries.dir)?.success();
    let machine = Machine::of(&home.cluster, lz4);
    files::write(&path, &settings::render(machine, options.durable, &options.settings))
}

/// The socket and its lock file of a crashed server; the lock file names a process as well.
fn remove_socket(folder: &Path) {
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        if let Err(error) = fs::remove_file(folder.join(&name)) {
            tracing::trace!(name, %error, "no old socket");
        }
    }
}

/// A server whose socket was removed, by a cleaner of `/tmp` perhaps: stopped if nobody uses it.
fn replace_silent(home: &Home, running: &Running, users: &Lock) -> Result<(), Error> {
    let path = home.users_lock();
    let alone = users.try_upgrade().at("lock", &path)?;
    let result = if alone {
        tracing::warn!("the running server has lost its socket; starting it again");
        stop(home)
    } else {
        Err(Error::Unreachable {
            data_dir: home.dir.clone(),
            socket_dir: running.socket_dir.clone(),
            pid: running.pid.as_raw_nonzero().get(),
        })
    };
    users.share_again().at("lock", &path)?;
    result
}

/// Stops the server of `home` and waits for its end.
pub(crate) fn stop(home: &Home) -> Result<(), Error> {
    if let Some(running) = send_stop(home)?
        && !wait_until(STOP_LIMIT, || Ok(!running.lives()))?
    {
        return Err(Error::Timeout {
            waiting_for: "the end of PostgreSQL",
            seconds: STOP_LIMIT.as_secs(),
            tail: format!("; the end of its log:\n{}", log::tail(&home.log())),
        });
    }
    tracing::info!(cluster = %home.cluster.display(), "stopped PostgreSQL");
    remove_socket_dir(home);
    Ok(())
}

/// Only an empty folder goes; the next start makes it again.
fn remove_socket_dir(home: &Home) {
    if let Err(error) = fs::remove_dir(&home.socket_dir) {
        tracing::trace!(%error, "the socket's folder stays");
    }
}

/// Stops the server without waiting for its end, but until nobody can take it for a ready one.
pub(crate) fn ask_to_stop(home: &Home) -> Result<(), Error> {
    if send_stop(home)?.is_some() {
        let ready = || Ok(matches!(postmaster::observe(&home.cluster)?, State::Ready(_)));
        wait_until(PATIENCE, || ready().map(|ready| !ready))?;
    }
    Ok(())
}

fn send_stop(home: &Home) -> Result<Option<Running>, Error> {
    match postmaster::observe(&home.cluster)? {
        State::Ready(running) | State::Busy(Some(running)) => {
            // SIGINT is PostgreSQL's fast shutdown: clients are cut, everything is written.
            running.signal(Signal::INT)?;
            Ok(Some(running))
        }
        State::Busy(None) | State::Absent | State::Stale => Ok(None),
    }
}

fn wait_until(limit: Duration, done: impl Fn() -> Result<bool, Error>) -> Result<bool, Error> {
    let begun = Instant::now();
    while !done()? {
        if begun.elapsed() > limit {
            return Ok(false);
        }
        sleep(Duration::from_millis(10));
    }
    Ok(true)
}
