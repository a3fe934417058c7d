//! The database of this command: the user's own, or the private PostgreSQL, started or joined.

use std::path::Path;

use private_postgres::{Options, Server};

use crate::failure::Failure;
use crate::settings::{Database, Place};
use crate::talk;

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

/// What stands in the way of making something in `dir`, found without making it.
pub(crate) fn obstacle(dir: &Path) -> Option<Failure> {
    let nearest = dir.ancestors().find(|place| place.symlink_metadata().is_ok());
    let nearest = nearest.unwrap_or(Path::new("."));
    match nearest.metadata() {
        Ok(metadata) if metadata.is_dir() => None,
        Ok(_) => Some(
            Failure::new(format!("{} is not a directory", nearest.display()))
                .hint("give another --data-dir, or set DATABASE_URL"),
        ),
        Err(error) => {
            Some(Failure::new(format!("cannot look at {}", nearest.display())).because(&error))
        }
    }
}

fn has_cluster(dir: &Path) -> bool {
    dir.join("cluster").exists()
}
