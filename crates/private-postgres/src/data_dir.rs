//! The data directory of a private server: its layout, and the user that runs the server.
//!
//! ```text
//! <data dir>/start.lock    held exclusively while the server is started or stopped
//!            users.lock    held shared by every process that uses the server
//!            origin        the machine or container that started the server
//!            server.log    the log since the last start; server.log.old is the one before
//!            cluster/      PostgreSQL's own directory
//! ```
//!
//! The data directory of root may be in a directory that the server's user cannot enter, such as
//! `/root`. In this case `cluster` is a link to `/var/lib/stripe-sync/<hash>/cluster`, and the
//! other files stay in the data directory.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{At, Error};
use crate::os_user::{OsUser, is_root};
use crate::{runtime_dir, settings};

/// Where root's clusters are stored if the server's user cannot enter the data directory.
const EXTERNAL_CLUSTERS: &str = "/var/lib/stripe-sync";

const ANOTHER_SERVER: &str = "is the directory of another PostgreSQL server";

/// The paths of one private server, and the user that runs it.
#[derive(Debug, Clone)]
pub(crate) struct DataDir {
    /// The canonical path of the data directory.
    pub(crate) path: PathBuf,
    /// The canonical path of PostgreSQL's own directory.
    pub(crate) cluster: PathBuf,
    pub(crate) socket_dir: PathBuf,
    pub(crate) os_user: OsUser,
}

impl DataDir {
    /// Opens the data directory at `path`, and creates it if it does not exist. Does not create the
    /// cluster.
    pub(crate) fn open(path: &Path) -> Result<DataDir, Error> {
        refuse_clusters(path)?;
        create_all(path)?;
        let path = fs::canonicalize(path).at("read", path)?;
        let inside = path.join("cluster");
        let (cluster, os_user) = if inside.is_symlink() || inside.exists() {
            let cluster = fs::canonicalize(&inside).at("follow", &inside)?;
            if !cluster.join("PG_VERSION").exists() {
                let problem = "is not a PostgreSQL cluster";
                return Err(Error::UnusableDirectory { path: inside, problem });
            }
            if !settings::is_included_in(&cluster) {
                return Err(Error::UnusableDirectory { path: inside, problem: ANOTHER_SERVER });
            }
            let os_user = OsUser::owner_of(&cluster)?;
            (cluster, os_user)
        } else {
            let os_user = OsUser::for_new_cluster()?;
            let cluster = if os_user.can_enter(&path) { inside } else { external_cluster(&path)? };
            (cluster, os_user)
        };
        let socket_dir = runtime_dir::for_cluster(&cluster)?;
        Ok(DataDir { path, cluster, socket_dir, os_user })
    }

    /// The parent directory of the cluster, in which a new cluster is prepared.
    pub(crate) fn staging_dir(&self) -> &Path {
        self.cluster.parent().expect("the path of a cluster has a parent")
    }

    pub(crate) fn start_lock(&self) -> PathBuf {
        self.path.join("start.lock")
    }

    pub(crate) fn users_lock(&self) -> PathBuf {
        self.path.join("users.lock")
    }

    pub(crate) fn origin(&self) -> PathBuf {
        self.path.join("origin")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }
}

/// Rejects a directory that is a cluster or inside one. Nothing is created in it.
fn refuse_clusters(path: &Path) -> Result<(), Error> {
    let Some(existing) = path.ancestors().find(|directory| directory.exists()) else {
        return Ok(());
    };
    let existing = fs::canonicalize(existing).at("read", existing)?;
    match existing.ancestors().any(|directory| directory.join("PG_VERSION").exists()) {
        true => Err(Error::UnusableDirectory { path: path.to_owned(), problem: ANOTHER_SERVER }),
        false => Ok(()),
    }
}

/// The path of root's cluster outside a data directory that the server's user cannot enter.
fn external_cluster(data_dir: &Path) -> Result<PathBuf, Error> {
    let directory = Path::new(EXTERNAL_CLUSTERS).join(runtime_dir::hash(data_dir));
    create_all(&directory)?;
    Ok(directory.join("cluster"))
}

/// Creates the missing directories of `path`. The server's user must be able to enter the
/// directories of root, so these get mode 0755 regardless of the umask. The directories of other
/// users get 0700, as the XDG Base Directory Specification requires.
fn create_all(path: &Path) -> Result<(), Error> {
    let mode = if is_root() { 0o755 } else { 0o700 };
    let missing: Vec<&Path> = path
        .ancestors()
        .take_while(|part| !part.as_os_str().is_empty() && !part.exists())
        .collect();
    for directory in missing.into_iter().rev() {
        match DirBuilder::new().mode(mode).create(directory) {
            Ok(()) => {
                fs::set_permissions(directory, Permissions::from_mode(mode))
                    .at("change the mode of", directory)?;
            }
            // Another process created it at the same time.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).at("create the data directory", directory),
        }
    }
    Ok(())
}
