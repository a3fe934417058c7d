//! Ctrl-C and SIGTERM. The first signal asks the command to stop, the second abandons work in
//! flight, and the third ends the process immediately.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::failure::Failure;

/// Counts the signals since the process started.
pub(crate) struct Interrupts {
    count: watch::Receiver<u8>,
}

impl Interrupts {
    /// Installs handlers for both signals.
    ///
    /// # Errors
    /// The system rejects the handlers.
    pub(crate) fn listen() -> Result<Interrupts, Failure> {
        let rejected =
            |error: std::io::Error| Failure::new("cannot listen to signals").caused_by(&error);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(rejected)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(rejected)?;
        let (sender, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
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
