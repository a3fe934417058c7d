//! The server's log file: fresh at each start, the one before kept beside it, so at most two.
//!
//! The server logs its own life only, never statements or values (`settings.rs`), so a file stays
//! small while a server runs.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::error::{At, Error};
use crate::files;

const TAIL_BYTES: u64 = 4096;
const TAIL_LINES: usize = 15;

/// Puts the last log aside and opens an empty one. Appending, because the server's processes and
/// `pg_ctl` write to it side by side.
pub(crate) fn fresh(path: &Path) -> Result<File, Error> {
    if path.exists() {
        fs::rename(path, path.with_extension("log.old")).at("rename", path)?;
    }
    files::open(path, OpenOptions::new().append(true).create(true))
}

/// The last lines, for an error. Unreadable is no further error: it says so in place of the lines.
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

/// The last lines of a program's output, indented.
pub(crate) fn last_lines(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    lines[from..].iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_to_two_files() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        for round in 0..3 {
            writeln!(fresh(&path).unwrap(), "round {round}").unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "round 2\n");
        assert_eq!(fs::read_to_string(folder.path().join("server.log.old")).unwrap(), "round 1\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_tail_is_the_end() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let tail = last_lines(text.as_bytes());
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.ends_with("line 99"));
    }
}
