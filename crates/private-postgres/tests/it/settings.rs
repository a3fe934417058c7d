//! What a new server is like.

use private_postgres::{Error, Options, Server};

use crate::support::{ask, connect, open_folder};

#[tokio::test]
async fn a_new_server_is_durable_private_and_utf8() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let url = server.connection_url();
    for (name, expected) in [
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", ""),
        ("unix_socket_permissions", "0700"),
        ("jit", "off"),
        ("TimeZone", "UTC"),
    ] {
        assert_eq!(
            ask(&url, &format!("select current_setting('{name}')")).await,
            expected,
            "{name}"
        );
    }
    assert_eq!(ask(&server.connection_string(), "select current_database()::text").await, "stripe");
    assert_eq!(ask(&url, "select current_user::text").await, server.user());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn chosen_settings_win_over_ours_and_alter_system_over_all() {
    let folder = open_folder();
    let options = || Options::new(folder.path()).setting("work_mem", "7MB");
    let server = Server::start(options()).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select current_setting('work_mem')").await, "7MB");
    let client = connect(&server.connection_url()).await;
    client.batch_execute("alter system set work_mem = '9MB'").await.unwrap();
    server.stop().await.unwrap();

    let server = Server::start(options()).await.unwrap();
    assert_eq!(ask(&server.connection_url(), "select current_setting('work_mem')").await, "9MB");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_log_shows_no_value_of_a_row() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let client = connect(&server.connection_url()).await;
    client.batch_execute("create table t (id text primary key)").await.unwrap();
    client.batch_execute("insert into t values ('cus_secret')").await.unwrap();
    assert!(client.batch_execute("insert into t values ('cus_secret')").await.is_err());
    assert!(client.batch_execute("select 'cus_secret'::bigint").await.is_err());
    let log = std::fs::read_to_string(server.log_file()).unwrap();
    assert!(log.contains("ready to accept connections"), "{log}");
    assert!(!log.contains("cus_secret"), "{log}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_its_log() {
    let folder = open_folder();
    let options = Options::new(folder.path()).setting("shared_buffers", "a great deal");
    let error = Server::start(options).await.unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
    assert!(error.to_string().contains("a great deal"), "{error}");

    let server = Server::start(Options::new(folder.path())).await.unwrap();
    server.stop().await.unwrap();
}
