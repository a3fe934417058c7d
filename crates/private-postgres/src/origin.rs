//! Which machine or container started the server.
//!
//! Two containers that share a data directory do not see each other's processes, so each would
//! take the other's server for dead and start a second one on the same files. File locks do reach
//! across containers: a user there, with a server from another origin, means hands off.

use std::fs;
use std::io::ErrorKind;

use crate::error::{At, Error};
use crate::files;
use crate::home::Home;
use crate::lock::Lock;

/// Notes that the server of `home` was started from here.
pub(crate) fn record(home: &Home) -> Result<(), Error> {
    files::write(&home.origin(), &here())
}

/// Call it when no server of `home` can be seen.
pub(crate) fn refuse_if_used_elsewhere(home: &Home, users: &Lock) -> Result<(), Error> {
    let path = home.origin();
    let recorded = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.at("read", &path)?,
    };
    if recorded == here() {
        return Ok(());
    }
    let alone = users.try_upgrade().at("lock", &home.users_lock())?;
    users.share_again().at("lock", &home.users_lock())?;
    if alone { Ok(()) } else { Err(Error::Elsewhere { data_dir: home.dir.clone() }) }
}

/// The kernel's name for what this process can see of other processes. The same text on systems
/// without it (macOS), which have no such containers.
fn here() -> String {
    let namespace = fs::read_link("/proc/self/ns/pid");
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    format!(
        "{} {}",
        namespace.map(|link| link.display().to_string()).unwrap_or_default(),
        boot.unwrap_or_default().trim()
    )
}
