//! Why a command could not produce its result: what failed, what to type, and the exit code.

use std::error::Error;

use crate::exit::Exit;

/// An error as it is shown to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    exit: Exit,
    /// The library's name of the error.
    code: Option<&'static str>,
}

impl Failure {
    /// A failure with exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), hint: None, exit: Exit::Failed, code: None }
    }

    /// Invalid arguments or settings; nothing was changed.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new(message) }
    }

    /// A signal stopped the command before a backfill was in progress.
    pub(crate) fn interrupted() -> Failure {
        Failure::interrupted_because("interrupted")
    }

    /// A signal stopped the command; `message` says more about it.
    pub(crate) fn interrupted_because(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Interrupted, ..Failure::new(message) }
    }

    /// The deadline passed before a backfill was in progress.
    pub(crate) fn deadline_passed(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::DeadlinePassed, ..Failure::new(message) }
    }

    /// From an error whose text has the form `what failed; what to type`.
    pub(crate) fn split_hint(exit: Exit, error: &dyn Error) -> Failure {
        let text = error.to_string();
        let failure = match text.split_once("; ") {
            Some((message, hint)) => Failure::new(message).with_hint(hint),
            None => Failure::new(text),
        };
        let failure = match error.source() {
            Some(cause) => failure.caused_by(cause),
            None => failure,
        };
        Failure { exit, ..failure }
    }

    /// Adds what to type.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Appends the chain of causes, except for texts that the message already contains.
    pub(crate) fn caused_by(mut self, cause: &dyn Error) -> Failure {
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            if !self.message.contains(&text) {
                self.message = format!("{}: {text}", self.message);
            }
            next = error.source();
        }
        self
    }

    /// Prefixes the message with the option or variable that is at fault.
    pub(crate) fn in_setting(mut self, name: &str) -> Failure {
        self.message = format!("{name}: {}", self.message);
        self
    }

    /// What failed and why.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to type.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// A stable name for programs: the library's, or one that follows from the exit code.
    pub(crate) fn code(&self) -> &'static str {
        self.code.unwrap_or(match self.exit {
            Exit::Usage => "usage",
            Exit::Interrupted => "interrupted",
            Exit::DeadlinePassed => "deadline_passed",
            Exit::Complete | Exit::Failed | Exit::Incomplete => "failed",
        })
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<stripe_sync::Error> for Failure {
    fn from(error: stripe_sync::Error) -> Failure {
        let exit = match error.kind() {
            stripe_sync::ErrorKind::Usage => Exit::Usage,
            _ => Exit::Failed,
        };
        let failure = match error.hint() {
            Some(hint) => {
                let failure = Failure::new(error.to_string()).with_hint(hint);
                match std::error::Error::source(&error) {
                    Some(cause) => failure.caused_by(cause),
                    None => failure,
                }
            }
            None => Failure::split_hint(exit, &error),
        };
        Failure { exit, code: Some(error.code()), ..failure }
    }
}

impl From<private_postgres::Error> for Failure {
    fn from(error: private_postgres::Error) -> Failure {
        let failure = Failure::split_hint(Exit::Failed, &error);
        match failure.hint {
            Some(_) => failure,
            None => failure
                .with_hint("choose another --data-dir, or set DATABASE_URL to your own database"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_appended_once() {
        let cause = std::io::Error::other("disk full");
        let failure = Failure::new("cannot write").caused_by(&cause);
        assert_eq!(failure.message(), "cannot write: disk full");
        assert_eq!(failure.caused_by(&cause).message(), "cannot write: disk full");
    }

    #[test]
    fn the_hint_is_split_from_the_message() {
        let error = std::io::Error::other("the key is short; copy it again");
        let failure = Failure::split_hint(Exit::Usage, &error);
        assert_eq!(failure.message(), "the key is short");
        assert_eq!(failure.hint(), Some("copy it again"));
        assert_eq!(failure.exit(), Exit::Usage);
    }
}
