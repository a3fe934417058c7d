//! Hands over to cargo. The process is replaced, so its output, signals and exit code are cargo's.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Says `what` happens and becomes `cargo <fixed> <args>`; returns only if there is no cargo.
///
/// # Errors
/// If cargo cannot be run.
pub(crate) fn become_cargo(what: &str, fixed: &[&str], args: Vec<String>) -> Result<()> {
    eprintln!("xtask: {what}");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
    let (subcommand, fixed) = fixed.split_first().expect("a subcommand");
    let mut cargo = Command::new(program);
    cargo.arg(subcommand).arg("--manifest-path").arg(manifest).args(fixed).args(args);
    // `cargo run` describes xtask's package to us. Build scripts that watch these variables
    // (ring's does) would run again at each change between `cargo xtask` and plain cargo.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(describes_a_package) {
            cargo.env_remove(name);
        }
    }
    Err(cargo.exec()).context("cannot run cargo")
}

fn describes_a_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_NAME", "CARGO_BIN_NAME"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
