//! Makes a new cluster, whole or not at all.
//!
//! It is prepared beside its place and renamed: a crash leaves nothing that looks like a cluster,
//! and the next start removes what it left.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::binaries::Binaries;
use crate::error::{At, Error};
use crate::home::Home;
use crate::{files, log, settings};

/// The superuser of every private server. No password: only its own user and root reach the socket.
pub(crate) const USER: &str = "postgres";
/// The database that exists from the start.
pub(crate) const DATABASE: &str = "stripe";

const UNFINISHED: &str = "unfinished-";

/// The major version that made the cluster, `None` if there is no cluster.
pub(crate) fn made_by(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).at("read", &path)?;
    let Ok(major) = text.trim().parse() else {
        // Before 10 there were two numbers, as in 9.6.
        let problem = match text.trim().parse::<f32>() {
            Ok(_) => "is the cluster of a PostgreSQL older than 10",
            Err(_) => "is a damaged cluster: its file PG_VERSION names no version",
        };
        return Err(Error::NotOurs { path: cluster.to_owned(), problem });
    };
    Ok(Some(major))
}

/// Makes the cluster of `home` unless it exists. Call it under the start lock.
pub(crate) fn ensure(home: &Home, binaries: &Binaries, durable: bool) -> Result<(), Error> {
    if made_by(&home.cluster)?.is_none() {
        remove_unfinished(home.workshop());
        create(home, binaries, durable)?;
    }
    // A cluster outside of the data directory is found again through a link.
    let link = home.dir.join("cluster");
    if !link.exists() {
        tracing::warn!(
            cluster = %home.cluster.display(),
            "the data directory is closed to the user that runs PostgreSQL; its data lies elsewhere"
        );
        symlink(&home.cluster, &link).at("link", &link)?;
        sync(&home.dir)?;
    }
    Ok(())
}

fn create(home: &Home, binaries: &Binaries, durable: bool) -> Result<(), Error> {
    tracing::info!(cluster = %home.cluster.display(), major = binaries.major, "creating a cluster");
    let name = format!("{UNFINISHED}{}", std::process::id());
    let unfinished = home.workshop().join(&name);
    DirBuilder::new().mode(0o700).create(&unfinished).at("create", &unfinished)?;
    home.account.give(&unfinished)?;

    let filled = fill(home, binaries, durable, &unfinished);
    if filled.is_err() {
        remove_unfinished(home.workshop());
        return filled;
    }
    fs::rename(&unfinished, &home.cluster).at("rename", &unfinished)?;
    if durable {
        sync(home.workshop())?;
    }
    Ok(())
}

fn fill(home: &Home, binaries: &Binaries, durable: bool, directory: &Path) -> Result<(), Error> {
    // `.`, because PostgreSQL's programs pass paths to a shell in double quotes only.
    let mut initdb = home.account.command(&binaries.program("initdb"));
    initdb.current_dir(directory).args(["-D", ".", "-E", "UTF8", "--locale=C", "--data-checksums"]);
    initdb.args(["--username", USER, "--auth-local=trust", "--auth-host=reject"]);
    if !durable {
        initdb.arg("--no-sync");
    }
    run(initdb, "initdb", "")?;

    let mut single = home.account.command(&binaries.program("postgres"));
    single.current_dir(directory).args(["--single", "-D", ".", "-c", "exit_on_error=on"]);
    if !durable {
        single.arg("-F");
    }
    single.arg("postgres");
    run(single, "postgres", &format!("create database {DATABASE}\n"))?;

    let path = directory.join("postgresql.conf");
    let mut file = files::open(&path, OpenOptions::new().append(true))?;
    writeln!(file, "\n{}", settings::INCLUDE).at("write", &path)?;
    file.sync_all().at("write", &path)
}

/// Runs a program to its end; its output goes into the error.
fn run(mut command: Command, program: &'static str, input: &str) -> Result<(), Error> {
    let path = command.get_program().to_owned();
    let path = Path::new(&path);
    // Above the unfinished folder, whose name means nothing to anybody.
    let place = command.get_current_dir().and_then(Path::parent).unwrap_or(path).to_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().at("run", path)?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that dies early closes its input; its exit code tells more than the broken pipe.
    let written = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().at("run", path)?;
    if output.status.success() && written.is_ok() {
        return Ok(());
    }
    let output = log::last_lines(&[output.stdout, output.stderr].concat());
    match output.contains("No space left on device") {
        true => Err(Error::NoSpace { program, path: place }),
        false => Err(Error::Program { program, output }),
    }
}

/// Removes what crashed attempts left. An `initdb` that outlived its killed parent may still
/// write, so a folder that does not go away is left to the next time.
fn remove_unfinished(workshop: &Path) {
    let Ok(entries) = fs::read_dir(workshop) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::debug!(path = %entry.path().display(), %error, "left for the next start");
        }
    }
}

fn sync(directory: &Path) -> Result<(), Error> {
    File::open(directory).and_then(|file| file.sync_all()).at("sync", directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_in_one_line() {
        let fails_with = |words: &str| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "echo \"$0\"; exit 1", words]).current_dir("/tmp");
            run(shell, "initdb", "").map_err(|error| error.to_string())
        };
        let full = "could not extend file \"base/1/2691\": No space left on device";
        let told = "initdb found no space left for /; free about 100 MB there, or choose another data \
                    directory";
        assert_eq!(fails_with(full), Err(told.to_owned()));
        assert_eq!(fails_with("no"), Err("initdb failed; its last words:\n  no".to_owned()));
    }
}
