//! Folders, child processes that hold a server, and questions to a server.

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

/// A folder that the server's user can enter, also if the tests run as root.
pub(crate) fn open_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    folder
}

/// A process of `hold-postgres` that uses a server.
pub(crate) struct Holder {
    child: Child,
    pub(crate) url: String,
    pub(crate) server: i32,
    pub(crate) joined: bool,
}

impl Holder {
    pub(crate) fn start(place: impl AsRef<Path>) -> Holder {
        Holder::run(command(place.as_ref()))
    }

    /// As another user; only root can.
    pub(crate) fn start_as(uid: u32, place: &Path) -> Holder {
        let mut command = command(place);
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

    /// Lets the process end in order and says whether it did.
    pub(crate) fn release(mut self) -> bool {
        drop(self.child.stdin.take());
        self.child.wait().unwrap().success()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A process whose start may be interrupted.
pub(crate) fn command(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hold-postgres"));
    command.arg(place).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

pub(crate) fn kill_9(pid: i32) {
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
}

/// Whether a process lives; a zombie does not. Works without `/proc`, too.
pub(crate) fn alive(pid: i32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'),
        Err(_) => {
            !Path::new("/proc/self").exists()
                && rustix::process::test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
        }
    }
}

/// Waits for what must come soon.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "never happened: {what}");
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

/// The entries of a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The folder of a temporary server, out of its URL.
pub(crate) fn folder_in(url: &str) -> PathBuf {
    let socket = url.split("host=").nth(1).unwrap().split('&').next().unwrap();
    Path::new(socket).parent().unwrap().to_owned()
}
