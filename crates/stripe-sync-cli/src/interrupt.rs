//! Handles Ctrl-C, SIGTERM, and the SIGHUP of a closed terminal. The first signal asks the command
//! to stop, the second abandons work in flight, and the third ends the process immediately.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::failure::Failure;

/// Counts the signals since the process started.
pub(crate) struct Interrupts {
    count: watch::Receiver<u8>,
}

impl Interrupts {
    /// Installs the handlers. SIGHUP stays ignored if the caller ignores it, as `nohup` does.
    ///
    /// # Errors
    /// The system rejects the handlers.
    pub(crate) fn listen() -> Result<Interrupts, Failure> {
        let rejected =
            |error: std::io::Error| Failure::new("cannot listen for signals").caused_by(&error);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(rejected)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(rejected)?;
        let mut hangup = match is_hangup_ignored() {
            true => None,
            false => Some(signal(SignalKind::hangup()).map_err(rejected)?),
        };
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = received(hangup.as_mut()) => {}
                }
                sender.send_modify(|count| *count += 1);
                if *sender.borrow() > 2 {
                    std::process::exit(Exit::Interrupted.code().into());
                }
            }
        });
        Ok(Interrupts { count })
    }

    /// Waits until at least this many signals have arrived.
    pub(crate) async fn at_least(&self, number: u8) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= number).await.is_err() {
            // The listener lives as long as the runtime.
            std::future::pending::<()>().await;
        }
    }

    /// Runs `work` until it ends or the first signal arrives. `work` must be safe to drop at any
    /// moment.
    pub(crate) async fn unless<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            result = work => result,
            () = self.at_least(1) => Err(Failure::interrupted()),
        }
    }
}

async fn received(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether this process inherited an ignored SIGHUP. On systems without `/proc` this is unknown,
/// and the signal is handled.
fn is_hangup_ignored() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| ignores_hangup(&status))
}

/// SIGHUP is signal 1, the lowest bit of the mask (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ignored_hangup_is_recognized() {
        assert!(ignores_hangup("Name:\tx\nSigIgn:\t0000000000001001\n"));
        assert!(!ignores_hangup("Name:\tx\nSigIgn:\t0000000000001000\n"));
        assert!(!ignores_hangup(""));
    }
}
