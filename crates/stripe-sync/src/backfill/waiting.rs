//! What a process waits for, and who works on a run: for people who look from outside.

use super::owner;
use super::progress::Snapshot;
use crate::postgres::Working;
use crate::stripe::Limit;

/// One process that works on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProcess {
    /// The run it works on.
    pub run_id: i64,
    /// The machine.
    pub host: String,
    /// Its process id there.
    pub pid: String,
    /// Slices that it holds.
    pub slices: i64,
    /// Whether it still works on them.
    pub life: Life,
    /// What keeps it from reading, if it said so within 30 seconds.
    pub waits_for: Option<String>,
}

/// What is known of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It gives signs of life.
    Alive,
    /// It was killed; the same command takes its slices over at once.
    Dead,
    /// It has given no sign of life for a while; the same command takes its slices over.
    Silent,
}

impl Life {
    /// `alive`, `dead` or `silent`.
    pub fn as_str(self) -> &'static str {
        match self {
            Life::Alive => "alive",
            Life::Dead => "dead",
            Life::Silent => "silent",
        }
    }
}

impl From<Working> for RunProcess {
    fn from(working: Working) -> RunProcess {
        let (host, pid) = owner::host_and_pid(&working.owner);
        let life = match (owner::is_dead(&working.owner), working.leased) {
            (true, _) => Life::Dead,
            (false, true) => Life::Alive,
            (false, false) => Life::Silent,
        };
        RunProcess {
            run_id: working.run_id,
            host,
            pid,
            slices: working.slices,
            life,
            waits_for: working.waits_for.filter(|_| life == Life::Alive),
        }
    }
}

/// What keeps this process from reading faster; `None` if nothing does.
pub(super) fn waits_for(snapshot: &Snapshot) -> Option<String> {
    match &snapshot.stats.as_ref()?.limit {
        Limit::Outage { .. } => Some("Stripe, which cannot be reached".to_owned()),
        Limit::Retrying => Some("Stripe to answer a request that failed".to_owned()),
        Limit::GlobalRate => Some("the account's limit of requests".to_owned()),
        Limit::EndpointRate(path) => Some(format!("Stripe's limit of requests to {path}")),
        Limit::Concurrency => Some("Stripe's limit of requests at once".to_owned()),
        Limit::None if snapshot.waits_for_other => {
            Some("another process that reads the rest".to_owned())
        }
        Limit::None => None,
    }
}
