//! The inbox: objects that have to be fetched, because an event about them could not be applied
//! directly.
//!
//! One entry per object, however many events name it. An entry is leased while an object is
//! fetched. Its generation counts events: an entry that an event has renewed in the meantime is kept
//! for another fetch. A process that has lost its lease does not end the lease of another one, but
//! its response counts: it is as new as the events before its request. After each failure it waits longer, without delaying other
//! entries. After [`MAX_ATTEMPTS`] failures it is dead: only a new event or a refresh of the object
//! causes another attempt.

use std::time::{Duration, SystemTime};

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::catalog::{Catalog, Table};
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// Failures after which an entry is no longer retried automatically: about three days.
pub(crate) const MAX_ATTEMPTS: i32 = 16;
/// How long one process may take to fetch an object before another process may fetch it.
const LEASE: Duration = Duration::from_secs(120);

/// An object to fetch.
#[derive(Debug, Clone)]
pub(crate) struct InboxEntry {
    pub(crate) table: &'static Table,
    pub(crate) id: String,
    pub(crate) reason: InboxReason,
}

/// Why an object is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InboxReason {
    /// The event and the stored row are too close in time to be ordered, or there is no row.
    Uncertain,
    /// The event does not carry the object, or only a part of it.
    Incomplete,
    /// The event shows the object in another API version.
    OtherVersion,
    /// The configuration requires it.
    Revalidation,
    /// The events that could have named it are lost, and a list did not show it.
    Gap,
}

impl InboxReason {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            InboxReason::Uncertain => "uncertain",
            InboxReason::Incomplete => "incomplete",
            InboxReason::OtherVersion => "other_version",
            InboxReason::Revalidation => "revalidation",
            InboxReason::Gap => "gap",
        }
    }
}

/// A leased entry.
#[derive(Debug, Clone)]
pub(crate) struct LeasedEntry {
    pub(crate) table: &'static Table,
    pub(crate) id: String,
    /// Increases with each event.
    generation: i64,
    /// Until when it is leased: no other lease ends at the same time.
    leased_until: SystemTime,
    /// Failures so far.
    pub(crate) attempts: i32,
}

/// What the inbox holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct InboxCounts {
    /// Objects to fetch.
    pub waiting: i64,
    /// Objects that could not be fetched after many attempts.
    pub dead: i64,
}

/// Adds objects in an open transaction, or renews their entries.
pub(in crate::postgres) async fn put(
    transaction: &Transaction<'_>,
    names: &Names,
    account: &str,
    entries: &[InboxEntry],
) -> Result<(), PostgresError> {
    if entries.is_empty() {
        return Ok(());
    }
    // Every writer uses the same order, so that two cannot wait for each other.
    let mut sorted: Vec<&InboxEntry> = entries.iter().collect();
    sorted.sort_by(|a, b| (&a.table.name, &a.id).cmp(&(&b.table.name, &b.id)));
    sorted.dedup_by(|a, b| (&a.table.name, &a.id) == (&b.table.name, &b.id));
    let tables: Vec<&str> = sorted.iter().map(|entry| entry.table.name.as_str()).collect();
    let ids: Vec<&str> = sorted.iter().map(|entry| entry.id.as_str()).collect();
    let reasons: Vec<&str> = sorted.iter().map(|entry| entry.reason.as_str()).collect();
    let sql = format!(
        "insert into {} as i (account_id, table_name, id, reason)
         select $1, e.table_name, e.id, e.reason
         from unnest($2::text[], $3::text[], $4::text[]) as e(table_name, id, reason)
         on conflict (account_id, table_name, id) do update
         set reason = excluded.reason, generation = i.generation + 1, requested_at = now(),
             attempts = case when i.dead then 0 else i.attempts end,
             next_attempt_at = case when i.dead then now() else i.next_attempt_at end,
             dead = false",
        names.table("_inbox")
    );
    let params = [
        (&account as _, Type::TEXT),
        (&tables as _, Type::TEXT_ARRAY),
        (&ids as _, Type::TEXT_ARRAY),
        (&reasons as _, Type::TEXT_ARRAY),
    ];
    transaction
        .execute_typed(&sql, &params)
        .await
        .map_err(|e| PostgresError::new("cannot add objects to the inbox", &e))?;
    Ok(())
}

impl Database {
    /// Leases entries that are due, the longest waiting first.
    pub(crate) async fn lease_inbox(
        &self,
        names: &Names,
        account: &str,
        limit: usize,
    ) -> Result<Vec<LeasedEntry>, PostgresError> {
        let sql = format!(
            "update {inbox} set leased_until = clock_timestamp() + $3 * interval '1 second'
             where (account_id, table_name, id) in (
                 select account_id, table_name, id from {inbox}
                 where account_id = $1 and not dead and next_attempt_at <= now()
                   and (leased_until is null or leased_until < now())
                 order by next_attempt_at limit $2 for update skip locked)
             returning table_name, id, generation, attempts, leased_until",
            inbox = names.table("_inbox")
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let params = [
            (&account as _, Type::TEXT),
            (&limit as _, Type::INT8),
            (&LEASE.as_secs_f64() as _, Type::FLOAT8),
        ];
        let rows = self
            .get()
            .await?
            .query_typed(&sql, &params)
            .await
            .map_err(|e| PostgresError::new("cannot read the inbox", &e))?;
        Ok(rows.iter().filter_map(leased).collect())
    }

    /// Leases the entry of one object, even if it is not due. `None` if there is none, or if
    /// another process fetches the object.
    pub(crate) async fn lease_inbox_entry(
        &self,
        names: &Names,
        account: &str,
        table: &Table,
        id: &str,
    ) -> Result<Option<LeasedEntry>, PostgresError> {
        let sql = format!(
            "update {} set leased_until = clock_timestamp() + $4 * interval '1 second', dead = false
             where account_id = $1 and table_name = $2 and id = $3
               and (leased_until is null or leased_until < now())
             returning table_name, id, generation, attempts, leased_until",
            names.table("_inbox")
        );
        let params = [
            (&account as _, Type::TEXT),
            (&table.name as _, Type::TEXT),
            (&id as _, Type::TEXT),
            (&LEASE.as_secs_f64() as _, Type::FLOAT8),
        ];
        let row = self
            .get()
            .await?
            .query_typed_opt(&sql, &params)
            .await
            .map_err(|e| PostgresError::new("cannot read the inbox", &e))?;
        Ok(row.as_ref().and_then(leased))
    }

    /// Whether the inbox has an entry for an object.
    pub(crate) async fn is_in_inbox(
        &self,
        names: &Names,
        account: &str,
        table: &Table,
        id: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select exists (select 1 from {} where account_id = $1 and table_name = $2 and id = $3)",
            names.table("_inbox")
        );
        let params =
            [(&account as _, Type::TEXT), (&table.name as _, Type::TEXT), (&id as _, Type::TEXT)];
        let row = self.get().await?.query_typed_one(&sql, &params).await;
        Ok(row.map_err(|e| PostgresError::new("cannot read the inbox", &e))?.get(0))
    }

    /// Makes dead entries due once more. One that fails again is dead again.
    pub(crate) async fn revive_inbox(
        &self,
        names: &Names,
        account: &str,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "update {} set dead = false, attempts = $2 - 1, next_attempt_at = now()
             where account_id = $1 and dead",
            names.table("_inbox")
        );
        let params = [(&account as _, Type::TEXT), (&MAX_ATTEMPTS as _, Type::INT4)];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(|e| PostgresError::new("cannot write to the inbox", &e))?;
        Ok(())
    }

    /// Removes an entry whose object has been fetched. One that an event has renewed in the meantime is
    /// released, unless another process has leased it.
    pub(crate) async fn finish_inbox_entry(
        &self,
        names: &Names,
        account: &str,
        entry: &LeasedEntry,
    ) -> Result<(), PostgresError> {
        let inbox = names.table("_inbox");
        let sql = format!(
            "with finished as (
                 delete from {inbox} where account_id = $1 and table_name = $2 and id = $3
                 and generation = $4)
             update {inbox} set leased_until = null, attempts = 0, next_attempt_at = now()
             where account_id = $1 and table_name = $2 and id = $3 and generation <> $4
               and leased_until = $5"
        );
        let params = [
            (&account as _, Type::TEXT),
            (&entry.table.name as _, Type::TEXT),
            (&entry.id as _, Type::TEXT),
            (&entry.generation as _, Type::INT8),
            (&entry.leased_until as _, Type::TIMESTAMPTZ),
        ];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(|e| PostgresError::new("cannot remove an entry from the inbox", &e))?;
        Ok(())
    }

    /// Releases an entry whose object could not be fetched, for another attempt after `pause`.
    pub(crate) async fn postpone_inbox_entry(
        &self,
        names: &Names,
        account: &str,
        entry: &LeasedEntry,
        pause: Duration,
        error: &str,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "update {} set leased_until = null, attempts = attempts + 1, last_error = $4,
                    next_attempt_at = now() + $5 * interval '1 second',
                    dead = attempts + 1 >= $6
             where account_id = $1 and table_name = $2 and id = $3 and leased_until = $7",
            names.table("_inbox")
        );
        let params = [
            (&account as _, Type::TEXT),
            (&entry.table.name as _, Type::TEXT),
            (&entry.id as _, Type::TEXT),
            (&error as _, Type::TEXT),
            (&pause.as_secs_f64() as _, Type::FLOAT8),
            (&MAX_ATTEMPTS as _, Type::INT4),
            (&entry.leased_until as _, Type::TIMESTAMPTZ),
        ];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(|e| PostgresError::new("cannot postpone an entry of the inbox", &e))?;
        Ok(())
    }

    /// How many objects the inbox holds, of one account or of all.
    pub(crate) async fn inbox_counts(
        &self,
        names: &Names,
        account: Option<&str>,
    ) -> Result<InboxCounts, PostgresError> {
        let sql = format!(
            "select count(*) filter (where not dead), count(*) filter (where dead) from {}
             where $1::text is null or account_id = $1",
            names.table("_inbox")
        );
        let row = self.get().await?.query_typed_one(&sql, &[(&account, Type::TEXT)]).await;
        let row = row.map_err(|e| PostgresError::new("cannot read the inbox", &e))?;
        Ok(InboxCounts { waiting: row.get(0), dead: row.get(1) })
    }
}

/// `None` for a table that only another version of the program has.
fn leased(row: &tokio_postgres::Row) -> Option<LeasedEntry> {
    Some(LeasedEntry {
        table: Catalog::get().table(row.get(0))?,
        id: row.get(1),
        generation: row.get(2),
        attempts: row.get(3),
        leased_until: row.get(4),
    })
}
