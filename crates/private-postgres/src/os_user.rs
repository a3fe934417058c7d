//! The operating-system user that runs the server.
//!
//! PostgreSQL refuses to run as root. When this process runs as root, a new cluster is run by the
//! user `postgres`, or by `nobody` if there is no such user. An existing cluster is always run by
//! its owner. The standard library drops the supplementary groups when root changes the user of a
//! child process.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{getegid, geteuid};

use crate::error::{At, Error};

/// The environment variables that PostgreSQL's programs inherit. The server outlives this process
/// and others can read its environment, so it must not inherit a Stripe key. `PG*` variables would
/// change the server's settings.
const INHERITED_VARIABLES: [&str; 4] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// A user and its primary group, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OsUser {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl OsUser {
    pub(crate) fn current() -> OsUser {
        OsUser { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    /// The user that will run a cluster that does not exist yet.
    pub(crate) fn for_new_cluster() -> Result<OsUser, Error> {
        if !is_root() {
            return Ok(OsUser::current());
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find_in_passwd(&passwd, name))
            .ok_or(Error::NoOsUser)
    }

    /// The user that runs an existing cluster: its owner, because PostgreSQL accepts no other user.
    pub(crate) fn owner_of(cluster: &Path) -> Result<OsUser, Error> {
        let metadata = fs::metadata(cluster).at("read", cluster)?;
        let owner = OsUser { uid: metadata.uid(), gid: metadata.gid() };
        let refuse = |problem| Err(Error::Access { path: cluster.to_owned(), problem });
        if owner.uid == 0 {
            return refuse(
                "is owned by root, and PostgreSQL refuses to run as root; change the owner with \
                 `chown -R postgres`"
                    .to_owned(),
            );
        }
        if !is_root() && owner.uid != OsUser::current().uid {
            return refuse(format!(
                "is owned by the user with uid {}; run as that user or choose another data directory",
                owner.uid
            ));
        }
        Ok(owner)
    }

    /// Whether this is a user other than the one that runs this process.
    fn is_other(self) -> bool {
        self.uid != OsUser::current().uid
    }

    /// Returns a command that runs as this user in `/`, with an empty standard input and only the
    /// [`INHERITED_VARIABLES`].
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir("/").env_clear().env("LC_ALL", "C");
        for name in INHERITED_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if self.is_other() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user can enter `directory`. Tests it with a child process, because mode bits do
    /// not show access control lists and security modules.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", ":"]).current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }

    /// Makes this user the owner of `path`, which this process has created.
    pub(crate) fn take_ownership(self, path: &Path) -> Result<(), Error> {
        if !self.is_other() {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).at("change the owner of", path)
    }
}

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

fn find_in_passwd(passwd: &str, name: &str) -> Option<OsUser> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.first() != Some(&name) {
            return None;
        }
        let uid = parse_id(fields.get(2)?)?;
        let gid = parse_id(fields.get(3)?)?;
        (uid != 0).then_some(OsUser { uid, gid })
    })
}

/// Reads a user or group id. macOS gives `nobody` the id -2, which the kernel treats as unsigned.
fn parse_id(field: &str) -> Option<u32> {
    field.parse::<u32>().ok().or_else(|| field.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_in_passwd_by_name() {
        let passwd = "# comment\nroot:x:0:0::/root:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n\
                      nobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false\n";
        assert_eq!(find_in_passwd(passwd, "postgres"), Some(OsUser { uid: 101, gid: 104 }));
        let nobody = u32::MAX - 1;
        assert_eq!(find_in_passwd(passwd, "nobody"), Some(OsUser { uid: nobody, gid: nobody }));
        assert_eq!(find_in_passwd(passwd, "alice"), None);
        assert_eq!(find_in_passwd(passwd, "root"), None);
    }

    #[test]
    fn child_processes_do_not_inherit_our_environment() {
        let os_user = OsUser::for_new_cluster().unwrap();
        let output = os_user.command(Path::new("/usr/bin/env")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("LC_ALL=C"), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }
}
