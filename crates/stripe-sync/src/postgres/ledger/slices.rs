//! The slices of a run: their positions, and how they are split.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::error_class::ErrorClass;
use crate::postgres::names::Names;
use crate::slice::{Bounds, CursorRow, Split};

/// How long a slice stays with an owner that stops responding.
pub(crate) const LEASE: Duration = Duration::from_secs(45);

/// How far a slice has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) bounds: Bounds,
    /// The cursor and a few rows before it. The cursor is the last one.
    pub(crate) trail: Vec<CursorRow>,
    /// Incremented by every commit. Fences repeated commits within one epoch.
    pub(crate) seq: i64,
}

/// A slice that this process has claimed.
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

/// A slice that a worker is reading, as a candidate for splitting.
#[derive(Debug, Clone)]
pub(crate) struct OpenSlice {
    pub(crate) id: i64,
    pub(crate) stream: String,
    pub(crate) part: i32,
    pub(crate) split: Split,
}

impl Database {
    /// Reads the position of a slice after any transaction that still writes to it has ended.
    /// `None` if the slice is finished or has another owner.
    pub(crate) async fn reread(
        &self,
        names: &Names,
        slice: &ClaimedSlice,
    ) -> Result<Option<Position>, PostgresError> {
        let sql = format!(
            "select created_from, created_before, trail::text, seq from {}
             where id = $1 and epoch = $2 for update",
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

    /// Moves a slice back: to a row before the cursor, or to the start with an empty trail. Returns
    /// false if the slice has another owner or has moved. Rows of the first part are counted again;
    /// those of a later part are recognized.
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
                    rows = case when $4 = '[]' and part = 0 then 0 else rows end
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

    /// Slices that are being read and have at least one page.
    pub(crate) async fn open_slices(
        &self,
        names: &Names,
        run_id: i64,
    ) -> Result<Vec<OpenSlice>, PostgresError> {
        let sql = format!(
            "select l.id, l.stream, l.created_from, l.created_before, l.first_created,
                    l.cursor_created, l.pages, l.requests, l.part
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
                part: row.get(8),
                split: Split {
                    bounds: Bounds { from: row.get(2), to: row.get(3) },
                    first_created: row.get(4),
                    cursor_created: row.get(5),
                    pages: row.get(6),
                    requests_per_page: row.get::<_, i64>(7) as f64
                        / row.get::<_, i64>(6).max(1) as f64,
                },
            })
            .collect())
    }

    /// Splits `[from, mid)` off a slice into a new one. Returns false if the slice has moved.
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
        let created = self
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
        Ok(created == 1)
    }

    /// How many slices of running streams are left, and how many of them can be claimed.
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

/// Reads the columns `created_from, created_before, trail::text, seq`, the first of them at
/// `first`.
pub(super) fn position(row: &Row, first: usize) -> Result<Position, PostgresError> {
    let trail: &str = row.get(first + 2);
    let trail: Vec<(String, Option<i64>)> = serde_json::from_str(trail)
        .map_err(|e| PostgresError::own("cannot read a slice", e.to_string(), ErrorClass::Other))?;
    Ok(Position {
        bounds: Bounds { from: row.get(first), to: row.get(first + 1) },
        trail: trail.into_iter().map(|(id, created)| CursorRow { id, created }).collect(),
        seq: row.get(first + 3),
    })
}

/// A trail as it is stored.
pub(in crate::postgres) fn trail_json(trail: &[CursorRow]) -> String {
    let rows: Vec<(&str, Option<i64>)> =
        trail.iter().map(|row| (row.id.as_str(), row.created)).collect();
    serde_json::to_string(&rows).expect("ids and numbers are json")
}
