//! The leases of slices: claimed, extended, released.
//!
//! A lease is a column, not a lock: `for update skip locked` only picks a slice. Claiming a slice
//! increments its epoch. A former owner's later writes name an older epoch and are rolled back.

use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::ledger::slices::{ClaimedSlice, LEASE, position};
use crate::postgres::names::Names;

impl Database {
    /// Claims a slice that has no owner or whose lease has expired.
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
             returning id, run_id, stream, part, epoch, restarts,
                       created_from, created_before, trail::text, seq",
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

    /// Releases a slice, so that it can be claimed before its lease expires.
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

    /// Extends the leases of slices that workers of this process hold. A slice that is locked by a
    /// page commit is skipped, because the commit extends the lease itself.
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

    /// Releases the slices of owners for which `is_dead` returns true.
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
}
