//! The result of a backfill: every stream by name, and one status for the run.

use std::time::Duration;

use crate::catalog::Catalog;
use crate::postgres::{StreamState, StreamStatus};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunStatus {
    /// Every stream was read to its end or is not available on this account.
    Complete,
    /// Streams were denied or failed, or rows are in quarantine.
    Incomplete,
    /// No stream is available on this account.
    Failed,
    /// A stop was requested; the same command resumes the run.
    Interrupted,
}

impl RunStatus {
    /// As in the JSON report.
    pub fn as_str(self) -> &'static str {
        match self {
            RunStatus::Complete => "complete",
            RunStatus::Incomplete => "incomplete",
            RunStatus::Failed => "failed",
            RunStatus::Interrupted => "interrupted",
        }
    }
}

/// The result of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamReport {
    /// The stream's table.
    pub table: String,
    /// `complete`, `skipped`, `denied`, `gone`, `failed`, or `running` if the run was interrupted.
    pub status: &'static str,
    /// Objects read. An object that appears more than once while a list is read counts once.
    pub synced: i64,
    /// Requests sent.
    pub requests: i64,
    /// Why it is not complete, or when it was read if this run did not read it.
    pub message: Option<String>,
    /// Stripe's id of the failed request.
    pub request_id: Option<String>,
    /// The list cannot be filtered by `created`. It is read completely or not at all.
    pub unfiltered: bool,
    /// What the list never contains.
    pub not_shown: Vec<String>,
}

/// The result of the whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Id of the run, as in `sync_status`.
    pub run_id: i64,
    /// The overall status.
    pub status: RunStatus,
    /// Duration of this command; a resumed run spans several commands.
    pub elapsed: Duration,
    /// HTTP requests of this command, retries included.
    pub requests: u64,
    /// In the order of their names.
    pub streams: Vec<StreamReport>,
    /// Rows that the server rejected and that are quarantined.
    pub quarantined: i64,
    /// Characters that PostgreSQL cannot store and that became U+FFFD.
    pub replaced_characters: u64,
    /// The run began more than 30 days ago, which is how long Stripe keeps events.
    pub older_than_events: bool,
    /// How the changes that were made during the run were applied.
    pub catch_up: CatchUpOutcome,
}

/// How the changes that were made during a run were applied, after its lists had been read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CatchUpOutcome {
    /// Whether the copy is current.
    pub status: CatchUpStatus,
    /// Events of the run's streams that were applied.
    pub events: u64,
    /// Objects that were fetched, because an event did not show them or could not be ordered.
    pub fetched: u64,
    /// Objects in the inbox that are still to be fetched.
    pub pending: i64,
    /// Objects in the inbox that failed too often and are no longer fetched; a refresh fetches
    /// them.
    pub dead: i64,
    /// Why the copy is not current.
    pub message: Option<String>,
}

/// Whether the changes that were made during a run have been applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CatchUpStatus {
    /// All events up to the end of the run were applied.
    Current,
    /// The key is not allowed to read events.
    Denied,
    /// The events or the inbox could not be read.
    Failed,
    /// A stop was requested before the end.
    #[default]
    Interrupted,
}

impl CatchUpStatus {
    /// `current`, `denied`, `failed` or `interrupted`.
    pub fn as_str(self) -> &'static str {
        match self {
            CatchUpStatus::Current => "current",
            CatchUpStatus::Denied => "denied",
            CatchUpStatus::Failed => "failed",
            CatchUpStatus::Interrupted => "interrupted",
        }
    }
}

impl Report {
    /// Whether denied streams are the only problem, which `--skip-denied` accepts. At least one
    /// stream must be complete.
    pub fn only_denied(&self) -> bool {
        self.quarantined == 0
            && self.status == RunStatus::Incomplete
            && self.streams.iter().any(|s| s.status == "complete")
            && self.streams.iter().all(|s| matches!(s.status, "complete" | "skipped" | "denied"))
    }
}

pub(super) fn streams(states: Vec<StreamState>) -> Vec<StreamReport> {
    states
        .into_iter()
        .map(|state| StreamReport {
            not_shown: Catalog::get()
                .table(&state.stream)
                .map(|table| table.not_shown.clone())
                .unwrap_or_default(),
            table: state.stream,
            status: state.status.as_str(),
            synced: state.rows,
            requests: state.requests,
            message: state.message,
            request_id: state.request_id,
            unfiltered: state.unfiltered,
        })
        .collect()
}

/// The status of the run. If every stream was skipped, nothing was read.
pub(super) fn overall(states: &[StreamState], quarantined: i64, interrupted: bool) -> RunStatus {
    let any = |status| states.iter().any(|s| s.status == status);
    let all_skipped = states.iter().all(|s| s.status == StreamStatus::Skipped);
    if interrupted && any(StreamStatus::Running) {
        RunStatus::Interrupted
    } else if any(StreamStatus::Running)
        || any(StreamStatus::Failed)
        || any(StreamStatus::Denied)
        || any(StreamStatus::Gone)
    {
        RunStatus::Incomplete
    } else if all_skipped {
        RunStatus::Failed
    } else if quarantined > 0 {
        RunStatus::Incomplete
    } else {
        RunStatus::Complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StreamStatus::{Complete, Denied, Failed, Running, Skipped};

    #[test]
    fn the_run_status_summarizes_all_streams() {
        let state = |status| StreamState {
            stream: "customers".into(),
            status,
            unfiltered: false,
            rows: 0,
            requests: 0,
            message: None,
            request_id: None,
        };
        for (statuses, quarantined, interrupted, expected) in [
            (vec![Complete, Skipped], 0, false, RunStatus::Complete),
            (vec![Complete], 1, false, RunStatus::Incomplete),
            (vec![Complete, Denied], 0, false, RunStatus::Incomplete),
            (vec![Complete, Failed], 0, false, RunStatus::Incomplete),
            (vec![Skipped, Skipped], 0, false, RunStatus::Failed),
            (vec![Denied, Skipped], 0, false, RunStatus::Incomplete),
            (vec![Complete, Running], 0, true, RunStatus::Interrupted),
            (vec![Complete, Running], 0, false, RunStatus::Incomplete),
            (vec![Complete], 0, true, RunStatus::Complete),
        ] {
            let states: Vec<_> = statuses.iter().map(|s| state(*s)).collect();
            let found = overall(&states, quarantined, interrupted);
            assert_eq!(found, expected, "{statuses:?} {quarantined} {interrupted}");
        }
    }
}
