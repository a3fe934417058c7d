//! Data directories: their paths, owners and versions.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::process::Command;

use private_postgres::{Error, Options, Server, find_binaries};
use rustix::process::geteuid;

use crate::support::{Holder, accessible_dir, alive, ask, connect, entries};

#[tokio::test]
async fn a_data_directory_can_have_any_name_and_depth() {
    let directory = accessible_dir();
    let deep = directory.path().join("a b/ü \"quoted\" $HOME `id` 'x'").join("deep".repeat(40));
    let server = Server::start(Options::new(&deep)).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
    server.stop().await.unwrap();
    let server = Server::start(Options::new(&deep)).await.unwrap();
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_error_for_a_version_that_is_not_installed_names_the_version() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    let version = server.cluster_dir().join("PG_VERSION");
    server.stop().await.unwrap();
    fs::write(&version, "12\n").unwrap();
    let error = Server::start(Options::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::MissingMajor { needed: 12, .. }), "{error}");
}

#[tokio::test]
async fn a_cluster_of_another_program_is_rejected_and_not_changed() {
    let directory = accessible_dir();
    fs::write(directory.path().join("PG_VERSION"), "15\n").unwrap();
    let error = Server::start(Options::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::UnusableDirectory { .. }), "{error}");
    assert_eq!(entries(directory.path()), ["PG_VERSION"]);

    let directory = accessible_dir();
    fs::create_dir(directory.path().join("cluster")).unwrap();
    fs::write(directory.path().join("cluster/unrelated"), "").unwrap();
    let error = Server::start(Options::new(directory.path())).await.unwrap_err();
    assert!(matches!(error, Error::UnusableDirectory { .. }), "{error}");
    assert_eq!(entries(&directory.path().join("cluster")), ["unrelated"]);
}

/// Somebody else's server runs on `cluster`, as in a directory that has this name by chance.
#[tokio::test]
async fn a_running_server_of_somebody_else_is_not_joined_or_stopped() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    let settings = server.cluster_dir().join("postgresql.conf");
    let theirs = fs::read_to_string(&settings).unwrap().replace("private.conf", "theirs.conf");
    fs::write(&settings, theirs).unwrap();
    let base = server.cluster_dir().join("base");
    let before = (entries(directory.path()), entries(&base));

    for path in [directory.path().to_owned(), base.join("new")] {
        let error = Server::start(Options::new(&path)).await.unwrap_err();
        assert!(matches!(error, Error::UnusableDirectory { .. }), "{error}");
        assert!(error.to_string().contains("another PostgreSQL server"), "{error}");
    }
    assert!(alive(server.pid()));
    assert_eq!((entries(directory.path()), entries(&base)), before);
    server.stop().await.unwrap();
}

/// The user that runs the server for root cannot enter this data directory. If the tests do not run
/// as root, the server's user owns the directory and can enter it.
#[tokio::test]
async fn a_data_directory_that_the_servers_user_cannot_enter_works() {
    let directory = accessible_dir();
    fs::set_permissions(directory.path(), Permissions::from_mode(0o700)).unwrap();
    let data_dir = directory.path().join("data");
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    let cluster = server.cluster_dir().to_owned();
    assert_eq!(!cluster.starts_with(directory.path()), geteuid().is_root());
    assert_eq!(fs::canonicalize(data_dir.join("cluster")).unwrap(), cluster);
    let client = connect(&server.connection_url()).await;
    client.batch_execute("create table kept as select 'row' as x").await.unwrap();
    server.stop().await.unwrap();

    // The cluster stays at its path even after the directory can be entered.
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
    let server = Server::start(Options::new(&data_dir)).await.unwrap();
    assert_eq!(server.cluster_dir(), cluster);
    assert_eq!(ask(&server.connection_url(), "select x from kept").await, "row");
    server.stop().await.unwrap();
    if geteuid().is_root() {
        fs::remove_dir_all(cluster.parent().unwrap()).unwrap();
    }
}

/// If the tests run as root, the processes of another user run as `nobody`.
#[tokio::test]
async fn the_owner_of_a_data_directory_and_root_share_one_server() {
    let directory = accessible_dir();
    let uid = if geteuid().is_root() { 65534 } else { geteuid().as_raw() };
    let data_dir = directory.path().join("data");
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

    // Root starts the server, and the other user joins it and releases it last.
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
fn installed_servers_are_found_in_their_real_directories() {
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
