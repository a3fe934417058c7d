//! The streams of a run: their status, and how each ended.

use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::ledger::slices::ClaimedSlice;
use crate::postgres::names::Names;

/// The status of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamStatus {
    Running,
    Complete,
    Skipped,
    Denied,
    Failed,
    /// An earlier run could read it, but it is no longer available to the account.
    Gone,
}

/// A stream of a run. The counters include its unfinished slices.
#[derive(Debug, Clone)]
pub(crate) struct StreamState {
    pub(crate) stream: String,
    pub(crate) status: StreamStatus,
    pub(crate) unfiltered: bool,
    pub(crate) rows: i64,
    pub(crate) requests: i64,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
}

/// Why a stream was not completed.
#[derive(Debug, Clone)]
pub(crate) struct StreamEnd {
    pub(crate) status: StreamStatus,
    pub(crate) message: String,
    pub(crate) request_id: Option<String>,
}

impl StreamStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            StreamStatus::Running => "running",
            StreamStatus::Complete => "complete",
            StreamStatus::Skipped => "skipped",
            StreamStatus::Denied => "denied",
            StreamStatus::Failed => "failed",
            StreamStatus::Gone => "gone",
        }
    }

    fn parse(text: &str) -> StreamStatus {
        match text {
            "complete" => StreamStatus::Complete,
            "skipped" => StreamStatus::Skipped,
            "denied" => StreamStatus::Denied,
            "failed" => StreamStatus::Failed,
            "gone" => StreamStatus::Gone,
            _ => StreamStatus::Running,
        }
    }
}

impl Database {
    /// Ends a stream that could not be completed. Its slices keep their positions. Does nothing and
    /// returns false if `slice` has another owner, who may be able to read the stream.
    pub(crate) async fn end_stream(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
        end: &StreamEnd,
        requests: i64,
    ) -> Result<bool, PostgresError> {
        // The lock prevents another owner from claiming the slice before the stream has ended.
        let sql = format!(
            "with held as (select 1 from {} where id = $7 and epoch = $8 for update)
             update {} set status = $3, message = $4, request_id = $5, requests = requests + $6,
                    updated_at = now()
             where run_id = $1 and stream = $2 and status = 'running'
               and exists (select 1 from held)",
            names.table("_slices"),
            names.table("_streams")
        );
        let ended = self
            .get()
            .await?
            .execute_typed(
                &sql,
                &[
                    (&slice.run_id, Type::INT8),
                    (&slice.stream, Type::TEXT),
                    (&end.status.as_str(), Type::TEXT),
                    (&end.message, Type::TEXT),
                    (&end.request_id, Type::TEXT),
                    (&requests, Type::INT8),
                    (&slice.id, Type::INT8),
                    (&slice.epoch, Type::INT8),
                ],
            )
            .await
            .map_err(|e| PostgresError::new("cannot end a stream", &e))?;
        Ok(ended == 1)
    }

    /// Every stream of a run.
    pub(crate) async fn stream_states(
        &self,
        names: &Names,
        run_id: i64,
    ) -> Result<Vec<StreamState>, PostgresError> {
        let sql = format!(
            "select s.stream, s.status, s.unfiltered,
                    s.rows + coalesce(sum(l.rows), 0)::bigint,
                    s.requests + coalesce(sum(l.requests), 0)::bigint, s.message, s.request_id
             from {} s left join {} l on l.run_id = s.run_id and l.stream = s.stream
             where s.run_id = $1 group by s.run_id, s.stream order by s.stream",
            names.table("_streams"),
            names.table("_slices"),
        );
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &[(&run_id, Type::INT8)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(rows
            .iter()
            .map(|row| StreamState {
                stream: row.get(0),
                status: StreamStatus::parse(row.get(1)),
                unfiltered: row.get(2),
                rows: row.get(3),
                requests: row.get(4),
                message: row.get(5),
                request_id: row.get(6),
            })
            .collect())
    }

    /// Whether a run has read a page of the stream.
    pub(crate) async fn stream_was_read(
        &self,
        names: &Names,
        run_id: i64,
        stream: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select exists (select 1 from {} where run_id = $1 and stream = $2 and pages > 0)
                 or exists (select 1 from {} where run_id = $1 and stream = $2 and rows > 0)",
            names.table("_slices"),
            names.table("_streams"),
        );
        let key: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
            [(&run_id, Type::INT8), (&stream, Type::TEXT)];
        let client = self.get().await?;
        let row = client
            .query_typed_one(&sql, &key)
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(row.get(0))
    }

    /// Whether the stream could be read when a run last ended it. A stream that no run has ended,
    /// such as one of an adopted database, counts as available if its table has rows of this
    /// account.
    pub(crate) async fn stream_was_available(
        &self,
        names: &Names,
        account: &str,
        stream: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select coalesce(
                 (select s.status = 'complete' from {} s join {} r on r.id = s.run_id
                  where r.account_id = $1 and s.stream = $2
                    and (s.status = 'complete' and s.requests > 0
                         or s.status in ('gone', 'skipped'))
                  order by s.run_id desc limit 1),
                 exists (select 1 from {} where _account_id = $1))",
            names.table("_streams"),
            names.table("_runs"),
            names.table(stream),
        );
        let row = self
            .get()
            .await?
            .query_typed_one(&sql, &[(&account, Type::TEXT), (&stream, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(row.get(0))
    }
}
