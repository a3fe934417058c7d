//! What every command receives: connection and output options, environment, and signals.

use crate::args::{Connection, Output, OutputFormat};
use crate::environment::Environment;
use crate::interrupt::Interrupts;

/// The context of one invocation of the program.
pub(crate) struct CommandContext {
    pub(crate) connection: Connection,
    pub(crate) output: Output,
    pub(crate) environment: Environment,
    pub(crate) interrupts: Interrupts,
}

impl CommandContext {
    /// Whether stdout carries JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.output.format == OutputFormat::Json
    }
}
