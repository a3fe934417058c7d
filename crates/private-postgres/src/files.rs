//! Opens the files that this crate writes.
//!
//! Root writes into folders of other users. So links are not followed, which could lead anywhere,
//! and a file belongs to the owner of its folder, who could not use root's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::Path;

use rustix::fs::OFlags;

use crate::account::is_root;
use crate::error::{At, Error};

/// Opens with `options`; what is created is only for its owner.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> Result<File, Error> {
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    match options.mode(0o600).custom_flags(no_link).open(path) {
        Ok(file) => {
            give_to_folder_owner(&file, path).at("change the owner of", path).map(|()| file)
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(Error::Access {
            path: path.to_owned(),
            problem: "is not writable for you; run as the user that owns it or choose another \
                      data directory"
                .to_owned(),
        }),
        Err(error) => Err(error).at("open", path),
    }
}

/// Replaces the content.
pub(crate) fn write(path: &Path, content: &str) -> Result<(), Error> {
    let mut file = open(path, OpenOptions::new().write(true).create(true).truncate(true))?;
    file.write_all(content.as_bytes()).at("write", path)
}

fn give_to_folder_owner(file: &File, path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let folder = fs::metadata(folder)?;
    if is_root() && file.metadata()?.uid() != folder.uid() {
        fchown(file, Some(folder.uid()), Some(folder.gid()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_planted_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").unwrap();
        let link = folder.path().join("private.conf");
        symlink(&victim, &link).unwrap();
        assert!(write(&link, "overwritten").is_err());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    }
}
