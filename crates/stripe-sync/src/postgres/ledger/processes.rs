//! The processes that work on a run, and what they wait for.
//!
//! A process is identified by the slices that it holds. While it waits, it stores the reason in
//! `_meta` and refreshes it regularly. A reason that is no longer refreshed is not shown, and the
//! next process that stores one removes it.

use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::meta_keys::WAITING;
use crate::postgres::names::Names;

/// How long a reason is valid: three missed refreshes.
const VALID_FOR: &str = "interval '30 seconds'";
const DOING: &str = "cannot read which processes work on the run";

/// A process that holds slices or waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RunOwner {
    pub(crate) run_id: i64,
    pub(crate) owner: String,
    pub(crate) slices: i64,
    /// Whether at least one of its leases has not expired.
    pub(crate) leased: bool,
    pub(crate) waits_for: Option<String>,
}

impl Database {
    /// Stores, refreshes or removes the reason for which this process waits.
    pub(crate) async fn note_waiting(
        &self,
        names: &Names,
        run_id: i64,
        owner: &str,
        waits_for: Option<&str>,
    ) -> Result<(), PostgresError> {
        let fail =
            |e: tokio_postgres::Error| PostgresError::new("cannot store the wait reason", &e);
        let (meta, key) = (names.table("_meta"), format!("{WAITING}{run_id}/{owner}"));
        let client = self.get().await?;
        let Some(waits_for) = waits_for else {
            let sql = format!("delete from {meta} where key = $1");
            return client.execute_typed(&sql, &[(&key, Type::TEXT)]).await.map(drop).map_err(fail);
        };
        let sql = format!(
            "with old as (
                 delete from {meta} where key like '{WAITING}%' and key <> $1
                   and to_timestamp(split_part(value, ' ', 1)::float8) < now() - {VALID_FOR})
             insert into {meta} (key, value)
             values ($1, extract(epoch from now())::text || ' ' || $2)
             on conflict (key) do update set value = excluded.value"
        );
        client
            .execute_typed(&sql, &[(&key, Type::TEXT), (&waits_for, Type::TEXT)])
            .await
            .map(drop)
            .map_err(fail)
    }

    /// How many other processes hold slices of runs of this account.
    pub(crate) async fn other_processes(
        &self,
        names: &Names,
        account: &str,
        owner: &str,
    ) -> Result<i64, PostgresError> {
        let sql = format!(
            "with owners as (
                 select regexp_replace(l.owner, '/[^/]*$', '') as process
                 from {} l join {} r on r.id = l.run_id
                 where r.account_id = $1 and l.lease_until > now())
             select count(distinct process) from owners
             where process <> regexp_replace($2, '/[^/]*$', '')",
            names.table("_slices"),
            names.table("_runs"),
        );
        let row = self
            .get()
            .await?
            .query_typed_one(&sql, &[(&account, Type::TEXT), (&owner, Type::TEXT)])
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        Ok(row.get(0))
    }

    /// The processes that work on the latest `runs` runs.
    pub(crate) async fn run_owners(
        &self,
        names: &Names,
        runs: i64,
    ) -> Result<Vec<RunOwner>, PostgresError> {
        let sql = format!(
            "with latest as (select id from {runs_table} order by id desc limit {runs}),
             notes as (
                 select split_part(key, '/', 2)::bigint as run_id,
                        substr(key, length('{WAITING}' || split_part(key, '/', 2)) + 2) as owner,
                        substr(value, strpos(value, ' ') + 1) as waits_for
                 from {meta} where key like '{WAITING}%'
                   and to_timestamp(split_part(value, ' ', 1)::float8) > now() - {VALID_FOR}),
             held as (
                 select run_id, owner, count(*) as slices, max(lease_until) > now() as leased
                 from {slices} where owner is not null group by run_id, owner)
             select run_id, owner, coalesce(slices, 0), coalesce(leased, true), waits_for
             from held full join notes using (run_id, owner)
             where run_id in (select id from latest) order by run_id, owner",
            runs_table = names.table("_runs"),
            meta = names.table("_meta"),
            slices = names.table("_slices"),
        );
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &[])
            .await
            .map_err(|e| PostgresError::new(DOING, &e))?;
        Ok(rows
            .iter()
            .map(|row| RunOwner {
                run_id: row.get(0),
                owner: row.get(1),
                slices: row.get(2),
                leased: row.get(3),
                waits_for: row.get(4),
            })
            .collect())
    }
}
