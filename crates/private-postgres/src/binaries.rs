//! Finds installed PostgreSQL servers and picks the one for a cluster.
//!
//! An installation counts if `initdb`, `pg_ctl` and `postgres` lie side by side and the user that
//! will run the server can execute them. Symlinks are resolved first: `/usr/local/bin` and
//! Homebrew's `bin` only point into the real directory, and PostgreSQL finds its share files from there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::Error;

/// The oldest major version that is supported.
pub const OLDEST_MAJOR: u32 = 14;

/// One installed PostgreSQL server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The directory that holds `initdb`, `pg_ctl` and `postgres`.
    pub dir: PathBuf,
    /// The major version, such as 17.
    pub major: u32,
}

impl Binaries {
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

/// All installed servers that this process can use, newest first, also those older than
/// [`OLDEST_MAJOR`]. Looks in `PATH` and in the usual places of Linux distributions and macOS.
pub fn find_binaries() -> Vec<Binaries> {
    Account::for_new_cluster().map(installed).unwrap_or_default()
}

/// The newest installation for a new cluster, the matching one for a cluster made by `made_by`.
pub(crate) fn choose(
    account: Account,
    cluster: &Path,
    made_by: Option<u32>,
) -> Result<Binaries, Error> {
    pick(installed(account), cluster, made_by)
}

fn pick(installed: Vec<Binaries>, cluster: &Path, made_by: Option<u32>) -> Result<Binaries, Error> {
    let Some(newest) = installed.first() else { return Err(Error::NoBinaries) };
    let Some(needed) = made_by else {
        return if newest.major < OLDEST_MAJOR {
            Err(Error::TooOld { found: newest.major })
        } else {
            Ok(newest.clone())
        };
    };
    let found = installed.iter().map(|b| b.major.to_string()).collect::<Vec<_>>().join(", ");
    installed.into_iter().find(|b| b.major == needed).ok_or_else(|| Error::MissingMajor {
        data_dir: cluster.to_owned(),
        needed,
        found,
    })
}

fn installed(account: Account) -> Vec<Binaries> {
    let mut by_dir = BTreeMap::new();
    for dir in candidates() {
        let Ok(real) = fs::canonicalize(dir.join("postgres")) else { continue };
        let Some(dir) = real.parent() else { continue };
        if by_dir.contains_key(dir) || !complete(dir) {
            continue;
        }
        if let Some(major) = version(account, dir) {
            by_dir.insert(dir.to_owned(), major);
        }
    }
    let mut found: Vec<_> =
        by_dir.into_iter().map(|(dir, major)| Binaries { dir, major }).collect();
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

fn complete(dir: &Path) -> bool {
    ["initdb", "pg_ctl"].iter().all(|program| dir.join(program).is_file())
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // (parent, beginning of the folder's name, the rest below it)
    let families = [
        ("/usr/lib/postgresql", "", "bin"),         // Debian, Ubuntu
        ("/usr", "pgsql-", "bin"),                  // PostgreSQL's own rpm packages
        ("/usr/lib", "postgresql", "bin"),          // openSUSE
        ("/usr/lib64", "postgresql-", "bin"),       // Gentoo
        ("/usr/libexec", "postgresql", ""),         // Alpine
        ("/opt/homebrew/opt", "postgresql", "bin"), // Homebrew, Apple silicon
        ("/usr/local/opt", "postgresql", "bin"),    // Homebrew, Intel
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
        ("/usr/local", "pgsql", "bin"), // built from source
    ];
    for (parent, prefix, below) in families {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                dirs.push(entry.path().join(below));
            }
        }
    }
    dirs
}

/// Asks the program, as the user that will run it: that also shows that this user may.
fn version(account: Account, dir: &Path) -> Option<u32> {
    let output = account.command(&dir.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// `postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)`, `postgres (PostgreSQL) 18beta1`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split("(PostgreSQL) ").nth(1)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { dir: format!("/pg/{major}").into(), major }).collect()
    }

    #[test]
    fn versions_are_read_from_releases_betas_and_packages() {
        let debian = "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)\n";
        assert_eq!(parse_version(debian), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(parse_version("bash: no such file"), None);
    }

    #[test]
    fn a_new_cluster_gets_the_newest() {
        let chosen = pick(some(&[17, 15]), Path::new("/d"), None).unwrap();
        assert_eq!(chosen.major, 17);
    }

    #[test]
    fn an_existing_cluster_gets_its_own_version() {
        let chosen = pick(some(&[17, 15]), Path::new("/d"), Some(15)).unwrap();
        assert_eq!(chosen.major, 15);
    }

    #[test]
    fn a_missing_version_is_named_with_the_ways_on() {
        let error = pick(some(&[17, 15]), Path::new("/d"), Some(16)).unwrap_err().to_string();
        assert!(error.contains("made by PostgreSQL 16"), "{error}");
        assert!(error.contains("found: 17, 15"), "{error}");
        assert!(error.contains("install PostgreSQL 16"), "{error}");
        assert!(error.contains("pg_upgrade") && error.contains("pg_dump"), "{error}");
    }

    #[test]
    fn nothing_installed_names_every_way_on() {
        let error = pick(vec![], Path::new("/d"), None).unwrap_err().to_string();
        for way in ["DATABASE_URL", "install the server", "docker run"] {
            assert!(error.contains(way), "{error}");
        }
    }

    #[test]
    fn an_old_server_is_refused_for_a_new_cluster() {
        let error = pick(some(&[13]), Path::new("/d"), None).unwrap_err();
        assert!(matches!(error, Error::TooOld { found: 13 }));
    }
}
