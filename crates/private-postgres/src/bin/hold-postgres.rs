//! `hold-postgres <data dir> | --watched <data dir> | --temporary`: holds a private server until standard input is closed.
//!
//! For scripts and benchmarks that need a server, and for the tests, which kill this process.
//! Prints one line: the URL of the server, its process id, and whether it was already running.

use std::ffi::OsString;
use std::io::Read;
use std::process::ExitCode;

use private_postgres::{Error, Options, Server, run_lease_watch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if run_lease_watch() {
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let started = match arguments.as_slice() {
        [argument] if argument == "--temporary" => Server::temporary().await,
        [data_dir] => Server::start(Options::new(data_dir)).await,
        [argument, data_dir] if argument == "--watched" => {
            Server::start(Options::new(data_dir).stop_if_killed()).await
        }
        _ => {
            eprintln!("usage: hold-postgres <data dir> | --watched <data dir> | --temporary");
            return ExitCode::from(2);
        }
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
