//! The directory for sockets, `/tmp/stripe-sync-<uid>`, with one private subdirectory per cluster.
//!
//! The path of a socket is limited to 107 bytes, which is too short for a data directory deep in a
//! home directory. `$XDG_RUNTIME_DIR` is not used: it is removed at logout while the server keeps
//! running, and it is not set in cron jobs and containers. All users can create files in `/tmp`,
//! so the owner and the mode are checked and symbolic links are rejected.

use std::fs::{self, DirBuilder, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::error::{At, Error};
use crate::os_user::{OsUser, is_root};

/// Returns the runtime directory of the user that runs this process, and creates it if needed. It
/// is owned by that user, so that root never works in a directory that another user could modify.
pub(crate) fn of_current_user() -> Result<PathBuf, Error> {
    let uid = geteuid().as_raw();
    let path = PathBuf::from(format!("/tmp/stripe-sync-{uid}"));
    // The server's user must be able to enter the directory of root.
    let mode = if is_root() { 0o711 } else { 0o700 };
    create(&path, mode)?;
    check(&path, uid, mode)?;
    Ok(path)
}

/// Returns the directory for the socket of `cluster`. It is created by [`ensure_private`] when the
/// server starts.
pub(crate) fn for_cluster(cluster: &Path) -> Result<PathBuf, Error> {
    Ok(of_current_user()?.join(hash(cluster)))
}

/// Creates the directory `path`, which only `os_user` and root can enter. If it exists, checks that
/// it has this owner and mode.
pub(crate) fn ensure_private(path: &Path, os_user: OsUser) -> Result<(), Error> {
    if create(path, 0o700)? {
        os_user.take_ownership(path)?;
    }
    check(path, os_user.uid, 0o700)
}

/// Creates the directory and returns true, or returns false if it exists.
fn create(path: &Path, mode: u32) -> Result<bool, Error> {
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => {
            // Sets the mode regardless of the umask.
            fs::set_permissions(path, Permissions::from_mode(mode))
                .at("change the mode of", path)?;
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
            "is not a directory that only the user with uid {uid} can write to; remove it and try \
             again"
        ),
    })
}

/// Returns a short name for a path, its FNV-1a hash. The hash must be the same in every version of
/// this program.
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
    fn a_directory_that_is_not_private_is_rejected() {
        let os_user = OsUser::for_new_cluster().unwrap();
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sockets");
        ensure_private(&path, os_user).unwrap();
        ensure_private(&path, os_user).unwrap();

        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(ensure_private(&path, os_user).is_err(), "other users can enter");

        let link = directory.path().join("link");
        symlink("/tmp", &link).unwrap();
        assert!(ensure_private(&link, os_user).is_err(), "a symbolic link");

        let other_user = OsUser { uid: os_user.uid + 1, gid: os_user.gid };
        assert!(ensure_private(&path, other_user).is_err(), "another owner");
    }

    #[test]
    fn the_path_of_a_socket_is_short_for_every_data_directory() {
        let os_user = OsUser { uid: u32::MAX, gid: 0 };
        let deep = PathBuf::from("/very".repeat(100));
        let socket = format!("/tmp/stripe-sync-{}/{}/.s.PGSQL.5432", os_user.uid, hash(&deep));
        assert!(socket.len() < 104, "{socket}");
    }
}
