//! A request to stop, shared by its sender and its receivers.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks a backfill to finish what is in flight and stop. The engine itself never requests it.
#[derive(Clone)]
pub struct Stop {
    sender: Arc<watch::Sender<bool>>,
}

impl Stop {
    /// A stop that has not been requested.
    pub fn new() -> Stop {
        Stop { sender: Arc::new(watch::Sender::new(false)) }
    }

    /// Requests the stop. Pages in flight are still committed; nothing new is started.
    pub fn request(&self) {
        self.sender.send_replace(true);
    }

    /// Whether the stop has been requested.
    pub fn is_requested(&self) -> bool {
        *self.sender.borrow()
    }

    /// Resolves when the stop is requested. Cancel-safe.
    pub(crate) async fn requested(&self) {
        let mut receiver = self.sender.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail.
        if receiver.wait_for(|requested| *requested).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Default for Stop {
    fn default() -> Stop {
        Stop::new()
    }
}
