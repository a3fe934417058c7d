//! How far the events of an account have been applied, which process reads them, and the events
//! that store nothing.

use std::time::Duration;

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// How long a process that reads events may be inactive before another one may read them.
const LEASE: Duration = Duration::from_secs(30);

/// How far the events of an account have been applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventCursor<'a> {
    /// Unix second: all events created before it have been applied.
    pub(crate) second: i64,
    /// The process that reads the events. The cursor of another process is left unchanged.
    pub(crate) owner: &'a str,
}

/// An event that stores nothing, such as one of a type without a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnstoredEvent<'a> {
    pub(crate) event_type: &'a str,
    pub(crate) id: &'a str,
    /// Why nothing was stored.
    pub(crate) reason: &'static str,
}

/// Events of one type that stored nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnstoredEvents {
    /// The account whose copy received them.
    pub account: String,
    /// Such as `invoice.upcoming`.
    pub event_type: String,
    /// Why nothing was stored.
    pub reason: String,
    /// How many.
    pub count: i64,
    /// The id of the last one.
    pub last_id: String,
}

/// Moves the cursor forward in an open transaction, if it still belongs to its owner.
pub(in crate::postgres) async fn store_cursor(
    transaction: &Transaction<'_>,
    names: &Names,
    account: &str,
    cursor: EventCursor<'_>,
) -> Result<(), PostgresError> {
    let sql = format!(
        "update {} set second = greatest(second, $2), updated_at = now(),
                leased_until = now() + $4 * interval '1 second'
         where account_id = $1 and owner = $3",
        names.table("_event_cursors")
    );
    let params = [
        (&account as _, Type::TEXT),
        (&cursor.second as _, Type::INT8),
        (&cursor.owner as _, Type::TEXT),
        (&LEASE.as_secs_f64() as _, Type::FLOAT8),
    ];
    let stored = transaction.execute_typed(&sql, &params).await;
    stored.map_err(|e| PostgresError::new("cannot store the event cursor", &e))?;
    Ok(())
}

/// Counts events that store nothing, in an open transaction.
pub(in crate::postgres) async fn record_unstored(
    transaction: &Transaction<'_>,
    names: &Names,
    account: &str,
    events: &[UnstoredEvent<'_>],
) -> Result<(), PostgresError> {
    if events.is_empty() {
        return Ok(());
    }
    let types: Vec<&str> = events.iter().map(|event| event.event_type).collect();
    let reasons: Vec<&str> = events.iter().map(|event| event.reason).collect();
    let ids: Vec<&str> = events.iter().map(|event| event.id).collect();
    let sql = format!(
        "insert into {} as u (account_id, event_type, reason, count, last_id)
         select $1, e.event_type, e.reason, count(*), max(e.id)
         from unnest($2::text[], $3::text[], $4::text[]) as e(event_type, reason, id)
         group by e.event_type, e.reason order by e.event_type, e.reason
         on conflict (account_id, event_type, reason) do update
         set count = u.count + excluded.count, last_id = excluded.last_id, last_at = now()",
        names.table("_unstored_events")
    );
    let params = [
        (&account as _, Type::TEXT),
        (&types as _, Type::TEXT_ARRAY),
        (&reasons as _, Type::TEXT_ARRAY),
        (&ids as _, Type::TEXT_ARRAY),
    ];
    let recorded = transaction.execute_typed(&sql, &params).await;
    recorded.map_err(|e| PostgresError::new("cannot record events", &e))?;
    Ok(())
}

impl Database {
    /// Leases the event cursor of an account, or extends the lease. Returns the cursor, which is
    /// `first` if there was none; `None` while another process has the lease.
    pub(crate) async fn lease_event_cursor(
        &self,
        names: &Names,
        account: &str,
        owner: &str,
        first: i64,
    ) -> Result<Option<i64>, PostgresError> {
        let sql = format!(
            "insert into {} as c (account_id, second, owner, leased_until)
             values ($1, $3, $2, now() + $4 * interval '1 second')
             on conflict (account_id) do update
             set owner = excluded.owner, leased_until = excluded.leased_until
             where c.owner is null or c.owner = excluded.owner or c.leased_until < now()
             returning second",
            names.table("_event_cursors")
        );
        let params = [
            (&account as _, Type::TEXT),
            (&owner as _, Type::TEXT),
            (&first as _, Type::INT8),
            (&LEASE.as_secs_f64() as _, Type::FLOAT8),
        ];
        let row = self.get().await?.query_typed_opt(&sql, &params).await;
        let row = row.map_err(|e| PostgresError::new("cannot lease the event cursor", &e))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// The cursor of an account, if its events have ever been read.
    pub(crate) async fn event_cursor(
        &self,
        names: &Names,
        account: &str,
    ) -> Result<Option<i64>, PostgresError> {
        let sql =
            format!("select second from {} where account_id = $1", names.table("_event_cursors"));
        let row = self.get().await?.query_typed_opt(&sql, &[(&account, Type::TEXT)]).await;
        let row = row.map_err(|e| PostgresError::new("cannot read the event cursor", &e))?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Moves the cursor of an account forward, or creates it, unless a process reads the events. All
    /// events before `second` have been applied.
    pub(crate) async fn advance_event_cursor(
        &self,
        names: &Names,
        account: &str,
        second: i64,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "insert into {} as c (account_id, second) values ($1, $2)
             on conflict (account_id) do update
             set second = greatest(c.second, excluded.second), updated_at = now()
             where c.owner is null or c.leased_until < now()",
            names.table("_event_cursors")
        );
        let params = [(&account as _, Type::TEXT), (&second as _, Type::INT8)];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(|e| PostgresError::new("cannot store the event cursor", &e))?;
        Ok(())
    }

    /// The second from which events cover all changes since the first run of an account. Later runs
    /// do not replace the events before them, because lists do not show deletions.
    pub(crate) async fn first_copy_cursor(
        &self,
        names: &Names,
        account: &str,
    ) -> Result<Option<i64>, PostgresError> {
        let sql =
            format!("select min(event_cursor) from {} where account_id = $1", names.table("_runs"));
        let row = self.get().await?.query_typed_one(&sql, &[(&account, Type::TEXT)]).await;
        Ok(row.map_err(|e| PostgresError::new("cannot read the runs", &e))?.get(0))
    }

    /// Lets another process read the events immediately.
    pub(crate) async fn release_event_cursor(
        &self,
        names: &Names,
        account: &str,
        owner: &str,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "update {} set owner = null, leased_until = null where account_id = $1 and owner = $2",
            names.table("_event_cursors")
        );
        let params = [(&account as _, Type::TEXT), (&owner as _, Type::TEXT)];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(|e| PostgresError::new("cannot release the event cursor", &e))?;
        Ok(())
    }

    /// Events that stored nothing, the most frequent first.
    pub(crate) async fn unstored_events(
        &self,
        names: &Names,
    ) -> Result<Vec<UnstoredEvents>, PostgresError> {
        let sql = format!(
            "select account_id, event_type, reason, count, last_id from {}
             order by count desc, event_type, reason limit 100",
            names.table("_unstored_events")
        );
        let rows = self.get().await?.query_typed(&sql, &[]).await;
        let rows = rows.map_err(|e| PostgresError::new("cannot read the events", &e))?;
        let event = |row: &tokio_postgres::Row| UnstoredEvents {
            account: row.get(0),
            event_type: row.get(1),
            reason: row.get(2),
            count: row.get(3),
            last_id: row.get(4),
        };
        Ok(rows.iter().map(event).collect())
    }
}
