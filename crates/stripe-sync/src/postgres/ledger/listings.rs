//! Streams that are listed again after their backfill: those whose objects have no events, and those
//! whose events were lost in a gap.

use tokio_postgres::types::Type;

use crate::catalog::{Catalog, Table};
use crate::order::Stamp;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::ledger::inbox::InboxReason;
use crate::postgres::names::Names;

/// When a stream without events was last listed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LastListing {
    pub(crate) table: &'static Table,
    /// Unix second: objects created before it were listed, unless they became visible late.
    pub(crate) second: i64,
    /// Seconds since the last listing.
    pub(crate) age: i64,
    /// Seconds since the last listing that went far back or included everything.
    pub(crate) thorough_age: i64,
}

/// A stream whose events before a second are lost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventGap {
    pub(crate) table: &'static Table,
    /// Unix second: changes before it may be missing.
    pub(crate) until: i64,
    /// The event cursor of a complete run that started after it.
    pub(crate) listed: Option<i64>,
}

/// The latest complete run of each stream over all time: its event cursor and its end.
fn complete_runs(names: &Names) -> String {
    format!(
        "select s.stream, max(r.event_cursor) as second, max(s.updated_at) as ended_at
         from {} r join {} s on s.run_id = r.id
         where r.account_id = $1 and r.since is null and r.until is null
           and s.status = 'complete' group by s.stream",
        names.table("_runs"),
        names.table("_streams"),
    )
}

fn fail(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> PostgresError {
    move |e| PostgresError::new(doing, &e)
}

impl Database {
    /// When these streams were last listed. Those that have never been copied completely are
    /// absent.
    pub(crate) async fn last_listings(
        &self,
        names: &Names,
        account: &str,
        tables: &[&str],
    ) -> Result<Vec<LastListing>, PostgresError> {
        let sql = format!(
            "select c.stream, greatest(l.second, c.second),
                    extract(epoch from now() - greatest(l.listed_at, c.ended_at))::bigint,
                    extract(epoch from now() - greatest(l.thorough_at, c.ended_at))::bigint
             from ({}) c left join {} l on l.account_id = $1 and l.table_name = c.stream
             where c.stream = any($2) order by c.stream",
            complete_runs(names),
            names.table("_listings"),
        );
        let params = [(&account as _, Type::TEXT), (&tables as _, Type::TEXT_ARRAY)];
        let rows = self.get().await?.query_typed(&sql, &params).await;
        let rows = rows.map_err(fail("cannot read the listings"))?;
        let listing = |row: &tokio_postgres::Row| {
            Some(LastListing {
                table: Catalog::get().table(row.get(0))?,
                second: row.get(1),
                age: row.get(2),
                thorough_age: row.get(3),
            })
        };
        Ok(rows.iter().filter_map(listing).collect())
    }

    /// Records that a stream has been listed: every object created before `second`.
    pub(crate) async fn store_listing(
        &self,
        names: &Names,
        account: &str,
        table: &Table,
        second: i64,
        is_thorough: bool,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "insert into {} as l (account_id, table_name, second, listed_at, thorough_at)
             values ($1, $2, $3, now(), case when $4 then now() end)
             on conflict (account_id, table_name) do update
             set second = greatest(l.second, excluded.second), listed_at = excluded.listed_at,
                 thorough_at = coalesce(excluded.thorough_at, l.thorough_at)",
            names.table("_listings")
        );
        let params = [
            (&account as _, Type::TEXT),
            (&table.name as _, Type::TEXT),
            (&second as _, Type::INT8),
            (&is_thorough as _, Type::BOOL),
        ];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(fail("cannot store a listing"))?;
        Ok(())
    }

    /// Records that events before `until` are lost, for each stream that a run has read completely.
    /// This includes streams that a later run has read, because their lists do not show which rows
    /// are deleted.
    pub(crate) async fn record_gap(
        &self,
        names: &Names,
        account: &str,
        until: i64,
    ) -> Result<(), PostgresError> {
        let sql = format!(
            "insert into {} as l (account_id, table_name, gap_until)
             select $1, c.stream, $2 from ({}) c
             on conflict (account_id, table_name) do update set gap_until = excluded.gap_until",
            names.table("_listings"),
            complete_runs(names),
        );
        let params = [(&account as _, Type::TEXT), (&until as _, Type::INT8)];
        let done = self.get().await?.execute_typed(&sql, &params).await;
        done.map_err(fail("cannot record a gap in the events"))?;
        Ok(())
    }

    /// The streams whose events are lost, and whether they have been listed since.
    pub(crate) async fn gaps(
        &self,
        names: &Names,
        account: &str,
    ) -> Result<Vec<EventGap>, PostgresError> {
        let sql = format!(
            "select l.table_name, l.gap_until, case when c.second >= l.gap_until then c.second end
             from {} l left join ({}) c on c.stream = l.table_name
             where l.account_id = $1 and l.gap_until is not null order by l.table_name",
            names.table("_listings"),
            complete_runs(names),
        );
        let rows = self.get().await?.query_typed(&sql, &[(&account, Type::TEXT)]).await;
        let rows = rows.map_err(fail("cannot read the listings"))?;
        let gap = |row: &tokio_postgres::Row| {
            let table = Catalog::get().table(row.get(0))?;
            Some(EventGap { table, until: row.get(1), listed: row.get(2) })
        };
        Ok(rows.iter().filter_map(gap).collect())
    }

    /// Ends the gap of a stream that has been listed again. Its rows that the lists have not shown
    /// since `listed_at` may have been deleted in Stripe: they are put into the inbox, and their
    /// objects are fetched.
    pub(crate) async fn close_gap(
        &self,
        names: &Names,
        account: &str,
        gap: EventGap,
        listed_at: Stamp,
    ) -> Result<(), PostgresError> {
        let name = &gap.table.name;
        let (inbox, listings) = (names.table("_inbox"), names.table("_listings"));
        let reason = InboxReason::Gap.as_str();
        let not_deleted = match gap.table.marks_deleted() {
            true => "and not coalesce(deleted, false)",
            false => "",
        };
        let unseen = match gap.table.retrieve_path {
            None => String::new(),
            Some(_) => format!(
                "with unseen as (
                     insert into {inbox} (account_id, table_name, id, reason)
                     select $1, $2, id, '{reason}' from {}
                     where _account_id = $1 {not_deleted}
                       and (last_synced_at is null or last_synced_at < $4::timestamptz)
                     on conflict do nothing)",
                names.table(name)
            ),
        };
        let sql = format!(
            "{unseen} update {listings} set gap_until = null
             where account_id = $1 and table_name = $2 and gap_until = $3
               and $4::timestamptz is not null"
        );
        let params = [
            (&account as _, Type::TEXT),
            (name as _, Type::TEXT),
            (&gap.until as _, Type::INT8),
            (&listed_at.to_system() as _, Type::TIMESTAMPTZ),
        ];
        self.read_table(names, name, &sql, &params).await.map(drop)
    }

    /// Whether this process reads the events of an account.
    pub(crate) async fn holds_event_cursor(
        &self,
        names: &Names,
        account: &str,
        owner: &str,
    ) -> Result<bool, PostgresError> {
        let sql = format!(
            "select exists (select 1 from {} where account_id = $1 and owner = $2
                                               and leased_until > now())",
            names.table("_event_cursors")
        );
        let params = [(&account as _, Type::TEXT), (&owner as _, Type::TEXT)];
        let row = self.get().await?.query_typed_one(&sql, &params).await;
        Ok(row.map_err(fail("cannot read the event cursor"))?.get(0))
    }
}
