//! The log file of the server. Each start begins a new file and keeps the previous one.
//!
//! The server logs only its own operation, never statements or values (`settings.rs`), so a file
//! stays small while the server runs.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{At, Error};
use crate::files;

const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 15;

/// Renames the previous log and opens a new one. The file is opened for appending because the
/// server's processes and `pg_ctl` write to it concurrently.
pub(crate) fn rotate(path: &Path) -> Result<File, Error> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.old")).at("rename", path)?;
    }
    files::open(path, OpenOptions::new().append(true).create(true))
}

/// Returns the last lines for an error message. If the log cannot be read, the returned text says
/// why.
pub(crate) fn tail(path: &Path) -> String {
    read_tail(path).unwrap_or_else(|error| format!("  (the log cannot be read: {error})"))
}

fn read_tail(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(last_lines(&bytes))
}

/// Returns the last lines of a program's output, indented.
pub(crate) fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let first = lines.len().saturating_sub(TAIL_LINES);
    lines[first..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotation_keeps_at_most_two_files() {
        use std::io::Write;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("server.log");
        for round in 0..3 {
            writeln!(rotate(&path).unwrap(), "round {round}").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "round 2\n");
        let previous = directory.path().join("server.log.old");
        assert_eq!(fs::read_to_string(previous).unwrap(), "round 1\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn last_lines_returns_the_end_of_the_output() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let tail = last_lines(text.as_bytes());
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("line 99"));
    }
}
