//! Why a command ended without its answer: what happened, what to do next, and the exit code.

use std::error::Error;

use crate::exit::Exit;

/// An error as the user gets it.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    hint: Option<String>,
    exit: Exit,
}

impl Failure {
    /// Something went wrong.
    pub(crate) fn new(message: impl Into<String>) -> Failure {
        Failure { message: message.into(), hint: None, exit: Exit::Failed }
    }

    /// The request makes no sense; nothing was touched.
    pub(crate) fn usage(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, ..Failure::new(message) }
    }

    /// The user asked to stop before anything was under way.
    pub(crate) fn interrupted() -> Failure {
        Failure { exit: Exit::Interrupted, ..Failure::new("interrupted") }
    }

    /// Adds what to do next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the causes, but for those whose text is there already.
    pub(crate) fn because(mut self, cause: &dyn Error) -> Failure {
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

    /// From an error whose text is `what happened; what to do`.
    pub(crate) fn with_advice(exit: Exit, error: &dyn Error) -> Failure {
        let text = error.to_string();
        let failure = match text.split_once("; ") {
            Some((what, advice)) => Failure::new(what).hint(advice),
            None => Failure::new(text),
        };
        let failure = match error.source() {
            Some(cause) => failure.because(cause),
            None => failure,
        };
        Failure { exit, ..failure }
    }

    /// Puts the option or variable before the message that is at fault.
    pub(crate) fn about(mut self, what: &str) -> Failure {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do next.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// With what to leave.
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
                let failure = Failure::new(error.to_string()).hint(hint);
                match std::error::Error::source(&error) {
                    Some(cause) => failure.because(cause),
                    None => failure,
                }
            }
            None => Failure::with_advice(exit, &error),
        };
        Failure { exit, ..failure }
    }
}

impl From<private_postgres::Error> for Failure {
    fn from(error: private_postgres::Error) -> Failure {
        let failure = Failure::with_advice(Exit::Failed, &error);
        match failure.hint {
            Some(_) => failure,
            None => {
                failure.hint("give another --data-dir, or set DATABASE_URL to a database of yours")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_told_once() {
        let cause = std::io::Error::other("disk full");
        let failure = Failure::new("cannot write").because(&cause);
        assert_eq!(failure.message(), "cannot write: disk full");
        assert_eq!(failure.because(&cause).message(), "cannot write: disk full");
    }

    #[test]
    fn advice_is_taken_out_of_the_text() {
        let error = std::io::Error::other("the key is short; copy it again");
        let failure = Failure::with_advice(Exit::Usage, &error);
        assert_eq!(failure.message(), "the key is short");
        assert_eq!(failure.advice(), Some("copy it again"));
        assert_eq!(failure.exit(), Exit::Usage);
    }
}
