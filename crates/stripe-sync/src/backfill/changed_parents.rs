//! Which parents of a page may have objects that the copy does not show.
//!
//! After a complete read, these are the parents that are new, that events name, whose row has
//! changed, or that have a quarantined list or object. If this cannot be determined, all parents
//! are read.

use std::collections::HashSet;

use super::context::{SliceContext, retry_transient};
use super::page::PageObject;
use super::parents_to_read::{ParentsPart, ParentsToRead};
use crate::catalog::ParentLists;
use crate::postgres::{PostgresError, QuarantinedOfParent};
use crate::row::{get_path, id_of, is_null, string};
use crate::stripe::{Request, StripeClient, StripeError};

/// Objects of a page.
const LIMIT: usize = 100;
/// Events are kept for 30 days (FACTS 6). The lists of all parents are read if the last complete
/// read is older.
const EVENTS_REACH: i64 = 29 * 86_400;
/// If more parents than this have changed, all are read.
const MAX_CHANGED: usize = 200_000;
/// If more entries than this are quarantined, all parents are read.
const MAX_QUARANTINED: usize = 1_000;

/// The parents of a page whose lists may have changed since they were read; `None` for all.
pub(super) async fn changed_parents(
    context: &SliceContext<'_>,
    part: ParentsPart,
    parents: &[PageObject],
) -> Option<HashSet<String>> {
    let run = context.run;
    let to_read = run.parents_to_read.get_or_init(|| parents_to_read(context, part)).await;
    let ParentsToRead::Changed { last, named } = to_read else { return None };
    let ids: Vec<&str> = parents.iter().map(PageObject::id).collect();
    let (database, names) = (&run.account.database, run.account.statements.names());
    let account = run.account.account.as_str();
    let since = last.started_at;
    // If this cannot be determined, all are read.
    let mut changed = retry_transient!(
        run,
        Box::pin(database.changed_since(names, account, context.table, &ids, since))
    )
    .ok()?;
    let is_new = |parent: &&PageObject| {
        parent.sort_time.is_none_or(|created| created >= last.event_cursor)
            || named.contains(parent.id())
    };
    changed.extend(parents.iter().filter(is_new).map(|parent| parent.id().to_owned()));
    Some(changed)
}

/// Finds out which parents have changed since their lists were last read completely; all of them if
/// this cannot be determined.
async fn parents_to_read(context: &SliceContext<'_>, part: ParentsPart) -> ParentsToRead {
    let run = context.run;
    let (database, names) = (&run.account.database, run.account.statements.names());
    let own_parts = context.target.list.as_ref().map_or(1, |list| list.parts.len());
    let (account, stream) = (run.account.account.as_str(), context.target.name.as_str());
    let number = i32::try_from(own_parts).unwrap_or(i32::MAX);
    let run_id = part.run_id;
    let Ok(Some(last)) =
        retry_transient!(run, database.last_reading(names, account, stream, number, run_id))
    else {
        return ParentsToRead::All;
    };
    if run.account.client.now().unix_seconds() - last.event_cursor > EVENTS_REACH {
        return ParentsToRead::All;
    }
    let quarantined = match quarantined_parents(context, part.lists).await {
        Ok(Some(parents)) => parents,
        Ok(None) => return ParentsToRead::All,
        Err(error) => {
            tracing::info!(%error, "the quarantine cannot be read, so the lists of all parents are read");
            return ParentsToRead::All;
        }
    };
    match named_by_events(&run.account.client, part.lists, last.event_cursor).await {
        Ok(Some(mut named)) => {
            named.extend(quarantined);
            ParentsToRead::Changed { last, named }
        }
        Ok(None) => ParentsToRead::All,
        Err(error) => {
            tracing::info!(%error, "the events cannot be read, so the lists of all parents are read");
            ParentsToRead::All
        }
    }
}

/// The parents with a list or an object that is quarantined; `None` if there are too many, or if an object
/// does not name its parent.
async fn quarantined_parents(
    context: &SliceContext<'_>,
    lists: &ParentLists,
) -> Result<Option<HashSet<String>>, PostgresError> {
    let run = context.run;
    let (database, names) = (&run.account.database, run.account.statements.names());
    let (account, stream) = (run.account.account.as_str(), context.target.name.as_str());
    let limit = MAX_QUARANTINED as i64 + 1;
    let entries =
        retry_transient!(run, database.quarantined_of_parents(names, account, stream, limit))?;
    if entries.len() > MAX_QUARANTINED {
        return Ok(None);
    }
    let mut parents = HashSet::new();
    for entry in entries {
        match entry {
            QuarantinedOfParent::List { parent } => parents.extend([parent]),
            QuarantinedOfParent::Object { json } => {
                match get_path(&json, [lists.property.as_str()]) {
                    // The stream's own list shows it.
                    Some(raw) if is_null(raw) => {}
                    raw => match raw.and_then(string) {
                        Some(parent) => parents.extend([parent.into_owned()]),
                        None => return Ok(None),
                    },
                }
            }
        }
    }
    Ok(Some(parents))
}

/// The parents that events since a second name; `None` if there are too many.
async fn named_by_events(
    client: &StripeClient,
    lists: &ParentLists,
    since: i64,
) -> Result<Option<HashSet<String>>, StripeError> {
    let mut named = HashSet::new();
    let mut cursor = None::<String>;
    loop {
        let mut request = Request::to_list("/v1/events").with("created[gte]", since.to_string());
        for event in &lists.events {
            request = request.with("types[]", event.clone());
        }
        if let Some(cursor) = &cursor {
            request = request.with("starting_after", cursor.clone());
        }
        let (page, _) = client.list_up_to(&request, LIMIT).await?;
        for event in page.items() {
            let property = lists.property.as_str();
            for path in [
                ["data", "object", property],
                ["data", "object", "id"],
                ["data", "previous_attributes", property],
            ] {
                named.extend(get_path(event, path).and_then(string).map(|id| id.into_owned()));
            }
        }
        let next = page.objects().rev().find_map(id_of).map(|id| id.into_owned());
        if named.len() > MAX_CHANGED || (page.has_more && (next.is_none() || next == cursor)) {
            return Ok(None);
        }
        if !page.has_more {
            return Ok(Some(named));
        }
        cursor = next;
    }
}
