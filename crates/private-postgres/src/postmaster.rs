//! Reads `postmaster.pid` and checks whether the process named there is the cluster's server.
//!
//! After a crash the file names a process that no longer exists, and after a reboot possibly an
//! unrelated process, in which case PostgreSQL refuses to start. A process is the server of this
//! cluster if its working directory is the cluster. If the working directory cannot be read, it is
//! the server if its command line names the directory of the socket.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::error::{At, Error};

/// The port in the name of the socket. It is the same for all clusters because each cluster has a
/// socket directory of its own.
pub(crate) const PORT: u16 = 5432;

/// A running server of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) pid: Pid,
    pub(crate) socket_dir: PathBuf,
    cluster: PathBuf,
}

/// The state of a cluster's server.
#[derive(Debug)]
pub(crate) enum State {
    /// No server is running. PostgreSQL itself handles a file that names a dead process.
    Absent,
    /// The file names a running process that is not this cluster's server.
    Stale,
    /// The server is starting or stopping.
    Busy(Option<Running>),
    /// According to the file, the server accepts connections.
    Ready(Running),
}

/// Reads and checks `postmaster.pid` of `cluster`.
pub(crate) fn observe(cluster: &Path) -> Result<State, Error> {
    let path = file(cluster);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
        other => other.at("read", &path)?,
    };
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let pid = lines.first().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let Some(pid) = pid.and_then(Pid::from_raw) else {
        // The file is empty after a crash of the machine, or while a server writes its first line.
        return Ok(if is_old(&path) { State::Stale } else { State::Busy(None) });
    };
    let socket_dir = PathBuf::from(OsStr::from_bytes(lines.get(4).copied().unwrap_or_default()));
    match identify(pid, cluster, &socket_dir) {
        Identity::NoProcess | Identity::Unknown => return Ok(State::Absent),
        Identity::Unrelated => return Ok(State::Stale),
        Identity::Server => {}
    }
    let running = Running { pid, socket_dir, cluster: cluster.to_owned() };
    Ok(match lines.get(7).copied() {
        Some(b"ready" | b"standby") => State::Ready(running),
        _ => State::Busy(Some(running)),
    })
}

/// Removes `postmaster.pid` of a [`State::Stale`] cluster. This is safe even if backends of a
/// killed server are still running: PostgreSQL also detects them by their shared memory.
pub(crate) fn remove_file(cluster: &Path) -> Result<(), Error> {
    let path = file(cluster);
    fs::remove_file(&path).at("remove", &path)
}

impl Running {
    /// Whether the server accepts a connection on its socket.
    pub(crate) fn accepts_connections(&self) -> bool {
        UnixStream::connect(self.socket_dir.join(format!(".s.PGSQL.{PORT}"))).is_ok()
    }

    /// Whether the process still exists. It ends shortly after `postmaster.pid` is removed.
    pub(crate) fn is_alive(&self) -> bool {
        matches!(identify(self.pid, &self.cluster, &self.socket_dir), Identity::Server)
    }

    /// Sends a signal. It is not an error if the process has already ended.
    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        match kill_process(self.pid, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => {
                let process = format!("process {}", self.pid.as_raw_nonzero());
                Err(error).at("send a signal to", Path::new(&process))
            }
        }
    }
}

fn file(cluster: &Path) -> PathBuf {
    cluster.join("postmaster.pid")
}

fn is_old(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|at| {
        SystemTime::now().duration_since(at).is_ok_and(|age| age > Duration::from_secs(3))
    })
}

/// What a process id refers to.
enum Identity {
    /// The server of the cluster.
    Server,
    /// A process that is not the server of the cluster.
    Unrelated,
    NoProcess,
    /// A PostgreSQL process that cannot be inspected. The check in PostgreSQL itself decides.
    Unknown,
}

fn identify(pid: Pid, cluster: &Path, socket_dir: &Path) -> Identity {
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return Identity::NoProcess;
    }
    let number = pid.as_raw_nonzero();
    let process = PathBuf::from(format!("/proc/{number}"));
    let command = if Path::new("/proc/self").exists() {
        match (fs::metadata(process.join("cwd")), fs::metadata(cluster)) {
            (Ok(theirs), Ok(ours)) if (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) => {
                return Identity::Server;
            }
            (Ok(_), Ok(_)) => return Identity::Unrelated,
            // A zombie has no working directory, but can still be signaled.
            (Err(error), _) if error.kind() == ErrorKind::NotFound => return Identity::Unrelated,
            // Root may lack the ptrace capability, for example in a container.
            _ => fs::read(process.join("cmdline")).unwrap_or_default(),
        }
    } else {
        let number = number.to_string();
        let ps = Command::new("ps").args(["-ww", "-o", "command=", "-p", &number]).output();
        ps.map(|output| output.stdout).unwrap_or_default()
    };
    identify_command_line(&command, socket_dir)
}

/// Identifies a process by its command line, whose arguments end with NUL on Linux and with spaces
/// elsewhere.
fn identify_command_line(command: &[u8], socket_dir: &Path) -> Identity {
    let contains = |needle: &[u8]| command.windows(needle.len()).any(|part| part == needle);
    let argument = [b"unix_socket_directories=", socket_dir.as_os_str().as_bytes()].concat();
    let first = command.split(|byte| matches!(byte, 0 | b' ')).next().unwrap_or_default();
    if contains(&argument) {
        Identity::Server
    } else if first.starts_with(b"postgres:") || first.ends_with(b"postgres") {
        Identity::Unknown
    } else {
        Identity::Unrelated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_identified_by_its_command_line() {
        let identify =
            |command| identify_command_line(command, Path::new("/tmp/stripe-sync-101/abc"));
        let server = b"/usr/lib/postgresql/15/bin/postgres\0-D\0.\0-c\0\
                       unix_socket_directories=/tmp/stripe-sync-101/abc\0";
        assert!(matches!(identify(server), Identity::Server));
        let main = b"/usr/lib/postgresql/15/bin/postgres\0-D\0/var/lib/postgresql/15/main\0";
        assert!(matches!(identify(main), Identity::Unknown));
        assert!(matches!(identify(b"/usr/sbin/sshd\0-D\0"), Identity::Unrelated));
        assert!(matches!(identify(b""), Identity::Unrelated));
    }
}
