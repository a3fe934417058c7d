//! The exit codes. They are part of the contract with scripts.

use std::process::ExitCode;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that was requested is done.
    Complete,
    /// The request could not be carried out.
    Failed,
    /// The arguments or settings are invalid; nothing was changed.
    Usage,
    /// Finished, except for what the report names.
    Incomplete,
    /// Stopped by `--deadline`; committed work is kept, and the same command resumes.
    DeadlinePassed,
    /// Stopped by Ctrl-C or SIGTERM; committed work is kept.
    Interrupted,
}

impl Exit {
    /// The code that the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Complete => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            // EX_TEMPFAIL of sysexits.h: temporary, try again.
            Exit::DeadlinePassed => 75,
            // What shells report for a process that died of SIGINT.
            Exit::Interrupted => 130,
        }
    }
}

impl Exit {
    /// The `status` in the JSON of a command that has no result.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Exit::Complete => "complete",
            Exit::Failed => "failed",
            Exit::Usage => "invalid",
            Exit::Incomplete => "incomplete",
            Exit::DeadlinePassed | Exit::Interrupted => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
