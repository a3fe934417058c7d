//! The slices of a run in the ledger: picked, leased, split, released.
//!
//! A lease is a column, not a lock: `for update skip locked` only picks. Whoever claims a slice
//! raises its epoch, and every later write of the former owner finds another epoch and is rolled
//! back.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::postgres::{Database, Names, PostgresError};
use crate::slice::{Bounds, CursorRow, Split};

/// How long a slice stays with an owner that gives no sign of life.
pub(crate) const LEASE: Duration = Duration::from_secs(45);

/// Where the reading of a slice stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) bounds: Bounds,
    /// The last rows, the cursor at the end.
    pub(crate) trail: Vec<CursorRow>,
    /// Raised by every commit; the fence inside one epoch.
    pub(crate) seq: i64,
}

/// A slice that this process owns for the time being.
#[derive(Debug, Clone)]
pub(crate) struct ClaimedSlice {
    pub(crate) id: i64,
    pub(crate) run_id: i64,
    pub(crate) stream: String,
    pub(crate) part: i32,
    pub(crate) epoch: i64,
    pub(crate) restarts: i32,
    pub(crate) position: Position,
}

/// A slice under way, as a candidate for splitting.
#[derive(Debug, Clone)]
pub(crate) struct OpenSlice {
    pub(crate) id: i64,
    pub(crate) stream: String,
    pub(crate) split: Split,
}

impl Database {
    /// Takes a slice that nobody holds.
    pub(crate) async fn claim(
        &self,
        names: &Names,
        run_id: i64,
        owner: &str,
    ) -> Result<Option<ClaimedSlice>, PostgresError> {
        let sql = format!(
            "update {slices} set owner = $2, epoch = epoch + 1,
                    lease_until = now() + $3 * interval '1 second'
             where id = (
                 select l.id from {slices} l
                 join {streams} s on s.run_id = l.run_id and s.stream = l.stream
                 where l.run_id = $1 and s.status = 'running'
                   and (l.lease_until is null or l.lease_until < now())
                 order by l.id limit 1 for update of l skip locked)
             returning id, run_id, stream, part, epoch, restarts, created_from, created_before, trail::text, seq",
            slices = names.table("_slices"),
            streams = names.table("_streams"),
        );
        let row = self
            .get()
            .await?
            .query_typed_opt(
                &sql,
                &[
                    (&run_id, Type::INT8),
                    (&owner, Type::TEXT),
                    (&LEASE.as_secs_f64(), Type::FLOAT8),
                ],
            )
            .await
            .map_err(|e| PostgresError::new("cannot claim a slice", &e))?;
        row.map(|row| {
            Ok(ClaimedSlice {
                id: row.get(0),
                run_id: row.get(1),
                stream: row.get(2),
                part: row.get(3),
                epoch: row.get(4),
                restarts: row.get(5),
                position: position(&row, 6)?,
            })
        })
        .transpose()
    }

    /// Locks a slice, which waits for any transaction that still writes to it, and reads it.
    /// `None` if it is finished, or another owner has it.
    pub(crate) async fn reread(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
    ) -> Result<Option<Position>, PostgresError> {
        let sql = format!(
            "select created_from, created_before, trail::text, seq from {} where id = $1 and epoch = $2 for update",
            names.table("_slices")
        );
        self.get()
            .await?
            .query_typed_opt(&sql, &[(&slice.id, Type::INT8), (&slice.epoch, Type::INT8)])
            .await
            .map_err(|e| PostgresError::new("cannot read a slice", &e))?
            .map(|row| position(&row, 0))
            .transpose()
    }

    /// Puts the reading back: to a row before the cursor, or to the start with an empty trail.
    /// False if the slice has another owner.
    pub(crate) async fn rewind(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
        seq: i64,
        trail: &[CursorRow],
        restarts: i32,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "update {} set trail = $4::text::jsonb, seq = seq + 1, restarts = $5,
                    rows = case when $4 = '[]' then 0 else rows end
             where id = $1 and epoch = $2 and seq = $3",
            names.table("_slices")
        );
        let written = self
            .get()
            .await?
            .execute_typed(
                &sql,
                &[
                    (&slice.id, Type::INT8),
                    (&slice.epoch, Type::INT8),
                    (&seq, Type::INT8),
                    (&trail_json(trail), Type::TEXT),
                    (&restarts, Type::INT4),
                ],
            )
            .await
            .map_err(|e| PostgresError::new("cannot rewind a slice", &e))?;
        Ok(written == 1)
    }

    /// Gives a slice back, so that the next claim need not wait for the lease to end.
    pub(crate) async fn release(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "update {} set owner = null, lease_until = null where id = $1 and epoch = $2",
            names.table("_slices")
        );
        self.get()
            .await?
            .execute_typed(&sql, &[(&slice.id, Type::INT8), (&slice.epoch, Type::INT8)])
            .await
            .map_err(|e| PostgresError::new("cannot release a slice", &e))?;
        Ok(())
    }

    /// Extends the leases of the slices that a worker really holds. One that is just being
    /// committed extends its own.
    pub(crate) async fn extend_leases(
        &self,
        names: &Names,
        held: &[i64],
        owner: &str,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "update {slices} set lease_until = now() + $3 * interval '1 second'
             where id in (select id from {slices} where id = any($1) and owner = $2
                          for update skip locked)",
            slices = names.table("_slices")
        );
        self.get()
            .await?
            .execute_typed(
                &sql,
                &[
                    (&held, Type::INT8_ARRAY),
                    (&owner, Type::TEXT),
                    (&LEASE.as_secs_f64(), Type::FLOAT8),
                ],
            )
            .await
            .map_err(|e| PostgresError::new("cannot extend the leases", &e))?;
        Ok(())
    }

    /// Ends the leases of owners that `is_dead` knows to be gone.
    pub(crate) async fn release_dead(
        &self,
        names: &Names,
        run_id: i64,
        is_dead: impl Fn(&str) -> bool,
    ) -> Result<u64, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot release slices", &e);
        let slices = names.table("_slices");
        let client = self.get().await?;
        let owners: Vec<String> = client
            .query_typed(
                &format!(
                    "select distinct owner from {slices} where run_id = $1 and owner is not null"
                ),
                &[(&run_id, Type::INT8)],
            )
            .await
            .map_err(fail)?
            .iter()
            .map(|row| row.get(0))
            .filter(|owner: &String| is_dead(owner))
            .collect();
        if owners.is_empty() {
            return Ok(0);
        }
        client
            .execute_typed(
                &format!(
                    "update {slices} set owner = null, lease_until = null
                     where run_id = $1 and owner = any($2)"
                ),
                &[(&run_id, Type::INT8), (&owners, Type::TEXT_ARRAY)],
            )
            .await
            .map_err(fail)
    }

    /// Slices under way that have passed a first page.
    pub(crate) async fn open_slices(
        &self,
        names: &Names,
        run_id: i64,
    ) -> Result<Vec<OpenSlice>, PostgresError> {
        let sql = format!(
            "select l.id, l.stream, l.created_from, l.created_before, l.first_created, l.cursor_created, l.rows, l.pages
             from {} l join {} s on s.run_id = l.run_id and s.stream = l.stream
             where l.run_id = $1 and s.status = 'running' and l.lease_until > now()
               and l.first_created is not null and l.cursor_created is not null",
            names.table("_slices"),
            names.table("_streams"),
        );
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &[(&run_id, Type::INT8)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok(rows
            .iter()
            .map(|row| OpenSlice {
                id: row.get(0),
                stream: row.get(1),
                split: Split {
                    bounds: Bounds { from: row.get(2), to: row.get(3) },
                    first_created: row.get(4),
                    cursor_created: row.get(5),
                    rows: row.get(6),
                    pages: row.get(7),
                },
            })
            .collect())
    }

    /// Cuts `[from, mid)` off a slice as a new one. False if the slice has moved since.
    pub(crate) async fn split(
        &self,
        names: &Names,
        slice: &OpenSlice,
        mid: i64,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "with kept as (
                 update {slices} set created_from = $2
                 where id = $1 and created_from is not distinct from $3 and cursor_created >= $2
                   and (created_from is null or created_from < $2)
                 returning run_id, stream, part)
             insert into {slices} (run_id, stream, part, created_from, created_before)
             select run_id, stream, part, $3, $2 from kept",
            slices = names.table("_slices")
        );
        let made = self
            .get()
            .await?
            .execute_typed(
                &sql,
                &[
                    (&slice.id, Type::INT8),
                    (&mid, Type::INT8),
                    (&slice.split.bounds.from, Type::INT8),
                ],
            )
            .await
            .map_err(|e| PostgresError::new("cannot split a slice", &e))?;
        Ok(made == 1)
    }

    /// How many slices of streams that still run are left, and how many of them are free.
    pub(crate) async fn slices_left(
        &self,
        names: &Names,
        run_id: i64,
    ) -> Result<(i64, i64), PostgresError> {
        let sql = format!(
            "select count(*), count(*) filter (where l.lease_until is null or l.lease_until < now())
             from {} l join {} s on s.run_id = l.run_id and s.stream = l.stream
             where l.run_id = $1 and s.status = 'running'",
            names.table("_slices"),
            names.table("_streams"),
        );
        let row = self
            .get()
            .await?
            .query_typed_one(&sql, &[(&run_id, Type::INT8)])
            .await
            .map_err(|e| PostgresError::new("cannot read the ledger", &e))?;
        Ok((row.get(0), row.get(1)))
    }
}

/// Reads `created_from, created_before, trail::text, seq` from `first` on.
fn position(row: &Row, first: usize) -> Result<Position, PostgresError> {
    let trail: &str = row.get(first + 2);
    let trail: Vec<(String, Option<i64>)> = serde_json::from_str(trail).map_err(|e| {
        PostgresError::own("cannot read a slice", e.to_string(), crate::postgres::ErrorClass::Other)
    })?;
    Ok(Position {
        bounds: Bounds { from: row.get(first), to: row.get(first + 1) },
        trail: trail.into_iter().map(|(id, created)| CursorRow { id, created }).collect(),
        seq: row.get(first + 3),
    })
}

pub(in crate::postgres) fn trail_json(trail: &[CursorRow]) -> String {
    let rows: Vec<(&str, Option<i64>)> =
        trail.iter().map(|row| (row.id.as_str(), row.created)).collect();
    serde_json::to_string(&rows).expect("ids and numbers are json")
}
