//! Opens the files that this crate writes.
//!
//! When this process runs as root, it writes into directories of other users. Symbolic links are
//! therefore not followed, because they could point to any file. A file gets the owner of its
//! directory, because that user could not use a file owned by root.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use crate::error::{At, Error};
use crate::os_user::is_root;

/// Opens `path` with `options`. A new file is accessible to its owner only.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    match options.mode(0o600).custom_flags(no_link).open(path) {
        Ok(file) => set_directory_owner(&file, path).at("change the owner of", path).map(|()| file),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Error::Access {
            path: path.to_owned(),
            problem: "is not writable; run as the user that owns it or choose another data \
                      directory"
                .to_owned(),
        }),
        Err(error) => Err(error).at("open", path),
    }
}

/// Replaces the content of `path`.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), Error> {
    let mut file = open(path, OpenOptions::new().write(true).create(true).truncate(true))?;
    file.write_all(content.as_bytes()).at("write", path)
}

/// Makes the owner of the file's directory the owner of the file. Only root can do that.
fn set_directory_owner(file: &File, path: &Path) -> io::Result<()> {
    let Some(directory) = path.parent() else { return Ok(()) };
    let directory = fs::metadata(directory)?;
    if is_root() && file.metadata()?.uid() != directory.uid() {
        fchown(file, Some(directory.uid()), Some(directory.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn symbolic_links_are_not_followed() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::write(&target, "original").unwrap();
        let link = directory.path().join("private.conf");
        symlink(&target, &link).unwrap();
        assert!(write(&link, "overwritten").is_err());
        assert_eq!(fs::read_to_string(&target).unwrap(), "original");
    }
}
