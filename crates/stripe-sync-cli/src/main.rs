//! The program `stripe-sync`: parses the arguments, resolves settings from them and the
//! environment, runs one command, and returns one exit code.
//!
//! Data goes to stdout, messages go to stderr. No key, password or panic message is printed.

mod args;
#[cfg(test)]
mod cli_page;
mod columns;
mod command;
mod context;
mod core_dumps;
mod database_target;
mod deadline;
mod demo;
mod env_file;
mod environment;
mod exit;
mod failure;
mod interrupt;
mod key;
mod monitor;
mod next_command;
mod number;
mod panic;
mod progress;
mod query_csv;
mod query_output;
mod query_table;
mod redaction;
mod settings;
mod statements;
mod suggestion;
mod table;
mod ui;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use crate::args::{Args, OutputFormat};
use crate::context::CommandContext;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;

/// How long threads may take to finish what an interrupted command has begun. What they leave of the private
/// server is stopped by the process that watches it.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

fn main() -> ExitCode {
    if private_postgres::run_lease_watch() {
        return ExitCode::SUCCESS;
    }
    panic::hide_messages();
    let no_core = core_dumps::disable();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return ui::usage(&error).into(),
    };
    ui::set_up(&args.output);
    if let Err(error) = no_core {
        ui::warning(&format!("cannot disable core dumps, which would contain the key: {error}"));
    }
    let is_json = args.output.format == OutputFormat::Json;
    let exit = run(args).unwrap_or_else(|failure| {
        ui::failure(&failure);
        if is_json {
            ui::failure_as_json(&failure);
        }
        failure.exit()
    });
    exit.into()
}

fn run(args: Args) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new("cannot start threads").caused_by(&error))?;
    let exit = runtime.block_on(async {
        let Args { connection, output, command } = args;
        let context = CommandContext {
            interrupts: Interrupts::listen()?,
            environment: Environment::read(connection.env_file.as_deref())?,
            connection,
            output,
        };
        // Boxed, because the future of all commands is larger than 16 KB.
        Box::pin(command::run(command, &context)).await
    });
    runtime.shutdown_timeout(SHUTDOWN_TIMEOUT);
    exit
}
