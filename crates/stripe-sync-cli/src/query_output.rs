//! Prints the rows of a query while they arrive, in pieces of a limited size.

use std::ops::ControlFlow;

use crate::failure::Failure;
use crate::ui;

/// How many bytes are collected before they are printed. A statement that fails earlier prints nothing.
const PIECE: usize = 64 << 10;

/// The output of one or several statements.
pub(crate) struct RowOutput {
    text: String,
    print: fn(&str) -> Result<ControlFlow<()>, Failure>,
    /// [`ControlFlow::Break`] once nobody reads the output any more.
    result: Result<ControlFlow<()>, Failure>,
}

impl RowOutput {
    /// Prints values as they are.
    pub(crate) fn data() -> RowOutput {
        RowOutput::with(ui::data_while_read)
    }

    /// Prints tables with styled headings.
    pub(crate) fn styled() -> RowOutput {
        RowOutput::with(ui::styled_while_read)
    }

    fn with(print: fn(&str) -> Result<ControlFlow<()>, Failure>) -> RowOutput {
        RowOutput { text: String::new(), print, result: Ok(ControlFlow::Continue(())) }
    }

    /// Adds text. What cannot be printed is reported by [`RowOutput::finish`].
    pub(crate) fn push(&mut self, text: &str) {
        if self.flow().is_break() {
            return;
        }
        self.text.push_str(text);
        if self.text.len() >= PIECE {
            self.result = (self.print)(&self.text);
            self.text.clear();
        }
    }

    /// Whether more rows are needed.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        match self.result {
            Ok(flow) => flow,
            Err(_) => ControlFlow::Break(()),
        }
    }

    /// Prints the rest.
    ///
    /// # Errors
    /// The output could not be written.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.result? {
            ControlFlow::Continue(()) => (self.print)(&self.text).map(drop),
            ControlFlow::Break(()) => Ok(()),
        }
    }
}
