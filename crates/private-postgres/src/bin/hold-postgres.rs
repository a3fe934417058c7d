//! `hold-postgres <data dir> | --throw-away`: uses a private server until standard input ends.
//!
//! For scripts and benchmarks that want a server, and for the tests, which kill it.

use std::error::Error;
use std::io::Read;

use private_postgres::{Options, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let place =
        std::env::args_os().nth(1).ok_or("usage: hold-postgres <data dir> | --throw-away")?;
    let server = if place == "--throw-away" {
        Server::throw_away().await?
    } else {
        Server::start(Options::new(place)).await?
    };
    println!("{} {} {}", server.connection_url(), server.pid(), server.joined());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    server.stop().await?;
    Ok(())
}
