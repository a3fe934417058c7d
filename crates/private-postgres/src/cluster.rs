//! Creates a new cluster atomically.
//!
//! The cluster is prepared in a directory beside its final path and then renamed. A crash therefore
//! never leaves an incomplete cluster at that path, and the next start removes the unfinished
//! directory.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::binaries::Binaries;
use crate::data_dir::DataDir;
use crate::error::{At, Error};
use crate::{files, log, settings};

/// The superuser of every private server. It has no password: only the user that runs the server
/// and root can reach the socket.
pub(crate) const USER: &str = "postgres";
/// The database that every new cluster contains.
pub(crate) const DATABASE: &str = "stripe";

/// Prefix of the directories in which clusters are prepared.
const UNFINISHED_PREFIX: &str = "unfinished-";

/// Returns the major version of PostgreSQL that created the cluster, or `None` if there is no
/// cluster.
pub(crate) fn major_version(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).at("read", &path)?;
    let Ok(major) = text.trim().parse() else {
        // Before version 10, a major version had two numbers, as in 9.6.
        let problem = match text.trim().parse::<f32>() {
            Ok(_) => "is a cluster of a PostgreSQL version older than 10",
            Err(_) => "is a damaged cluster: its file PG_VERSION contains no version number",
        };
        return Err(Error::UnusableDirectory { path: cluster.to_owned(), problem });
    };
    Ok(Some(major))
}

/// Creates the cluster of `data_dir` unless it exists. The caller must hold the start lock.
pub(crate) fn ensure_exists(
    data_dir: &DataDir,
    binaries: &Binaries,
    durable: bool,
) -> Result<(), Error> {
    if major_version(&data_dir.cluster)?.is_none() {
        remove_unfinished(data_dir.staging_dir());
        create(data_dir, binaries, durable)?;
    }
    // A link makes a cluster outside the data directory known to later starts.
    let link = data_dir.path.join("cluster");
    if !link.exists() {
        tracing::warn!(
            cluster = %data_dir.cluster.display(),
            "the user that runs PostgreSQL cannot enter the data directory; the cluster is stored \
             outside it"
        );
        symlink(&data_dir.cluster, &link).at("link", &link)?;
        sync(&data_dir.path)?;
    }
    Ok(())
}

fn create(data_dir: &DataDir, binaries: &Binaries, durable: bool) -> Result<(), Error> {
    tracing::info!(cluster = %data_dir.cluster.display(), major = binaries.major, "creating a cluster");
    let name = format!("{UNFINISHED_PREFIX}{}", std::process::id());
    let unfinished = data_dir.staging_dir().join(&name);
    DirBuilder::new().mode(0o700).create(&unfinished).at("create", &unfinished)?;
    data_dir.os_user.take_ownership(&unfinished)?;

    let initialized = initialize(data_dir, binaries, durable, &unfinished);
    if initialized.is_err() {
        remove_unfinished(data_dir.staging_dir());
        return initialized;
    }
    fs::rename(&unfinished, &data_dir.cluster).at("rename", &unfinished)?;
    if durable {
        sync(data_dir.staging_dir())?;
    }
    Ok(())
}

/// Runs `initdb` in `directory`, creates the database and includes the settings of this crate.
fn initialize(
    data_dir: &DataDir,
    binaries: &Binaries,
    durable: bool,
    directory: &Path,
) -> Result<(), Error> {
    // The path is `.` because PostgreSQL's programs pass paths to a shell in plain double quotes.
    let mut initdb = data_dir.os_user.command(&binaries.program("initdb"));
    initdb.current_dir(directory).args(["-D", ".", "-E", "UTF8", "--locale=C", "--data-checksums"]);
    initdb.args(["--username", USER, "--auth-local=trust", "--auth-host=reject"]);
    if !durable {
        initdb.arg("--no-sync");
    }
    run(initdb, "initdb", "")?;

    let mut single = data_dir.os_user.command(&binaries.program("postgres"));
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

/// Runs a program to completion. If it fails, the error contains the end of its output.
fn run(mut command: Command, program: &'static str, input: &str) -> Result<(), Error> {
    let path = command.get_program().to_owned();
    let path = Path::new(&path);
    // An error names the parent of the unfinished directory, because the user does not know the
    // unfinished directory itself.
    let parent = command.get_current_dir().and_then(Path::parent).unwrap_or(path).to_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().at("run", path)?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    // A program that exits early closes its standard input. Its exit status says more than the
    // error of the broken pipe, so it is checked first.
    let written = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().at("run", path)?;
    if output.status.success() && written.is_ok() {
        return Ok(());
    }
    let output = log::last_lines(&[output.stdout, output.stderr].concat());
    match output.contains("No space left on device") {
        true => Err(Error::NoSpace { program, path: parent }),
        false => Err(Error::Program { program, output }),
    }
}

/// Removes the directories of crashed attempts. An `initdb` that outlived its killed parent may
/// still be writing, so a directory that cannot be removed is left to the next start.
fn remove_unfinished(staging_dir: &Path) {
    let Ok(entries) = fs::read_dir(staging_dir) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED_PREFIX)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            tracing::debug!(
                path = %entry.path().display(), %error,
                "cannot remove an unfinished cluster; the next start tries again"
            );
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
    fn a_full_disk_is_reported_in_one_line() {
        let fail_with = |output: &str| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", "echo \"$0\"; exit 1", output]).current_dir("/tmp");
            run(shell, "initdb", "").map_err(|error| error.to_string())
        };
        let full = "could not extend file \"base/1/2691\": No space left on device";
        let expected = "initdb failed: no space left on the device of /; free about 100 MB there, \
                        or choose another data directory";
        assert_eq!(fail_with(full), Err(expected.to_owned()));
        assert_eq!(fail_with("no"), Err("initdb failed; check its output:\n  no".to_owned()));
    }
}
