//! The operating-system user that runs the server.
//!
//! PostgreSQL refuses to run as root. Then its programs run as the user `postgres`, else `nobody`,
//! and an existing cluster is run by its owner. std drops the supplementary groups when root
//! changes the user of a child.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{getegid, geteuid};

use crate::error::{At, Error};

/// What the programs keep of our environment. Nothing else may reach a process that outlives us:
/// an environment can be read, and ours holds the Stripe key. `PG*` would change its settings.
const KEPT_ENVIRONMENT: [&str; 4] =
    ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"];

/// A user by its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    pub(crate) fn current() -> Account {
        Account { uid: geteuid().as_raw(), gid: getegid().as_raw() }
    }

    /// Who runs a cluster that does not exist yet.
    pub(crate) fn for_new_cluster() -> Result<Account, Error> {
        if !is_root() {
            return Ok(Account::current());
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| find_in_passwd(&passwd, name))
            .ok_or(Error::NoAccount)
    }

    /// Who runs an existing cluster: its owner, because PostgreSQL accepts nobody else.
    pub(crate) fn owner_of(cluster: &Path) -> Result<Account, Error> {
        let metadata = fs::metadata(cluster).at("read", cluster)?;
        let owner = Account { uid: metadata.uid(), gid: metadata.gid() };
        let refuse = |problem| Err(Error::Access { path: cluster.to_owned(), problem });
        if owner.uid == 0 {
            return refuse(
                "belongs to root, and PostgreSQL refuses to run as root; give it to another user \
                 with `chown -R postgres`"
                    .to_owned(),
            );
        }
        if !is_root() && owner.uid != Account::current().uid {
            return refuse(format!(
                "belongs to the user with uid {}; run as that user or choose another data directory",
                owner.uid
            ));
        }
        Ok(owner)
    }

    /// Whether root has to change to this user.
    fn differs_from_us(self) -> bool {
        self.uid != Account::current().uid
    }

    /// A command that runs as this user in `/`, without input and almost without environment.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).current_dir("/").env_clear().env("LC_ALL", "C");
        for name in KEPT_ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if self.differs_from_us() {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Whether this user can change into `directory`. Tried, not computed: mode bits do not show
    /// access lists and security modules.
    pub(crate) fn can_enter(self, directory: &Path) -> bool {
        let mut shell = self.command(Path::new("/bin/sh"));
        shell.args(["-c", ":"]).current_dir(directory).stdout(Stdio::null()).stderr(Stdio::null());
        shell.status().is_ok_and(|status| status.success())
    }

    /// Makes this user the owner of `path`, if it is another one than we are.
    pub(crate) fn give(self, path: &Path) -> Result<(), Error> {
        if !self.differs_from_us() {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).at("change the owner of", path)
    }
}

pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

fn find_in_passwd(passwd: &str, name: &str) -> Option<Account> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        if fields.first() != Some(&name) {
            return None;
        }
        let uid = number(fields.get(2)?)?;
        let gid = number(fields.get(3)?)?;
        (uid != 0).then_some(Account { uid, gid })
    })
}

/// macOS writes `nobody` as -2, which the kernel takes as an unsigned number.
fn number(field: &str) -> Option<u32> {
    field.parse::<u32>().ok().or_else(|| field.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_name() {
        let passwd = "# comment\nroot:x:0:0::/root:/bin/sh\npostgres:x:101:104:,,,:/var:/bin/sh\n\
                      nobody:*:-2:-2:Unprivileged:/var/empty:/usr/bin/false\n";
        assert_eq!(find_in_passwd(passwd, "postgres"), Some(Account { uid: 101, gid: 104 }));
        let nobody = u32::MAX - 1;
        assert_eq!(find_in_passwd(passwd, "nobody"), Some(Account { uid: nobody, gid: nobody }));
        assert_eq!(find_in_passwd(passwd, "alice"), None);
        assert_eq!(find_in_passwd(passwd, "root"), None);
    }

    #[test]
    fn programs_do_not_see_our_environment() {
        let account = Account::for_new_cluster().unwrap();
        let output = account.command(Path::new("/usr/bin/env")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("LC_ALL=C"), "{text}");
        assert!(!text.contains("CARGO"), "{text}");
    }
}
