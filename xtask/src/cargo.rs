//! Runs cargo in place of this process, so that output, signals and exit code are cargo's.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// A cargo command.
pub(crate) struct Cargo {
    /// What the command does, printed before it starts.
    pub(crate) description: &'static str,
    /// The subcommand and its fixed arguments.
    pub(crate) fixed: &'static [&'static str],
    /// The arguments that the user gave.
    pub(crate) args: Vec<String>,
    /// Environment variables of the command.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Cargo {
    /// Prints the description and replaces this process. Returns only if cargo cannot be run.
    ///
    /// # Errors
    /// If cargo cannot be run.
    pub(crate) fn replace_process(self) -> Result<()> {
        eprintln!("xtask: {}", self.description);
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("Cargo.toml");
        let (subcommand, fixed) = self.fixed.split_first().expect("a subcommand");
        let mut cargo = Command::new(program);
        cargo.arg(subcommand).arg("--manifest-path").arg(manifest).args(fixed).args(self.args);
        // `cargo run` sets variables that describe the xtask package. Build scripts that watch
        // them, such as ring's, would rerun whenever `cargo xtask` and plain cargo alternate.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(describes_a_package) {
                cargo.env_remove(name);
            }
        }
        cargo.envs(self.environment);
        Err(cargo.exec()).context("cannot run cargo")
    }
}

fn describes_a_package(name: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_NAME", "CARGO_BIN_NAME"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}
