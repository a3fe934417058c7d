//! `cargo xtask <command>`: the tasks of this project.

mod cargo;
mod catalog;
mod lint;
mod packages;
mod signatures;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cargo::Cargo;

const HELP: &str = "\
Usage: cargo xtask <command>

Commands:
  demo [args]      Copy a simulated Stripe account into a temporary PostgreSQL and compare the two
  test [args]      Run all tests; the arguments are passed to `cargo test --workspace`
  lint             Check imports between files, the tests of docs/promises.md, links and sizes
                   of documents
  docs             Generate docs/cli.md from the options that the command line defines
  catalog <facts>  Generate the catalogs of the engine and of the simulator, and
                   docs/known-columns.md, from the facts about Stripe's API in <facts>, the
                   directory that contains stripe/ and compat/
  signatures       Check that signatures made by Stripe's Python and Node libraries verify; installs
                   both into a temporary directory with pip and npm
  help             Print this help

If the PostgreSQL server is not installed, `demo` and `test` install it with the system's package
manager. `test` also installs PgBouncer. Both print the command before they run it.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".to_owned());
    let result = match command.as_str() {
        "demo" => demo(args.collect()),
        "test" => test(args.collect()),
        "lint" => lint(args.collect()),
        "docs" => docs(args.collect()),
        "catalog" => catalog(args.collect()),
        "signatures" => signatures::check(),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("error: unknown command `{other}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `stripe-sync demo` in place of this process.
fn demo(args: Vec<String>) -> Result<()> {
    packages::POSTGRES.ensure()?;
    // The development profile shares its build artifacts with the tests. Dependencies are
    // optimized in it.
    Cargo {
        description: "compiling the command line (several minutes the first time), then running `stripe-sync demo`",
        fixed: &["run", "--package", "stripe-sync-cli", "--bin", "stripe-sync", "--", "demo"],
        args,
        environment: Vec::new(),
    }
    .replace_process()
}

/// Runs `cargo test --workspace` in place of this process.
fn test(args: Vec<String>) -> Result<()> {
    packages::POSTGRES.ensure()?;
    packages::PGBOUNCER.ensure()?;
    Cargo {
        description: "compiling all tests (several minutes the first time), then running them",
        fixed: &["test", "--workspace"],
        args,
        environment: Vec::new(),
    }
    .replace_process()
}

/// Checks the rules that neither the compiler nor Clippy knows.
fn lint(args: Vec<String>) -> Result<()> {
    let [] = &args[..] else { bail!("usage: cargo xtask lint") };
    lint::run(root())
}

/// Writes `docs/cli.md`.
///
/// The generator is a test of the command line, because only that crate can see its options. The
/// same test fails if the checked-in page is out of date.
fn docs(args: Vec<String>) -> Result<()> {
    let [] = &args[..] else { bail!("usage: cargo xtask docs") };
    Cargo {
        description: "compiling the command line, then generating docs/cli.md",
        fixed: &["test", "--quiet", "--package", "stripe-sync-cli", "--bin", "stripe-sync"],
        args: ["cli_page::the_page_is_up_to_date", "--", "--nocapture"].map(str::to_owned).into(),
        environment: vec![("UPDATE_DOCS", "1".to_owned())],
    }
    .replace_process()
}

/// Writes the checked-in catalogs.
fn catalog(args: Vec<String>) -> Result<()> {
    let [facts] = &args[..] else { bail!("usage: cargo xtask catalog <facts>") };
    for (path, text) in catalog::generate(Path::new(facts), root())? {
        std::fs::write(root().join(path), text).with_context(|| format!("cannot write {path}"))?;
        println!("wrote {path}");
    }
    Ok(())
}

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the root of the workspace")
}
