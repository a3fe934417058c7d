//! Finds objects that are already counted. A stream that is read in several parts counts each
//! object once.
//!
//! The slices of the first part count their own rows. In a later part, an object is counted when it
//! is first written, whichever slice holds its row and however often the slice is read.

use std::collections::HashSet;

use super::context::{SliceContext, retry_transient};
use super::piece::PagePiece;
use crate::error::Error;

/// The objects of these pages that this run has read and counted, if it reads a later part. The parts
/// of a list overlap where an object changes between them, or where Stripe ignores their parameters.
pub(super) async fn counted_before(
    context: &SliceContext<'_>,
    pieces: &[PagePiece],
) -> Result<Option<HashSet<String>>, Error> {
    let (run, table) = (context.run, context.target);
    let is_first = context.part == 0 && context.parents.is_none();
    let Some(began) = run.began().filter(|_| !is_first) else {
        return Ok(None);
    };
    let ids: Vec<&str> = pieces.iter().flat_map(PagePiece::counted).map(|(id, _)| id).collect();
    let (database, names) = (&run.account.database, run.account.statements.names());
    let account = run.account.account.as_str();
    let read =
        retry_transient!(run, Box::pin(database.read_since(names, account, table, &ids, began)))?;
    Ok(Some(read))
}
