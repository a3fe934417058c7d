//! `--deadline`: a time limit of one command.

use std::future::Future;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::Instant;

use crate::failure::Failure;

/// The time at which a command must stop.
#[derive(Clone)]
pub(crate) struct Deadline {
    /// As typed, for messages.
    pub(crate) text: String,
    at: Instant,
}

impl Deadline {
    /// Parses a duration from now, such as `14m`.
    ///
    /// # Errors
    /// The text is not a positive duration with units.
    pub(crate) fn parse(text: &str) -> Result<Deadline, Failure> {
        let duration = text.parse::<SignedDuration>().map(Duration::try_from);
        let at = match duration {
            Ok(Ok(duration)) if !duration.is_zero() => Instant::now().checked_add(duration),
            _ => None,
        };
        match at {
            Some(at) => Ok(Deadline { text: text.to_owned(), at }),
            None => Err(Failure::usage(format!("--deadline {text:?} is not a duration"))
                .with_hint("give a duration, such as 14m, 90s or 1h30m")),
        }
    }

    /// Waits until the deadline and `grace` after it.
    pub(crate) async fn passed(&self, grace: Duration) {
        match self.at.checked_add(grace) {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

/// Runs `work` until it ends or the deadline passes. `work` must be safe to drop at any moment.
///
/// # Errors
/// Those of `work`, or that the deadline passed.
pub(crate) async fn until<T>(
    deadline: Option<&Deadline>,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(deadline) = deadline else { return work.await };
    tokio::select! {
        result = work => result,
        () = deadline.passed(Duration::ZERO) => Err(Failure::deadline_passed(format!(
            "the deadline of {} passed before the run started",
            deadline.text
        ))
        .with_hint("run the same command again, with a longer --deadline if this repeats")),
    }
}
