//! The one transaction that makes pages durable: rows, nested rows, and the slice's position,
//! all or nothing.
//!
//! Fenced: it begins by updating the slice where id, epoch and seq match. No such row means that
//! somebody else owns the slice or has already committed these pages, and everything is rolled
//! back. The commit itself need not wait for the disk (`synchronous_commit = off`): a crash of
//! the server can only lose rows together with the position that says they were read.

use deadpool_postgres::Transaction;
use tokio_postgres::types::Type;

use crate::catalog::{Removed, Table};
use crate::order::Stamp;
use crate::postgres::connection::pool::RetryBudget;
use crate::postgres::connection::pool::begin;
use crate::postgres::exclusions::list as left_out;
use crate::postgres::ledger::slices::trail_json;
use crate::postgres::write::quarantine;
use crate::postgres::{ClaimedSlice, Database, ErrorClass, PostgresError, Statements};
use crate::row::{Observation, redact};
use crate::slice::{Bounds, CursorRow};

/// Rows of one table, reduced and sorted by [`crate::row::winners`].
#[derive(Clone)]
pub(crate) struct Batch<'a> {
    pub(crate) table: &'static Table,
    pub(crate) rows: Vec<Observation<'a>>,
}

/// A nested list that was read to its end: rows of this parent with an older stamp have left it.
#[derive(Debug, Clone)]
pub(crate) struct ChildList {
    pub(crate) table: &'static Table,
    pub(crate) parent: String,
    pub(crate) stamp: Stamp,
}

/// Pages of one slice that become durable together.
pub(crate) struct PageCommit<'a> {
    pub(crate) slice: &'a ClaimedSlice,
    pub(crate) seq: i64,
    pub(crate) account: &'a str,
    /// Children before parents.
    pub(crate) batches: Vec<Batch<'a>>,
    pub(crate) complete_lists: Vec<ChildList>,
    pub(crate) first_created: Option<i64>,
    pub(crate) pages: i64,
    pub(crate) requests: i64,
    /// Stripe said `has_more = false`: the slice ends here.
    pub(crate) done: bool,
    /// How many parts the stream is read in.
    pub(crate) parts: i32,
    /// Whether the stream's table is known to hold quarantined rows.
    pub(crate) clear_quarantine: bool,
}

/// Rows that become durable together outside of a slice.
pub(crate) struct Rows<'a> {
    /// Children before parents.
    pub(crate) batches: Vec<Batch<'a>>,
    pub(crate) complete_lists: Vec<ChildList>,
    /// A row of `batches` that wins over the stored one of this stamp.
    pub(crate) replace: Option<(&'static Table, Observation<'a>, Stamp)>,
}

/// How writing them went.
#[derive(Debug)]
pub(crate) enum Written {
    /// Durable, but for as many rows in the quarantine.
    Done { quarantined: u64 },
    /// Nothing was written: the object must be fetched again, to win over the row of this stamp.
    Uncertain(Stamp),
    /// Nothing was written: the row to replace has moved.
    Moved,
}

/// What pages mean once the ledger's bounds are known.
#[derive(Debug)]
pub(crate) struct Judged {
    /// Where the reading stands then.
    pub(crate) trail: Vec<CursorRow>,
    /// Rows inside the bounds; the others are another slice's to count.
    pub(crate) rows: i64,
}

/// How a commit went.
#[derive(Debug)]
pub(crate) enum Committed {
    /// Durable. The slice goes on inside these bounds behind this trail.
    Done { bounds: Bounds, trail: Vec<CursorRow>, rows: i64, replaced: u64, quarantined: u64 },
    /// Another owner has the slice; nothing was written.
    Fenced,
    /// Nothing was written: these objects must be fetched again first.
    Uncertain(Vec<(&'static Table, String, Stamp)>),
}

const DOING: &str = "cannot commit a page";

impl Database {
    /// Commits pages. `judge` tells what they mean under the bounds that the ledger holds.
    ///
    /// Not cancel-safe in the sense that a dropped call may or may not have committed; the fence
    /// makes a repetition harmless.
    ///
    /// # Errors
    /// With [`ErrorClass::Unreachable`] the answer of the commit may be lost: read the slice again.
    pub(crate) async fn commit_page(
        &self,
        statements: &Statements,
        page: &PageCommit<'_>,
        judge: impl Fn(Bounds) -> Judged,
    ) -> Result<Committed, PostgresError> {
        match self.try_commit(statements, page, &judge, false).await {
            // A refused row has aborted the transaction; this time every statement is guarded.
            Err(error) if error.class == ErrorClass::RowRefused => {
                self.try_commit(statements, page, &judge, true).await
            }
            other => other,
        }
    }

    async fn try_commit(
        &self,
        statements: &Statements,
        page: &PageCommit<'_>,
        judge: &impl Fn(Bounds) -> Judged,
        guarded: bool,
    ) -> Result<Committed, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new(DOING, &e);
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        let locks = shared_locks(statements, page.batches.iter().map(|b| b.table));
        let locks = format!("set local synchronous_commit = off; {locks}");
        let left_out = left_out::enter(&transaction, statements, &locks).await.map_err(fail)?;
        let mut texts = Vec::new();
        let batches = left_out::without(&left_out, &page.batches, &mut texts);
        let Some(bounds) = fence(&transaction, statements, page).await.map_err(fail)? else {
            return Ok(Committed::Fenced);
        };
        let (mut replaced, mut quarantined, mut uncertain) = (0, 0, Vec::new());
        for batch in batches.iter() {
            let settled = if guarded {
                let (settled, refused) = quarantine::upsert_guarded(
                    &transaction,
                    statements,
                    batch,
                    page.account,
                    &left_out,
                )
                .await?;
                quarantined += refused;
                settled
            } else {
                let (table, account) = (batch.table, page.account);
                statements.upsert(&transaction, table, account, &batch.rows, &left_out).await?
            };
            if page.clear_quarantine && !guarded {
                let (table, rows) = (batch.table, &batch.rows);
                quarantine::clear(&transaction, statements, table, rows, page.account).await?;
            }
            replaced += settled.replaced;
            let unsure = settled.uncertain.into_iter().map(|(id, stamp)| (batch.table, id, stamp));
            uncertain.extend(unsure);
        }
        if !uncertain.is_empty() {
            return Ok(Committed::Uncertain(uncertain));
        }
        for list in &page.complete_lists {
            remove_older(&transaction, statements, page.account, list).await?;
        }
        let Judged { trail, rows } = judge(bounds);
        if page.done {
            finish(&transaction, statements, page, rows).await.map_err(fail)?;
        } else {
            keep_position(&transaction, statements, page, &trail, rows).await.map_err(fail)?;
        }
        transaction.commit().await.map_err(fail)?;
        Ok(Committed::Done { bounds, trail, rows, replaced, quarantined })
    }

    /// Writes rows outside of a slice, all or nothing: a nested list's page, a fetched object
    /// with its items. With `replace`, that row wins over the stored one if this has not moved
    /// since it was seen.
    pub(crate) async fn write_rows(
        &self,
        statements: &Statements,
        account: &str,
        rows: &Rows<'_>,
    ) -> Result<Written, PostgresError> {
        let mut guarded = false;
        let mut patience = RetryBudget::new(self.max_outage());
        loop {
            // All of it is an observation that may be written twice.
            match self.try_write(statements, account, rows, guarded).await {
                Err(error) if error.class == ErrorClass::RowRefused && !guarded => guarded = true,
                Err(error) if patience.wait_before_retry(&error).await => {}
                other => return other,
            }
        }
    }

    async fn try_write(
        &self,
        statements: &Statements,
        account: &str,
        rows: &Rows<'_>,
        guarded: bool,
    ) -> Result<Written, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot write rows", &e);
        let mut client = self.get().await?;
        let transaction = begin(&mut client).await.map_err(fail)?;
        // No ledger tells what of this a breakdown has lost: it waits for the disk, whatever the
        // user's settings. The items of a long list come this way before their page.
        let durable = "select set_config('synchronous_commit', 'local', true) \
                       where current_setting('synchronous_commit') = 'off'";
        let locks = shared_locks(statements, rows.batches.iter().map(|b| b.table));
        let locks = format!("{durable}; {locks}");
        let left_out = left_out::enter(&transaction, statements, &locks).await.map_err(fail)?;
        let mut texts = Vec::new();
        let batches = left_out::without(&left_out, &rows.batches, &mut texts);
        let (mut uncertain, mut quarantined) = (Vec::new(), 0);
        let mut set_aside = None;
        if let Some((table, row, seen)) = &rows.replace {
            transaction.batch_execute("savepoint replaced").await.map_err(fail)?;
            let json = redact(row.json, &table.name, &left_out);
            let row = &Observation { json: &json, ..row.clone() };
            match statements.replace(&transaction, table, account, row, *seen, &left_out).await {
                Ok(true) => {}
                Ok(false) => return Ok(Written::Moved),
                Err(error) if error.class == ErrorClass::RowRefused => {
                    transaction
                        .batch_execute("rollback to savepoint replaced")
                        .await
                        .map_err(fail)?;
                    quarantine::put(&transaction, statements, &table.name, account, row, &error)
                        .await
                        .map_err(fail)?;
                    quarantined += 1;
                    set_aside = Some(&table.name);
                }
                Err(error) => return Err(error),
            }
        }
        for batch in batches.iter().filter(|b| Some(&b.table.name) != set_aside) {
            let settled = if guarded {
                let (settled, refused) =
                    quarantine::upsert_guarded(&transaction, statements, batch, account, &left_out)
                        .await?;
                quarantined += refused;
                settled
            } else {
                let (table, rows) = (batch.table, &batch.rows);
                let settled =
                    statements.upsert(&transaction, table, account, rows, &left_out).await?;
                quarantine::clear(&transaction, statements, table, rows, account).await?;
                settled
            };
            uncertain.extend(settled.uncertain.into_iter().map(|(_, stored)| stored));
        }
        if let Some(stored) = uncertain.first() {
            return Ok(Written::Uncertain(*stored));
        }
        for list in &rows.complete_lists {
            remove_older(&transaction, statements, account, list).await?;
        }
        transaction.commit().await.map_err(fail)?;
        Ok(Written::Done { quarantined })
    }
}

/// Writers share the list of what is left out, and their tables. A change of the list takes it
/// alone, and a hard delete its table: a page and a delete in two open transactions must not leave
/// both a row and its tombstone. Items go with the object that lists them, so their writers share
/// its table as well.
pub(in crate::postgres) fn shared_locks<'t>(
    statements: &Statements,
    tables: impl IntoIterator<Item = &'t Table>,
) -> String {
    let with_holder = |table: &'t Table| [Some(table), table.holder()].into_iter().flatten();
    let tables = tables.into_iter().flat_map(with_holder);
    let mut keys: Vec<i64> = tables.map(|table| statements.names.lock_key(&table.name)).collect();
    keys.push(left_out::lock_key(&statements.names));
    keys.sort_unstable();
    keys.dedup();
    let locks: Vec<String> =
        keys.iter().map(|key| format!("pg_advisory_xact_lock_shared({key})")).collect();
    format!("select {}", locks.join(", "))
}

async fn fence(
    transaction: &Transaction<'_>,
    statements: &Statements,
    page: &PageCommit<'_>,
) -> Result<Option<Bounds>, tokio_postgres::Error> {
    let sql = format!(
        "update {} set seq = seq + 1, pages = pages + $4, requests = requests + $5,
                first_created = coalesce(first_created, $6), lease_until = now() + $7 * interval '1 second'
         where id = $1 and epoch = $2 and seq = $3 returning created_from, created_before",
        statements.names.table("_slices")
    );
    let row = transaction
        .query_typed_opt(
            &sql,
            &[
                (&page.slice.id, Type::INT8),
                (&page.slice.epoch, Type::INT8),
                (&page.seq, Type::INT8),
                (&page.pages, Type::INT8),
                (&page.requests, Type::INT8),
                (&page.first_created, Type::INT8),
                (&crate::postgres::ledger::slices::LEASE.as_secs_f64(), Type::FLOAT8),
            ],
        )
        .await?;
    Ok(row.map(|row| Bounds { from: row.get(0), to: row.get(1) }))
}

async fn keep_position(
    transaction: &Transaction<'_>,
    statements: &Statements,
    page: &PageCommit<'_>,
    trail: &[CursorRow],
    rows: i64,
) -> Result<(), tokio_postgres::Error> {
    let sql = format!(
        "update {} set trail = $2::text::jsonb, cursor_created = $3, rows = rows + $4 where id = $1",
        statements.names.table("_slices")
    );
    let cursor_created = trail.last().and_then(|row| row.created);
    transaction
        .execute_typed(
            &sql,
            &[
                (&page.slice.id, Type::INT8),
                (&trail_json(trail), Type::TEXT),
                (&cursor_created, Type::INT8),
                (&rows, Type::INT8),
            ],
        )
        .await?;
    Ok(())
}

/// Ends a slice: its counters go to the stream, and the stream's next part begins, or the stream
/// is complete, if this was the part's last slice.
async fn finish(
    transaction: &Transaction<'_>,
    statements: &Statements,
    page: &PageCommit<'_>,
    rows: i64,
) -> Result<(), tokio_postgres::Error> {
    let slices = statements.names.table("_slices");
    let streams = statements.names.table("_streams");
    let (run, stream) = (page.slice.run_id, page.slice.stream.as_str());
    let key =
        [(&run as &(dyn tokio_postgres::types::ToSql + Sync), Type::INT8), (&stream, Type::TEXT)];
    // Two slices that end at once must see each other: the second waits here.
    transaction
        .query_typed(
            &format!("select 1 from {streams} where run_id = $1 and stream = $2 for update"),
            &key,
        )
        .await?;
    transaction
        .execute_typed(
            &format!(
                "with gone as (delete from {slices} where id = $1
                               returning run_id, stream, rows, requests)
                 update {streams} s set rows = s.rows + gone.rows + $2,
                        requests = s.requests + gone.requests, updated_at = now()
                 from gone where s.run_id = gone.run_id and s.stream = gone.stream"
            ),
            &[(&page.slice.id, Type::INT8), (&rows, Type::INT8)],
        )
        .await?;
    let left = transaction
        .query_typed_opt(
            &format!("select 1 from {slices} where run_id = $1 and stream = $2 limit 1"),
            &key,
        )
        .await?;
    if left.is_some() {
        return Ok(());
    }
    let next = page.slice.part + 1;
    let sql = match next < page.parts {
        true => format!(
            "with part as (update {streams} set part = {next}
                           where run_id = $1 and stream = $2 and status = 'running'
                           returning run_id, stream, unfiltered)
             insert into {slices} (run_id, stream, part, created_from, created_before)
             select p.run_id, p.stream, {next}, case when not p.unfiltered then r.since end,
                    case when not p.unfiltered then r.until end
             from part p join {runs} r on r.id = p.run_id",
            runs = statements.names.table("_runs")
        ),
        false => format!(
            "update {streams} set status = 'complete', message = null, updated_at = now()
             where run_id = $1 and stream = $2 and status = 'running'"
        ),
    };
    transaction.execute_typed(&sql, &key).await?;
    Ok(())
}

async fn remove_older(
    transaction: &Transaction<'_>,
    statements: &Statements,
    account: &str,
    list: &ChildList,
) -> Result<(), PostgresError> {
    let table = statements.names.table(&list.table.name);
    let Some(parent) = &list.table.parent else { return Ok(()) };
    let column = crate::postgres::names::quote(&parent.column);
    // The new state of an item that was set aside is not in its row; the item is there all the same.
    let which = format!(
        "where {column} = $1 and _account_id = $2 and (last_synced_at is null or last_synced_at < $3)
         and not exists (select 1 from {quarantine} q where q.table_name = {name}
                         and q.account_id = $2 and q.id = {table}.id)",
        quarantine = statements.names.table("_quarantine"),
        name = crate::postgres::names::literal(&list.table.name),
    );
    let sql = match parent.removed {
        Removed::Delete => format!("delete from {table} {which}"),
        Removed::Mark => format!(
            "update {table} set deleted = true, last_synced_at = $3, updated_at = now() {which} \
             and deleted is distinct from true"
        ),
    };
    transaction
        .execute_typed(
            &sql,
            &[
                (&list.parent, Type::TEXT),
                (&account, Type::TEXT),
                (&list.stamp.to_system(), Type::TIMESTAMPTZ),
            ],
        )
        .await
        .map_err(|e| PostgresError::new(format!("cannot tidy {}", list.table.name), &e))?;
    Ok(())
}
