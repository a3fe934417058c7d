//! The settings of a server.

use private_postgres::{Error, Options, Server};

use crate::support::{accessible_dir, ask, connect};

#[tokio::test]
async fn a_new_server_is_durable_private_and_utf8() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
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
async fn custom_settings_override_defaults_and_alter_system_overrides_both() {
    let directory = accessible_dir();
    let options = || Options::new(directory.path()).setting("work_mem", "7MB");
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
async fn the_log_contains_no_value_of_a_row() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
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
async fn the_error_of_a_failed_start_contains_the_end_of_the_log() {
    let directory = accessible_dir();
    let options = Options::new(directory.path()).setting("shared_buffers", "invalid value");
    let error = Server::start(options).await.unwrap_err();
    assert!(matches!(error, Error::Start { .. }), "{error}");
    assert!(error.to_string().contains("invalid value"), "{error}");

    let server = Server::start(Options::new(directory.path())).await.unwrap();
    server.stop().await.unwrap();
}
