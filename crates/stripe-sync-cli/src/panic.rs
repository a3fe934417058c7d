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

#[cfg(test)]
mod tests {
    use std::process::Command;

    const SECRET: &str = "SeCrEtSeCrEt";

    #[test]
    #[ignore = "panics; the next test runs it in a process of its own"]
    fn panics() {
        super::hide_messages();
        let key = format!("sk_live_{SECRET}");
        std::thread::spawn(move || panic!("cannot use {key}")).join().expect_err("a panic");
        // What a library would do that unwraps an error that quotes its input.
        let url = format!("postgres://u:{SECRET}@host");
        url.parse::<u8>().map_err(|_| url).expect("no error");
    }

    #[test]
    fn a_panic_tells_where_and_not_what() {
        for trace in ["0", "1", "full"] {
            let mut command = Command::new(std::env::current_exe().expect("this binary"));
            command.args(["--exact", "panic::tests::panics", "--ignored", "--nocapture"]);
            let output = command.env("RUST_BACKTRACE", trace).output().expect("an end");
            let (out, err) = (output.stdout, output.stderr);
            let told = String::from_utf8([out, err].concat()).expect("UTF-8");
            assert!(
                !output.status.success() && told.matches("src/panic.rs:").count() >= 2,
                "{told}"
            );
            assert!(!told.contains(SECRET), "{told}");
        }
    }
}
