//! Whatever is killed, the next start works.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime};

use private_postgres::{Error, Options, Server};

use crate::support::{
    Holder, alive, ask, command, connect, entries, eventually, kill_9, open_folder,
};

#[tokio::test]
async fn a_killed_user_leaves_a_server_that_the_next_joins_and_stops() {
    let folder = open_folder();
    let killed = Holder::start(folder.path());
    let server = killed.server;
    killed.kill();
    assert!(alive(server));

    let next = Holder::start(folder.path());
    assert!(next.joined);
    assert_eq!(next.server, server);
    assert_eq!(ask(&next.url, "select 'yes'").await, "yes");
    assert!(next.release());
    assert!(!alive(server));
}

#[tokio::test]
async fn a_killed_server_is_started_again_with_its_data() {
    let folder = open_folder();
    let first = Server::start(Options::new(folder.path())).await.unwrap();
    let client = connect(&first.connection_url()).await;
    client
        .batch_execute("create table kept (x text); insert into kept values ('row')")
        .await
        .unwrap();
    kill_9(first.pid());

    let second = Server::start(Options::new(folder.path())).await.unwrap();
    assert_ne!(first.pid(), second.pid());
    assert_eq!(ask(&second.connection_url(), "select x from kept").await, "row");
    drop(first);
    assert_eq!(ask(&second.connection_url(), "select x from kept").await, "row");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn backends_that_outlive_a_killed_server_are_waited_for() {
    let folder = open_folder();
    let first = Server::start(Options::new(folder.path())).await.unwrap();
    let client = connect(&first.connection_url()).await;
    let pid: i32 = client.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    // It computes and looks at nothing else until it is done.
    let busy = tokio::spawn(async move {
        client.simple_query("select sum(n) from generate_series(1, 12000000) n").await.map(drop)
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    kill_9(first.pid());
    assert!(alive(pid), "the test needs a backend at work");

    let second = Server::start(Options::new(folder.path())).await.unwrap();
    assert!(!alive(pid), "two servers on one cluster");
    assert_eq!(ask(&second.connection_url(), "select 'yes'").await, "yes");
    let _ = busy.await;
    drop(first);
    second.stop().await.unwrap();
}

/// A living process that runs as the server's user but has nothing to do with it.
struct Stranger(Child);

impl Stranger {
    fn beside(cluster: &Path) -> Stranger {
        let owner = fs::metadata(cluster).unwrap();
        let mut sleep = Command::new("sleep");
        sleep.arg("600").current_dir("/").stdout(Stdio::null()).stderr(Stdio::null());
        if rustix::process::geteuid().is_root() {
            sleep.uid(owner.uid()).gid(owner.gid());
        }
        Stranger(sleep.spawn().unwrap())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// After a reboot the old files can name a process of somebody else.
#[tokio::test]
async fn files_of_a_crash_that_name_a_stranger_do_not_block_the_start() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let (cluster, socket_dir) = (server.cluster_dir().to_owned(), server.socket_dir().to_owned());
    let pid_file = cluster.join("postmaster.pid");
    let lock_file = socket_dir.join(".s.PGSQL.5432.lock");
    let stranger = Stranger::beside(&cluster);
    let moved = |text: String| {
        let (_, rest) = text.split_once('\n').unwrap();
        format!("{}\n{rest}", stranger.0.id())
    };
    let [pid_text, lock_text] = [&pid_file, &lock_file].map(|f| fs::read_to_string(f).unwrap());
    let owner = fs::metadata(&cluster).unwrap();
    server.stop().await.unwrap();
    fs::create_dir(&socket_dir).unwrap();
    fs::set_permissions(&socket_dir, Permissions::from_mode(0o700)).unwrap();
    for (path, text) in [(&pid_file, pid_text), (&lock_file, lock_text)] {
        fs::write(path, moved(text)).unwrap();
        chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    chown(&socket_dir, Some(owner.uid()), Some(owner.gid())).unwrap();

    let server = Server::start(Options::new(folder.path())).await.unwrap();
    assert!(!server.joined());
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_pid_file_does_not_block_the_start() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let path = server.cluster_dir().join("postmaster.pid");
    server.stop().await.unwrap();
    let file = fs::File::create(&path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();

    let server = Server::start(Options::new(folder.path())).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_kill_while_the_cluster_is_made_leaves_no_half_cluster() {
    let folder = open_folder();
    let unfinished = || entries(folder.path()).iter().any(|name| name.starts_with("unfinished-"));
    let mut child = command(folder.path()).spawn().unwrap();
    eventually("initdb at work", unfinished);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!folder.path().join("cluster").exists());

    let server = Server::start(Options::new(folder.path())).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_lost_socket_of_a_used_server_is_an_error() {
    let folder = open_folder();
    let user = Server::start(Options::new(folder.path())).await.unwrap();
    fs::remove_file(user.socket_dir().join(".s.PGSQL.5432")).unwrap();
    let error = Server::start(Options::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(alive(user.pid()));
    user.stop().await.unwrap();
}

#[tokio::test]
async fn a_lost_socket_is_made_anew() {
    let folder = open_folder();
    let killed = Holder::start(folder.path());
    let old = killed.server;
    let socket_dir =
        killed.url.split("host=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    killed.kill();
    fs::remove_file(Path::new(&socket_dir).join(".s.PGSQL.5432")).unwrap();

    let server = Server::start(Options::new(folder.path())).await.unwrap();
    assert!(!alive(old));
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_of_another_container_is_left_alone() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    // What this process sees if the user and the server live in another container.
    let pid_file = server.cluster_dir().join("postmaster.pid");
    let original = fs::read_to_string(&pid_file).unwrap();
    fs::write(folder.path().join("origin"), "pid:[1] elsewhere").unwrap();
    let (_, rest) = original.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", i32::MAX)).unwrap();
    let error = Server::start(Options::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, Error::Elsewhere { .. }), "{error}");

    fs::write(&pid_file, original).unwrap();
    server.stop().await.unwrap();
}
