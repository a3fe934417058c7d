//! Runs: what was requested, and how each run ended.

use deadpool_postgres::Transaction;
use tokio_postgres::types::{ToSql, Type};

use crate::postgres::connection::pool::{Database, begin};
use crate::postgres::error::PostgresError;
use crate::postgres::ledger::streams::shows_availability;
use crate::postgres::names::Names;

/// What a run reads. Requests with the same `identity` share one run.
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
    /// The version of the catalog, followed by the requested API version if that differs.
    pub(crate) catalog_version: String,
    /// The Unix second from which events have to be replayed after this run.
    pub(crate) event_cursor: i64,
    pub(crate) streams: Vec<PlannedStream>,
}

/// A stream of a new run.
#[derive(Debug, Clone)]
pub(crate) struct PlannedStream {
    pub(crate) table: String,
    /// Whether a range was requested although the list cannot be filtered by it.
    pub(crate) unfiltered: bool,
    /// Skip the stream if it was read completely within the last day.
    pub(crate) daily: bool,
}

/// A run in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) id: i64,
    /// Whether an unfinished run is resumed.
    pub(crate) continued: bool,
    /// Unix seconds.
    pub(crate) started_at: i64,
    /// The Unix second, on Stripe's clock, from which events have to be replayed after it.
    pub(crate) event_cursor: i64,
    /// The bounds of `created`, in Unix seconds.
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
}

impl Database {
    /// Resumes the unfinished run of the same identity, or creates a run.
    ///
    /// A run is unfinished while streams are running or failed. Resuming it retries those and the
    /// denied ones from where they stopped. An unfinished run whose event cursor is earlier than
    /// `oldest` is abandoned; `i64::MAX` always starts afresh.
    pub(crate) async fn open_run(
        &self,
        names: &Names,
        new: &NewRun,
        oldest: i64,
    ) -> Result<Run, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot open the run", &e);
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let lock = names.lock_key(&new.identity);
        transaction
            .batch_execute(&format!("select pg_advisory_xact_lock({lock})"))
            .await
            .map_err(fail)?;
        let unfinished = unfinished_run(&transaction, names, &new.identity).await.map_err(fail)?;
        let run = match unfinished {
            Some(run) if run.event_cursor >= oldest => {
                resume(&transaction, names, run.id).await.map_err(fail)?;
                run
            }
            unfinished => {
                if let Some(run) = unfinished {
                    abandon(&transaction, names, run.id).await.map_err(fail)?;
                }
                let run = insert_run(&transaction, names, new).await.map_err(fail)?;
                if oldest == i64::MAX {
                    mark_outdated(&transaction, names, run.id, new).await.map_err(fail)?;
                }
                insert_streams(&transaction, names, run.id, new).await.map_err(fail)?;
                run
            }
        };
        transaction.commit().await.map_err(fail)?;
        Ok(run)
    }

    /// Writes how a run ended. This commit is synchronous, so all earlier ones are durable as well.
    /// Deletes tombstones that are older than 35 days and that no unfinished run needs.
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
        // The last complete run of an identity is kept, and so are the runs that show whether a
        // stream of an account could be read when it was last requested. If the events of an account
        // have never been read, the cursor keeps the second from which they are needed.
        client
            .execute_typed(
                &format!(
                    "with old as (
                         delete from {runs} r where r.finished_at < now() - interval '90 days'
                           and r.status not in ('running', 'failed')
                           and r.id not in (select max(id) from {runs}
                                            where status = 'complete' group by identity)
                           and not exists (
                               select 1 from {streams} s where s.run_id = r.id and {ended}
                               and not exists (
                                   select 1 from {streams} l join {runs} n on n.id = l.run_id
                                   where l.stream = s.stream and l.run_id > s.run_id
                                     and n.account_id = r.account_id and {ended_later}))
                         returning r.id, r.account_id, r.event_cursor),
                     cursors as (
                         insert into {cursors} (account_id, second)
                         select account_id, min(event_cursor) from old group by account_id
                         on conflict do nothing),
                     slices as (delete from {} where run_id in (select id from old))
                     delete from {} where run_id in (select id from old)",
                    names.table("_slices"),
                    names.table("_streams"),
                    cursors = names.table("_event_cursors"),
                    streams = names.table("_streams"),
                    ended = shows_availability("s"),
                    ended_later = shows_availability("l"),
                ),
                &[],
            )
            .await
            .map_err(fail)?;
        Ok(())
    }
}

async fn unfinished_run(
    transaction: &Transaction<'_>,
    names: &Names,
    identity: &str,
) -> Result<Option<Run>, tokio_postgres::Error> {
    let sql = format!(
        "select id, floor(extract(epoch from started_at))::bigint, event_cursor, since, until
         from {}
         where identity = $1 and status in ('running', 'failed')
         order by id desc limit 1",
        names.table("_runs")
    );
    let row = transaction.query_typed_opt(&sql, &[(&identity, Type::TEXT)]).await?;
    Ok(row.map(|row| Run {
        id: row.get(0),
        continued: true,
        started_at: row.get(1),
        event_cursor: row.get(2),
        since: row.get(3),
        until: row.get(4),
    }))
}

/// Lets the failed and denied streams of a run be read again.
async fn resume(
    transaction: &Transaction<'_>,
    names: &Names,
    id: i64,
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "update {streams} set status = 'running', updated_at = now()
         where run_id = {id} and status in ('failed', 'denied');
         update {slices} set restarts = 0 where run_id = {id} and restarts > 0;
         update {runs} set status = 'running', finished_at = null where id = {id}",
        streams = names.table("_streams"),
        slices = names.table("_slices"),
        runs = names.table("_runs"),
    );
    transaction.batch_execute(&sql).await
}

/// Ends a run permanently. A process that still works on it notices that its slices are gone and
/// stops.
async fn abandon(
    transaction: &Transaction<'_>,
    names: &Names,
    id: i64,
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "update {streams} set status = 'failed', message = 'restarted with --fresh'
         where run_id = {id} and status = 'running';
         delete from {slices} where run_id = {id};
         update {runs} set status = 'abandoned', finished_at = now() where id = {id}",
        streams = names.table("_streams"),
        slices = names.table("_slices"),
        runs = names.table("_runs"),
    );
    transaction.batch_execute(&sql).await
}

async fn insert_run(
    transaction: &Transaction<'_>,
    names: &Names,
    new: &NewRun,
) -> Result<Run, tokio_postgres::Error> {
    let sql = format!(
        "insert into {} (account_id, identity, objects, range, since, until, catalog_version,
                         event_cursor)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         returning id, floor(extract(epoch from started_at))::bigint",
        names.table("_runs")
    );
    let row = transaction
        .query_typed_one(
            &sql,
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
        .await?;
    Ok(Run {
        id: row.get(0),
        continued: false,
        started_at: row.get(1),
        event_cursor: new.event_cursor,
        since: new.since,
        until: new.until,
    })
}

/// Makes a run that was started afresh read all of its streams, even after an interruption.
async fn mark_outdated(
    transaction: &Transaction<'_>,
    names: &Names,
    id: i64,
    new: &NewRun,
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "update {} s set outdated = true from {} r
         where r.id = s.run_id and r.account_id = $1 and s.stream = any($2) and s.run_id <> $3
           and not s.outdated",
        names.table("_streams"),
        names.table("_runs"),
    );
    let tables: Vec<&str> = new.streams.iter().map(|s| s.table.as_str()).collect();
    let params: [(&(dyn ToSql + Sync), Type); 3] =
        [(&new.account, Type::TEXT), (&tables, Type::TEXT_ARRAY), (&id, Type::INT8)];
    transaction.execute_typed(&sql, &params).await.map(drop)
}

/// Inserts the streams of a new run, and one slice for each that is to be read.
async fn insert_streams(
    transaction: &Transaction<'_>,
    names: &Names,
    id: i64,
    new: &NewRun,
) -> Result<(), tokio_postgres::Error> {
    let (runs, streams) = (names.table("_runs"), names.table("_streams"));
    let tables: Vec<&str> = new.streams.iter().map(|s| s.table.as_str()).collect();
    let unfiltered: Vec<bool> = new.streams.iter().map(|s| s.unfiltered).collect();
    let daily: Vec<bool> = new.streams.iter().map(|s| s.daily).collect();
    transaction
        .execute_typed(
            &format!(
                "insert into {streams} (run_id, stream, unfiltered, status, message)
                 select $1, n.stream, n.unfiltered,
                        case when read.at is null then 'running' else 'complete' end,
                        'read completely at ' || to_char(read.at at time zone 'utc',
                                                         'YYYY-MM-DD HH24:MI:SS') || ' UTC'
                 from unnest($2::text[], $3::bool[], $4::bool[]) n(stream, unfiltered, daily)
                 left join lateral (
                     select s.updated_at as at from {streams} s
                     join {runs} r on r.id = s.run_id
                     where n.daily and s.stream = n.stream and s.status = 'complete'
                       and s.requests > 0 and not s.outdated and r.account_id = $5
                       and r.catalog_version = $6
                       and s.updated_at > now() - interval '1 day'
                     order by s.updated_at desc limit 1) read on true"
            ),
            &[
                (&id, Type::INT8),
                (&tables, Type::TEXT_ARRAY),
                (&unfiltered, Type::BOOL_ARRAY),
                (&daily, Type::BOOL_ARRAY),
                (&new.account, Type::TEXT),
                (&new.catalog_version, Type::TEXT),
            ],
        )
        .await?;
    // The rows of an unfiltered stream can be outside the range, so its slice is unbounded.
    let sql = format!(
        "insert into {} (run_id, stream, part, created_from, created_before)
         select run_id, stream, 0, case when not unfiltered then $2 end,
                case when not unfiltered then $3 end
         from {streams} where run_id = $1 and status = 'running'",
        names.table("_slices")
    );
    let bounds = [
        (&id as &(dyn ToSql + Sync), Type::INT8),
        (&new.since, Type::INT8),
        (&new.until, Type::INT8),
    ];
    transaction.execute_typed(&sql, &bounds).await?;
    Ok(())
}
