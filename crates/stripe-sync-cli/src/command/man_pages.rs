//! `stripe-sync man-pages`: writes one man page for the program and one for each command.

use std::io::Write as _;

use clap::CommandFactory as _;

use crate::args::{Args, ManPages};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{number, ui};

pub(super) fn run(args: &ManPages) -> Result<Exit, Failure> {
    let dir = &args.dir;
    let count = write(dir).map_err(|error| {
        Failure::new(format!("cannot write man pages to {}", dir.display())).caused_by(&error)
    })?;
    let pages = number::quantity(count, "man page");
    ui::data(&format!("wrote {pages} to {}\n", dir.display()))?;
    Ok(Exit::Complete)
}

/// Writes the pages and returns their number.
fn write(dir: &std::path::Path) -> std::io::Result<usize> {
    std::fs::create_dir_all(dir)?;
    let mut program = Args::command().disable_help_subcommand(true);
    program.build();
    let mut count = 0;
    let commands = program.get_subcommands();
    let commands = commands.flat_map(|c| std::iter::once(c).chain(c.get_subcommands()));
    let commands = commands.filter(|command| command.get_name() != "help");
    for command in std::iter::once(&program).chain(commands) {
        let mut page = Vec::new();
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        clap_mangen::Man::new(command.clone()).title(&name).render(&mut page)?;
        std::fs::File::create(dir.join(format!("{name}.1")))?.write_all(&page)?;
        count += 1;
    }
    Ok(count)
}
