//! A panic tells where, not what: its message may quote a row or a key.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

/// From here on, panics print their place only; with `RUST_BACKTRACE=1` also the way to it.
pub(crate) fn hide_messages() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let place = info.location().map_or_else(|| "somewhere".to_owned(), ToString::to_string);
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        crate::talk::line(&format!(
            "this is a bug in stripe-sync, at {place}; what was committed is safe{trace}"
        ));
    }));
}
