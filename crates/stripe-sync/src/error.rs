//! The error type above the two edges: what failed, and what to do about it.

use std::fmt;

use crate::postgres::PostgresError;
use crate::stripe::StripeError;

/// Why an operation failed.
///
/// `Display` says what happened in one line; [`Error::hint`] what to do about it. Neither holds a
/// key, a password or a row's value.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    code: &'static str,
    schema_missing: bool,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Where the cause of an error lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is invalid; nothing was changed.
    Usage,
    /// The key, the account or their permissions.
    Access,
    /// Stripe did not respond, or its response cannot be used.
    Stripe,
    /// The database could not be reached, or rejected an operation.
    Database,
    /// A bug in stripe-sync.
    Internal,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let code = match kind {
            ErrorKind::Usage => "usage",
            ErrorKind::Access => "access_denied",
            ErrorKind::Stripe => "stripe_error",
            ErrorKind::Database => "database_error",
            ErrorKind::Internal => "internal_error",
        };
        let message = message.into();
        Error { kind, code, schema_missing: false, message, hint: None, source: None }
    }

    pub(crate) fn usage(error: impl std::error::Error) -> Error {
        Error::new(ErrorKind::Usage, error.to_string())
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Adds to the hint.
    pub(crate) fn and_hint(mut self, hint: &str) -> Error {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}\n{hint}"),
            None => hint.to_owned(),
        });
        self
    }

    /// Replaces the code that follows from the kind.
    pub(crate) fn with_code(mut self, code: &'static str) -> Error {
        self.code = code;
        self
    }

    pub(crate) fn caused_by(
        mut self,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> Error {
        // The message is that of `source` itself, so [`Error::source`] skips it.
        self.source = Some(Box::new(source));
        self
    }

    /// A stable name of the failure for programs, such as `usage`, `stripe_unreachable` or
    /// `database_permission_denied`. `docs/library.md` lists all of them.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// A table or column of the copy is missing: the schema was changed after it had been prepared.
    pub(crate) fn is_schema_missing(&self) -> bool {
        self.schema_missing
    }

    /// Where the cause lies.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The message is that of the boxed error.
        self.source.as_deref().and_then(std::error::Error::source)
    }
}

impl From<PostgresError> for Error {
    fn from(error: PostgresError) -> Error {
        let kind = ErrorKind::Database;
        let hint = error.hint().map(str::to_owned);
        let schema_missing = error.is_schema_missing();
        let code = error.code_name();
        Error { kind, code, schema_missing, message: error.to_string(), hint, source: None }
    }
}

impl From<StripeError> for Error {
    fn from(error: StripeError) -> Error {
        let kind = match error.status {
            Some(401 | 403) => ErrorKind::Access,
            _ => ErrorKind::Stripe,
        };
        let (message, hint) = (error.to_string(), error.hint().map(str::to_owned));
        let code = error.code_name();
        let source = Some(Box::new(error) as Box<dyn std::error::Error + Send + Sync>);
        Error { kind, code, schema_missing: false, message, hint, source }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    const CRATE: &str = env!("CARGO_MANIFEST_DIR");

    fn source_files(directory: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(directory).expect("a directory of the crate");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let files = paths.flat_map(|path| match path.is_dir() {
            true => source_files(&path),
            false => vec![path],
        });
        files.collect()
    }

    /// The string literals of a file's production code that have the form of an error code.
    fn codes_in(text: &str) -> Vec<String> {
        const PREFIXES: [&str; 6] =
            ["access_", "account_", "database_", "internal_", "stripe_", "webhook_"];
        let production = text.split("#[cfg(test)]").next().unwrap_or_default();
        let literals = production.split('"').skip(1).step_by(2);
        let is_word = |s: &&str| s.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let is_code =
            |s: &&str| *s == "usage" || PREFIXES.iter().any(|prefix| s.starts_with(prefix));
        literals.filter(is_word).filter(is_code).map(str::to_owned).collect()
    }

    #[test]
    fn the_library_guide_lists_every_code() {
        let files = source_files(&Path::new(CRATE).join("src"));
        let texts = files.iter().map(|file| fs::read_to_string(file).expect("a source file"));
        let defines_codes = |text: &String| {
            ["fn code_name(", ".with_code(\"", "let code = match"].iter().any(|s| text.contains(s))
        };
        let used: BTreeSet<_> = texts.filter(defines_codes).flat_map(|t| codes_in(&t)).collect();

        let guide = Path::new(CRATE).join("../../docs/library.md");
        let guide = fs::read_to_string(guide).expect("the guide");
        let errors = guide.split("## Errors").nth(1).expect("the section about errors");
        let rows = errors.lines().filter_map(|line| line.strip_prefix("| `"));
        let listed: BTreeSet<_> =
            rows.filter_map(|row| row.split_once('`')).map(|(code, _)| code.to_owned()).collect();
        assert_eq!(used, listed);
    }
}
