//! The subcommands, one file each: resolve, check, open, ask, print.

mod adoption;
mod backfill;
mod check;
mod migrate;
mod query;
mod refresh;
mod report;
mod status;

pub(crate) use query::as_text;

use crate::args::Command;
use crate::demo;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Runs one command.
///
/// # Errors
/// Why it ended without an answer.
pub(crate) async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    let interrupts = &session.interrupts;
    match command {
        // These two know themselves what an interruption means once pages are in flight.
        Command::Backfill(args) => backfill::run(&args, session).await,
        Command::Demo(args) => demo::run(&args, session).await,
        Command::Migrate(args) => interrupts.unless(migrate::run(&args, session)).await,
        Command::Check(args) => interrupts.unless(check::run(&args, session)).await,
        Command::Refresh(args) => interrupts.unless(refresh::run(&args, session)).await,
        Command::Status(args) => interrupts.unless(status::run(&args, session)).await,
        Command::Query(args) => interrupts.unless(query::run(&args, session)).await,
    }
}
