//! Where the parts of a private server lie.
//!
//! ```text
//! <data dir>/start.lock    held while the server is started or stopped
//!            users.lock    held shared by every process that uses the server
//!            origin        the machine or container that started it
//!            server.log    and server.log.old
//!            cluster/      PostgreSQL's own directory
//! ```
//!
//! Root's data directory may lie where the server's user cannot go (`/root` is closed). Then
//! `cluster` is a link to `/var/lib/stripe-sync/<hash>/cluster`; everything else stays.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::account::{Account, is_root};
use crate::error::{At, Error};
use crate::runtime_dir;

/// For clusters of root that cannot lie in the data directory.
const SHARED_PLACE: &str = "/var/lib/stripe-sync";

/// The places of one private server, and the user that runs it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// The data directory, canonical.
    pub(crate) dir: PathBuf,
    /// PostgreSQL's directory, without links.
    pub(crate) cluster: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) account: Account,
}

impl Home {
    /// Finds or creates the places for `data_dir`; does not create the cluster.
    pub(crate) fn open(data_dir: &Path) -> Result<Home, Error> {
        create_all(data_dir)?;
        let dir = fs::canonicalize(data_dir).at("read", data_dir)?;
        if dir.join("PG_VERSION").exists() {
            let problem = "is the directory of another PostgreSQL server";
            return Err(Error::NotOurs { path: dir, problem });
        }
        let inside = dir.join("cluster");
        let (cluster, account) = if inside.is_symlink() || inside.exists() {
            let cluster = fs::canonicalize(&inside).at("follow", &inside)?;
            if !cluster.join("PG_VERSION").exists() {
                let problem = "is not a PostgreSQL cluster";
                return Err(Error::NotOurs { path: inside, problem });
            }
            let account = Account::owner_of(&cluster)?;
            (cluster, account)
        } else {
            let account = Account::for_new_cluster()?;
            if account.can_enter(&dir) { (inside, account) } else { (elsewhere(&dir)?, account) }
        };
        let socket_dir = runtime_dir::for_cluster(&cluster)?;
        Ok(Home { dir, cluster, socket_dir, account })
    }

    /// The folder of the cluster, in which a new one is prepared.
    pub(crate) fn workshop(&self) -> &Path {
        self.cluster.parent().expect("a cluster lies in a folder")
    }

    pub(crate) fn start_lock(&self) -> PathBuf {
        self.dir.join("start.lock")
    }

    pub(crate) fn users_lock(&self) -> PathBuf {
        self.dir.join("users.lock")
    }

    pub(crate) fn origin(&self) -> PathBuf {
        self.dir.join("origin")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }
}

/// The place for root's cluster outside of a closed directory.
fn elsewhere(dir: &Path) -> Result<PathBuf, Error> {
    let place = Path::new(SHARED_PLACE).join(runtime_dir::hash(dir));
    create_all(&place)?;
    Ok(place.join("cluster"))
}

/// Creates what is missing of `path`. The server's user must be able to pass root's folders, so
/// those get 0755 whatever the umask says; another user's are 0700, as XDG asks.
fn create_all(path: &Path) -> Result<(), Error> {
    let mode = if is_root() { 0o755 } else { 0o700 };
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
        .collect();
    for folder in missing.into_iter().rev() {
        match DirBuilder::new().mode(mode).create(folder) {
            Ok(()) => {
                fs::set_permissions(folder, Permissions::from_mode(mode)).at("open", folder)?;
            }
            // Another process that starts at the same moment.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).at("create the data directory", folder),
        }
    }
    Ok(())
}
