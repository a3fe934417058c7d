//! Which machine or container started the server.
//!
//! Two containers that share a data directory do not see each other's processes. Each would treat
//! the other's server as dead and start a second one on the same files. File locks work across
//! containers: if another process holds the users' lock and the server was started from another
//! origin, this process must not start one.

use std::fs;
use std::io::ErrorKind;

use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::files;
use crate::lock::Lock;

/// Records that the server of `data_dir` was started from this machine or container.
pub(crate) fn record(data_dir: &DataDir) -> Result<(), Error> {
    files::write(&data_dir.origin(), &current())
}

/// Fails if the server of `data_dir` may be running in another container. Call this only when no
/// server process is visible.
pub(crate) fn check_not_used_elsewhere(data_dir: &DataDir, users: &Lock) -> Result<(), Error> {
    let path = data_dir.origin();
    let recorded = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.at("read", &path)?,
    };
    if recorded == current() {
        return Ok(());
    }
    let only_user = users.try_upgrade().at("lock", &data_dir.users_lock())?;
    users.downgrade().at("lock", &data_dir.users_lock())?;
    if only_user { Ok(()) } else { Err(Error::UsedElsewhere { data_dir: data_dir.path.clone() }) }
}

/// Identifies the PID namespace of this process and the boot of the machine. On systems without
/// these (macOS), which have no such containers, the text is always the same.
fn current() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    format!(
        "{} {}",
        namespace.map(|link| link.display().to_string()).unwrap_or_default(),
        boot.unwrap_or_default().trim()
    )
}
