//! The processes that work on a run, and what they wait for, as shown to observers.

use super::owner;
use super::progress::Snapshot;
use crate::postgres::RunOwner;
use crate::stripe::Limit;

/// One process that works on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunProcess {
    /// The run it works on.
    pub run_id: i64,
    /// The machine.
    pub host: String,
    /// Its process id on that host.
    pub pid: String,
    /// Slices that it holds.
    pub slices: i64,
    /// Whether it is still working on them.
    pub state: ProcessState,
    /// What keeps it from reading, if it has reported a reason within the last 30 seconds.
    pub waits_for: Option<String>,
}

/// The state of a process, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// It has recently reported that it is alive.
    Alive,
    /// It was killed; the same command claims its slices immediately.
    Dead,
    /// It has not reported for a while; the same command claims its slices.
    Unresponsive,
}

impl ProcessState {
    /// `alive`, `dead` or `unresponsive`.
    pub fn as_str(self) -> &'static str {
        match self {
            ProcessState::Alive => "alive",
            ProcessState::Dead => "dead",
            ProcessState::Unresponsive => "unresponsive",
        }
    }
}

impl From<RunOwner> for RunProcess {
    fn from(working: RunOwner) -> RunProcess {
        let (host, pid) = owner::host_and_pid(&working.owner);
        let state = match (owner::is_dead(&working.owner), working.leased) {
            (true, _) => ProcessState::Dead,
            (false, true) => ProcessState::Alive,
            (false, false) => ProcessState::Unresponsive,
        };
        RunProcess {
            run_id: working.run_id,
            host,
            pid,
            slices: working.slices,
            state,
            waits_for: working.waits_for.filter(|_| state == ProcessState::Alive),
        }
    }
}

/// What keeps this process from reading faster; `None` if nothing does.
pub(super) fn waits_for(snapshot: &Snapshot) -> Option<String> {
    if let Some(table) = &snapshot.locked_table {
        return Some(table.to_string());
    }
    match &snapshot.stats.as_ref()?.limit {
        Limit::Outage { .. } => Some("Stripe, which is unreachable".to_owned()),
        Limit::Retrying => Some("the retry of a failed request".to_owned()),
        Limit::GlobalRate => Some("Stripe's rate limit for the account".to_owned()),
        Limit::EndpointRate(path) => Some(format!("Stripe's rate limit for {path}")),
        Limit::Concurrency => Some("Stripe's limit on concurrent requests".to_owned()),
        Limit::None if snapshot.waits_for_other => {
            Some("another process that is reading the rest".to_owned())
        }
        Limit::None => None,
    }
}
