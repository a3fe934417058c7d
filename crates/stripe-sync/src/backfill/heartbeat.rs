//! The heartbeats of a run: extend its leases and publish its wait reason while its workers read.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use std::sync::Arc;

use super::context::RunContext;
use super::waiting;

/// How often leases are extended and the wait reason is written again.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How often the wait reason is refreshed.
const REFRESH: Duration = Duration::from_secs(2);

/// Starts both heartbeats. They end when the set is shut down or dropped.
pub(super) fn start(run: &Arc<RunContext>, run_id: i64, owner: &Arc<str>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    let (context, name) = (Arc::clone(run), Arc::clone(owner));
    tasks.spawn(async move { extend_leases(&context, &name).await });
    let (context, name) = (Arc::clone(run), Arc::clone(owner));
    tasks.spawn(async move { publish_wait_reason(&context, run_id, &name).await });
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
