//! A process that runs the engine and can be killed.

use std::future::Future;
use std::time::Duration;

use stripe_sync::{Config, StripeSync};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::world::World;

/// An engine with a runtime of its own. Killing it ends all of its tasks at their next await, and
/// its connections with them, as `kill -9` does.
pub(super) struct Process {
    runtime: Option<Runtime>,
    engine: StripeSync,
}

impl Process {
    pub(super) async fn start(config: &Config) -> Process {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
        let connecting = runtime.spawn(StripeSync::connect(config.clone()));
        let engine = connecting.await.expect("no panic").expect("the engine");
        Process { runtime: Some(runtime), engine }
    }

    /// Starts an operation in the process.
    pub(super) fn spawn<F>(&self, operation: impl FnOnce(StripeSync) -> F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let runtime = self.runtime.as_ref().expect("a process that has not been killed");
        runtime.spawn(operation(self.engine.clone()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Frees what killed processes hold. Their leases would expire by themselves, but much later. The
/// other process may lose its leases too, as after a long pause.
pub(super) async fn expire_leases(world: &World) {
    let sql = "
        update stripe._slices set owner = null, lease_until = null, epoch = epoch + 1;
        update stripe._event_cursors set leased_until = now() - interval '1 second';
        update stripe._inbox set leased_until = null, next_attempt_at = now()";
    // A killed process can hold a lock until the server notices that it is gone.
    for _ in 0..50 {
        match world.sql.batch_execute(sql).await {
            Ok(()) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    world.sql.batch_execute(sql).await.expect("expired");
}
