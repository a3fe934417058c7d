//! The streams of a run: their status, and how each ended.

use std::collections::HashSet;
use std::time::SystemTime;

use tokio_postgres::types::{ToSql, Type};

use crate::catalog::Table;
use crate::order::Stamp;
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

/// When a stream was last read completely.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastReading {
    /// The Unix second, on Stripe's clock, from which events say what has changed since.
    pub(crate) event_cursor: i64,
    /// When the run started, on the database's clock.
    pub(crate) started_at: SystemTime,
}

/// A quarantine entry of a stream that is read from the lists of parents.
#[derive(Debug, Clone)]
pub(crate) enum QuarantinedOfParent {
    /// The list of a parent could not be read.
    List { parent: String },
    /// An object could not be stored.
    Object { json: String },
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

/// Whether a row `s` of `_streams` shows if the account can read the stream, as an SQL condition.
pub(super) fn shows_availability(s: &str) -> String {
    format!("({s}.status = 'complete' and {s}.requests > 0 or {s}.status in ('gone', 'skipped'))")
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

    /// The last complete read of a stream whose last part is `part`, with the catalog of the run
    /// `run_id`, unless a later run or an included column requires that everything is read again.
    pub(crate) async fn last_reading(
        &self,
        names: &Names,
        account: &str,
        stream: &str,
        part: i32,
        run_id: i64,
    ) -> Result<Option<LastReading>, PostgresError> {
        let sql = format!(
            "select r.event_cursor, r.started_at from {} s join {} r on r.id = s.run_id
             where r.account_id = $1 and s.stream = $2 and s.part = $3 and s.status = 'complete'
               and not s.outdated and r.id <> $4 and r.catalog_version = (select catalog_version from {} where id = $4)
             order by r.event_cursor desc limit 1",
            names.table("_streams"),
            names.table("_runs"),
            names.table("_runs"),
        );
        let params: [(&(dyn ToSql + Sync), Type); 4] = [
            (&account, Type::TEXT),
            (&stream, Type::TEXT),
            (&part, Type::INT4),
            (&run_id, Type::INT8),
        ];
        let row = self
            .get()
            .await?
            .query_typed_opt(&sql, &params)
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(row.map(|row| LastReading { event_cursor: row.get(0), started_at: row.get(1) }))
    }

    /// The quarantine entries of a stream that is read from the lists of parents, at most `limit`.
    pub(crate) async fn quarantined_of_parents(
        &self,
        names: &Names,
        account: &str,
        stream: &str,
        limit: i64,
    ) -> Result<Vec<QuarantinedOfParent>, PostgresError> {
        let sql = format!(
            "select starts_with(id, $2 || ' of '), split_part(id, ' of ', 2), object
             from {} where account_id = $1 and table_name = $2 limit $3",
            names.table("_quarantine"),
        );
        let params: [(&(dyn ToSql + Sync), Type); 3] =
            [(&account, Type::TEXT), (&stream, Type::TEXT), (&limit, Type::INT8)];
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &params)
            .await
            .map_err(|e| PostgresError::new("cannot read the quarantine", &e))?;
        let entries = rows.iter().map(|row| match row.get(0) {
            true => QuarantinedOfParent::List { parent: row.get(1) },
            false => QuarantinedOfParent::Object { json: row.get(2) },
        });
        Ok(entries.collect())
    }

    /// Which of these objects have a row whose content was written at this time, on the database's clock,
    /// or later.
    pub(crate) async fn changed_since(
        &self,
        names: &Names,
        account: &str,
        table: &Table,
        ids: &[&str],
        since: SystemTime,
    ) -> Result<HashSet<String>, PostgresError> {
        let sql = format!(
            "select id from {} where _account_id = $1 and id = any($2) and updated_at >= $3",
            names.table(&table.name),
        );
        let params: [(&(dyn ToSql + Sync), Type); 3] =
            [(&account, Type::TEXT), (&ids, Type::TEXT_ARRAY), (&since, Type::TIMESTAMPTZ)];
        let rows = self.read_table(names, &table.name, &sql, &params).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Which of these objects have been read at this stamp or later, including those that are
    /// quarantined.
    pub(crate) async fn read_since(
        &self,
        names: &Names,
        account: &str,
        table: &Table,
        ids: &[&str],
        since: Stamp,
    ) -> Result<HashSet<String>, PostgresError> {
        let sql = format!(
            "select id from {} where _account_id = $1 and id = any($2) and last_synced_at >= $3
             union all
             select id from {} where table_name = $4 and account_id = $1 and id = any($2)
                                 and seen_at >= $3",
            names.table(&table.name),
            names.table("_quarantine"),
        );
        let params: [(&(dyn ToSql + Sync), Type); 4] = [
            (&account, Type::TEXT),
            (&ids, Type::TEXT_ARRAY),
            (&since.to_system(), Type::TIMESTAMPTZ),
            (&table.name, Type::TEXT),
        ];
        let rows = self.read_table(names, &table.name, &sql, &params).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
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
    /// such as one of an adopted database, counts as available if the first rows of its table
    /// include some of this account. The whole table is not searched, because it can be large.
    pub(crate) async fn stream_was_available(
        &self,
        names: &Names,
        account: &str,
        stream: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select s.status = 'complete' from {} s join {} r on r.id = s.run_id
             where r.account_id = $1 and s.stream = $2 and {shows}
             order by s.run_id desc limit 1",
            names.table("_streams"),
            names.table("_runs"),
            shows = shows_availability("s"),
        );
        let row = self
            .get()
            .await?
            .query_typed_opt(&sql, &[(&account, Type::TEXT), (&stream, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        if let Some(row) = row {
            return Ok(row.get(0));
        }
        let sql = format!(
            "select 1 from (select _account_id from {} limit 1000) t where _account_id = $1 limit 1",
            names.table(stream)
        );
        let rows = self.read_table(names, stream, &sql, &[(&account, Type::TEXT)]).await?;
        Ok(!rows.is_empty())
    }
}
