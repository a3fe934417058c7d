//! Runs and their streams: what was asked, what has been reached, how each stream ended.

use tokio_postgres::types::Type;

use crate::postgres::connection::pool::begin;
use crate::postgres::{ClaimedSlice, Database, Names, PostgresError};

/// What a run is to read. Two requests with one `identity` are one run.
#[derive(Debug, Clone)]
pub(crate) struct NewRun {
    pub(crate) account: String,
    pub(crate) identity: String,
    /// As typed, for people.
    pub(crate) objects: String,
    /// As typed, for people.
    pub(crate) range: String,
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    /// The catalog's version, and the API version that is asked for if it is another one.
    pub(crate) catalog_version: String,
    /// Unix seconds from which events have to be replayed over this run.
    pub(crate) event_cursor: i64,
    pub(crate) streams: Vec<PlannedStream>,
}

/// A stream of a new run.
#[derive(Debug, Clone)]
pub(crate) struct PlannedStream {
    pub(crate) table: String,
    /// A range was asked that the list cannot be filtered by.
    pub(crate) unfiltered: bool,
    /// Leave the stream out if it has been read whole within the last day.
    pub(crate) daily: bool,
}

/// A run in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: i64,
    /// The run was there and is continued.
    pub(crate) continued: bool,
    /// Unix seconds.
    pub(crate) started_at: i64,
}

/// How far a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamStatus {
    Running,
    Complete,
    Skipped,
    Denied,
    Failed,
}

/// A stream of a run, with the counters of its slices that are still open.
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

/// Why a stream ended other than complete.
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
        }
    }

    fn parse(text: &str) -> StreamStatus {
        match text {
            "complete" => StreamStatus::Complete,
            "skipped" => StreamStatus::Skipped,
            "denied" => StreamStatus::Denied,
            "failed" => StreamStatus::Failed,
            _ => StreamStatus::Running,
        }
    }
}

impl Database {
    /// Continues the unfinished run of the same identity, or makes a new one.
    ///
    /// A run is unfinished while streams are running or failed; continuing it gives those and
    /// denied ones another try, where they stopped.
    pub(crate) async fn open_run(
        &self,
        names: &Names,
        new: &NewRun,
        fresh: bool,
    ) -> Result<Run, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot open the run", &e);
        let (runs, streams, slices) =
            (names.table("_runs"), names.table("_streams"), names.table("_slices"));
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = names.lock_key(&new.identity);
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let identity = [(&new.identity as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT)];
        let found = transaction
            .query_typed_opt(
                &format!(
                    "select id, floor(extract(epoch from started_at))::bigint from {runs}
                     where identity = $1 and status in ('running', 'failed')
                     order by id desc limit 1"
                ),
                &identity,
            )
            .await
            .map_err(fail)?
            .map(|row| Run { id: row.get(0), continued: true, started_at: row.get(1) });
        if let Some(run) = found {
            if !fresh {
                transaction
                    .batch_execute(&format!(
                        "update {streams} set status = 'running', updated_at = now()
                         where run_id = {id} and status in ('failed', 'denied');
                         update {slices} set restarts = 0 where run_id = {id} and restarts > 0;
                         update {runs} set status = 'running', finished_at = null where id = {id}",
                        id = run.id
                    ))
                    .await
                    .map_err(fail)?;
                transaction.commit().await.map_err(fail)?;
                return Ok(run);
            }
            // A process that still works on it finds its slices gone and stops.
            transaction
                .batch_execute(&format!(
                    "update {streams} set status = 'failed', message = 'begun anew with --fresh'
                     where run_id = {id} and status = 'running';
                     delete from {slices} where run_id = {id};
                     update {runs} set status = 'abandoned', finished_at = now() where id = {id}",
                    id = run.id
                ))
                .await
                .map_err(fail)?;
        }
        let row = transaction
            .query_typed_one(
                &format!(
                    "insert into {runs} (account_id, identity, objects, range, since, until,
                                         catalog_version, event_cursor)
                     values ($1, $2, $3, $4, $5, $6, $7, $8)
                     returning id, floor(extract(epoch from started_at))::bigint"
                ),
                &[
                    (&new.account, Type::TEXT),
                    (&new.identity, Type::TEXT),
                    (&new.objects, Type::TEXT),
                    (&new.range, Type::TEXT),
                    (&new.since, Type::INT8),
                    (&new.until, Type::INT8),
                    (&new.catalog_version, Type::TEXT),
                    (&new.event_cursor, Type::INT8),
                ],
            )
            .await
            .map_err(fail)?;
        let run = Run { id: row.get(0), continued: false, started_at: row.get(1) };
        let tables: Vec<&str> = new.streams.iter().map(|s| s.table.as_str()).collect();
        let unfiltered: Vec<bool> = new.streams.iter().map(|s| s.unfiltered).collect();
        let daily: Vec<bool> = new.streams.iter().map(|s| s.daily && !fresh).collect();
        transaction
            .execute_typed(
                &format!(
                    "insert into {streams} (run_id, stream, unfiltered, status, message)
                     select $1, n.stream, n.unfiltered,
                            case when read.at is null then 'running' else 'complete' end,
                            'read whole at ' || to_char(read.at at time zone 'utc',
                                                        'YYYY-MM-DD HH24:MI:SS') || ' UTC'
                     from unnest($2::text[], $3::bool[], $4::bool[]) n(stream, unfiltered, daily)
                     left join lateral (
                         select s.updated_at as at from {streams} s
                         join {runs} r on r.id = s.run_id
                         where n.daily and s.stream = n.stream and s.status = 'complete'
                           and s.requests > 0 and r.account_id = $5
                           and r.catalog_version = $6
                           and s.updated_at > now() - interval '1 day'
                         order by s.updated_at desc limit 1) read on true"
                ),
                &[
                    (&run.id, Type::INT8),
                    (&tables, Type::TEXT_ARRAY),
                    (&unfiltered, Type::BOOL_ARRAY),
                    (&daily, Type::BOOL_ARRAY),
                    (&new.account, Type::TEXT),
                    (&new.catalog_version, Type::TEXT),
                ],
            )
            .await
            .map_err(fail)?;
        // An unfiltered stream has no bounds that its rows could be judged by.
        transaction
            .execute_typed(
                &format!(
                    "insert into {slices} (run_id, stream, part, created_from, created_before)
                     select run_id, stream, 0, case when not unfiltered then $2 end,
                            case when not unfiltered then $3 end
                     from {streams} where run_id = $1 and status = 'running'"
                ),
                &[(&run.id, Type::INT8), (&new.since, Type::INT8), (&new.until, Type::INT8)],
            )
            .await
            .map_err(fail)?;
        transaction.commit().await.map_err(fail)?;
        Ok(run)
    }

    /// Ends a stream that could not be completed. Its slices keep their positions. Does nothing where
    /// `slice` has another owner: the stream may be readable to that one, and is its to end.
    pub(crate) async fn end_stream(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
        end: &StreamEnd,
        requests: i64,
    ) -> Result<bool, PostgresError> {
        // The lock keeps the slice where it is until the stream has ended.
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

    /// Whether a stream holds rows of this account, or has ever been read to its end.
    pub(crate) async fn stream_was_available(
        &self,
        names: &Names,
        account: &str,
        stream: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select exists (select 1 from {} where _account_id = $1)
                 or exists (select 1 from {} s join {} r on r.id = s.run_id
                            where r.account_id = $1 and s.stream = $2
                              and s.status = 'complete' and s.requests > 0)",
            names.table(stream),
            names.table("_streams"),
            names.table("_runs"),
        );
        let row = self
            .get()
            .await?
            .query_typed_one(&sql, &[(&account, Type::TEXT), (&stream, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(row.get(0))
    }

    /// Writes how a run ended. This commit waits for the disk, and with it for all before it.
    /// Tombstones that no open run is old enough to need go after 35 days.
    pub(crate) async fn close_run(
        &self,
        names: &Names,
        run_id: i64,
        status: &str,
    ) -> Result<(), PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot close the run", &e);
        let runs = names.table("_runs");
        let client = self.get().await?;
        client
            .execute_typed(
                &format!(
                    "update {runs} set status = $2, finished_at = now()
                     where id = $1 and status in ('running', 'failed')"
                ),
                &[(&run_id, Type::INT8), (&status, Type::TEXT)],
            )
            .await
            .map_err(fail)?;
        client
            .execute_typed(
                &format!(
                    "delete from {} d where d.deleted_at < now() - interval '35 days'
                       and not exists (select 1 from {runs} r
                                       where r.status in ('running', 'failed')
                                         and r.started_at < d.deleted_at)",
                    names.table("_tombstones")
                ),
                &[],
            )
            .await
            .map_err(fail)?;
        Ok(())
    }
}
