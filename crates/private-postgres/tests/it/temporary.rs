//! Temporary servers leave nothing behind.

use std::fs;

use private_postgres::Server;

use crate::support::{Holder, alive, ask, eventually, folder_in, kill_9};

#[tokio::test]
async fn two_at_once_are_two_and_vanish() {
    let (first, second) = tokio::join!(Server::temporary(), Server::temporary());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.pid(), second.pid());
    for server in [first, second] {
        let url = server.connection_url();
        assert_eq!(ask(&url, "select current_setting('fsync')").await, "off");
        let pid = server.pid();
        drop(server);
        assert!(!alive(pid));
        assert!(!folder_in(&url).exists());
    }
}

#[tokio::test]
async fn settings_can_be_chosen() {
    let server = Server::temporary_with(&[("wal_level", "replica")]).await.unwrap();
    let wal_level = ask(&server.connection_url(), "select current_setting('wal_level')").await;
    assert_eq!(wal_level, "replica");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_panic_leaves_nothing() {
    let (tell, told) = std::sync::mpsc::channel();
    let panicked = tokio::spawn(async move {
        let server = Server::temporary().await.unwrap();
        tell.send((server.connection_url(), server.pid())).unwrap();
        panic!("on purpose");
    });
    assert!(panicked.await.is_err());
    let (url, pid) = told.recv().unwrap();
    assert!(!alive(pid));
    assert!(!folder_in(&url).exists());
}

#[test]
fn a_killed_owner_leaves_nothing() {
    let owner = Holder::start("--temporary");
    let (server, folder) = (owner.server, folder_in(&owner.url));
    assert!(folder.exists());
    owner.kill();
    eventually("the server is gone", || !alive(server));
    eventually("its files are gone", || !folder.exists());
}

/// Linux only: elsewhere a process cannot find its children without more tools.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_a_killed_watchdog_left_is_swept_by_the_next() {
    let owner = Holder::start("--temporary");
    let (server, folder) = (owner.server, folder_in(&owner.url));
    let watchdogs = children_of(owner.id());
    assert_eq!(watchdogs.len(), 2);
    watchdogs.into_iter().for_each(kill_9);
    owner.kill();
    assert!(alive(server) && folder.exists());

    Server::temporary().await.unwrap().stop().await.unwrap();
    eventually("the server is gone", || !alive(server));
    assert!(!folder.exists());
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
