//! The subcommands, one file each. Each resolves its settings, opens what it needs, and prints its
//! result.

mod adoption;
mod backfill;
mod catch_up;
mod check;
mod completions;
mod connect;
mod follow;
mod live_status;
mod man_pages;
mod migrate;
mod query;
mod refresh;
mod report;
mod status;
mod webhook;

use crate::args::{Command, OutputFormat};
use crate::context::CommandContext;
use crate::demo;
use crate::exit::Exit;
use crate::failure::Failure;

/// Runs one command.
///
/// # Errors
/// The command has no result.
pub(crate) async fn run(command: Command, context: &CommandContext) -> Result<Exit, Failure> {
    if context.output.format == OutputFormat::Csv && !matches!(command, Command::Query(_)) {
        return Err(
            Failure::usage("--output csv works with `query` only").with_hint("use --output json")
        );
    }
    let interrupts = &context.interrupts;
    match command {
        // These handle interrupts themselves.
        Command::Backfill(args) => Box::pin(backfill::run(&args, context)).await,
        Command::Demo(args) => Box::pin(demo::run(&args, context)).await,
        Command::Query(args) => query::run(&args, context).await,
        Command::Follow(args) => Box::pin(follow::run(&args, context)).await,
        Command::Migrate(args) => interrupts.unless(migrate::run(&args, context)).await,
        Command::Check(args) => interrupts.unless(Box::pin(check::run(&args, context))).await,
        Command::Refresh(args) => interrupts.unless(refresh::run(&args, context)).await,
        Command::Status(args) => interrupts.unless(status::run(&args, context)).await,
        Command::Webhook(args) => interrupts.unless(webhook::run(&args, context)).await,
        Command::Completions(args) => completions::run(&args),
        Command::ManPages(args) => man_pages::run(&args),
    }
}
