//! Ends statements whose results are no longer wanted.
//!
//! A server does not notice that its client has gone until it sends a row, which a statement that sorts or
//! waits for a lock may not do for hours. The request to end it needs a connection of its own
//! (<https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-CANCELING-REQUESTS>).

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool_postgres::Object;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How long ending one statement may take.
const LIMIT: Duration = Duration::from_secs(2);

/// The statements that are being ended.
#[derive(Default)]
pub(in crate::postgres) struct Cancellations(Mutex<JoinSet<()>>);

impl Cancellations {
    /// Ends the statement of a connection in the background, and then closes the connection.
    /// Outside a runtime, the connection is only closed.
    pub(in crate::postgres) fn end_statement(&self, connection: Object, tls: MakeRustlsConnect) {
        let client = Object::take(connection);
        let Ok(runtime) = Handle::try_current() else { return };
        let work = async move {
            client.cancel_token().cancel_query(tls).await?;
            // Replies once the statement has ended. A pooler ends only statements of clients that are connected.
            client.batch_execute("rollback").await
        };
        let work = async {
            match tokio::time::timeout(LIMIT, work).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a statement could not be ended"),
                Err(_) => tracing::debug!("the server did not end a statement in time"),
            }
        };
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn_on(work, &runtime);
    }

    /// Waits until the statements have ended, for a limited time.
    pub(in crate::postgres) async fn wait(&self) {
        let tasks = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.join_all().await;
    }
}
