//! Temporary servers are removed completely.

use std::fs;

use private_postgres::Server;

use crate::support::{Holder, alive, ask, directory_in_url, eventually, kill_9};

#[tokio::test]
async fn concurrent_temporary_servers_are_independent_and_removed_on_drop() {
    let (first, second) = tokio::join!(Server::temporary(), Server::temporary());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.pid(), second.pid());
    for server in [first, second] {
        let url = server.connection_url();
        assert_eq!(ask(&url, "select current_setting('fsync')").await, "off");
        let pid = server.pid();
        drop(server);
        assert!(!alive(pid));
        assert!(!directory_in_url(&url).exists());
    }
}

#[tokio::test]
async fn a_temporary_server_accepts_settings() {
    let server = Server::temporary_with(&[("wal_level", "replica")]).await.unwrap();
    let wal_level = ask(&server.connection_url(), "select current_setting('wal_level')").await;
    assert_eq!(wal_level, "replica");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_temporary_server_is_removed_after_a_panic() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let panicked = tokio::spawn(async move {
        let server = Server::temporary().await.unwrap();
        sender.send((server.connection_url(), server.pid())).unwrap();
        panic!("intentional panic");
    });
    assert!(panicked.await.is_err());
    let (url, pid) = receiver.recv().unwrap();
    assert!(!alive(pid));
    assert!(!directory_in_url(&url).exists());
}

#[test]
fn a_temporary_server_is_removed_after_its_owner_is_killed() {
    let owner = Holder::start("--temporary");
    let (server, directory) = (owner.server, directory_in_url(&owner.url));
    assert!(directory.exists());
    owner.kill();
    eventually("the server has ended", || !alive(server));
    eventually("its files are removed", || !directory.exists());
}

/// Linux only, because the test finds the watchdog's processes in `/proc`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_without_owner_and_watchdog_is_removed_by_the_next_start() {
    let owner = Holder::start("--temporary");
    let (server, directory) = (owner.server, directory_in_url(&owner.url));
    let watchdogs = children_of(owner.id());
    assert_eq!(watchdogs.len(), 2);
    watchdogs.into_iter().for_each(kill_9);
    owner.kill();
    assert!(alive(server) && directory.exists());

    Server::temporary().await.unwrap().stop().await.unwrap();
    eventually("the server has ended", || !alive(server));
    assert!(!directory.exists());
}

#[cfg(target_os = "linux")]
fn children_of(parent: i32) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap();
    let ids = processes.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    ids.filter(|id: &i32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(&parent.to_string())
    })
    .collect()
}
