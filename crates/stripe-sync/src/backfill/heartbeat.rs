//! The heartbeats of a run: extend its leases, publish its wait reason and share the rate limits with
//! other processes while its workers read.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use std::sync::Arc;

use super::context::RunContext;
use super::waiting;

/// How often leases are extended and the wait reason is written again.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the wait reason is refreshed, and other processes are counted.
const REFRESH: Duration = Duration::from_secs(2);

/// Starts the heartbeats, and returns when the limits are divided. They end when the set is shut down or dropped.
pub(super) async fn start(run: &Arc<RunContext>, run_id: i64, owner: &Arc<str>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (context, name) = (Arc::clone(run), Arc::clone(owner));
    tasks.spawn(async move { extend_leases(&context, &name).await });
    let (context, name) = (Arc::clone(run), Arc::clone(owner));
    tasks.spawn(async move { publish_wait_reason(&context, run_id, &name).await });
    let (context, name) = (Arc::clone(run), Arc::clone(owner));
    let (ready, is_ready) = oneshot::channel();
    tasks.spawn(async move { share_limits(&context, &name, ready).await });
    // It fails only if the task panicked. Then nothing is divided.
    let _panicked = is_ready.await;
    tasks
}

/// Removes the wait reason of a process that has finished its work.
pub(super) async fn remove_wait_reason(run: &RunContext, run_id: i64, owner: &str) {
    let (database, names) = (&run.account.database, run.account.statements.names());
    // A reason that was not removed is not shown once it is old.
    let removed = database.note_waiting(names, run_id, owner, None);
    if let Err(error) = database.within_time_limit(removed).await {
        tracing::debug!(%error, "the wait reason could not be removed");
    }
}

async fn extend_leases(run: &RunContext, owner: &str) {
    let (database, names) = (&run.account.database, run.account.statements.names());
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let held: Vec<i64> = run.held_slices.ids();
        let extended = database.extend_leases(names, &held, owner);
        if let Err(error) = database.within_time_limit(extended).await {
            // Commits extend leases as well. After a lost lease a page is read again; no row is
            // lost.
            tracing::warn!(%error, "leases could not be extended");
        }
    }
}

/// The rate limits of a run, shared with other processes. When this is dropped, this process uses
/// them alone again.
struct SharedLimits<'r> {
    run: &'r RunContext,
    owner: &'r str,
}

impl SharedLimits<'_> {
    /// Divides the limits by the number of processes that read this account into this schema. Runs of one
    /// process share its limiter, and count once.
    async fn divide(&self) {
        let account = &self.run.account;
        let (database, names) = (&account.database, account.statements.names());
        let others = database.other_processes(names, account.account.as_str(), self.owner);
        match database.within_time_limit(others).await {
            Ok(others) => {
                let processes = u32::try_from(others).unwrap_or(u32::MAX).saturating_add(1);
                account.client.share_limits(processes);
            }
            Err(error) => tracing::debug!(%error, "other processes could not be counted"),
        }
    }
}

impl Drop for SharedLimits<'_> {
    fn drop(&mut self) {
        self.run.account.client.share_limits(1);
    }
}

async fn share_limits(run: &RunContext, owner: &str, ready: oneshot::Sender<()>) {
    let limits = SharedLimits { run, owner };
    limits.divide().await;
    // The caller has been dropped if nobody waits.
    let _dropped = ready.send(());
    loop {
        tokio::time::sleep(REFRESH).await;
        limits.divide().await;
    }
}

async fn publish_wait_reason(run: &RunContext, run_id: i64, owner: &str) {
    let (database, names) = (&run.account.database, run.account.statements.names());
    let mut published: Option<(String, Instant)> = None;
    loop {
        tokio::time::sleep(REFRESH).await;
        let reason = waiting::waits_for(&run.progress.snapshot());
        let is_current = match (&published, &reason) {
            (Some((published, at)), Some(now)) => published == now && at.elapsed() < HEARTBEAT,
            (None, None) => true,
            _ => false,
        };
        if is_current {
            continue;
        }
        let noted = database.note_waiting(names, run_id, owner, reason.as_deref());
        match database.within_time_limit(noted).await {
            Ok(()) => published = reason.map(|reason| (reason, Instant::now())),
            Err(error) => tracing::debug!(%error, "the wait reason could not be written"),
        }
    }
}
