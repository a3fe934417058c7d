//! Several processes use one server.

use private_postgres::{Options, Server};

use crate::support::{Holder, alive, ask, open_folder};

#[tokio::test]
async fn the_second_joins_and_the_last_one_out_stops() {
    let folder = open_folder();
    let first = Holder::start(folder.path());
    let second = Holder::start(folder.path());
    assert!(!first.joined && second.joined);
    assert_eq!(first.server, second.server);
    let server = first.server;
    let session = rustix::process::getsid(rustix::process::Pid::from_raw(server)).unwrap();
    assert_eq!(session.as_raw_nonzero().get(), server, "Ctrl-C must not reach the server");

    assert!(first.release());
    assert_eq!(ask(&second.url, "select 'still here'").await, "still here");
    assert!(second.release());
    assert!(!alive(server), "the last user stops the server");
}

#[tokio::test]
async fn two_uses_in_one_process_count_as_two() {
    let folder = open_folder();
    let first = Server::start(Options::new(folder.path())).await.unwrap();
    let second = Server::start(Options::new(folder.path())).await.unwrap();
    assert!(second.joined());
    first.stop().await.unwrap();
    assert_eq!(ask(&second.connection_url(), "select 'still here'").await, "still here");
    let pid = second.pid();
    second.stop().await.unwrap();
    assert!(!alive(pid));
}

#[tokio::test]
async fn a_dropped_use_is_given_up() {
    let folder = open_folder();
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    let pid = server.pid();
    drop(server);
    let server = Server::start(Options::new(folder.path())).await.unwrap();
    assert!(!server.joined() && !alive(pid), "a server that stops is not joined");
    server.stop().await.unwrap();
}

#[test]
fn many_that_start_together_share_one_server_and_leave_together() {
    let folder = open_folder();
    let holders: Vec<Holder> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| Holder::start(folder.path()))).collect();
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
async fn joining_while_the_last_one_leaves_always_gives_a_server() {
    let folder = open_folder();
    Server::start(Options::new(folder.path())).await.unwrap().stop().await.unwrap();
    let mut users = tokio::task::JoinSet::new();
    for user in 0..3 {
        let options = Options::new(folder.path());
        users.spawn(async move {
            for round in 0..6 {
                let server = Server::start(options.clone()).await.unwrap();
                assert_eq!(ask(&server.connection_url(), "select 'yes'").await, "yes");
                // One way to leave waits for the end of the server, the other does not.
                if (user + round) % 2 == 0 {
                    server.stop().await.unwrap();
                } else {
                    drop(server);
                }
            }
        });
    }
    while let Some(user) = users.join_next().await {
        user.unwrap();
    }
}
