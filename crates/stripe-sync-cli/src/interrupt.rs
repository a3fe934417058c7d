//! Ctrl-C and SIGTERM: the first asks, the second leaves at once, the third ends the process
//! without waiting for anything.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::exit::Exit;
use crate::failure::Failure;

/// Counts the signals since the start of the process.
pub(crate) struct Interrupts {
    count: watch::Receiver<u8>,
}

impl Interrupts {
    /// Takes over both signals.
    ///
    /// # Errors
    /// The system refuses the handlers.
    pub(crate) fn listen() -> Result<Interrupts, Failure> {
        let refused =
            |error: std::io::Error| Failure::new("cannot listen to signals").because(&error);
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
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

    /// Waits until so many signals have come in.
    pub(crate) async fn at_least(&self, number: u8) {
        let mut count = self.count.clone();
        if count.wait_for(|count| *count >= number).await.is_err() {
            // The listener lives as long as the runtime.
            std::future::pending::<()>().await;
        }
    }

    /// Runs `work`, which may be dropped at any moment, until it ends or the first signal comes.
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
