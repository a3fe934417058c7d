//! Finds the installed PostgreSQL servers and selects one for a cluster.
//!
//! An installation is usable if `initdb`, `pg_ctl` and `postgres` are in one directory and the user
//! that will run the server can execute them. Symbolic links are resolved first: `/usr/local/bin`
//! and Homebrew's `bin` only link to the real directory, and PostgreSQL locates its shared files
//! relative to that one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::os_user::OsUser;
use crate::version::{self, OLDEST_MAJOR};

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

/// Returns all installed servers that this process can use, newest first, including those older
/// than [`OLDEST_MAJOR`]. Searches `PATH` and the usual directories of Linux distributions and
/// macOS.
pub fn find_binaries() -> Vec<Binaries> {
    OsUser::for_new_cluster().map(installed).unwrap_or_default()
}

/// Selects the installation of the major version of an existing cluster, or the newest one for a
/// new cluster (`major` is `None`).
pub(crate) fn select(
    os_user: OsUser,
    cluster: &Path,
    major: Option<u32>,
) -> Result<Binaries, Error> {
    select_from(installed(os_user), cluster, major)
}

fn select_from(
    installed: Vec<Binaries>,
    cluster: &Path,
    major: Option<u32>,
) -> Result<Binaries, Error> {
    let Some(newest) = installed.first() else { return Err(Error::NoBinaries) };
    let Some(needed) = major else {
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

fn installed(os_user: OsUser) -> Vec<Binaries> {
    let mut by_dir = BTreeMap::new();
    for dir in candidates() {
        let Ok(real) = fs::canonicalize(dir.join("postgres")) else { continue };
        let Some(dir) = real.parent() else { continue };
        if by_dir.contains_key(dir) || !is_complete(dir) {
            continue;
        }
        if let Some(major) = major_version(os_user, dir) {
            by_dir.insert(dir.to_owned(), major);
        }
    }
    let mut found: Vec<_> =
        by_dir.into_iter().map(|(dir, major)| Binaries { dir, major }).collect();
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

fn is_complete(dir: &Path) -> bool {
    ["initdb", "pg_ctl"].iter().all(|program| dir.join(program).is_file())
}

fn candidates() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    // (parent, prefix of the directory's name, subdirectory)
    let patterns = [
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
    for (parent, prefix, subdirectory) in patterns {
        let Ok(entries) = fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                dirs.push(entry.path().join(subdirectory));
            }
        }
    }
    dirs
}

/// Runs `postgres --version` as the user that will run the server, which also tests that this user
/// can execute the program.
fn major_version(os_user: OsUser, dir: &Path) -> Option<u32> {
    let output = os_user.command(&dir.join("postgres")).arg("--version").output().ok()?;
    version::parse_major(&String::from_utf8_lossy(&output.stdout))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installations(majors: &[u32]) -> Vec<Binaries> {
        majors.iter().map(|&major| Binaries { dir: format!("/pg/{major}").into(), major }).collect()
    }

    #[test]
    fn a_new_cluster_uses_the_newest_version() {
        let selected = select_from(installations(&[17, 15]), Path::new("/d"), None).unwrap();
        assert_eq!(selected.major, 17);
    }

    #[test]
    fn an_existing_cluster_uses_its_own_version() {
        let selected = select_from(installations(&[17, 15]), Path::new("/d"), Some(15)).unwrap();
        assert_eq!(selected.major, 15);
    }

    #[test]
    fn the_error_for_a_missing_version_names_the_version_and_the_remedies() {
        let error = select_from(installations(&[17, 15]), Path::new("/d"), Some(16)).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("created by PostgreSQL 16"), "{error}");
        assert!(error.contains("found: 17, 15"), "{error}");
        assert!(error.contains("install PostgreSQL 16"), "{error}");
        assert!(error.contains("pg_upgrade") && error.contains("pg_dump"), "{error}");
    }

    #[test]
    fn the_error_without_any_installation_names_every_remedy() {
        let error = select_from(vec![], Path::new("/d"), None).unwrap_err().to_string();
        for remedy in ["DATABASE_URL", "install PostgreSQL", "docker run"] {
            assert!(error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn an_unsupported_version_is_rejected_for_a_new_cluster() {
        let error = select_from(installations(&[13]), Path::new("/d"), None).unwrap_err();
        assert!(matches!(error, Error::TooOld { found: 13 }));
    }
}
