//! The exit codes, a part of the contract with scripts.

use std::process::ExitCode;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for is done.
    Complete,
    /// It could not be done.
    Failed,
    /// What was asked makes no sense; nothing was touched.
    Usage,
    /// Done, but for what the report names.
    Incomplete,
    /// Ctrl-C or SIGTERM; what was committed is safe.
    Interrupted,
}

impl Exit {
    /// As the shell sees it.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Complete => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Incomplete => 3,
            // What shells report for a process that died of SIGINT.
            Exit::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}
