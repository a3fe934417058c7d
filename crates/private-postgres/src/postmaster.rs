//! What the running server says of itself in `postmaster.pid`, and whether it is true.
//!
//! After a crash the file names a process that is gone, or, after a reboot, somebody else's.
//! PostgreSQL then refuses to start. A process counts as this cluster's server if it works in the
//! cluster's directory; where that cannot be seen, if its command line names the socket's folder.

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

/// The port in the name of the socket. Fixed: the folder is private to the cluster.
pub(crate) const PORT: u16 = 5432;

/// A living server of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) pid: Pid,
    pub(crate) socket_dir: PathBuf,
    cluster: PathBuf,
}

/// What is known about a cluster's server.
#[derive(Debug)]
pub(crate) enum State {
    /// No server. PostgreSQL itself handles a file that names a dead process.
    Absent,
    /// The file names a living process that is not this cluster's server.
    Stale,
    /// It is starting or stopping.
    Busy(Option<Running>),
    /// It says that it accepts connections.
    Ready(Running),
}

/// Reads and checks the file of `cluster`.
pub(crate) fn observe(cluster: &Path) -> Result<State, Error> {
    let path = file(cluster);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::Absent),
        other => other.at("read", &path)?,
    };
    let lines: Vec<&[u8]> = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).collect();
    let pid = lines.first().and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
    let Some(pid) = pid.and_then(Pid::from_raw) else {
        // Empty: a crash of the machine, or a server that is just writing its first line.
        return Ok(if is_old(&path) { State::Stale } else { State::Busy(None) });
    };
    let socket_dir = PathBuf::from(OsStr::from_bytes(lines.get(4).copied().unwrap_or_default()));
    match identify(pid, cluster, &socket_dir) {
        Identity::Gone | Identity::Unclear => return Ok(State::Absent),
        Identity::Other => return Ok(State::Stale),
        Identity::Ours => {}
    }
    let running = Running { pid, socket_dir, cluster: cluster.to_owned() };
    Ok(match lines.get(7).copied() {
        Some(b"ready" | b"standby") => State::Ready(running),
        _ => State::Busy(Some(running)),
    })
}

/// Removes the file of a [`State::Stale`] cluster. Backends that outlived their server are safe:
/// PostgreSQL finds their shared memory without the file, too.
pub(crate) fn remove_file(cluster: &Path) -> Result<(), Error> {
    let path = file(cluster);
    fs::remove_file(&path).at("remove", &path)
}

impl Running {
    /// Whether somebody listens on the socket.
    pub(crate) fn answers(&self) -> bool {
        UnixStream::connect(self.socket_dir.join(format!(".s.PGSQL.{PORT}"))).is_ok()
    }

    /// Whether the process is still there; it outlives its file by a moment.
    pub(crate) fn lives(&self) -> bool {
        matches!(identify(self.pid, &self.cluster, &self.socket_dir), Identity::Ours)
    }

    /// Sends a signal; that the process is gone already is no error.
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

enum Identity {
    Ours,
    Other,
    Gone,
    /// A PostgreSQL that cannot be looked at: PostgreSQL's own check decides.
    Unclear,
}

fn identify(pid: Pid, cluster: &Path, socket_dir: &Path) -> Identity {
    if test_kill_process(pid) == Err(Errno::SRCH) {
        return Identity::Gone;
    }
    let number = pid.as_raw_nonzero();
    let process = PathBuf::from(format!("/proc/{number}"));
    let command = if Path::new("/proc/self").exists() {
        match (fs::metadata(process.join("cwd")), fs::metadata(cluster)) {
            (Ok(theirs), Ok(ours)) if (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) => {
                return Identity::Ours;
            }
            (Ok(_), Ok(_)) => return Identity::Other,
            // A zombie has no directory any more, but still takes signals.
            (Err(error), _) if error.kind() == ErrorKind::NotFound => return Identity::Other,
            // Root without the right to trace, as in a container.
            _ => fs::read(process.join("cmdline")).unwrap_or_default(),
        }
    } else {
        let number = number.to_string();
        let ps = Command::new("ps").args(["-ww", "-o", "command=", "-p", &number]).output();
        ps.map(|output| output.stdout).unwrap_or_default()
    };
    judge(&command, socket_dir)
}

/// Tells a server by its command line (words end with NUL on Linux, with spaces elsewhere).
fn judge(command: &[u8], socket_dir: &Path) -> Identity {
    let contains = |needle: &[u8]| command.windows(needle.len()).any(|part| part == needle);
    let argument = [b"unix_socket_directories=", socket_dir.as_os_str().as_bytes()].concat();
    let first = command.split(|byte| matches!(byte, 0 | b' ')).next().unwrap_or_default();
    if contains(&argument) {
        Identity::Ours
    } else if first.starts_with(b"postgres:") || first.ends_with(b"postgres") {
        Identity::Unclear
    } else {
        Identity::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_told_by_its_command_line() {
        let folder = Path::new("/tmp/stripe-sync-101/abc");
        let ours = b"/usr/lib/postgresql/15/bin/postgres\0-D\0.\0-c\0\
                     unix_socket_directories=/tmp/stripe-sync-101/abc\0";
        assert!(matches!(judge(ours, folder), Identity::Ours));
        let main = b"/usr/lib/postgresql/15/bin/postgres\0-D\0/var/lib/postgresql/15/main\0";
        assert!(matches!(judge(main, folder), Identity::Unclear));
        assert!(matches!(judge(b"/usr/sbin/sshd\0-D\0", folder), Identity::Other));
        assert!(matches!(judge(b"", folder), Identity::Other));
    }
}
