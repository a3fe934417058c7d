//! The status of runs and streams, and the quarantined rows, for display.

use std::time::SystemTime;

use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// One stream of a run, as the view `sync_status` shows it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct StatusRow {
    /// The account that the run reads.
    pub account: String,
    /// The run's number.
    pub run_id: i64,
    /// `running`, `complete`, `incomplete`, `failed`, `unavailable` or `abandoned`.
    pub run_status: String,
    /// When the run started.
    pub started_at: SystemTime,
    /// When the run finished; `None` while it is not finished.
    pub finished_at: Option<SystemTime>,
    /// The `created` range as typed; `all time` without one.
    pub range: String,
    /// The stream's table.
    pub stream: String,
    /// `running`, `complete`, `skipped`, `denied` or `failed`.
    pub status: String,
    /// Rows read so far.
    pub rows: i64,
    /// Requests made so far.
    pub requests: i64,
    /// Slices that are not finished.
    pub open_slices: i64,
    /// Whether a process is working on at least one of them.
    pub is_held: bool,
    /// Why the stream is not complete.
    pub message: Option<String>,
    /// Stripe's ID of the request that failed.
    pub request_id: Option<String>,
}

/// A row that the server rejected.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QuarantinedRow {
    /// The table it belongs to.
    pub table: String,
    /// The object's id.
    pub id: String,
    /// Why the server rejected the row, without values.
    pub reason: String,
    /// Stripe's ID of the request that returned the object.
    pub request_id: Option<String>,
}

const DOING: &str = "cannot read the status";

impl Database {
    /// Every stream of the latest `runs` runs, newest run first.
    pub(crate) async fn status(
        &self,
        names: &Names,
        runs: i64,
    ) -> Result<Vec<StatusRow>, PostgresError> {
        let sql = format!(
            "select account_id, run_id, run_status, started_at, finished_at, range, stream, status,
                    rows, requests, open_slices, coalesce(leased_until > now(), false),
                    message, request_id
             from {} where run_id in (select id from {} order by id desc limit {runs})
             order by run_id desc, stream",
            names.table("sync_status"),
            names.table("_runs"),
        );
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &[])
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        Ok(rows
            .iter()
            .map(|row| StatusRow {
                account: row.get(0),
                run_id: row.get(1),
                run_status: row.get(2),
                started_at: row.get(3),
                finished_at: row.get(4),
                range: row.get(5),
                stream: row.get(6),
                status: row.get(7),
                rows: row.get(8),
                requests: row.get(9),
                open_slices: row.get(10),
                is_held: row.get(11),
                message: row.get(12),
                request_id: row.get(13),
            })
            .collect())
    }

    /// How many rows of an account in these tables are quarantined.
    pub(crate) async fn count_quarantined(
        &self,
        names: &Names,
        account: &str,
        tables: &[&str],
    ) -> Result<i64, PostgresError> {
        let sql = format!(
            "select count(*) from {} where account_id = $1 and table_name = any($2)",
            names.table("_quarantine")
        );
        let row = self
            .get()
            .await?
            .query_typed_one(&sql, &[(&account, Type::TEXT), (&tables, Type::TEXT_ARRAY)])
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        Ok(row.get(0))
    }

    /// The quarantined rows, at most `limit` of them, and how many there are.
    pub(crate) async fn quarantined(
        &self,
        names: &Names,
        limit: i64,
    ) -> Result<(Vec<QuarantinedRow>, i64), PostgresError> {
        let sql = format!(
            "select table_name, id, reason, request_id, count(*) over ()
             from {} order by table_name, id limit {limit}",
            names.table("_quarantine")
        );
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &[])
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        let total = rows.first().map_or(0, |row| row.get(4));
        let list = rows
            .iter()
            .map(|row| QuarantinedRow {
                table: row.get(0),
                id: row.get(1),
                reason: row.get(2),
                request_id: row.get(3),
            })
            .collect();
        Ok((list, total))
    }
}
