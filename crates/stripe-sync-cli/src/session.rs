//! What every command gets: the arguments about both ends, the environment, and the signals.

use crate::args::{Connection, Form, Output};
use crate::environment::Environment;
use crate::interrupt::Interrupts;

/// One run of the program.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    pub(crate) output: Output,
    pub(crate) environment: Environment,
    pub(crate) interrupts: Interrupts,
}

impl Session {
    /// Whether stdout carries JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.output.form == Form::Json
    }
}
