//! Directories, child processes that hold a server, and queries.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio_postgres::{Client, NoTls};

/// Creates a directory that the server's user can enter even if the tests run as root.
pub(crate) fn accessible_dir() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    directory
}

/// A `hold-postgres` process.
pub(crate) struct Holder {
    child: Child,
    pub(crate) url: String,
    pub(crate) server: i32,
    pub(crate) joined: bool,
}

impl Holder {
    pub(crate) fn start(argument: impl AsRef<Path>) -> Holder {
        Holder::run(command(argument.as_ref()))
    }

    /// Starts a process whose server also stops if the process is killed.
    pub(crate) fn start_watched(data_dir: &Path) -> Holder {
        let mut command = command(Path::new("--watched"));
        command.arg(data_dir);
        Holder::run(command)
    }

    /// Starts the process as another user, which only root can do.
    pub(crate) fn start_as(uid: u32, argument: &Path) -> Holder {
        let mut command = command(argument);
        command.uid(uid).gid(uid);
        Holder::run(command)
    }

    fn run(mut command: Command) -> Holder {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [url, server, joined] = words[..] else { panic!("no server: {line:?}") };
        Holder {
            child,
            url: url.to_owned(),
            server: server.parse().unwrap(),
            joined: joined.parse().unwrap(),
        }
    }

    pub(crate) fn id(&self) -> i32 {
        self.child.id().cast_signed()
    }

    /// Closes the standard input of the process and returns whether it exited successfully.
    pub(crate) fn release(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().success()
    }

    /// Kills the process with SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The command of a [`Holder`], for tests that interrupt its start.
pub(crate) fn command(argument: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hold-postgres"));
    command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

pub(crate) fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Whether a process is running. A zombie is not. Also works on systems without `/proc`.
pub(crate) fn alive(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'),
        Err(_) => {
            !Path::new("/proc/self").exists()
                && rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
        }
    }
}

/// Waits until the condition is true.
pub(crate) fn eventually(description: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(30), "not true in time: {description}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn ask(url: &str, sql: &str) -> String {
    connect(url).await.query_one(sql, &[]).await.unwrap().get(0)
}

/// The names of the entries of a directory, sorted.
pub(crate) fn entries(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The directory of a temporary server, extracted from its URL.
pub(crate) fn directory_in_url(url: &str) -> PathBuf {
    let socket = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
    Path::new(socket).parent().unwrap().to_owned()
}
