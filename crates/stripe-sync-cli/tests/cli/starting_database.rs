//! A database that is still starting, options for other programs in its URL, and a lock that is
//! not released.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};
use stripe_sim::{Account, Sim, SimOptions};

use crate::fake_postgres::{Behavior, start};
use crate::support::{Cli, connect, database_url, new_database, server, small_sim};

/// Copies bytes in both directions until both ends are closed.
fn copy_both(near: &TcpStream, far: &UnixStream) {
    std::thread::scope(|threads| {
        threads.spawn(|| {
            // An error only means that one of the connections was closed.
            drop(std::io::copy(&mut &*near, &mut &*far));
            drop(far.shutdown(std::net::Shutdown::Write));
        });
        drop(std::io::copy(&mut &*far, &mut &*near));
        drop(near.shutdown(std::net::Shutdown::Write));
    });
}

fn listen_in_front_of(socket: PathBuf, listener: TcpListener) {
    std::thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let far = UnixStream::connect(&socket).expect("the server's socket");
            std::thread::spawn(move || copy_both(&near, &far));
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_wait_for_a_database_that_is_starting() {
    let sim = small_sim().await;
    new_database("starting", "").await;
    // The port is free again, so connections are refused.
    let port = {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let server = server().await;
    let url = format!("postgres://{}@127.0.0.1:{port}/starting", server.user());
    let cli = Cli::with_sim(&sim).env("DATABASE_URL", &url);
    let cli = cli.env("STRIPE_SYNC_WAIT_FOR_DATABASE", "60s");
    let mut child = cli.start(&["migrate"]);
    let mut stderr = BufReader::new(child.stderr.take().expect("stderr"));
    let mut line = String::new();
    stderr.read_line(&mut line).expect("a line");
    assert!(line.contains("waiting up to 60s for the server to start"), "{line}");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    listen_in_front_of(server.socket_dir().join(".s.PGSQL.5432"), listener);
    let status = child.wait().expect("an end");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).expect("text");
    assert_eq!(status.code(), Some(0), "{rest}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_start_in_time_is_an_error() {
    let sim = small_sim().await;
    for (code, message) in [
        ("57P03", "the database system is starting up"),
        ("53300", "sorry, too many clients already"),
        ("08P01", "server login failed: the database system is starting up"),
    ] {
        let port = start(Behavior::Rejects(code, message));
        let cli = Cli::with_sim(&sim)
            .env("DATABASE_URL", &format!("postgres://u@127.0.0.1:{port}/app"))
            .env("STRIPE_SYNC_WAIT_FOR_DATABASE", "600ms");
        let output = cli.run(&["migrate"]);
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        assert_eq!(output.stderr.matches("waiting up to 600ms").count(), 1, "{}", output.stderr);
        assert!(output.stderr.contains("error: "), "{}", output.stderr);
    }
    let output = Cli::with_sim(&sim).run(&["migrate", "--wait-for-database", "soon"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("is not a duration"), "{}", output.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn options_for_other_programs_in_the_url_are_ignored_with_a_note() {
    let sim = small_sim().await;
    let url = format!("{}&pgbouncer=true&schema=public", database_url().await);
    let cli = Cli::with_sim(&sim).env("DATABASE_URL", &url).env("SCHEMA", "provider");
    let output = cli.run(&["migrate"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for note in [
        "note: the option pgbouncer in DATABASE_URL is for other programs and is ignored\n",
        "note: the option schema in DATABASE_URL is for other programs and is ignored; use --schema instead\n",
    ] {
        assert!(output.stderr.contains(note), "{}", output.stderr);
    }
    assert!(cli.run(&["migrate", "-q"]).stderr.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_signal_ends_a_backfill_that_waits_for_a_lock() {
    let account = Account::builder(3).objects("customer", 400).build().expect("an account");
    let sim = Sim::start(account, SimOptions::default()).await.expect("a simulator");
    let cli = Cli::with_both(&sim, "locked").await;
    assert_eq!(cli.run(&["migrate"]).code, Some(0));
    let sql = connect(&database_url().await).await;
    sql.batch_execute("begin; lock table locked.customers").await.expect("locked");
    let child = cli.start(&["backfill", "--object", "customer"]);
    let waits = "select count(*) from pg_locks where not granted and relation = 'locked.customers'::regclass";
    while sql.query_one(waits, &[]).await.expect("a count").get::<_, i64>(0) == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, Signal::INT).expect("our own child");
    let output = child.wait_with_output().expect("an end");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("the same command resumes the run"), "{stderr}");
    sql.batch_execute("rollback").await.expect("unlocked");
    let again = cli.run(&["backfill", "--object", "customer"]);
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert_eq!(cli.ids("locked", "customers").len(), 400);
}
