//! `stripe-sync completions`: a script that completes commands and options in a shell.

use clap::CommandFactory as _;

use crate::args::{Args, Completions};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ui;

pub(super) fn run(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "stripe-sync", &mut script);
    ui::data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Complete)
}
