//! The short private folder for sockets, `/tmp/stripe-sync-<uid>`.
//!
//! A socket's path may have 107 bytes, too few for a folder deep in a home. Always `/tmp`, not
//! `$XDG_RUNTIME_DIR`: that one vanishes at log-out under a server that goes on, and is unset in
//! cron and containers. Everybody can create names in `/tmp`, so owner and mode are checked; a
//! link is refused.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::{At, Error};

/// The folder of `account`, created if needed, that only this account (and root) can enter.
pub(crate) fn of(account: Account) -> Result<PathBuf, Error> {
    let path = PathBuf::from(format!("/tmp/stripe-sync-{}", account.uid));
    private(&path, account)?;
    Ok(path)
}

/// The folder for the socket of `cluster`, created if needed.
pub(crate) fn for_cluster(cluster: &Path, account: Account) -> Result<PathBuf, Error> {
    let path = of(account)?.join(hash(cluster));
    private(&path, account)?;
    Ok(path)
}

/// Creates `path` with mode 0700 for `account`, or checks that it is exactly that.
pub(crate) fn private(path: &Path, account: Account) -> Result<(), Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => account.give(path)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).at("create", path),
    }
    let found = fs::symlink_metadata(path).at("read", path)?;
    if found.is_dir() && found.uid() == account.uid && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(Error::Access {
        path: path.to_owned(),
        problem: format!(
            "is not a folder that only the user with uid {} can enter; remove it and try again",
            account.uid
        ),
    })
}

/// A short name that stands for a path: FNV-1a, the same in every version of this program.
pub(crate) fn hash(path: &Path) -> String {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in path.as_os_str().as_encoded_bytes() {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{state:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_folder_of_others_is_refused() {
        let account = Account::for_new_cluster().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sockets");
        private(&path, account).unwrap();
        private(&path, account).unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(private(&path, account).is_err(), "others can enter");

        let link = folder.path().join("link");
        symlink("/tmp", &link).unwrap();
        assert!(private(&link, account).is_err(), "a link");

        let stranger = Account { uid: account.uid + 1, gid: account.gid };
        assert!(private(&path, stranger).is_err(), "another owner");
    }

    #[test]
    fn a_socket_fits_whatever_the_path() {
        let account = Account { uid: u32::MAX, gid: 0 };
        let deep = PathBuf::from("/very".repeat(100));
        let socket = format!("/tmp/stripe-sync-{}/{}/.s.PGSQL.5432", account.uid, hash(&deep));
        assert!(socket.len() < 104, "{socket}");
    }
}
