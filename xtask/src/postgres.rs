//! Makes sure that the programs of a PostgreSQL server are on this machine.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use private_postgres::{OLDEST_MAJOR, find_binaries};

/// How a system installs the server. The first whose program exists is taken.
struct Installer {
    program: &'static str,
    /// What to type, one after the other.
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
            "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql",
        ],
    ),
    as_root("dnf", &["dnf install -y postgresql-server"]),
    as_root("yum", &["yum install -y postgresql-server"]),
    as_root("apk", &["apk add --no-cache postgresql"]),
    as_root("pacman", &["pacman -Sy --noconfirm --needed postgresql"]),
    as_root("zypper", &["zypper --non-interactive install postgresql-server"]),
    Installer { program: "brew", lines: &["brew install postgresql@17"], as_root: false },
];

/// Installs the server unless a usable one is there.
///
/// # Errors
/// If it cannot be installed; the message says what to type.
pub(crate) fn ensure() -> Result<()> {
    if let Some(newest) = newest() {
        eprintln!("xtask: using PostgreSQL {newest}");
        return Ok(());
    }
    let Some(installer) = INSTALLERS.iter().find(|installer| find(installer.program).is_some())
    else {
        bail!(
            "no PostgreSQL server (version {OLDEST_MAJOR} or newer) and no known package manager \
             on this machine; install PostgreSQL so that `initdb`, `pg_ctl` and `postgres` are in \
             PATH, then try again"
        );
    };
    let prefix = privilege(installer)?;
    eprintln!("xtask: no PostgreSQL server found; installing the system's package:");
    let (install, before) = installer.lines.split_last().expect("a line that installs");
    for line in before {
        // A broken third-party repository fails the update, but need not fail the install.
        if let Err(error) = execute(&format!("{prefix}{line}")) {
            eprintln!("xtask: {error:#}; going on without");
        }
    }
    execute(&format!("{prefix}{install}"))
        .with_context(|| "PostgreSQL's server is missing; install it by hand and try again")?;
    let newest = newest().with_context(|| {
        format!(
            "the package that `{}` installed is no PostgreSQL {OLDEST_MAJOR} or newer; see \
             https://www.postgresql.org/download/ for newer packages",
            installer.program
        )
    })?;
    eprintln!("xtask: using PostgreSQL {newest}");
    Ok(())
}

fn newest() -> Option<u32> {
    find_binaries().first().map(|newest| newest.major).filter(|&major| major >= OLDEST_MAJOR)
}

/// What has to stand before the lines.
fn privilege(installer: &Installer) -> Result<&'static str> {
    let by_hand = installer.lines.join(" && ");
    match (installer.as_root, rustix::process::geteuid().is_root()) {
        (true, true) | (false, false) => Ok(""),
        (false, true) => bail!(
            "no PostgreSQL server found, and {} refuses to run as root; type as your own user: \
             {by_hand}",
            installer.program
        ),
        (true, false) if find("sudo").is_none() => bail!(
            "no PostgreSQL server found; installing it needs root, and there is no sudo; type as \
             root: {by_hand}"
        ),
        // Without a terminal nobody can type a password.
        (true, false) if !std::io::stdin().is_terminal() => Ok("sudo -n "),
        (true, false) => Ok("sudo "),
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
