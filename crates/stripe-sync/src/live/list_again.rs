//! Lists a part of a stream again and stores what it shows, without a run: for objects that have no
//! events.

use std::collections::HashSet;

use crate::backfill::list_page;
use crate::catalog::Table;
use crate::context::AccountContext;
use crate::error::{Error, ErrorKind};
use crate::object::batches::ObjectBatches;
use crate::object::nested::has_cut_off_list;
use crate::postgres::{InboxEntry, InboxReason, PostgresError, WriteOutcome, WriteRequest};
use crate::row::{id_of, name_of};
use crate::slice::Bounds;
use crate::stripe::Page;

/// Stores the objects that the stream's list shows within `bounds`. Returns how many, and the Unix
/// second at which the first page was requested.
///
/// Cancel-safe: each page is written in one transaction.
///
/// # Errors
/// Stripe refuses the list or stays unreachable, or the database cannot be written to.
pub(super) async fn list_again(
    context: &AccountContext,
    table: &'static Table,
    bounds: Bounds,
) -> Result<(u64, i64), Error> {
    let list = table.list.as_ref().expect("a stream has a list");
    let (mut rows, mut first) = (0, None);
    for part in 0..list.parts.len() {
        let (mut seen, mut last) = (HashSet::new(), None::<String>);
        loop {
            let page = list_page(&context.client, table, part, bounds, last.as_deref()).await?;
            first.get_or_insert(page.sent.unix_seconds());
            store(context, table, &page).await?;
            let mut has_new = false;
            for id in page.items().filter_map(id_of) {
                has_new |= seen.insert(id.into_owned());
            }
            rows += page.items().len() as u64;
            if !page.has_more || !list.paged {
                break;
            }
            match page.items().next_back().and_then(id_of).filter(|_| has_new) {
                Some(id) => last = Some(id.into_owned()),
                None => return Err(no_end(table, page.request_id.as_deref())),
            }
        }
    }
    Ok((rows, first.unwrap_or_default()))
}

/// Writes a page. Objects that it does not show completely, or that cannot be ordered against the
/// stored row, are put into the inbox.
async fn store(
    context: &AccountContext,
    table: &'static Table,
    page: &Page,
) -> Result<(), PostgresError> {
    let request_id = page.request_id.as_deref();
    let names: Vec<_> = page.items().map(name_of).collect();
    let mut to_fetch: HashSet<&str> = HashSet::new();
    for (object, name) in page.objects().zip(&names) {
        if id_of(object).is_some() && has_cut_off_list(table, object) {
            to_fetch.insert(name);
        }
    }
    let mut reason = InboxReason::Incomplete;
    loop {
        let mut batches = ObjectBatches::new(table);
        for (object, name) in page.objects().zip(&names) {
            match id_of(object) {
                _ if to_fetch.contains(name.as_ref()) => {}
                Some(_) => batches.add(name, object, page.sent, request_id),
                None => batches.add_without_items(name, object, page.sent, request_id),
            }
        }
        let (batches, complete_lists) = batches.finish();
        let entry = |id: &&str| InboxEntry { table, id: (*id).to_owned(), reason };
        let inbox = to_fetch.iter().map(entry).collect();
        let request = WriteRequest { batches, complete_lists, inbox, ..WriteRequest::default() };
        match context.write(request).await? {
            WriteOutcome::Committed(_) => return Ok(()),
            WriteOutcome::Uncertain(rows) => {
                reason = InboxReason::Uncertain;
                let before = to_fetch.len();
                let uncertain =
                    |name: &&str| rows.iter().any(|row| row.table == table.name && row.id == *name);
                to_fetch.extend(names.iter().map(|name| &**name).filter(uncertain));
                if to_fetch.len() == before {
                    return Ok(());
                }
            }
            // Only a request with a position or a replacement ends like this.
            WriteOutcome::Fenced | WriteOutcome::StampChanged => return Ok(()),
        }
    }
}

fn no_end(table: &Table, request_id: Option<&str>) -> Error {
    let request = request_id.unwrap_or("without id");
    let message = format!(
        "the list of {} says has_more but repeats the same objects (request {request})",
        table.name
    );
    Error::new(ErrorKind::Stripe, message)
}
