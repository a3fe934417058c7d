//! The database of this command: the user's own, or the private PostgreSQL, started or joined.

use std::ffi::OsString;
use std::path::Path;

use private_postgres::{Options, Server};

use crate::failure::Failure;
use crate::settings::{Database, Place};
use crate::talk;

/// Of Linux and macOS, less what lies below the directory.
const LONGEST_PATH: usize = 900;
const LONGEST_FILE_NAME: usize = 255;
const ANOTHER_DIRECTORY: &str = "give another --data-dir, or set DATABASE_URL";

/// A database that can be connected to, until it is closed.
pub(crate) struct OpenPlace {
    url: String,
    server: Option<Server>,
}

impl Database {
    /// Makes sure that there is a database to connect to.
    ///
    /// # Errors
    /// The private PostgreSQL cannot be started.
    pub(crate) async fn open(&self) -> Result<OpenPlace, Failure> {
        let dir = match &self.place {
            Place::Url(url) => return Ok(OpenPlace { url: url.clone(), server: None }),
            Place::Private(dir) => dir,
        };
        let new = !has_cluster(dir);
        if new && let Some(failure) = obstacle(dir) {
            return Err(failure);
        }
        let server = Server::start(Options::new(dir)).await?;
        let url = server.connection_url();
        if new {
            talk::note(&format!(
                "made a private PostgreSQL {} in {}, as DATABASE_URL is not set; while stripe-sync \
                 runs, reach it with: psql '{url}'",
                server.major(),
                dir.display(),
            ));
        }
        Ok(OpenPlace { url, server: Some(server) })
    }

    /// As [`Database::open`], but makes nothing: without a private PostgreSQL there is no data.
    ///
    /// # Errors
    /// Also when there is none yet.
    pub(crate) async fn open_existing(&self) -> Result<OpenPlace, Failure> {
        match &self.place {
            Place::Private(dir) if !has_cluster(dir) => Err(Failure::new(format!(
                "there is no private PostgreSQL in {} yet",
                dir.display()
            ))
            .hint("copy an account first: stripe-sync backfill; or set DATABASE_URL")),
            _ => self.open().await,
        }
    }

    /// Whether nothing can be there, because the private PostgreSQL has never been started.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(&self.place, Place::Private(dir) if !has_cluster(dir))
    }
}

impl OpenPlace {
    /// For the library.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Gives up the use of the private server; the last user stops it.
    pub(crate) async fn close(self) {
        if let Some(server) = self.server
            && let Err(error) = server.stop().await
        {
            // The answer stands; the next start cleans up.
            talk::warning(&format!("the private PostgreSQL did not stop: {error}"));
        }
    }
}

/// What stands in the way of a new private server in `dir`, found without making anything.
pub(crate) fn obstacle(dir: &Path) -> Option<Failure> {
    let refuse = |message: String| Some(Failure::usage(message).hint(ANOTHER_DIRECTORY));
    if dir.as_os_str().len() > LONGEST_PATH || dir.iter().any(|name| name.len() > LONGEST_FILE_NAME)
    {
        return refuse("the name of the data directory is longer than the system allows".into());
    }
    let nearest = dir.ancestors().find(|place| place.symlink_metadata().is_ok());
    let nearest = nearest.unwrap_or(Path::new("."));
    match nearest.metadata() {
        Ok(metadata) if !metadata.is_dir() => {
            return refuse(format!("{} is not a directory", nearest.display()));
        }
        Err(error) => {
            let failure = Failure::new(format!("cannot look at {}", nearest.display()));
            return Some(failure.because(&error).hint(ANOTHER_DIRECTORY));
        }
        Ok(_) if nearest != dir => return None,
        Ok(_) => {}
    }
    match std::fs::read_dir(dir) {
        Ok(mut entries) => {
            let strange =
                entries.find_map(|entry| Some(entry.ok()?.file_name()).filter(is_strange))?;
            refuse(format!(
                "{} has other things in it ({}), so no private PostgreSQL is made there",
                dir.display(),
                strange.display(),
            ))
        }
        Err(error) => {
            let failure = Failure::new(format!("cannot look into {}", dir.display()));
            Some(failure.because(&error).hint(ANOTHER_DIRECTORY))
        }
    }
}

/// Whether a name is none of those that a start which was killed leaves behind.
fn is_strange(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let ours = ["cluster", "start.lock", "users.lock", "server.log", "server.log.old", "origin"];
    !ours.contains(&&*name) && !name.starts_with("unfinished-") && name != "lost+found"
}

fn has_cluster(dir: &Path) -> bool {
    dir.join("cluster").exists()
}
