//! Prints the location of a panic without its message, which may quote a row or a key.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

/// From now on, panics print only their location, and a backtrace if `RUST_BACKTRACE` is set.
pub(crate) fn hide_messages() {
    std::panic::set_hook(Box::new(|info: &PanicHookInfo<'_>| {
        let location =
            info.location().map_or_else(|| "an unknown location".to_owned(), ToString::to_string);
        let trace = Backtrace::capture();
        let trace = match trace.status() {
            BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        crate::ui::line(&format!(
            "this is a bug in stripe-sync, at {location}; committed rows are safe{trace}"
        ));
    }));
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    const SECRET: &str = "SeCrEtSeCrEt";

    #[test]
    #[ignore = "panics; the other test runs it in a child process"]
    fn panics() {
        super::hide_messages();
        let key = format!("sk_live_{SECRET}");
        std::thread::spawn(move || panic!("cannot use {key}")).join().expect_err("a panic");
        // A library could unwrap an error that quotes its input in the same way.
        let url = format!("postgres://u:{SECRET}@host");
        url.parse::<u8>().map_err(|_| url).expect("no error");
    }

    #[test]
    fn a_panic_prints_its_location_and_not_its_message() {
        for trace in ["0", "1", "full"] {
            let mut command = Command::new(std::env::current_exe().expect("this binary"));
            command.args(["--exact", "panic::tests::panics", "--ignored", "--nocapture"]);
            let output = command.env("RUST_BACKTRACE", trace).output().expect("output");
            let (out, err) = (output.stdout, output.stderr);
            let printed = String::from_utf8([out, err].concat()).expect("UTF-8");
            assert!(
                !output.status.success() && printed.matches("src/panic.rs:").count() >= 2,
                "{printed}"
            );
            assert!(!printed.contains(SECRET), "{printed}");
        }
    }
}
