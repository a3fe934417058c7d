//! `cargo xtask lint`: checks the rules of this project that neither the compiler nor Clippy
//! checks.
//!
//! Imports between files ([`layers`]), promises and their tests ([`promises`]), links and sizes of
//! documents ([`documents`]). Reads files only; changes nothing.

mod config;
mod cycles;
mod documents;
mod imports;
mod layers;
mod modules;
mod promises;
mod resolve;
mod source;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use config::Config;
use imports::Imports;

/// Checks the workspace at `root` and prints every violation.
///
/// # Errors
/// If there is a violation, or something cannot be read.
pub(crate) fn run(root: &Path) -> Result<()> {
    let mut problems = imports_of(root)?;
    let documents = documents::find(root)?;
    problems.extend(promises::check(root, &documents)?);
    problems.extend(documents::check(root, &documents)?);
    for problem in &problems {
        eprintln!("error: {problem}\n");
    }
    match problems.len() {
        0 => {
            println!("lint: imports, promises and documents are in order");
            Ok(())
        }
        1 => bail!("lint found 1 problem"),
        count => bail!("lint found {count} problems"),
    }
}

fn imports_of(root: &Path) -> Result<Vec<String>> {
    let config = Config::read(root)?;
    let crates = crates(root)?;
    let mut problems = Vec::new();
    for (name, shown) in &crates {
        let imports = Imports::read(&root.join(shown))?;
        problems.extend(layers::check(name, shown, &imports, &config));
    }
    let named = config.layers.iter().map(|layers| &layers.krate);
    let named = named.chain(config.allowed_cycle.iter().map(|cycle| &cycle.krate));
    for krate in named {
        if !crates.iter().any(|(name, _)| name == krate) {
            problems.push(format!("{}: there is no crate `{krate}`", config::FILE));
        }
    }
    Ok(problems)
}

/// The folder name of each crate and its sources relative to the root.
fn crates(root: &Path) -> Result<Vec<(String, String)>> {
    let mut crates = Vec::new();
    for entry in fs::read_dir(root.join("crates")).context("crates")? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let sources = format!("crates/{name}/src");
        if root.join(&sources).is_dir() {
            crates.push((name, sources));
        }
    }
    if root.join("xtask/src").is_dir() {
        crates.push(("xtask".to_owned(), "xtask/src".to_owned()));
    }
    crates.sort();
    Ok(crates)
}
