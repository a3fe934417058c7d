//! Several processes share one server.

use private_postgres::{Options, Server};

use crate::support::{Holder, accessible_dir, alive, ask};

#[tokio::test]
async fn the_second_process_joins_and_the_last_one_stops_the_server() {
    let directory = accessible_dir();
    let first = Holder::start(directory.path());
    let second = Holder::start(directory.path());
    assert!(!first.joined && second.joined);
    assert_eq!(first.server, second.server);
    let server = first.server;
    let session = rustix::process::getsid(rustix::process::Pid::from_raw(server)).unwrap();
    assert_eq!(session.as_raw_nonzero().get(), server, "the server must have its own session");

    assert!(first.release());
    assert_eq!(ask(&second.url, "select 'still here'").await, "still here");
    assert!(second.release());
    assert!(!alive(server), "the last process must stop the server");
}

#[tokio::test]
async fn two_leases_of_one_process_are_counted_separately() {
    let directory = accessible_dir();
    let first = Server::start(Options::new(directory.path())).await.unwrap();
    let second = Server::start(Options::new(directory.path())).await.unwrap();
    assert!(second.joined());
    first.stop().await.unwrap();
    assert_eq!(ask(&second.connection_url(), "select 'still here'").await, "still here");
    let pid = second.pid();
    second.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_dropped_lease_is_released() {
    let directory = accessible_dir();
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    let pid = server.pid();
    drop(server);
    let server = Server::start(Options::new(directory.path())).await.unwrap();
    assert!(!server.joined() && !alive(pid), "a server that is stopping must not be joined");
    server.stop().await.unwrap();
}

#[test]
fn processes_that_start_at_the_same_time_share_one_server() {
    let directory = accessible_dir();
    let holders: Vec<Holder> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Holder::start(directory.path()))).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let server = holders[0].server;
    assert!(holders.iter().all(|holder| holder.server == server));
    assert_eq!(holders.iter().filter(|holder| !holder.joined).count(), 1);

    std::thread::scope(|scope| {
        for holder in holders {
            scope.spawn(|| assert!(holder.release()));
        }
    });
    assert!(!alive(server));
}

#[tokio::test]
async fn a_start_during_the_last_release_always_returns_a_running_server() {
    let directory = accessible_dir();
    Server::start(Options::new(directory.path())).await.unwrap().stop().await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..3 {
        let options = Options::new(directory.path());
        tasks.spawn(async move {
            for round in 0..6 {
                let server = Server::start(options.clone()).await.unwrap();
                assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
                // `stop` waits for the end of the server, `drop` does not.
                if (task + round) % 2 == 0 {
                    server.stop().await.unwrap();
                } else {
                    drop(server);
                }
            }
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
}
