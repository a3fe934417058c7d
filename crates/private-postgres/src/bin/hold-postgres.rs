//! `hold-postgres <data dir> | --temporary`: holds a private server until standard input is closed.
//!
//! For scripts and benchmarks that need a server, and for the tests, which kill this process.
//! Prints one line: the URL of the server, its process id, and whether it was already running.

use std::io::Read;
use std::process::ExitCode;

use private_postgres::{Error, Options, Server};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(argument) = std::env::args_os().nth(1) else {
        eprintln!("usage: hold-postgres <data dir> | --temporary");
        return ExitCode::from(2);
    };
    let started = match argument.to_str() {
        Some("--temporary") => Server::temporary().await,
        _ => Server::start(Options::new(&argument)).await,
    };
    match started {
        Ok(server) => report(hold(server).await),
        Err(error) => report(Err(error)),
    }
}

async fn hold(server: Server) -> Result<(), Error> {
    println!("{} {} {}", server.connection_url(), server.pid(), server.joined());
    if let Err(error) = std::io::stdin().read_to_end(&mut Vec::new()) {
        eprintln!("cannot read standard input: {error}");
    }
    server.stop().await
}

fn report(result: Result<(), Error>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    eprintln!("error: {error}");
    if let Some(source) = std::error::Error::source(&error) {
        eprintln!("caused by: {source}");
    }
    ExitCode::FAILURE
}
