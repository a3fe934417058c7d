//! The database of a command: the user's own, or the private PostgreSQL of a directory, which is
//! created, started or joined when it is opened.

use std::ffi::OsString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use private_postgres::{Options, Server};
use stripe_sync::DatabaseUrl;
use tokio::runtime::Handle;

use crate::args::Connection;
use crate::environment::Environment;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::{next_command, redaction, ui};

/// The longest path that Linux and macOS accept, minus room for the names below the directory.
const MAX_PATH_BYTES: usize = 900;
const MAX_FILE_NAME_BYTES: usize = 255;
const ANOTHER_DIRECTORY: &str = "choose another --data-dir, or set DATABASE_URL";

/// How long the private server may take to stop when a command has to end. A checkpoint can take minutes.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// Where the rows are stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseTarget {
    /// The user's database.
    Url(String),
    /// The private PostgreSQL of this directory.
    Private(PathBuf),
}

/// A database that accepts connections until it is closed.
pub(crate) struct OpenDatabase {
    url: String,
    server: Option<Server>,
}

impl DatabaseTarget {
    /// Chooses the target from arguments and environment, without accessing it.
    ///
    /// # Errors
    /// A value is invalid.
    pub(crate) fn resolve(args: &Connection, env: &Environment) -> Result<DatabaseTarget, Failure> {
        let url = args.database_url.as_deref();
        if let Some(url) = env.option_or_variable(url, "--database-url", "DATABASE_URL") {
            if args.database_url.is_some() && redaction::has_password(url.text) {
                ui::warning(
                    "--database-url shows its password to everyone who can list processes; \
                     set DATABASE_URL instead",
                );
            }
            if args.data_dir.is_some() {
                ui::warning(&format!("--data-dir is ignored because {} is set", url.name));
            }
            let text = url.text.trim();
            DatabaseUrl::check(text)
                .map_err(|error| Failure::split_hint(Exit::Usage, &error).in_setting(url.name))?;
            for option in DatabaseUrl::ignored_options(text) {
                let instead = if option == "schema" { "; use --schema instead" } else { "" };
                ui::note(&format!(
                    "note: the option {option} in {} is for other programs and is ignored{instead}",
                    url.name
                ));
            }
            return Ok(DatabaseTarget::Url(text.to_owned()));
        }
        if let Some(dir) = &args.data_dir {
            return private(dir, "--data-dir");
        }
        if let Some(dir) = env.get("STRIPE_SYNC_DATA") {
            return private(dir.as_ref(), "STRIPE_SYNC_DATA");
        }
        // The specification says that relative values must be ignored:
        // https://specifications.freedesktop.org/basedir-spec/latest/
        let data_home = env.get("XDG_DATA_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
        let data_home =
            data_home.or_else(|| Some(PathBuf::from(env.get("HOME")?).join(".local/share")));
        match data_home {
            Some(home) => Ok(DatabaseTarget::Private(home.join("stripe-sync"))),
            None => Err(Failure::usage(
                "cannot choose a directory for the private PostgreSQL: HOME is not set",
            )
            .with_hint("set DATABASE_URL or --data-dir")),
        }
    }

    /// Ensures that there is a database to connect to.
    ///
    /// # Errors
    /// The private PostgreSQL cannot be started.
    pub(crate) async fn open(&self) -> Result<OpenDatabase, Failure> {
        let dir = match self {
            DatabaseTarget::Url(url) => {
                return Ok(OpenDatabase { url: url.clone(), server: None });
            }
            DatabaseTarget::Private(dir) => dir,
        };
        let is_new = !has_cluster(dir);
        if is_new && let Some(failure) = check_new_directory(dir) {
            return Err(failure);
        }
        let server = Server::start(Options::new(dir).stop_if_killed()).await?;
        let url = server.connection_url();
        if is_new {
            ui::note(&format!(
                "created a private PostgreSQL {} in {} because DATABASE_URL is not set; while \
                 stripe-sync is running, connect with: psql '{url}'",
                server.major(),
                dir.display(),
            ));
        }
        Ok(OpenDatabase { url, server: Some(server) })
    }

    /// Like [`DatabaseTarget::open`], but creates nothing.
    ///
    /// # Errors
    /// Those of [`DatabaseTarget::open`], or there is no private PostgreSQL yet.
    pub(crate) async fn open_existing(&self) -> Result<OpenDatabase, Failure> {
        match self {
            DatabaseTarget::Private(dir) if !has_cluster(dir) => Err(Failure::new(format!(
                "there is no private PostgreSQL in {} yet",
                dir.display()
            ))
            .with_hint(format!(
                "run `stripe-sync backfill --data-dir {}` first, or set DATABASE_URL",
                next_command::shell_quote(&dir.to_string_lossy())
            ))),
            _ => self.open().await,
        }
    }

    /// Whether there can be no data because the private PostgreSQL has not been created yet.
    pub(crate) fn is_uncreated(&self) -> bool {
        matches!(self, DatabaseTarget::Private(dir) if !has_cluster(dir))
    }
}

impl OpenDatabase {
    /// The URL for the library.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Releases the private server; its last user stops it. A signal ends this wait.
    pub(crate) async fn close(self, interrupts: &Interrupts) {
        let signaled = async {
            interrupts.at_least(1).await;
            tokio::time::sleep(SHUTDOWN_GRACE).await;
        };
        self.close_until(signaled).await;
    }

    /// Like [`OpenDatabase::close`], for a command that has to end soon.
    pub(crate) async fn close_soon(self) {
        self.close_until(tokio::time::sleep(SHUTDOWN_GRACE)).await;
    }

    /// The server continues its shutdown after `limit`.
    async fn close_until(mut self, limit: impl Future<Output = ()>) {
        let Some(server) = self.server.take() else { return };
        tokio::select! {
            stopped = server.stop() => if let Err(error) = stopped {
                // The command's result is still valid, and the next start cleans up.
                ui::warning(&format!("the private PostgreSQL did not stop: {error}"));
            },
            () = limit => {}
        }
    }
}

impl Drop for OpenDatabase {
    /// Releases the server on another thread: it may wait for other processes, and an interrupted command
    /// must not.
    fn drop(&mut self) {
        if let (Some(server), Ok(runtime)) = (self.server.take(), Handle::try_current()) {
            runtime.spawn_blocking(move || drop(server));
        }
    }
}

/// Rejects values that are mistakes in a script and would create directories with unintended names.
fn private(dir: &Path, name: &str) -> Result<DatabaseTarget, Failure> {
    let text = dir.to_string_lossy();
    if text.trim().is_empty() {
        return Err(Failure::usage(format!("{name} is empty")).with_hint("set it to a directory"));
    }
    if text.contains(char::is_control) || text.ends_with(char::is_whitespace) {
        let problem = "contains a line break or another control character, or ends with a space";
        return Err(Failure::usage(format!("{name} {problem}")).with_hint("remove that character"));
    }
    if text == "~" || text.starts_with("~/") {
        return Err(Failure::usage(format!(
            "{name} starts with a ~ that the shell did not expand"
        ))
        .with_hint("write \"$HOME\" instead"));
    }
    Ok(DatabaseTarget::Private(dir.to_owned()))
}

/// Checks whether a new private server can be created in `dir`, without creating anything.
pub(crate) fn check_new_directory(dir: &Path) -> Option<Failure> {
    let reject = |message: String| Some(Failure::usage(message).with_hint(ANOTHER_DIRECTORY));
    if dir.as_os_str().len() > MAX_PATH_BYTES
        || dir.iter().any(|name| name.len() > MAX_FILE_NAME_BYTES)
    {
        return reject("the path of the data directory is longer than the system allows".into());
    }
    let existing = dir.ancestors().find(|path| path.symlink_metadata().is_ok());
    let existing = existing.unwrap_or(Path::new("."));
    match existing.metadata() {
        Ok(metadata) if !metadata.is_dir() => {
            return reject(format!("{} is not a directory", existing.display()));
        }
        Err(error) => {
            let failure = Failure::new(format!("cannot access {}", existing.display()));
            return Some(failure.caused_by(&error).with_hint(ANOTHER_DIRECTORY));
        }
        Ok(_) if existing != dir => return None,
        Ok(_) => {}
    }
    match std::fs::read_dir(dir) {
        Ok(mut entries) => {
            let other =
                entries.find_map(|entry| Some(entry.ok()?.file_name()).filter(is_foreign_file))?;
            reject(format!(
                "cannot create a private PostgreSQL in {}: the directory contains other files ({})",
                dir.display(),
                other.display(),
            ))
        }
        Err(error) => {
            let failure = Failure::new(format!("cannot read the directory {}", dir.display()));
            Some(failure.caused_by(&error).with_hint(ANOTHER_DIRECTORY))
        }
    }
}

/// Whether a file is something other than what an interrupted start leaves behind.
fn is_foreign_file(name: &OsString) -> bool {
    let name = name.to_string_lossy();
    let ours = ["cluster", "start.lock", "users.lock", "server.log", "server.log.old", "origin"];
    !ours.contains(&&*name) && !name.starts_with("unfinished-") && name != "lost+found"
}

fn has_cluster(dir: &Path) -> bool {
    dir.join("cluster").exists()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Args;
    use crate::environment;

    #[test]
    fn the_target_comes_from_the_url_then_the_directory_then_the_data_home() {
        let target = |args: &[&str], pairs: &[(&str, &str)]| {
            let args = match Args::try_parse_from(["stripe-sync", "migrate"].iter().chain(args)) {
                Ok(args) => args.connection,
                Err(error) => panic!("{error}"),
            };
            DatabaseTarget::resolve(&args, &environment::from_pairs(pairs)).expect("a target")
        };
        let home = ("HOME", "/home/u");
        for (args, pairs, expected) in [
            (vec![], vec![home], "/home/u/.local/share/stripe-sync"),
            (vec![], vec![home, ("XDG_DATA_HOME", "/data")], "/data/stripe-sync"),
            (vec![], vec![home, ("XDG_DATA_HOME", "data")], "/home/u/.local/share/stripe-sync"),
            (vec![], vec![home, ("STRIPE_SYNC_DATA", "/here")], "/here"),
            (vec!["--data-dir", "/there"], vec![("STRIPE_SYNC_DATA", "/here")], "/there"),
        ] {
            let expected = DatabaseTarget::Private(expected.into());
            assert!(target(&args, &pairs) == expected, "{args:?} {pairs:?}");
        }
        let url = ("DATABASE_URL", "host=db user=u");
        let expected = DatabaseTarget::Url("host=db user=u".to_owned());
        assert!(target(&["--data-dir", "/there"], &[url]) == expected);
    }
}
