//! Recovery: the next start succeeds after any kill.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use private_postgres::{Error, Options, Server};

use crate::support::{
    Holder, accessible_dir, alive, ask, command, connect, entries, eventually, kill_9,
};

#[tokio::test]
async fn the_server_of_a_killed_process_is_joined_and_stopped_by_the_next_process() {
    let directory = accessible_dir();
    let killed = Holder::start(directory.path());
    let server = killed.server;
    killed.kill();
    assert!(alive(server));

    let next = Holder::start(directory.path());
    assert!(next.joined);
    assert_eq!(next.server, server);
    assert_eq!(ask(&next.url, "select 'yes'").await, "yes");
    assert!(next.release());
    assert!(!alive(server));
}

#[test]
fn a_server_stops_after_its_last_user_was_killed() {
    let directory = accessible_dir();
    let first = Holder::start_watched(directory.path());
    let second = Holder::start_watched(directory.path());
    let server = first.server;
    first.kill();
    let third = Holder::start_watched(directory.path());
    assert!(second.joined && third.joined && third.server == server);
    assert!(third.release());
    assert!(alive(server), "the second process still uses the server");
    second.kill();
    eventually("the server has stopped", || !alive(server));
}

#[test]
fn a_server_that_a_killed_process_was_starting_stops() {
    let directory = accessible_dir();
    assert!(Holder::start(directory.path()).release());
    let mut starting = command(Path::new("--watched"));
    let mut child = starting.arg(directory.path()).spawn().unwrap();
    let pid_file = directory.path().join("cluster/postmaster.pid");
    eventually("the server is starting", || pid_file.exists());
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the server has stopped", || !pid_file.exists());
}

#[tokio::test]
async fn a_killed_server_is_restarted_with_its_data() {
    let directory = accessible_dir();
    let first = Server::start(Options::new(directory.path())).await.unwrap();
    let client = connect(&first.connection_url()).await;
    client
        .batch_execute("create table kept (x text); insert into kept values ('row')")
        .await
        .unwrap();
    kill_9(first.pid());

    let second = Server::start(Options::new(directory.path())).await.unwrap();
    assert_ne!(first.pid(), second.pid());
    assert_eq!(ask(&second.connection_url(), "select x from kept").await, "row");
    drop(first);
    assert_eq!(ask(&second.connection_url(), "select x from kept").await, "row");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_start_waits_for_the_backends_of_a_killed_server() {
    let directory = accessible_dir();
    let first = Server::start(Options::new(directory.path())).await.unwrap();
    let client = connect(&first.connection_url()).await;
    let pid: i32 = client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    // The backend does not notice the death of the postmaster until the query is finished.
    let busy = tokio::spawn(async move {
        client.simple_query("select sum(n) from generate_series(1, 12000000) n").await.map(drop)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    kill_9(first.pid());
    assert!(alive(pid), "the test needs a backend that is still running");

    let second = Server::start(Options::new(directory.path())).await.unwrap();
    assert!(!alive(pid), "the start must wait until the old backend has ended");
    assert_eq!(ask(&second.connection_url(), "select 'yes'").await, "yes");
    let _ = busy.await;
    drop(first);
    second.stop().await.unwrap();
}

/// A running process of the server's user that is not related to the server.
struct UnrelatedProcess(Child);

impl UnrelatedProcess {
    fn start(cluster: &Path) -> UnrelatedProcess {
        let owner = fs::metadata(cluster).unwrap();
        let mut sleep = Command::new("sleep");
        sleep.arg("600").current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            sleep.uid(owner.uid()).gid(owner.gid());
        }
        UnrelatedProcess(sleep.spawn().unwrap())
    }
}

impl Drop for UnrelatedProcess {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// After a reboot, the files of a crashed server can name a process that is not related to it.
#[tokio::test]
async fn stale_files_that_name_an_unrelated_process_do_not_block_the_start() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    let (cluster, socket_dir) = (server.cluster_dir().to_owned(), server.socket_dir().to_owned());
    let pid_file = cluster.join("postmaster.pid");
    let lock_file = socket_dir.join(".s.PGSQL.5432.lock");
    let unrelated = UnrelatedProcess::start(&cluster);
    let with_other_pid = |text: String| {
        let (_, rest) = text.split_once('\n').unwrap();
        format!("{}\n{rest}", unrelated.0.id())
    };
    let [pid_text, lock_text] = [&pid_file, &lock_file].map(|f| fs::read_to_string(f).unwrap());
    let owner = fs::metadata(&cluster).unwrap();
    server.stop().await.unwrap();
    fs::create_dir(&socket_dir).unwrap();
    fs::set_permissions(&socket_dir, Permissions::from_mode(0o700)).unwrap();
    for (path, text) in [(&pid_file, pid_text), (&lock_file, lock_text)] {
        fs::write(path, with_other_pid(text)).unwrap();
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    chown(&socket_dir, Some(owner.uid()), Some(owner.gid())).unwrap();

    let server = Server::start(Options::new(directory.path())).await.unwrap();
    assert!(!server.joined());
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_pid_file_does_not_block_the_start() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    let path = server.cluster_dir().join("postmaster.pid");
    server.stop().await.unwrap();
    let file = fs::File::create(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();

    let server = Server::start(Options::new(directory.path())).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_kill_during_initdb_leaves_no_incomplete_cluster() {
    let directory = accessible_dir();
    let unfinished =
        || entries(directory.path()).iter().any(|name| name.starts_with("unfinished-"));
    let mut child = command(directory.path()).spawn().unwrap();
    eventually("initdb is running", unfinished);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!directory.path().join("cluster").exists());

    let server = Server::start(Options::new(directory.path())).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_socket_is_not_restarted_while_it_is_in_use() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    fs::remove_file(server.socket_dir().join(".s.PGSQL.5432")).unwrap();
    let error = Server::start(Options::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(alive(server.pid()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_without_socket_is_restarted_if_it_is_not_in_use() {
    let directory = accessible_dir();
    let killed = Holder::start(directory.path());
    let old = killed.server;
    let socket_dir =
        killed.url.split("host=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    killed.kill();
    fs::remove_file(Path::new(&socket_dir).join(".s.PGSQL.5432")).unwrap();

    let server = Server::start(Options::new(directory.path())).await.unwrap();
    assert!(!alive(old));
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_data_directory_in_use_by_another_container_is_rejected() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    // The files look like this if the server runs in another container.
    let pid_file = server.cluster_dir().join("postmaster.pid");
    let original = fs::read_to_string(&pid_file).unwrap();
    fs::write(directory.path().join("origin"), "pid:[1] elsewhere").unwrap();
    let (_, rest) = original.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", i32::MAX)).unwrap();
    let error = Server::start(Options::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::UsedElsewhere { .. }), "{error}");

    fs::write(&pid_file, original).unwrap();
    server.stop().await.unwrap();
}
