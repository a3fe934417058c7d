//! The position of a slice, committed together with the rows of its pages.
//!
//! The fence is the first statement: it updates the slice where id, epoch and `seq` match. A server that
//! loses commits in a crash can give an id twice; the upper bound of a slice never changes, and tells the
//! two apart. If no row matches, another owner has the slice or these pages have already been committed, and the
//! transaction is rolled back.

use deadpool_postgres::Transaction;
use tokio_postgres::Error;
use tokio_postgres::types::{ToSql, Type};

use super::quarantine;
use super::request::{CommittedPosition, PositionCommit, SliceProgress};
use super::upsert::Statements;
use crate::postgres::ledger::slices::{LEASE, trail_json};
use crate::slice::{Bounds, CursorRow};

/// What the fence found.
pub(super) struct Fence {
    /// The bounds that the ledger holds.
    pub(super) bounds: Bounds,
    /// Rows of the stream's tables are quarantined, perhaps by another process.
    pub(super) has_quarantined: bool,
}

/// `None` if the fence rejects the commit.
pub(super) async fn fence(
    transaction: &Transaction<'_>,
    statements: &Statements,
    commit: &PositionCommit<'_>,
    account: &str,
) -> Result<Option<Fence>, Error> {
    let sql = format!(
        "update {} set seq = seq + 1, pages = pages + $4, requests = requests + $5,
                first_created = coalesce(first_created, $6),
                lease_until = now() + $7 * interval '1 second'
         where id = $1 and epoch = $2 and seq = $3 and created_before is not distinct from $8
         returning created_from, created_before,
                   exists (select 1 from {} q where q.account_id = $9 and q.table_name = any($10))",
        statements.names.table("_slices"),
        statements.names.table("_quarantine")
    );
    let row = transaction
        .query_typed_opt(
            &sql,
            &[
                (&commit.slice.id, Type::INT8),
                (&commit.slice.epoch, Type::INT8),
                (&commit.seq, Type::INT8),
                (&commit.pages, Type::INT8),
                (&commit.requests, Type::INT8),
                (&commit.first_created, Type::INT8),
                (&LEASE.as_secs_f64(), Type::FLOAT8),
                (&commit.slice.position.bounds.to, Type::INT8),
                (&account, Type::TEXT),
                (&commit.tables, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(row.map(|row| Fence {
        bounds: Bounds { from: row.get(0), to: row.get(1) },
        has_quarantined: row.get(2),
    }))
}

/// Stores the new position, or ends the slice.
pub(super) async fn store(
    transaction: &Transaction<'_>,
    statements: &Statements,
    commit: &PositionCommit<'_>,
    bounds: Bounds,
    nothing_quarantined: bool,
) -> Result<CommittedPosition, Error> {
    let SliceProgress { trail, rows, ends_slice } = (commit.progress)(bounds);
    let stream_complete = match ends_slice {
        true => end_slice(transaction, statements, commit, rows, nothing_quarantined).await?,
        false => {
            advance(transaction, statements, commit, &trail, rows).await?;
            false
        }
    };
    Ok(CommittedPosition { bounds, trail, rows, slice_complete: ends_slice, stream_complete })
}

async fn advance(
    transaction: &Transaction<'_>,
    statements: &Statements,
    commit: &PositionCommit<'_>,
    trail: &[CursorRow],
    rows: i64,
) -> Result<(), Error> {
    let sql = format!(
        "update {} set trail = $2::text::jsonb, cursor_created = $3, rows = rows + $4 where id = $1",
        statements.names.table("_slices")
    );
    let cursor_created = trail.last().and_then(|row| row.created);
    transaction
        .execute_typed(
            &sql,
            &[
                (&commit.slice.id, Type::INT8),
                (&trail_json(trail), Type::TEXT),
                (&cursor_created, Type::INT8),
                (&rows, Type::INT8),
            ],
        )
        .await?;
    Ok(())
}

/// Moves the slice's counters to its stream. If this was the last slice of the part, the next part
/// starts, or the stream is complete; true in the latter case.
async fn end_slice(
    transaction: &Transaction<'_>,
    statements: &Statements,
    commit: &PositionCommit<'_>,
    rows: i64,
    nothing_quarantined: bool,
) -> Result<bool, Error> {
    let slices = statements.names.table("_slices");
    let streams = statements.names.table("_streams");
    let (run, stream) = (commit.slice.run_id, commit.slice.stream.as_str());
    let key: [(&(dyn ToSql + Sync), Type); 2] = [(&run, Type::INT8), (&stream, Type::TEXT)];
    // Of two slices that end at the same time, the second one waits here for the stream's row. Its
    // next statement sees that the first slice has been deleted.
    transaction
        .execute_typed(
            &format!(
                "with ended as (delete from {slices} where id = $1
                                returning run_id, stream, rows, requests)
                 update {streams} s set rows = s.rows + ended.rows + $2,
                        requests = s.requests + ended.requests, updated_at = now()
                 from ended where s.run_id = ended.run_id and s.stream = ended.stream"
            ),
            &[(&commit.slice.id, Type::INT8), (&rows, Type::INT8)],
        )
        .await?;
    let is_last = format!(
        "run_id = $1 and stream = $2 and status = 'running'
         and not exists (select 1 from {slices} where run_id = $1 and stream = $2)"
    );
    let next = commit.slice.part + 1;
    let part_follows = next < commit.parts;
    let sql = match part_follows {
        true => format!(
            "with part as (update {streams} set part = {next} where {is_last}
                           returning run_id, stream, unfiltered)
             insert into {slices} (run_id, stream, part, created_from, created_before)
             select p.run_id, p.stream, {next}, case when not p.unfiltered then r.since end,
                    case when not p.unfiltered then r.until end
             from part p join {runs} r on r.id = p.run_id",
            runs = statements.names.table("_runs")
        ),
        false => format!(
            "update {streams} set status = 'complete', message = $3, updated_at = now()
             where {is_last}"
        ),
    };
    let note: (&(dyn ToSql + Sync), Type) = (&commit.note, Type::TEXT);
    let params: Vec<_> = match part_follows {
        true => key.to_vec(),
        false => key.into_iter().chain([note]).collect(),
    };
    let changed = transaction.execute_typed(&sql, &params).await?;
    let stream_complete = changed == 1 && !part_follows;
    if stream_complete && !nothing_quarantined {
        quarantine::clear_unnamed(transaction, statements, run, &commit.tables).await?;
    }
    Ok(stream_complete)
}
