//! Refreshes single objects by their ids, and reports what happened to each.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::catalog::{Catalog, Table};
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::object::refetch::{self, RefetchError, RefetchOutcome};
use crate::object::retrieve::RetrieveError;
use crate::postgres::ErrorClass;
use crate::stripe::StripeErrorKind;

/// What happened to one id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefreshResult {
    /// The id as Stripe knows it.
    pub id: String,
    /// The table of its row.
    pub table: String,
    /// What happened.
    pub outcome: RefreshOutcome,
}

/// What happened to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// The row shows Stripe's state.
    Stored,
    /// The object was deleted in Stripe; its row has been removed or marked.
    Deleted,
    /// Stripe has no such object, and there was no row.
    NotFound,
    /// The database rejected the row or its deletion; it is quarantined.
    Quarantined,
    /// It could not be read or written, for this reason.
    Failed(String),
}

impl RefreshOutcome {
    /// `stored`, `deleted`, `not_found`, `quarantined` or `failed`.
    pub fn as_str(&self) -> &'static str {
        match self {
            RefreshOutcome::Stored => "stored",
            RefreshOutcome::Deleted => "deleted",
            RefreshOutcome::NotFound => "not_found",
            RefreshOutcome::Quarantined => "quarantined",
            RefreshOutcome::Failed(_) => "failed",
        }
    }
}

/// An id and the table it belongs to.
pub(crate) struct Target {
    table: &'static Table,
    id: String,
}

/// Finds the table of each id before anything is fetched. Duplicate ids are removed.
pub(crate) fn targets(ids: &[String]) -> Result<Vec<Target>, Error> {
    if ids.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "there is no ID to refresh"));
    }
    let mut targets: Vec<Target> = ids.iter().map(|id| target(id)).collect::<Result<_, _>>()?;
    let mut seen = HashSet::new();
    targets.retain(|target| seen.insert((target.table.name.as_str(), target.id.clone())));
    Ok(targets)
}

fn target(text: &str) -> Result<Target, Error> {
    let catalog = Catalog::get();
    if let Some((name, id)) = text.split_once('/')
        && let Some(table) = catalog.retrievable_by_name(name.trim_start())
    {
        return match id {
            "" | "." | ".." => Err(Error::new(
                ErrorKind::Usage,
                format!("{text:?} is not a valid ID for the table {name}"),
            )),
            id => Ok(Target { table, id: id.to_owned() }),
        };
    }
    // Only a custom id can end in a space.
    let text = text.trim();
    match catalog.table_by_id(text) {
        Some(table) if table.retrieve_path.is_some() => Ok(Target { table, id: text.to_owned() }),
        Some(table) => Err(Error::new(
            ErrorKind::Usage,
            format!("Stripe cannot return a single row of {}", table.name),
        )
        .with_hint(match &table.parent {
            Some(parent) => format!("refresh its {} instead", parent.column),
            None => "run a backfill of it instead".to_owned(),
        })),
        None => Err(Error::new(ErrorKind::Usage, format!("no table has IDs like {text:?}"))
            .with_hint("put the table before a custom ID: products/gold")),
    }
}

/// Fetches and writes each target.
pub(crate) async fn refresh(
    context: &AccountContext,
    targets: &[Target],
) -> Result<Vec<RefreshResult>, Error> {
    const CONCURRENT_OBJECTS: usize = 8;
    // Collected, because a future that holds the closure cannot be spawned.
    let results: Vec<_> = targets.iter().map(|target| refresh_one(context, target)).collect();
    stream::iter(results).buffered(CONCURRENT_OBJECTS).try_collect().await
}

async fn refresh_one(context: &AccountContext, target: &Target) -> Result<RefreshResult, Error> {
    let (database, names) = (&context.database, context.statements.names());
    let (account, table, id) = (context.account.as_str(), target.table, target.id.as_str());
    // The object may be in the inbox, and earlier attempts to fetch it may have failed.
    let entry = database.lease_inbox_entry(names, account, table, id).await?;
    let refreshed = refetch::refresh(context, table, id).await;
    match (&entry, &refreshed) {
        (None, _) => {}
        (Some(entry), Ok(_)) => database.finish_inbox_entry(names, account, entry).await?,
        (Some(entry), Err(error)) => {
            let why = error.to_string();
            database.postpone_inbox_entry(names, account, entry, Duration::ZERO, &why).await?;
        }
    }
    let outcome = match refreshed {
        Ok(RefetchOutcome::Written) => RefreshOutcome::Stored,
        Ok(RefetchOutcome::Deleted { had_row: true }) => RefreshOutcome::Deleted,
        Ok(RefetchOutcome::Deleted { had_row: false }) => RefreshOutcome::NotFound,
        Ok(RefetchOutcome::Quarantined) => RefreshOutcome::Quarantined,
        // These errors affect every object.
        Err(RefetchError::Postgres(error)) if error.class != ErrorClass::RowRefused => {
            return Err(error.into());
        }
        Err(RefetchError::Retrieve(RetrieveError::Stripe(error)))
            if matches!(
                error.kind,
                StripeErrorKind::Unreachable | StripeErrorKind::Unauthorized { .. }
            ) =>
        {
            return Err(error.into());
        }
        Err(error) => RefreshOutcome::Failed(error.to_string()),
    };
    let (id, table) = (target.id.clone(), target.table.name.clone());
    Ok(RefreshResult { id, table, outcome })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table_and_id(text: &str) -> Result<(String, String), String> {
        target(text).map(|t| (t.table.name.clone(), t.id)).map_err(|e| e.to_string())
    }

    #[test]
    fn ids_are_matched_to_their_tables() {
        for (text, table, id) in [
            ("cus_1", "customers", "cus_1"),
            ("sub_sched_1", "subscription_schedules", "sub_sched_1"),
            ("products/gold", "products", "gold"),
            ("product/a b/c", "products", "a b/c"),
            ("coupon/50% off ", "coupons", "50% off "),
            (" cus_1\n", "customers", "cus_1"),
            ("country_specs/DE", "country_specs", "DE"),
        ] {
            assert_eq!(table_and_id(text), Ok((table.into(), id.into())), "{text}");
        }
    }

    #[test]
    fn invalid_ids_are_rejected_before_any_request() {
        for text in ["gold", "", "products/", "products/..", "unicorns/x", "il_1"] {
            assert!(table_and_id(text).is_err(), "{text}");
        }
        assert!(targets(&[]).is_err());
    }

    #[test]
    fn duplicate_ids_are_removed() {
        let ids = ["cus_1", "products/gold", "customers/cus_1", "cus_2"].map(str::to_owned);
        let found = targets(&ids).expect("targets");
        let found: Vec<_> = found.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(found, ["cus_1", "gold", "cus_2"]);
    }
}
