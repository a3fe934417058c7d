//! Data directories: names, owners, versions.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use private_postgres::{Error, Options, Server, find_binaries};
use rustix::process::geteuid;

use crate::support::{Holder, alive, ask, connect, entries, open_folder};

#[tokio::test]
async fn any_name_and_depth_of_a_directory_works() {
    let folder = open_folder();
    let deep = folder.path().join("a b/ü \"quoted\" $HOME `id` 'x'").join("deep".repeat(40));
    let server = Server::start(Options::new(&deep)).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
    let server = Server::start(Options::new(&deep)).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_is_named() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let version = server.cluster_dir().join("PG_VERSION");
    server.stop().await.unwrap();
    fs::write(&version, "12\n").unwrap();
    let error = Server::start(Options::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, Error::MissingMajor { needed: 12, .. }), "{error}");
}

#[tokio::test]
async fn a_cluster_of_another_program_is_left_alone() {
    let folder = open_folder();
    fs::write(folder.path().join("PG_VERSION"), "15\n").unwrap();
    let error = Server::start(Options::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    assert_eq!(entries(folder.path()), ["PG_VERSION"]);

    let folder = open_folder();
    fs::create_dir(folder.path().join("cluster")).unwrap();
    fs::write(folder.path().join("cluster/precious"), "").unwrap();
    let error = Server::start(Options::new(folder.path())).await.unwrap_err();
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    assert_eq!(entries(&folder.path().join("cluster")), ["precious"]);
}

/// Root's home is closed to the user that runs the server; for another user nothing is special.
#[tokio::test]
async fn a_directory_in_a_closed_one_works_and_is_found_again() {
    let folder = open_folder();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
    let data_dir = folder.path().join("data");
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    let cluster = server.cluster_dir().to_owned();
    assert_eq!(!cluster.starts_with(folder.path()), geteuid().is_root());
    assert_eq!(fs::canonicalize(data_dir.join("cluster")).unwrap(), cluster);
    let client = connect(&server.connection_url()).await;
    client.batch_execute("create table kept as select 'row' as x").await.unwrap();
    server.stop().await.unwrap();

    // It stays where it is when the directory is opened.
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    assert_eq!(server.cluster_dir(), cluster);
    assert_eq!(ask(&server.connection_url(), "select x from kept").await, "row");
    server.stop().await.unwrap();
    if geteuid().is_root() {
        fs::remove_dir_all(cluster.parent().unwrap()).unwrap();
    }
}

/// As root, the tests run a user's processes under the uid of `nobody`.
#[tokio::test]
async fn a_user_runs_the_server_as_itself_and_root_can_join() {
    let folder = open_folder();
    let uid = if geteuid().is_root() { 65534 } else { geteuid().as_raw() };
    let data_dir = folder.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    chown(&data_dir, Some(uid), Some(uid)).unwrap();
    let start = || {
        if geteuid().is_root() {
            Holder::start_as(uid, &data_dir)
        } else {
            Holder::start(&data_dir)
        }
    };

    let first = start();
    let server = first.server;
    assert_eq!(fs::metadata(data_dir.join("cluster")).unwrap().uid(), uid);
    let root = Server::start(Options::new(&data_dir)).await.unwrap();
    assert!(root.joined());
    assert_eq!(ask(&root.connection_url(), "select 'yes'").await, "yes");
    assert!(first.release());
    assert!(alive(server));
    root.stop().await.unwrap();
    assert!(!alive(server));

    // Root starts it, the user joins and is the last.
    let root = Server::start(Options::new(&data_dir)).await.unwrap();
    let second = start();
    assert!(second.joined);
    root.stop().await.unwrap();
    assert_eq!(ask(&second.url, "select 'yes'").await, "yes");
    assert!(second.release());
    let third = start();
    assert!(!third.joined);
    assert!(third.release());
}

#[test]
fn the_installed_servers_are_found_where_they_really_are() {
    let found = find_binaries();
    assert!(!found.is_empty());
    assert!(found.is_sorted_by_key(|binaries| std::cmp::Reverse(binaries.major)));
    for binaries in found {
        let postgres = binaries.dir.join("postgres");
        assert!(!postgres.is_symlink(), "{}", postgres.display());
        let version = Command::new(postgres).arg("--version").output().unwrap();
        let version = String::from_utf8(version.stdout).unwrap();
        assert!(version.contains(&format!("(PostgreSQL) {}", binaries.major)), "{version}");
    }
}
