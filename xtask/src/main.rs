//! `cargo xtask <command>`: the tasks of this project. Table of contents.

mod cargo;
mod catalog;
mod catalog_columns;
mod known_columns;
mod lint;
mod packages;
mod sim_catalog;

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const HELP: &str = "\
usage: cargo xtask <command>

  demo [args]      copies a simulated Stripe account into a PostgreSQL of its own and shows it
  test [args]      runs all tests; args go to `cargo test --workspace`
  catalog <facts>  generates the catalogs of the engine and the simulator, and the page of
                   known columns, from the facts
                   about Stripe's API (the folder that holds stripe/ and compat/)
  help             this page

demo and test install PostgreSQL's server with the system's package manager if it is missing,
test also PgBouncer, and say so before.";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".to_owned());
    let result = match command.as_str() {
        "demo" => demo(args.collect()),
        "test" => test(args.collect()),
        "lint" => lint(args.collect()),
        "catalog" => catalog(args.collect()),
        "help" | "--help" | "-h" => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        other => {
            eprintln!("error: no command `{other}`\n\n{HELP}");
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

/// Checks the rules of this project.
fn lint(args: Vec<String>) -> Result<()> {
    let [] = &args[..] else { bail!("usage: cargo xtask lint") };
    lint::run(root())
}

/// Writes the checked-in catalogs.
fn catalog(args: Vec<String>) -> Result<()> {
    let [facts] = &args[..] else { bail!("usage: cargo xtask catalog <facts>") };
    let facts = Path::new(facts);
    let root = root();
    let engine = catalog::generate(facts, root)?;
    let files = [
        ("docs/known-columns.md", known_columns::generate(facts, &engine)?),
        ("crates/stripe-sync/src/catalog/catalog.json", engine),
        ("crates/stripe-sim/src/catalog.json", sim_catalog::generate(&facts.join("stripe"))?),
    ];
    for (path, text) in files {
        std::fs::write(root.join(path), text).with_context(|| path.to_owned())?;
        println!("wrote {path}");
    }
    Ok(())
}

/// Becomes `stripe-sync demo`.
fn demo(args: Vec<String>) -> Result<()> {
    packages::POSTGRES.ensure()?;
    // The development profile, because the tests share its artefacts; dependencies are optimised.
    cargo::become_cargo(
        "building the command line, then running `stripe-sync demo`",
        &["run", "--package", "stripe-sync-cli", "--bin", "stripe-sync", "--", "demo"],
        args,
    )
}

/// Becomes `cargo test --workspace`.
fn test(args: Vec<String>) -> Result<()> {
    packages::POSTGRES.ensure()?;
    packages::PGBOUNCER.ensure()?;
    cargo::become_cargo("running all tests", &["test", "--workspace"], args)
}

/// The root of the workspace.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in the root of the workspace")
}
