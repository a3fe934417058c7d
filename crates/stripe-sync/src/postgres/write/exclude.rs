//! Applies the excluded columns to every write.
//!
//! A write reads the list under a lock that it shares with other writers. A change of the list
//! takes that lock exclusively. So when a change returns, no open transaction of any process uses
//! the old list.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError};

use deadpool_postgres::Transaction;
use tokio_postgres::SimpleQueryMessage;

use super::request::Batch;
use super::upsert::Statements;
use crate::catalog::Exclusions;
use crate::postgres::exclusions::list;
use crate::row::{Observation, redact};

/// Opens a transaction that writes rows: runs `opening`, which takes the locks, and then reads the
/// excluded columns.
pub(in crate::postgres) async fn enter(
    transaction: &Transaction<'_>,
    statements: &Statements,
    opening: &str,
) -> Result<Arc<Exclusions>, tokio_postgres::Error> {
    // A statement of its own: its snapshot is taken after the locks are held.
    let sql = format!("{opening}; {}", list::select(&statements.names));
    let answers = transaction.simple_query(&sql).await?;
    // The columns of the other statements have other names.
    let excluded = answers.iter().find_map(|answer| match answer {
        SimpleQueryMessage::Row(row) => row.try_get(list::SELECTED).ok().flatten(),
        _ => None,
    });
    let excluded = excluded.unwrap_or_default();
    let mut cache = statements.exclusions.lock().unwrap_or_else(PoisonError::into_inner);
    if cache.0 != excluded {
        *cache = (excluded.to_owned(), Arc::new(Exclusions::new(&list::parse(excluded))));
    }
    Ok(Arc::clone(&cache.1))
}

/// The batches as they are stored. `texts` owns the objects that were changed.
pub(super) fn without<'a>(
    exclusions: &Exclusions,
    batches: &'a [Batch<'a>],
    texts: &'a mut Vec<Vec<Cow<'a, str>>>,
) -> Cow<'a, [Batch<'a>]> {
    if exclusions.is_empty() {
        return Cow::Borrowed(batches);
    }
    texts.extend(batches.iter().map(|batch| {
        batch
            .rows
            .iter()
            .map(|row| redact(row.object.json(), &batch.table.name, exclusions))
            .collect()
    }));
    let stored = |(batch, texts): (&'a Batch<'a>, &'a Vec<Cow<'a, str>>)| {
        let row = |(row, text): (&Observation<'a>, &'a Cow<'a, str>)| row.with_text(text);
        let rows = batch.rows.iter().zip(texts).map(row).collect();
        // These objects are redacted when they are quarantined.
        let duplicates = batch.duplicates.clone();
        Batch { table: batch.table, rows, duplicates }
    };
    Cow::Owned(batches.iter().zip(texts.iter()).map(stored).collect())
}
