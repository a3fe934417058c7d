//! The short folder for sockets, `/tmp/stripe-sync-<uid>`, with one private folder per cluster.
//!
//! A socket's path may have 107 bytes, too few for a folder deep in a home. Always `/tmp`, not
//! `$XDG_RUNTIME_DIR`: that one vanishes at log-out under a server that goes on, and is unset in
//! cron and containers. Everybody can create names in `/tmp`, so owner and mode are checked; a
//! link is refused.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::account::{Account, is_root};
use crate::error::{At, Error};

/// This user's folder, created if needed. It is named and owned by whoever we are, so that root
/// never works in a folder that another user could rearrange.
pub(crate) fn ours() -> Result<PathBuf, Error> {
    let uid = geteuid().as_raw();
    let path = PathBuf::from(format!("/tmp/stripe-sync-{uid}"));
    // The server's user must be able to pass through root's.
    let mode = if is_root() { 0o711 } else { 0o700 };
    create(&path, mode)?;
    check(&path, uid, mode)?;
    Ok(path)
}

/// The folder for the socket of `cluster`. [`private`] creates it at the start of the server.
pub(crate) fn for_cluster(cluster: &Path) -> Result<PathBuf, Error> {
    Ok(ours()?.join(hash(cluster)))
}

/// Creates `path` so that only `account` (and root) can enter, or checks that it is exactly that.
pub(crate) fn private(path: &Path, account: Account) -> Result<(), Error> {
    if create(path, 0o700)? {
        account.give(path)?;
    }
    check(path, account.uid, 0o700)
}

/// Whether the folder had to be created.
fn create(path: &Path, mode: u32) -> Result<bool, Error> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            // Whatever the umask says.
            fs::set_permissions(path, Permissions::from_mode(mode)).at("open", path)?;
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).at("create", path),
    }
}

fn check(path: &Path, uid: u32, mode: u32) -> Result<(), Error> {
    let found = fs::symlink_metadata(path).at("read", path)?;
    if found.is_dir() && found.uid() == uid && found.mode() & 0o777 & !mode == 0 {
        return Ok(());
    }
    Err(Error::Access {
        path: path.to_owned(),
        problem: format!(
            "is not a folder that only the user with uid {uid} can write; remove it and try again"
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
    use std::os::unix::fs::symlink;

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
