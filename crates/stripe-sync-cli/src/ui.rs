//! Output: messages for people go to stderr, data and results go to stdout. Lines on stderr are printed above
//! the progress bars, and secrets are redacted from every text.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::ops::ControlFlow;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressDrawTarget};
use rustix::fs::FileType;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::registry::LookupSpan;

use crate::args::{Color, Output};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::redaction;

const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();
/// The style of secondary text.
pub(crate) const DIM: Style = Style::new().dimmed();
/// The style of the most important line.
pub(crate) const BOLD: Style = Style::new().bold();

static QUIET: AtomicBool = AtomicBool::new(false);
/// Whether anything was printed to stdout.
static HAS_DATA: AtomicBool = AtomicBool::new(false);
static BARS: LazyLock<MultiProgress> =
    LazyLock::new(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)));

/// Configures colors, verbosity and the log.
pub(crate) fn set_up(output: &Output) {
    QUIET.store(output.quiet, Ordering::Relaxed);
    match output.color {
        Color::Auto => anstream::ColorChoice::Auto,
        Color::Always => anstream::ColorChoice::Always,
        Color::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    // Only our own crates: others may log the contents of requests and statements.
    let level = match (output.quiet, output.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "info",
        (false, _) => "debug",
    };
    let filter = EnvFilter::new(format!("off,stripe_sync={level},private_postgres={level}"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_colored())
        .with_writer(LogWriter);
    log.event_format(MessageFormat).init();
}

/// Whether stderr is colored.
pub(crate) fn is_colored() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// The progress bars. They are drawn only if stderr is a terminal.
pub(crate) fn bars() -> &'static MultiProgress {
    &BARS
}

/// Prints a line to stderr, above the progress bars.
pub(crate) fn line(text: &str) {
    BARS.suspend(|| {
        // If stderr is closed, there is nowhere to report it.
        drop(writeln!(anstream::stderr(), "{}", redaction::redact_secrets(text)));
    });
}

/// Prints information that `-q` hides.
pub(crate) fn note(text: &str) {
    if !QUIET.load(Ordering::Relaxed) {
        line(text);
    }
}

/// Prints a warning.
pub(crate) fn warning(text: &str) {
    line(&format!("{YELLOW}warning{YELLOW:#}: {text}"));
}

/// Prints why the command failed.
pub(crate) fn failure(failure: &Failure) {
    let mut text = format!("{RED}error{RED:#}: {}", failure.message());
    if let Some(hint) = failure.hint() {
        let indented = hint.replace('\n', "\n        ");
        text.push_str(&format!("\n  {CYAN}hint{CYAN:#}: {indented}"));
    }
    line(&text);
}

/// Prints clap's output: help, version, or what is wrong with the arguments.
pub(crate) fn usage(error: &clap::Error) -> Exit {
    let text = error.render();
    match error.exit_code() {
        0 => {
            drop(write!(anstream::stdout(), "{}", text.ansi()));
            Exit::Complete
        }
        _ => {
            drop(write!(
                anstream::stderr(),
                "{}",
                redaction::redact_arguments(&text.ansi().to_string())
            ));
            if asks_for_json(std::env::args_os()) {
                failure_as_json(&usage_failure(&text.to_string()));
            }
            Exit::Usage
        }
    }
}

/// The first paragraph of clap's text says what is wrong, and the others what to type.
fn usage_failure(text: &str) -> Failure {
    let text = redaction::redact_arguments(text);
    let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
    match text.split_once("\n\n") {
        Some((message, hint)) => Failure::usage(message).with_hint(hint.trim()),
        None => Failure::usage(text),
    }
}

/// Whether arguments that cannot be parsed contain `--output json`.
fn asks_for_json(arguments: impl Iterator<Item = OsString>) -> bool {
    let arguments: Vec<OsString> = arguments.collect();
    arguments.iter().any(|argument| argument == "--output=json")
        || arguments.windows(2).any(|pair| pair[0] == "--output" && pair[1] == "json")
}

/// Prints data to stdout, byte for byte. A reader that has gone away (`| head`) is not a failure.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    data_while_read(text).map(drop)
}

/// Like [`data`], and returns [`ControlFlow::Break`] if nobody reads the output any more.
pub(crate) fn data_while_read(text: &str) -> Result<ControlFlow<()>, Failure> {
    write(std::io::stdout().lock(), text)
}

/// Prints text for people to stdout: headings and tables with their styles, which are removed if stdout
/// is not colored. Values in it must have passed [`crate::table::clean`].
pub(crate) fn styled(text: &str) -> Result<(), Failure> {
    styled_while_read(text).map(drop)
}

/// Like [`styled`], and returns [`ControlFlow::Break`] if nobody reads the output any more.
pub(crate) fn styled_while_read(text: &str) -> Result<ControlFlow<()>, Failure> {
    write(anstream::stdout().lock(), text)
}

fn write(mut stdout: impl std::io::Write, text: &str) -> Result<ControlFlow<()>, Failure> {
    HAS_DATA.fetch_or(!text.is_empty(), Ordering::Relaxed);
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ControlFlow::Continue(())),
        Err(error) if error.kind() == ErrorKind::BrokenPipe || is_closed_terminal(&error) => {
            Ok(ControlFlow::Break(()))
        }
        Err(error) => Err(Failure::new("cannot write to stdout").caused_by(&error)),
    }
}

/// Whether the output was a terminal that has been closed. Disks return the same error, so the output is
/// examined, too.
fn is_closed_terminal(error: &std::io::Error) -> bool {
    let is_terminal = || {
        let stat = rustix::fs::fstat(std::io::stdout());
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice)
    };
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) && is_terminal()
}

/// Prints why a command has no result as one JSON value, unless a part of its result is already printed.
pub(crate) fn failure_as_json(failure: &Failure) {
    if HAS_DATA.load(Ordering::Relaxed) {
        return;
    }
    let hint = failure.hint().map(redaction::redact_secrets);
    let value = serde_json::json!({
        "status": failure.exit().status(),
        "exit_code": failure.exit().code(),
        "code": failure.code(),
        "error": redaction::redact_secrets(failure.message()),
        "hint": hint,
    });
    // The failure of the command is the one to report.
    drop(json(&value));
}

/// Prints one JSON value to stdout.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new("cannot write the result as JSON").caused_by(&error))?;
    data(&format!("{text}\n"))
}

/// Names separated by commas, in lines of at most 90 characters.
pub(crate) fn wrapped(names: &[&str]) -> String {
    let mut text = String::new();
    let mut width = 0;
    for (i, name) in names.iter().enumerate() {
        let comma = if i + 1 < names.len() { "," } else { "" };
        if width > 0 && width + name.len() + 2 > 90 {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(name);
        text.push_str(comma);
        width += name.len() + comma.len();
    }
    text
}

/// Messages of the library look like the program's own.
struct MessageFormat;

impl<S, N> FormatEvent<S, N> for MessageFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> std::fmt::Result {
        match *event.metadata().level() {
            Level::ERROR => write!(writer, "{RED}error{RED:#}: ")?,
            Level::INFO => write!(writer, "{DIM}info{DIM:#}: ")?,
            Level::DEBUG | Level::TRACE => write!(writer, "{DIM}debug{DIM:#}: ")?,
            Level::WARN => write!(writer, "{YELLOW}warning{YELLOW:#}: ")?,
        }
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The log's writer.
struct LogWriter;

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogLine;

    fn make_writer(&'a self) -> LogLine {
        LogLine(Vec::new())
    }
}

/// One line of the log, printed when it is complete.
struct LogLine(Vec<u8>);

impl std::io::Write for LogLine {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for LogLine {
    fn drop(&mut self) {
        line(String::from_utf8_lossy(&self.0).trim_end());
    }
}
