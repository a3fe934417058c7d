//! How current a copy is, for display: the event cursors, the inbox, and the events that stored
//! nothing.

use std::time::SystemTime;

use super::events::UnstoredEvents;
use crate::postgres::connection::pool::Database;
use crate::postgres::error::PostgresError;
use crate::postgres::names::Names;

/// The number of dead entries that are listed; the others are only counted.
const DEAD_LISTED: i64 = 20;

/// How current a copy is.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LiveStatus {
    /// How far the events of each account have been applied.
    pub feeds: Vec<FeedStatus>,
    /// The objects to fetch.
    pub inbox: InboxStatus,
    /// Events that stored nothing, by account, type and reason, the most frequent first.
    pub unstored: Vec<UnstoredEvents>,
}

/// How far the events of an account have been applied.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedStatus {
    /// The account.
    pub account: String,
    /// Unix second up to which all events have been applied.
    pub cursor: i64,
    /// Seconds between the cursor and the present, on the database's clock.
    pub lag: i64,
    /// Whether a process is currently reading the events.
    pub is_followed: bool,
}

/// The objects to fetch, because an event about them could not be applied directly.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct InboxStatus {
    /// Objects to fetch.
    pub waiting: i64,
    /// When an event first requested the object that has waited longest.
    pub oldest: Option<SystemTime>,
    /// Objects that could not be fetched after many attempts.
    pub dead: i64,
    /// At most 20 of those.
    pub dead_objects: Vec<DeadObject>,
}

/// An object that could not be fetched after many attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadObject {
    /// Its account.
    pub account: String,
    /// Its table.
    pub table: String,
    /// Its id.
    pub id: String,
    /// How many attempts have failed.
    pub attempts: i32,
    /// Why the last one failed.
    pub error: Option<String>,
}

impl Database {
    /// Reads how current the copy is.
    pub(crate) async fn live_status(&self, names: &Names) -> Result<LiveStatus, PostgresError> {
        let fail = |e: tokio_postgres::Error| PostgresError::new("cannot read the status", &e);
        let (cursors, inbox) = (names.table("_event_cursors"), names.table("_inbox"));
        let client = self.get().await?;
        let sql = format!(
            "select account_id, second, extract(epoch from now())::bigint - second,
                    owner is not null and leased_until > now()
             from {cursors} order by account_id"
        );
        let feeds = client.query_typed(&sql, &[]).await.map_err(fail)?;
        let sql = format!("select count(*), min(requested_at) from {inbox} where not dead");
        let counts = client.query_typed_one(&sql, &[]).await.map_err(fail)?;
        let sql = format!(
            "select account_id, table_name, id, attempts, last_error, count(*) over ()
             from {inbox} where dead order by requested_at desc, table_name, id limit {DEAD_LISTED}"
        );
        let dead = client.query_typed(&sql, &[]).await.map_err(fail)?;
        drop(client);
        Ok(LiveStatus {
            feeds: feeds.iter().map(feed).collect(),
            inbox: InboxStatus {
                waiting: counts.get(0),
                oldest: counts.get(1),
                // The same statement counts and lists them.
                dead: dead.first().map_or(0, |row| row.get(5)),
                dead_objects: dead.iter().map(dead_object).collect(),
            },
            unstored: self.unstored_events(names).await?,
        })
    }
}

fn feed(row: &tokio_postgres::Row) -> FeedStatus {
    FeedStatus {
        account: row.get(0),
        cursor: row.get(1),
        lag: row.get::<_, i64>(2).max(0),
        is_followed: row.get(3),
    }
}

fn dead_object(row: &tokio_postgres::Row) -> DeadObject {
    DeadObject {
        account: row.get(0),
        table: row.get(1),
        id: row.get(2),
        attempts: row.get(3),
        error: row.get(4),
    }
}
