//! Installs the programs that the tests and the demo need, with the system's package manager.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use private_postgres::{OLDEST_MAJOR, find_binaries};

/// A program and the packages that contain it.
pub(crate) struct Program {
    name: &'static str,
    /// Finds the program; returns its version or path for messages, `None` if it is missing.
    found: fn() -> Option<String>,
    /// The package's name for each of [`INSTALLERS`].
    packages: [&'static str; INSTALLERS.len()],
    /// The instructions that are shown if no package can be installed.
    by_hand: &'static str,
}

/// The programs of the PostgreSQL server.
pub(crate) const POSTGRES: Program = Program {
    name: "PostgreSQL",
    found: || {
        let newest = find_binaries().first()?.major;
        (newest >= OLDEST_MAJOR).then(|| newest.to_string())
    },
    packages: [
        "postgresql",
        "postgresql-server",
        "postgresql-server",
        "postgresql",
        "postgresql",
        "postgresql-server",
        "postgresql@17",
    ],
    by_hand: "install PostgreSQL 14 or newer so that `initdb`, `pg_ctl` and `postgres` are in \
              PATH (https://www.postgresql.org/download/), then try again",
};

/// The connection pooler, which one test needs.
pub(crate) const PGBOUNCER: Program = Program {
    name: "PgBouncer",
    found: || Some(find("pgbouncer")?.display().to_string()),
    packages: ["pgbouncer"; INSTALLERS.len()],
    by_hand: "install PgBouncer so that `pgbouncer` is in PATH (https://www.pgbouncer.org), then \
              try again",
};

/// A package manager. The first one whose program exists is used.
struct Installer {
    program: &'static str,
    /// The commands to run in order. The name of the package is appended to the last one.
    commands: &'static [&'static str],
    /// Whether it must run as root. Homebrew does not run as root.
    as_root: bool,
}

const fn as_root(program: &'static str, commands: &'static [&'static str]) -> Installer {
    Installer { program, commands, as_root: true }
}

const INSTALLERS: [Installer; 7] = [
    as_root(
        "apt-get",
        &[
            "apt-get update",
            "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends",
        ],
    ),
    as_root("dnf", &["dnf install -y"]),
    as_root("yum", &["yum install -y"]),
    as_root("apk", &["apk add --no-cache"]),
    as_root("pacman", &["pacman -Sy --noconfirm --needed"]),
    as_root("zypper", &["zypper --non-interactive install"]),
    Installer { program: "brew", commands: &["brew install"], as_root: false },
];

impl Program {
    /// Installs the program unless a usable version is installed.
    ///
    /// # Errors
    /// If it cannot be installed. The message says what to type.
    pub(crate) fn ensure(&self) -> Result<()> {
        let name = self.name;
        if let Some(found) = (self.found)() {
            eprintln!("xtask: using {name} {found}");
            return Ok(());
        }
        let known = INSTALLERS.iter().zip(self.packages);
        let Some((installer, package)) =
            known.into_iter().find(|(installer, _)| find(installer.program).is_some())
        else {
            bail!("{name} is missing, and no known package manager was found; {}", self.by_hand);
        };
        let (install, update) = installer.commands.split_last().expect("a command that installs");
        let install = format!("{install} {package}");
        let prefix = self.privilege(installer, &install)?;
        eprintln!("xtask: {name} is missing; installing the package {package}:");
        for command in update {
            // A broken third-party repository makes the update fail, but not always the
            // installation.
            if let Err(error) = execute(&format!("{prefix}{command}")) {
                eprintln!("xtask: {error:#}; continuing");
            }
        }
        execute(&format!("{prefix}{install}")).with_context(|| {
            format!("{name} is missing and {package} cannot be installed; {}", self.by_hand)
        })?;
        let found = (self.found)()
            .with_context(|| format!("{package} contains no usable {name}; {}", self.by_hand))?;
        eprintln!("xtask: using {name} {found}");
        Ok(())
    }

    /// The prefix that gives each command the rights it needs.
    fn privilege(&self, installer: &Installer, install: &str) -> Result<&'static str> {
        let name = self.name;
        match (installer.as_root, rustix::process::geteuid().is_root()) {
            (true, true) | (false, false) => Ok(""),
            (false, true) => bail!(
                "{name} is missing, and {} refuses to run as root; run as a normal user: {install}",
                installer.program
            ),
            (true, false) if find("sudo").is_none() => bail!(
                "{name} is missing, and its installation needs root, but sudo was not found; run as \
                 root: {install}"
            ),
            // Without a terminal, sudo cannot ask for a password.
            (true, false) if !std::io::stdin().is_terminal() => Ok("sudo -n "),
            (true, false) => Ok("sudo "),
        }
    }
}

/// Prints a command and runs it. Its output goes to stderr: stdout is for data.
fn execute(line: &str) -> Result<()> {
    eprintln!("xtask: $ {line}");
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().expect("a program"));
    let status = command
        .args(words)
        .stdout(std::io::stderr())
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    ensure!(status.success(), "`{line}` failed ({status})");
    Ok(())
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/sbin", "/sbin", "/usr/bin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(system)
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}
