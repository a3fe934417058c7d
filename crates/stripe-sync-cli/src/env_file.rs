//! `--env-file`: variables from a file of `KEY=value` lines.
//!
//! Values are taken as they are. Quotes around a whole value are removed, but nothing is expanded or
//! unescaped: with crates such as dotenvy, a password that contains `$` would change without an error. No
//! message contains a part of a line, because every line can contain a secret.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use crate::failure::Failure;
use crate::number;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;
const HINT: &str = "each line of the file must have the form KEY=value; lines that begin with # are \
                    comments";

/// Reads the variables of a file. A later line takes precedence over an earlier one.
///
/// # Errors
/// The file cannot be read, or a line has another form.
pub(crate) fn read(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let name = path.display();
    let failure = |what: String| Failure::usage(what).in_setting("--env-file");
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| failure(format!("cannot read {name}")).caused_by(&error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let max = number::quantity(MAX_BYTES as i64, "byte");
        return Err(failure(format!("{name} is larger than {max}")).with_hint(HINT));
    }
    let text = String::from_utf8(bytes).map_err(|_| failure(format!("{name} is not UTF-8")))?;
    let mut values = BTreeMap::new();
    for (i, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        match parse(line) {
            Ok(None) => {}
            Ok(Some((key, value))) => drop(values.insert(key.to_owned(), value.to_owned())),
            Err(problem) => {
                return Err(failure(format!("line {} of {name} {problem}", i + 1)).with_hint(HINT));
            }
        }
    }
    Ok(values)
}

/// The variable of a line, or `None` if the line is empty or a comment. The error says what is wrong.
fn parse(line: &str) -> Result<Option<(&str, &str)>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let Some((key, value)) = line.split_once('=') else { return Err("has no =") };
    let key = key.strip_prefix("export ").unwrap_or(key).trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if key.is_empty() || !key.chars().all(is_name) {
        return Err("does not begin with the name of a variable and =");
    }
    let value = value.trim();
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Ok(Some((key, value)));
    };
    match value[1..].split_once(quote) {
        None => Err("has a quote without an end"),
        Some((inner, "")) => Ok(Some((key, inner))),
        Some(_) => Err("has text after its closing quote"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_taken_as_they_are() {
        for (line, expected) in [
            ("SCHEMA=billing", Some(("SCHEMA", "billing"))),
            ("  export SCHEMA = billing  ", Some(("SCHEMA", "billing"))),
            (
                "URL=postgres://u:p$HOME#x\\n@h/d?a=b",
                Some(("URL", "postgres://u:p$HOME#x\\n@h/d?a=b")),
            ),
            ("A='x y#\"$Z'", Some(("A", "x y#\"$Z"))),
            ("A=\" x\\n \"", Some(("A", " x\\n "))),
            ("A=", Some(("A", ""))),
            ("A=\"\"", Some(("A", ""))),
            ("A=x'y", Some(("A", "x'y"))),
            ("", None),
            ("  # A=b", None),
        ] {
            assert_eq!(parse(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn other_lines_are_rejected() {
        for line in ["sk_live_1", "A B=c", "=x", "-A=b", "A='b", "A=\"b\" c", "A='", "A='b'c'"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
