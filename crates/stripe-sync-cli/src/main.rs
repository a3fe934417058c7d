//! The command line `stripe-sync`: arguments as typed, settings resolved from them and the
//! environment, one command run, one exit code.
//!
//! stdout carries data, stderr talk. Nothing here prints a key, a password or a panic's message.

mod args;
#[cfg(test)]
mod cli_page;
mod columns;
mod command;
mod copy;
mod core_dumps;
mod demo;
mod environment;
mod exit;
mod failure;
mod interrupt;
mod mask;
mod number;
mod panic;
mod place;
mod progress;
mod session;
mod settings;
mod spelling;
mod table;
mod talk;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::args::Args;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::session::Session;

/// How long threads may finish what an interrupted start of the private server left to them.
const LAST_WORDS: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    panic::hide_messages();
    let no_core = core_dumps::forbid();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return talk::usage(&error).into(),
    };
    talk::set_up(&args.output);
    if let Err(error) = no_core {
        talk::warning(&format!("a core file of this process would hold the key: {error}"));
    }
    let exit = run(args).unwrap_or_else(|failure| {
        talk::failure(&failure);
        failure.exit()
    });
    exit.into()
}

fn run(args: Args) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start threads").because(&error))?;
    let exit = runtime.block_on(async {
        let Args { connection, output, command } = args;
        let session = Session {
            interrupts: Interrupts::listen()?,
            environment: Environment::read()?,
            connection,
            output,
        };
        command::run(command, &session).await
    });
    runtime.shutdown_timeout(LAST_WORDS);
    exit
}
