//! Makes sure that the programs which the tests and the demo run are on this machine, with the
//! system's own package manager.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use private_postgres::{OLDEST_MAJOR, find_binaries};

/// A program and the packages that bring it.
pub(crate) struct Program {
    name: &'static str,
    /// What is found of it, for people; `None` if it is missing.
    found: fn() -> Option<String>,
    /// In the order of [`INSTALLERS`].
    packages: [&'static str; INSTALLERS.len()],
    /// What to do where no package helps.
    by_hand: &'static str,
}

/// PostgreSQL's server programs.
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

/// The pooler that a test puts between.
pub(crate) const PGBOUNCER: Program = Program {
    name: "PgBouncer",
    found: || Some(find("pgbouncer")?.display().to_string()),
    packages: ["pgbouncer"; INSTALLERS.len()],
    by_hand: "install PgBouncer so that `pgbouncer` is in PATH (https://www.pgbouncer.org), then \
              try again",
};

/// How a system installs a package. The first whose program exists is taken.
struct Installer {
    program: &'static str,
    /// What to type, one after the other; the package's name follows the last line.
    lines: &'static [&'static str],
    /// Homebrew refuses root, the others need it.
    as_root: bool,
}

const fn as_root(program: &'static str, lines: &'static [&'static str]) -> Installer {
    Installer { program, lines, as_root: true }
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
    Installer { program: "brew", lines: &["brew install"], as_root: false },
];

impl Program {
    /// Installs the program unless a usable one is there.
    ///
    /// # Errors
    /// If it cannot be installed; the message says what to type.
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
            bail!("no {name} and no known package manager on this machine; {}", self.by_hand);
        };
        let (install, before) = installer.lines.split_last().expect("a line that installs");
        let install = format!("{install} {package}");
        let prefix = self.privilege(installer, &install)?;
        eprintln!("xtask: no {name} found; installing the system's package {package}:");
        for line in before {
            // A broken third-party repository fails the update, but need not fail the install.
            if let Err(error) = execute(&format!("{prefix}{line}")) {
                eprintln!("xtask: {error:#}; going on without");
            }
        }
        execute(&format!("{prefix}{install}"))
            .with_context(|| format!("{name} is missing, and so is {package}; {}", self.by_hand))?;
        let found = (self.found)().with_context(|| {
            format!("what {package} brought cannot be used as {name}; {}", self.by_hand)
        })?;
        eprintln!("xtask: using {name} {found}");
        Ok(())
    }

    /// What has to stand before the lines.
    fn privilege(&self, installer: &Installer, install: &str) -> Result<&'static str> {
        let name = self.name;
        match (installer.as_root, rustix::process::geteuid().is_root()) {
            (true, true) | (false, false) => Ok(""),
            (false, true) => bail!(
                "no {name} found, and {} refuses to run as root; type as your own user: {install}",
                installer.program
            ),
            (true, false) if find("sudo").is_none() => bail!(
                "no {name} found; installing it needs root, and there is no sudo; type as root: \
                 {install}"
            ),
            // Without a terminal nobody can type a password.
            (true, false) if !std::io::stdin().is_terminal() => Ok("sudo -n "),
            (true, false) => Ok("sudo "),
        }
    }
}

/// Shows the line and runs it. Its output goes to standard error: ours is data.
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
